"""Score files keep what they say: signatures, missing scores, and every format that was ever written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.scores.findings import Finding, Where, from_text, spans_note, to_text
from maqa_severity.harness.scores.table import FORMAT_VERSION, ScoreTable, read_scores, write_scores
from maqa_severity.harness.statistics import summarise

GOLDEN = Path(__file__).parent / "data"


@pytest.mark.parametrize("version", range(1, FORMAT_VERSION + 1))
def test_every_format_that_was_ever_written_still_loads(version):
    """A new format version needs a file here that was written with it."""
    scores = read_scores(GOLDEN / f"scores_format_{version}.parquet")
    assert scores.metrics == ["bertscore_f1", "missed_emergency"]
    assert scores.frame["id"].tolist() == ["c1", "c2", "n1", "n2", "m1", "m2"]
    assert scores.frame["bertscore_f1"].tolist() == [61.5, 70.25, 66.0, 64.0, 72.5, 58.75]
    assert scores.frame["missed_emergency"].isna().tolist() == [False, False, True, True, True, True]
    assert scores.signatures["bertscore_f1"] == "refs:1|model:bert-base-multilingual-cased|layer:9|version:1"
    summaries = {(each.metric, each.stratum): each for each in summarise(scores)}
    assert summaries["bertscore_f1", "overall"].mean == pytest.approx(65.5)
    assert summaries["missed_emergency", "critical"].mean == 50
    assert summaries["missed_emergency", "neutral"].n == 0


def test_findings_come_back_and_scores_of_before_have_none(tmp_path):
    found = Finding("dose_conflict", "mass_mg", 4, 8, Where.REFERENCE)
    frame = pd.DataFrame({"id": ["a", "b"], "severity": ["critical", "neutral"], "dose_conflict": [100.0, 0.0]})
    table = ScoreTable(frame, {"dose_conflict": ""}, findings=pd.Series([to_text([found]), to_text([])]))
    write_scores(tmp_path / "scores.parquet", table)
    back = read_scores(tmp_path / "scores.parquet")
    assert back.metrics == ["dose_conflict"]
    assert [from_text(text) for text in back.findings] == [(found,), ()]
    assert spans_note(list(back.findings)) == "spans: 1"
    before = read_scores(GOLDEN / "scores_format_1.parquet")
    assert before.findings is None
    assert spans_note(before.findings).startswith("spans: none")


def test_scores_come_back_as_they_were_written(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "severity": ["critical", "neutral"], "rougeL": [12.5, np.nan]})
    write_scores(tmp_path / "scores.parquet", ScoreTable(frame, {"rougeL": "applies:some"}))
    back = read_scores(tmp_path / "scores.parquet")
    assert back.frame["rougeL"].isna().tolist() == [False, True]
    assert back.signatures == {"rougeL": "applies:some"}


def test_a_newer_format_is_refused_with_the_remedy(tmp_path):
    table = pq.read_table(GOLDEN / f"scores_format_{FORMAT_VERSION}.parquet")
    note = table.schema.metadata[b"maqa_severity"].replace(
        f'"format_version": {FORMAT_VERSION}'.encode(), f'"format_version": {FORMAT_VERSION + 1}'.encode()
    )
    newer = table.replace_schema_metadata({**table.schema.metadata, b"maqa_severity": note})
    pq.write_table(newer, tmp_path / "scores.parquet")
    with pytest.raises(UserError, match=f"has the newer format {FORMAT_VERSION + 1}. Update maqa-severity"):
        read_scores(tmp_path / "scores.parquet")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "not a readable parquet file"), (b"id,score\n", "not a readable parquet file")]
)
def test_a_damaged_file_is_refused_by_its_name(tmp_path, content, message):
    (tmp_path / "scores.parquet").write_bytes(content)
    with pytest.raises(UserError, match=f"scores.parquet is {message}"):
        read_scores(tmp_path / "scores.parquet")


def test_a_foreign_parquet_file_is_refused(tmp_path):
    pd.DataFrame({"id": ["a"]}).to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(UserError, match="was not written by maqa-severity"):
        read_scores(tmp_path / "scores.parquet")
