"""The dataset folder: whole or absent, checked on opening, the same from rows and from frames."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import COLUMNS, SPLITS, SeveritySource, open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.severity import PROBABILITY_COLUMNS
from maqa_severity.tests.tongues import ARABIC

ROWS: dict[str, list[dict[str, Any]]] = {
    "train": [
        {"question": " عندي صداع\nخفيف ", "answer": "راجع الطبيب.", "severity": "غير حرج", "dialect": "msa"},
        {"question": "الم في الصدر", "answer": "اذهب الى الطوارئ", "severity": "critical", "category": "قلب"},
    ],
    "validation": [{"question": "كحه من اسبوع", "answer": "اشرب سوائل", "severity": "moderate"}],
    "test": [{"id": "t1", "question": "نزيف شديد", "answer": "الاسعاف", "severity": "حرج"}],
}


def copy(**changes: Any) -> dict[str, list[dict[str, Any]]]:
    """``ROWS`` with the keys of the test row changed."""
    return ROWS | {"test": [ROWS["test"][0] | changes]}


def test_rows_come_back_as_written_with_certain_probabilities(tmp_path: Path) -> None:
    dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="sample")
    train = open_dataset(tmp_path / "d").split("train")
    assert list(train.columns) == list(COLUMNS)
    assert train["question"].tolist() == [row["question"] for row in ROWS["train"]]
    assert train["severity"].tolist() == ["non_critical", "critical"]
    assert train[list(PROBABILITY_COLUMNS)].to_numpy().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert train["category"].tolist() == ["unknown", "قلب"]


def test_frames_and_rows_make_the_same_dataset(tmp_path: Path) -> None:
    one = dataset_from_rows(ROWS, tmp_path / "one", language=ARABIC, source="s")
    two = dataset_from_rows(
        {name: pd.DataFrame(rows) for name, rows in ROWS.items()}, tmp_path / "two", language=ARABIC, source="s"
    )
    assert one.info == two.info


def test_a_dataset_can_be_written_again_from_its_own_splits(tmp_path: Path) -> None:
    rows = ROWS | {"train": [{"question": "سؤال", "answer": "جواب"}]}
    one = dataset_from_rows(rows, tmp_path / "one", language=ARABIC, source="s")
    two = dataset_from_rows(
        {name: one.split(name) for name in SPLITS}, tmp_path / "two", language=ARABIC, source="s"
    )
    assert one.info.sha256 == two.info.sha256


def test_ids_are_kept_and_made_from_the_content_alone(tmp_path: Path) -> None:
    dataset = dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="s")
    reverse = ROWS | {"train": ROWS["train"][::-1]}
    other = dataset_from_rows(reverse, tmp_path / "e", language=ARABIC, source="s")
    assert dataset.split("test")["id"].tolist() == ["t1"]
    assert dataset.split("train")["id"].tolist() == other.split("train")["id"].tolist()[::-1]
    assert dataset.split("train")["id"].str.fullmatch("[0-9a-f]{16}").all()


def test_counts_and_source_are_written_down(tmp_path: Path) -> None:
    dataset_from_rows(
        ROWS,
        tmp_path / "d",
        language=ARABIC,
        source="sample",
        severity_source=SeveritySource(name="rules", version="2"),
    )
    info = json.loads((tmp_path / "d" / "dataset.json").read_text())
    counts = {"rows": 2, "critical": 1, "neutral": 0, "non_critical": 1, "unlabelled": 0}
    assert info["counts"]["train"] == counts
    assert info["severity_source"] == {"name": "rules", "version": "2", "sha256": None}
    assert info["source"] == "sample"


def test_rows_without_label_stay_unlabelled_and_an_empty_split_keeps_its_types(tmp_path: Path) -> None:
    full = dataset_from_rows(ROWS, tmp_path / "full", language=ARABIC, source="s")
    bare = dataset_from_rows(
        {"train": [{"question": "سؤال", "answer": "جواب"}]}, tmp_path / "bare", language=ARABIC, source="s"
    )
    assert bare.info.severity_source.name == "none"
    assert bare.info.counts["train"]["unlabelled"] == 1
    for name in SPLITS:
        assert bare.split(name).dtypes.equals(full.split(name).dtypes)


def test_the_most_likely_severity_is_taken_and_a_tie_is_the_more_severe(tmp_path: Path) -> None:
    values = [(0.5, 0.2, 0.3), (0.4, 0.2, 0.4), (0.4, 0.4, 0.2), (0.1, 0.6, 0.3)]
    rows = [
        {"question": f"سؤال {n}", "answer": "ج"} | dict(zip(PROBABILITY_COLUMNS, p, strict=True))
        for n, p in enumerate(values)
    ]
    dataset = dataset_from_rows({"test": rows}, tmp_path / "d", language=ARABIC, source="s")
    assert dataset.split("test")["severity"].tolist() == ["non_critical", "critical", "neutral", "neutral"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (copy(answer=" "), "test row 1 has no answer"),
        (copy(question=None), "test row 1 has no question"),
        (copy(severity="purple"), "test row 1: unknown severity 'purple'"),
        (copy(p_critical=0.3), "test row 1: a probability is missing"),
        (
            copy(p_non_critical=0.3, p_neutral=0.3, p_critical=0.3),
            "test row 1: probabilities 0.3, 0.3, 0.3 sum to 0.9",
        ),
        (copy(p_non_critical=-0.5, p_neutral=0.5, p_critical=1), "not all between 0 and 1"),
        (copy(question="أَلَمٌ في الصدر"), "test row 1 has the question of train row 2"),
        (
            ROWS | {"validation": [ROWS["test"][0] | {"question": "x"}]},
            "test row 1 has the id 't1' of validation row 1",
        ),
        (ROWS | {"dev": []}, "unknown split 'dev'"),
    ],
)
def test_bad_rows_are_one_line_and_leave_nothing(tmp_path: Path, rows: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        dataset_from_rows(rows, tmp_path / "d", language=ARABIC, source="s")
    assert not list(tmp_path.iterdir())


def test_a_dataset_is_replaced_only_on_demand_and_other_files_never(tmp_path: Path) -> None:
    dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="first")
    with pytest.raises(UserError, match="holds a dataset"):
        dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="second")
    assert (
        dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="second", overwrite=True).info.source
        == "second"
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(UserError, match=r"no dataset\.json"):
        dataset_from_rows(ROWS, tmp_path / "mine", language=ARABIC, source="second", overwrite=True)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "d", Path("/proc/maqa-dataset")):
        with pytest.raises(UserError, match=r"cannot (use|write)"):
            dataset_from_rows(ROWS, folder, language=ARABIC, source="s")


def test_a_disk_that_fills_up_leaves_the_old_dataset_whole(tmp_path: Path) -> None:
    dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="old")
    before = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from maqa_severity.harness.data.rows import dataset_from_rows\n"
        "from maqa_severity.harness.core.errors import UserError\n"
        "from maqa_severity.tests.tongues import ARABIC\n"
        "rows = [{'question': f'{n} {n * n}', 'answer': str(n ** 9)} for n in range(5000)]\n"
        "for folder in sys.argv[1:]:\n"
        "    try:\n"
        "        dataset_from_rows({'test': rows}, Path(folder), language=ARABIC, source='new', overwrite=True)\n"
        "    except UserError as error:\n        print(error)\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    run = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path / "d"), str(tmp_path / "new")],
        preexec_fn=limit, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(run.stdout.splitlines()) == 2
    assert "cannot write" in run.stdout
    assert {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()} == before
    assert not (tmp_path / "new").exists()
    open_dataset(tmp_path / "d")


def test_a_folder_without_its_dataset_json_is_one_line(tmp_path: Path) -> None:
    dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="s")
    (tmp_path / "d" / "dataset.json").unlink()
    with pytest.raises(UserError, match=r"dataset\.json does not exist"):
        open_dataset(tmp_path / "d")
    with pytest.raises(UserError, match="does not exist"):
        open_dataset(tmp_path / "nowhere")


def test_a_changed_or_missing_split_is_named(tmp_path: Path) -> None:
    dataset = dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="s")
    path = tmp_path / "d" / "test.parquet"
    dataset.split("test").assign(answer="x").to_parquet(path)
    with pytest.raises(UserError, match=r"test\.parquet was changed"):
        open_dataset(tmp_path / "d")
    path.unlink()
    with pytest.raises(UserError, match=r"test\.parquet does not exist"):
        open_dataset(tmp_path / "d")


def test_a_foreign_key_and_a_newer_schema_are_named(tmp_path: Path) -> None:
    dataset_from_rows(ROWS, tmp_path / "d", language=ARABIC, source="s")
    path = tmp_path / "d" / "dataset.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps(info | {"colour": "red"}))
    with pytest.raises(UserError, match="key 'colour'"):
        open_dataset(tmp_path / "d")
    path.write_text(json.dumps(info | {"schema_version": 99}))
    with pytest.raises(UserError, match="schema_version 99"):
        open_dataset(tmp_path / "d")
