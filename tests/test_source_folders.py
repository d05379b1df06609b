"""Folders as sources: what Hugging Face's `save_to_disk` writes, and a dataset of one's own."""

import shutil
from pathlib import Path

import datasets
import pandas as pd
import pytest
import typer
from maqa_severity.commands.prepare import prepare as prepare_command
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import COLUMNS, SPLITS, open_dataset
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.labelling.quality.gold import read_gold
from maqa_severity.harness.labelling.sources.choose import open_source as severity_source
from maqa_severity.harness.labelling.stream import label_dataset
from maqa_severity.tests.tongues import ARABIC, ENGLISH
from typer.testing import CliRunner

COMMAND = typer.Typer()
COMMAND.command()(prepare_command)
ALL_TEST = PrepareOptions(ARABIC, test=Share(fraction=1.0), validation=Share(rows=0))


def rows(count, start=0, **columns):
    numbers = range(start, start + count)
    texts = {"question": [f"سؤال رقم {n}" for n in numbers], "answer": [f"جواب رقم {n}" for n in numbers]}
    return datasets.Dataset.from_dict(texts | columns)


def saved(folder, splits):
    (splits if isinstance(splits, datasets.Dataset) else datasets.DatasetDict(splits)).save_to_disk(folder)
    return folder


def test_all_splits_are_read_and_said(tmp_path):
    folder = saved(tmp_path / "hf", {"train": rows(5), "test": rows(3, start=5), "extra": rows(1, start=8)})
    dataset, card = prepare(folder, tmp_path / "d", ALL_TEST)
    assert (card.read, dict(card.parts)) == (9, {"train": 5, "test": 3, "extra": 1})
    assert set(dataset.split("test")["question"]) == {f"سؤال رقم {n}" for n in range(9)}
    assert dataset.info.cleaning["splits"] == {"train": 5, "test": 3, "extra": 1}
    assert dataset.info.source == "hf"


def test_the_command_says_the_splits(tmp_path):
    folder = saved(tmp_path / "hf", {"train": rows(5), "test": rows(3, start=5)})
    done = CliRunner().invoke(COMMAND, [str(folder), "--out", str(tmp_path / "d")])
    assert done.exit_code == 0, done.output
    assert "Splits, all of them read: train (5 rows), test (3 rows)" in done.output


def test_one_dataset_without_splits_is_read_in_the_order_it_was_put_in(tmp_path):
    folder = saved(tmp_path / "hf", rows(20).shuffle(seed=0).select(range(12)))
    dataset, card = prepare(folder, tmp_path / "d", ALL_TEST)
    assert (card.read, dict(card.parts)) == (12, {})
    assert "splits" not in dataset.info.cleaning


def test_class_labels_are_read_by_their_names(tmp_path):
    labels = datasets.ClassLabel(names=["critical", "neutral", "non_critical"])
    table = rows(4, severity=[0, 2, -1, None]).cast_column("severity", labels)
    dataset, _ = prepare(saved(tmp_path / "hf", {"train": table}), tmp_path / "d", ALL_TEST)
    found = dataset.split("test").set_index("question")["severity"]
    assert found["سؤال رقم 0"] == "critical" and found["سؤال رقم 1"] == "non_critical"
    assert found[["سؤال رقم 2", "سؤال رقم 3"]].isna().all()


def test_a_column_that_a_split_lacks_is_empty_there(tmp_path):
    one, two = rows(2, severity=["critical", "neutral"]), rows(9000, start=2)
    dataset, card = prepare(saved(tmp_path / "hf", {"train": two, "test": one}), tmp_path / "d", ALL_TEST)
    assert card.read == 9002
    assert dataset.split("test")["severity"].value_counts().to_dict() == {"critical": 1, "neutral": 1}


def test_a_split_without_rows_adds_none_and_a_folder_without_any_is_empty(tmp_path):
    folder = saved(tmp_path / "hf", {"train": rows(3), "validation": rows(3).select([])})
    _, card = prepare(folder, tmp_path / "d", ALL_TEST)
    assert (card.read, dict(card.parts)) == (3, {"train": 3, "validation": 0})
    with pytest.raises(UserError, match="none is empty"):
        prepare(saved(tmp_path / "none", {"train": rows(3).select([])}), tmp_path / "e", ALL_TEST)
    with pytest.raises(UserError, match="none/train is empty"):
        prepare(tmp_path / "none" / "train", tmp_path / "e", ALL_TEST)


def test_however_the_folder_is_named_it_is_the_same_source(tmp_path, monkeypatch):
    folder = saved(tmp_path / "here" / "hf", {"train": rows(6)})
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path / "here")
    found = [
        prepare(path, tmp_path / f"d{number}", ALL_TEST)[0].info.source_sha256
        for number, path in enumerate((folder, Path("hf"), Path("../here/hf"), tmp_path / "link"))
    ]
    assert len(set(found)) == 1
    monkeypatch.chdir(folder)
    assert prepare(Path(), tmp_path / "last", ALL_TEST)[0].info.source == "hf"


def test_a_split_that_has_none_of_the_columns_has_no_question(tmp_path):
    other = datasets.Dataset.from_dict({"image": ["a", "b"]})
    _, card = prepare(saved(tmp_path / "hf", {"train": rows(2), "other": other}), tmp_path / "d", ALL_TEST)
    assert (card.read, card.kept, card.dropped["no_question"]) == (4, 2, 2)


def test_the_same_rows_from_a_folder_and_from_a_file_make_the_same_splits(tmp_path):
    table = rows(30, severity=["critical", "neutral", "non_critical"] * 10)
    table.to_pandas().to_csv(tmp_path / "s.csv", index=False)
    folder = saved(tmp_path / "hf", {"train": table.select(range(20)), "test": table.select(range(20, 30))})
    options = PrepareOptions(ARABIC, test=Share(rows=5), seed=3)
    one, _ = prepare(tmp_path / "s.csv", tmp_path / "one", options)
    two, _ = prepare(folder, tmp_path / "two", options)
    assert one.info.sha256 == two.info.sha256


def test_the_digest_is_of_the_data_wherever_the_folder_stands(tmp_path):
    folder = saved(tmp_path / "hf", {"train": rows(5), "test": rows(3, start=5)})
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "hf"))
    other = saved(tmp_path / "changed" / "hf", {"train": rows(5), "test": rows(3, start=6)})
    found = [
        prepare(path, tmp_path / str(number), ALL_TEST)[0].info.source_sha256
        for number, path in enumerate((folder, moved, other))
    ]
    assert found[0] == found[1] != found[2]


def test_an_id_that_two_splits_share_is_named_with_both_rows(tmp_path):
    folder = saved(tmp_path / "hf", {"train": rows(3, id=["a", "b", "c"]), "test": rows(2, start=3, id=["d", "b"])})
    with pytest.raises(UserError, match=r"hf/test row 2 has the id 'b' of .*hf/train row 2\. Make the ids unique"):
        prepare(folder, tmp_path / "d", ALL_TEST)


def test_a_wrong_row_is_named_within_its_split(tmp_path):
    folder = saved(
        tmp_path / "hf",
        {"train": rows(3, severity=["critical"] * 3), "test": rows(2, start=3, severity=["neutral", "purple"])},
    )
    with pytest.raises(UserError, match=r"hf/test row 2: unknown severity 'purple'"):
        prepare(folder, tmp_path / "d", ALL_TEST)


def test_a_list_of_answers_is_several_references(tmp_path):
    folder = saved(tmp_path / "hf", datasets.Dataset.from_dict({"question": ["x"], "answer": [["y", "z"]]}))
    prepare(folder, tmp_path / "d", ALL_TEST)
    (row,) = open_dataset(tmp_path / "d").split("test").to_dict("records")
    assert (row["answer"], list(row["references"])) == ("y", ["y", "z"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: next(folder.rglob("*.arrow")).write_bytes(b"no arrow"),
        lambda folder: next(folder.rglob("*.arrow")).unlink(),
        lambda folder: next(folder.rglob("state.json")).write_text("{"),
        lambda folder: next(folder.rglob("state.json")).write_text("{}"),
        lambda folder: next(folder.rglob("state.json")).write_text("[]"),
        lambda folder: next(folder.rglob("dataset_info.json")).unlink(),
        lambda folder: (folder / "dataset_dict.json").write_text("[]"),
        lambda folder: (folder / "dataset_dict.json").write_text('{"splits": ["train", "gone"]}'),
        lambda folder: (folder / "dataset_dict.json").write_text('{"splits": []}'),
        lambda folder: next(folder.rglob("*.arrow")).write_bytes(next(folder.rglob("*.arrow")).read_bytes()[:-300]),
    ],
)
def test_a_damaged_folder_is_one_error(tmp_path, damage):
    folder = saved(tmp_path / "hf", {"train": rows(50)})
    damage(folder)
    with pytest.raises(UserError, match="hf"):
        prepare(folder, tmp_path / "d", ALL_TEST)
    assert not (tmp_path / "d").exists()


def test_a_folder_of_no_known_kind_says_what_can_be_read(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "part.bin").touch()
    with pytest.raises(UserError, match=r"of a known kind\. Give a csv, .* a dataset or save_to_disk folder"):
        prepare(tmp_path / "folder", tmp_path / "d", ALL_TEST)


@pytest.fixture
def labelled(tmp_path):
    """A dataset that the rules have labelled."""
    rows(40).to_pandas().assign(question="الم في الصدر و " + rows(40).to_pandas()["question"]).to_csv(
        tmp_path / "s.csv", index=False
    )
    dataset, _ = prepare(tmp_path / "s.csv", tmp_path / "plain", PrepareOptions(ARABIC))
    return label_dataset(dataset, severity_source("rules", ARABIC), tmp_path / "labelled")[0]


def test_a_dataset_is_cut_anew_and_keeps_who_labelled_it(tmp_path, labelled):
    again, card = prepare(labelled.folder, tmp_path / "again", PrepareOptions(ARABIC, test=Share(rows=15), seed=9))
    assert dict(card.parts) == {name: len(labelled.split(name)) for name in SPLITS}
    assert again.info.severity_source == labelled.info.severity_source
    assert again.info.severity_source.name == "rules"
    one, two = (
        pd.concat([each.split(name) for name in SPLITS]).sort_values("id", ignore_index=True)
        for each in (labelled, again)
    )
    pd.testing.assert_frame_equal(one[list(COLUMNS)], two[list(COLUMNS)])
    assert len(again.split("test")) == 15


def test_an_unlabelled_dataset_stays_unlabelled(tmp_path):
    rows(10).to_pandas().to_csv(tmp_path / "s.csv", index=False)
    one, _ = prepare(tmp_path / "s.csv", tmp_path / "one", PrepareOptions(ARABIC))
    two, _ = prepare(one.folder, tmp_path / "two", PrepareOptions(ARABIC))
    assert two.info.severity_source.name == "none" and two.info.counts == one.info.counts


def test_a_dataset_says_its_own_language(tmp_path, labelled):
    with pytest.raises(UserError, match=r"is a dataset in 'ar', not in 'en'\. Give --language ar"):
        prepare(labelled.folder, tmp_path / "d", PrepareOptions(ENGLISH))
    text = (labelled.folder / "dataset.json").read_text()
    (labelled.folder / "dataset.json").write_text(text.replace('"language": "ar"', '"language": "en"'))
    done = CliRunner().invoke(COMMAND, [str(labelled.folder), "--out", str(tmp_path / "d")])
    assert done.exit_code == 0, done.output
    assert open_dataset(tmp_path / "d").info.language == "en"


def test_a_dataset_that_was_changed_is_refused(tmp_path, labelled):
    labelled.split("train").iloc[:3].to_parquet(labelled.folder / "train.parquet")
    with pytest.raises(UserError, match=r"train\.parquet was changed"):
        prepare(labelled.folder, tmp_path / "d", ALL_TEST)


def test_gold_labels_may_stand_in_a_saved_folder(tmp_path):
    table = datasets.Dataset.from_dict({"id": ["a", "b"], "severity": ["critical", "neutral"]})
    assert read_gold(saved(tmp_path / "hf", {"train": table}), ARABIC) == {"a": 2, "b": 1}


def test_an_experiment_prepares_a_saved_folder_and_opens_a_dataset(tmp_path, labelled):
    from maqa_severity.trainers.experiments.config import DataPart
    from maqa_severity.trainers.experiments.ingredients import demand_source, experiment_dataset

    folder = saved(tmp_path / "hf", {"train": rows(20), "test": rows(3, start=20)})
    part = DataPart(source=str(folder), test=5, validation=2)
    demand_source(part, tmp_path / "out")
    assert experiment_dataset(part, tmp_path / "out").info.source == "hf"
    assert experiment_dataset(DataPart(source=str(labelled.folder)), tmp_path / "other").folder == labelled.folder
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="folder of a known kind"):
        demand_source(DataPart(source=str(tmp_path / "nothing")), tmp_path / "third")
