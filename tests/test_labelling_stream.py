"""Labelling a dataset: order, resuming, people's labels, and nothing overwritten or lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import SPLITS, Dataset, open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling import stream
from maqa_severity.harness.labelling.prior import prior
from maqa_severity.harness.labelling.reasons import write_part
from maqa_severity.harness.labelling.sources.base import ColumnSource, Labels, Probabilities
from maqa_severity.harness.labelling.sources.hybrid import HybridSource
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.stream import finish_labelling, label_dataset, plain
from maqa_severity.harness.severity import PROBABILITY_COLUMNS
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

TEXT = ["id", "question", "answer", "category"]


class Length:
    """A source whose answer is a function of the text alone; it knows nothing of texts with an even length."""

    name = "classifier"
    version = "test"
    sha256 = "0" * 64
    keeps_expert_labels = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        self.asked += questions
        share = np.array([len(question) % 97 / 100 for question in questions])
        result = np.column_stack([share, (1 - share) / 4, 3 * (1 - share) / 4])
        result[[len(question) % 2 == 0 for question in questions]] = np.nan
        return result


@pytest.fixture
def unlabelled(tmp_path) -> Dataset:
    rows = [{**row, "severity": None} for row in handwritten_rows(ARABIC)]
    return dataset_from_rows(
        {"train": rows[:200], "validation": rows[200:230], "test": rows[230:]},
        tmp_path / "in",
        language=ARABIC,
        source="sample",
    )


@pytest.fixture
def expert(tmp_path) -> Dataset:
    """People labelled every second row."""
    rows = [
        {**row, "severity": row["severity"] if at % 2 else None} for at, row in enumerate(handwritten_rows(ARABIC))
    ]
    return dataset_from_rows(
        {"train": rows[:200], "validation": rows[200:230], "test": rows[230:]},
        tmp_path / "expert",
        language=ARABIC,
        source="sample",
    )


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(stream, "BATCH_ROWS", 32)


def whole(dataset: Dataset) -> pd.DataFrame:
    return pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)


def test_text_and_order_stay_and_every_row_has_a_severity_and_probabilities(unlabelled, tmp_path):
    labelled, counts = label_dataset(unlabelled, RulesSource(ARABIC), tmp_path / "out")
    before, after = whole(unlabelled), whole(open_dataset(tmp_path / "out"))
    pd.testing.assert_frame_equal(before[TEXT], after[TEXT])
    assert after["severity"].notna().all()
    assert after[list(PROBABILITY_COLUMNS)].sum(axis=1).to_numpy() == pytest.approx(1)
    assert counts.rows == len(before) == counts.expert + counts.source + counts.unknown + counts.without_letters
    assert labelled.info.labelling["unknown"] == counts.unknown


def test_the_source_its_version_and_digest_stand_in_the_dataset(unlabelled, tmp_path):
    rules = RulesSource(ARABIC)
    label_dataset(unlabelled, rules, tmp_path / "out")
    record = open_dataset(tmp_path / "out").info.severity_source
    assert (record.name, record.version, record.sha256) == ("rules", rules.version, rules.sha256)


def test_what_the_source_does_not_know_gets_the_prior_and_is_counted(unlabelled, tmp_path):
    source = Length()
    labelled, counts = label_dataset(unlabelled, source, tmp_path / "out")
    frame = whole(labelled)
    even = frame["question"].str.len() % 2 == 0
    assert counts.unknown == even.sum() > 0
    assert (frame.loc[even, list(PROBABILITY_COLUMNS)].to_numpy() == prior(ARABIC)).all()
    assert set(frame.loc[even, "severity"]) == {"neutral"}


def test_a_run_that_was_killed_goes_on_where_it_stood_and_gives_the_same_bytes(unlabelled, tmp_path):
    def breaks_after(batches: int) -> stream.Engine:
        def engine(source: object, given: Iterable[stream.Batch]) -> Iterator[tuple[stream.Batch, Labels]]:
            for at, done in enumerate(plain(source, given)):
                if at == batches:
                    raise KeyboardInterrupt
                yield done

        return engine

    whole_run, _ = label_dataset(unlabelled, Length(), tmp_path / "whole")
    for stop in (0, 3, 6):
        out = tmp_path / f"stopped-{stop}"
        with pytest.raises(KeyboardInterrupt):
            label_dataset(unlabelled, Length(), out, engine=breaks_after(stop))
        assert not (out / "dataset.json").exists()
        source, finished = Length(), []
        resumed, _ = label_dataset(unlabelled, source, out, progress=finished.append)
        assert len(source.asked) == 300 - min(32 * stop, 192 + 8 * (stop > 6))
        assert sum(finished) == 300
        assert resumed.info.sha256 == whole_run.info.sha256
        assert sorted(path.name for path in out.iterdir()) == sorted(
            ["dataset.json", stream.COST, *(f"{n}.parquet" for n in SPLITS)]
        )


def test_parts_of_another_source_are_not_taken_over(unlabelled, tmp_path):
    def broken(source: object, given: Iterable[stream.Batch]) -> Iterator[tuple[stream.Batch, Probabilities]]:
        yield next(iter(plain(source, given)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_dataset(unlabelled, Length(), tmp_path / "out", engine=broken)
    other = Length()
    other.version = "test 2"
    label_dataset(unlabelled, other, tmp_path / "out")
    assert len(other.asked) == 300


def test_engines_may_finish_batches_in_any_order(unlabelled, tmp_path):
    def backwards(source: object, given: Iterable[stream.Batch]) -> Iterator[tuple[stream.Batch, Probabilities]]:
        yield from plain(source, list(given)[::-1])

    straight, _ = label_dataset(unlabelled, Length(), tmp_path / "a")
    reverse, _ = label_dataset(unlabelled, Length(), tmp_path / "b", engine=backwards)
    assert straight.info.sha256 == reverse.info.sha256


def test_a_dataset_without_labels_is_labelled_in_place_and_again_is_no_work(unlabelled):
    label_dataset(unlabelled, RulesSource(ARABIC), unlabelled.folder)
    again = open_dataset(unlabelled.folder)
    before = {path.name: path.stat().st_mtime_ns for path in unlabelled.folder.iterdir()}
    label_dataset(again, RulesSource(ARABIC), unlabelled.folder)
    assert before == {path.name: path.stat().st_mtime_ns for path in unlabelled.folder.iterdir()}


def test_labels_are_never_overwritten_in_place(expert, tmp_path):
    before = {path.name: path.read_bytes() for path in expert.folder.iterdir()}
    hybrid = HybridSource(RulesSource(ARABIC), Length())
    for source in (RulesSource(ARABIC), hybrid):
        with pytest.raises(UserError, match="has 150 labels already"):
            label_dataset(expert, source, expert.folder)
    assert before == {path.name: path.read_bytes() for path in expert.folder.iterdir()}
    labelled, _ = label_dataset(expert, hybrid, tmp_path / "out")
    with pytest.raises(UserError, match="has 300 labels already"):
        label_dataset(labelled, RulesSource(ARABIC), tmp_path / "out")


def test_another_dataset_or_foreign_files_are_not_overwritten(unlabelled, expert, tmp_path):
    with pytest.raises(UserError, match="holds a dataset"):
        label_dataset(unlabelled, RulesSource(ARABIC), expert.folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match="holds files"):
        label_dataset(unlabelled, RulesSource(ARABIC), tmp_path / "mine")


def test_people_override_the_hybrid_and_the_hybrid_fills_the_rest(expert, tmp_path):
    labelled, counts = label_dataset(expert, HybridSource(RulesSource(ARABIC), Length()), tmp_path / "out")
    given, result = whole(expert), whole(labelled)
    known = given["severity"].notna()
    assert (result.loc[known, "severity"] == given.loc[known, "severity"]).all()
    assert (result.loc[known, list(PROBABILITY_COLUMNS)].max(axis=1) == 1).all()
    assert result["severity"].notna().all()
    assert counts.expert == known.sum() == 150


def test_a_red_flag_overrides_the_classifier_and_nothing_else_does(unlabelled):
    rules, classifier = RulesSource(ARABIC), Length()
    questions = whole(unlabelled)["question"].tolist()
    flagged = rules.red_flags(questions)
    assert flagged.any() and not flagged.all()
    result = HybridSource(rules, classifier).probabilities(questions)
    expected = np.where(flagged[:, None], rules.probabilities(questions), classifier.probabilities(questions))
    assert np.array_equal(result, expected, equal_nan=True)


def test_the_column_source_keeps_people_labels_and_leaves_the_rest_unlabelled(expert, tmp_path):
    labelled, counts = label_dataset(expert, ColumnSource(), tmp_path / "out")
    pd.testing.assert_frame_equal(whole(expert), whole(labelled))
    assert (counts.expert, counts.source, counts.unknown) == (150, 0, 150)


def test_the_column_source_without_labels_is_an_error_that_writes_nothing(unlabelled, tmp_path):
    with pytest.raises(UserError, match="has no labels by people"):
        label_dataset(unlabelled, ColumnSource(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_labels_of_rules_are_no_labels_by_people(unlabelled, tmp_path):
    labelled, _ = label_dataset(unlabelled, RulesSource(ARABIC), tmp_path / "rules")
    with pytest.raises(UserError, match="no labels by people"):
        label_dataset(labelled, ColumnSource(), tmp_path / "out")
    _, counts = label_dataset(labelled, HybridSource(RulesSource(ARABIC), Length()), tmp_path / "hybrid")
    assert counts.expert == 0


def test_odd_complaints_are_counted_decisions_and_no_crash(tmp_path):
    odd = ["12 / 4", "what is this", "؟!", "😀😀", "ألم " * 25_000 + "!", "\u200f\u0640\u064b"]
    dataset = dataset_from_rows(
        {"test": [{"question": text, "answer": "راجع الطبيب"} for text in odd]},
        tmp_path / "in",
        language=ARABIC,
        source="odd",
    )
    source = Length()
    labelled, counts = label_dataset(dataset, source, tmp_path / "out")
    assert counts.without_letters == 5
    given = whole(labelled)[list(PROBABILITY_COLUMNS)].to_numpy()
    assert (given == prior(ARABIC)).all(axis=1).tolist() == [True, True, True, True, False, True]
    assert counts.rows == len(whole(labelled)) == len(odd)
    label_dataset(dataset, RulesSource(ARABIC), tmp_path / "rules")


def test_an_output_that_cannot_be_written_is_one_line(unlabelled, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot (write|use)"):
        label_dataset(unlabelled, RulesSource(ARABIC), tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_an_empty_split_stays_empty(tmp_path):
    rows = handwritten_rows(ARABIC)[:5]
    dataset = dataset_from_rows({"test": rows}, tmp_path / "in", language=ARABIC, source="x")
    labelled, _ = label_dataset(dataset, RulesSource(ARABIC), tmp_path / "out")
    assert [labelled.info.counts[name]["rows"] for name in SPLITS] == [0, 0, 5]
    assert Path(tmp_path / "out" / "train.parquet").is_file()


def kept_before_every_move(monkeypatch, folder: Path, kept: Path) -> None:
    """Copy the folder before anything in it is moved or taken away: what a kill at that moment would leave."""

    def watched(whole):
        def moved(path: Path, *given: Path, **more: bool) -> object:
            if path.is_relative_to(folder) and folder.exists():
                shutil.copytree(folder, kept / str(len(list(kept.iterdir()))))
            return whole(path, *given, **more)

        return moved

    kept.mkdir()
    for name in ("replace", "rename", "unlink", "rmdir"):
        monkeypatch.setattr(Path, name, watched(getattr(Path, name)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "in_place",
    [pytest.param(False, marks=pytest.mark.weekly, id="into a new folder"), pytest.param(True, id="in place")],
)
def test_killed_while_the_dataset_is_written_it_goes_on_to_the_same_bytes(
    unlabelled, tmp_path, monkeypatch, in_place
):
    expected, _ = label_dataset(unlabelled, RulesSource(ARABIC), tmp_path / "whole")
    names = sorted(path.name for path in expected.folder.iterdir())
    given = shutil.copytree(unlabelled.folder, tmp_path / "given")
    out = given if in_place else tmp_path / "out"
    with monkeypatch.context() as patched:
        kept_before_every_move(patched, out, tmp_path / "kept")
        label_dataset(open_dataset(given), RulesSource(ARABIC), out)
    moments = sorted((tmp_path / "kept").iterdir(), key=lambda path: int(path.name))
    assert sum((left / ".labelling" / "whole").exists() for left in moments) > 5
    for left in moments:
        if in_place:
            finish_labelling(left)
        resumed, counts = label_dataset(open_dataset(left if in_place else given), RulesSource(ARABIC), left)
        assert resumed.info == expected.info and counts.rows == 300
        assert open_dataset(left).info.sha256 == expected.info.sha256
        found = {path.name for path in left.iterdir() if path.name[0] != "." or path.is_dir()}
        assert sorted(found) == names


def test_parts_that_nobody_signed_are_not_taken_over(unlabelled, tmp_path):
    work = tmp_path / "out" / ".labelling"
    work.mkdir(parents=True)
    write_part(work / "train-000000000.parquet", Labels(np.full((32, 3), 1 / 3), np.zeros(32, np.int8), [""] * 32))
    source = Length()
    label_dataset(unlabelled, source, tmp_path / "out")
    assert len(source.asked) == 300
