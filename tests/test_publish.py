"""What is published: read back by the readers of each format, and refused where it would mislead."""

import io
import json
import os
import subprocess
from pathlib import Path

import mlcroissant
import pandas as pd
import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard, parse_eval_result_entries
from maqa_severity.commands.publish import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.options import PrepareOptions
from maqa_severity.harness.languages import language
from maqa_severity.harness.statistics import STRATA
from maqa_severity.leaderboards.records import Board
from maqa_severity.publishing import FORMATS, Options, Results
from maqa_severity.publishing.eee import eee
from maqa_severity.publishing.latex import escaped
from maqa_severity.publishing.making import make_files
from maqa_severity.publishing.reading import read_source
from typer.testing import CliRunner

EEE_PYTHON = os.environ.get("MAQA_EEE_PYTHON")


def cell(mean, low=None, high=None, n=4):
    return {"mean": mean, "low": low, "high": high, "n": n}


def row(name, mean, rank, floor=False, **more):
    cells = {stratum: cell(mean, mean - 2, mean + 2) for stratum in STRATA}
    metrics = {"bertscore_f1": cells, "refers": {"critical": cell(50.0, 20.0, 80.0), "neutral": cell(0.0, n=1)}}
    return {
        "name": name,
        "arm": None,
        "seed": None,
        "backend": "hf",
        "floor": floor,
        "metrics": metrics,
        "rank": rank[0],
        "rank_low": rank[0],
        "rank_high": rank[1],
        "aggregates": {},
        "differs": [],
        "command": None,
        "path": f"runs/{name}",
        "signatures": {"bertscore_f1": "b|v:1", "refers": "r|v:1"},
        **more,
    }


def board(*rows, **more):
    return Board.model_validate(
        {
            "metric": "bertscore_f1",
            "signature": "b|v:1",
            "reference": "a",
            "data": "file.csv",
            "decoding": {"until": ["\n"]},
            "rows": list(rows),
            "seeds": [],
            "screening": {"refers": "recall 40 %"},
            **more,
        }
    )


NAMES = ("=HYPERLINK(1)", "نموذج_عربي & 100%", "c")


@pytest.fixture
def results():
    rows = [row(NAMES[0], 70.0, (1, 1)), row(NAMES[1], 60.0, (2, 3)), row(NAMES[2], 59.0, (2, 3), floor=True)]
    return Results(board(*rows), Options(dataset_id="owner/maqa", license="cc-by-4.0"))


def saved(tmp_path, found, name="leaderboard.json"):
    path = tmp_path / name
    path.write_text(found.model_dump_json(), encoding="utf-8")
    return path


def publish(*arguments):
    return CliRunner().invoke(app, ["publish", *map(str, arguments)])


def test_the_long_table_has_every_score_with_its_interval_and_signature_and_runs_no_formula(results):
    text = FORMATS["csv-long"].of_results(results)["results.csv"]
    frame = pd.read_csv(io.StringIO(text))
    assert len(frame) == 3 * 6
    first = frame[(frame["run"] == "'=HYPERLINK(1)") & (frame["metric"] == "bertscore_f1")]
    assert list(first["severity"]) == list(STRATA) and set(first["signature"]) == {"b|v:1"}
    assert (first["low"] < first["mean"]).all() and (first["n"] == 4).all()
    bare = frame[(frame["metric"] == "refers") & (frame["severity"] == "neutral")]
    assert bare["low"].isna().all() and set(bare["interval"]) == {"no interval: 1 answer"}
    assert frame["concluded"].str.contains("not clinical safety").all()
    assert set(frame[frame["metric"] == "refers"]["screening_only"]) == {True}


def test_each_model_has_a_task_per_severity_that_the_hub_reads(results):
    files = FORMATS["hf"].of_results(results)
    assert len(files) == 2, "a trivial system is no model"
    for path, text in files.items():
        assert path.endswith(".eval_results/maqa_severity.yaml") and path.isascii()
        entries = parse_eval_result_entries(yaml.safe_load(text))
        assert [entry.task_id for entry in entries] == list(STRATA)
        assert all(entry.dataset_id == "owner/maqa" and "95 % interval" in entry.notes for entry in entries)
        assert all("b|v:1" in entry.notes and "Rank" in entry.notes for entry in entries)


def test_a_model_card_is_read_by_the_hubs_parser_and_marks_what_is_for_screening_only(results):
    files = FORMATS["model-card"].of_results(results)
    card = ModelCard(next(iter(files.values())))
    found = card.data.eval_results
    assert {each.dataset_config for each in found} == set(STRATA) and card.data.model_name == NAMES[0]
    assert "screening only" in card.text and "no interval: 1 answer" in card.text
    assert all(each.metric_type != "refers" or "screening only" in each.metric_name for each in found)


def test_a_card_shows_hostile_text_and_does_not_follow_it():
    name = "<script>x</script>\n# [a](javascript:b) |"
    found = Results(board(row(name, 70.0, (1, 1))), Options(), single=True)
    text = ModelCard(FORMATS["model-card"].of_results(found)["README.md"]).text
    assert "<script>" not in text and "[a](javascript" not in text and "\n# \\[" not in text


def test_a_table_is_bold_only_where_the_first_stands_alone(results):
    table = FORMATS["latex"].of_results(results)["table.tex"]
    assert table.count(r"\textbf") == 1 and r"\textbf{70.00} [68.0, 72.0]" in table
    tied = [row("a", 70.0, (1, 2)), row("b", 69.0, (1, 2))]
    for rows in (tied, tied[:1], [row("a", 70.0, (1, 1))]):
        alone = FORMATS["latex"].of_results(Results(board(*rows), Options()))["table.tex"]
        assert r"\textbf" not in alone


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (r"a_b & 5% $x$ #1 {y} \input{z} ~^", r"a\_b \& 5\% \$x\$ \#1 \{y\} \textbackslash{}input\{z\} "
         r"\textasciitilde{}\textasciicircum{}"),
        ("نموذج عربي 7_b", r"\foreignlanguage{arabic}{نموذج عربي} 7\_b"),
        ("a\u202eb\nc", "ab c"),
    ],
)  # fmt: skip
def test_tex_prints_names_as_they_stand(text, made):
    assert escaped(text) == made


def test_an_aggregate_has_what_the_schema_demands_and_is_named_by_its_content(results):
    files = eee(results)
    assert list(files) == list(eee(results))
    for path, text in files.items():
        record = json.loads(text)
        assert path.startswith("data/maqa_severity/") and record["schema_version"] == "0.3.0"
        for each in record["evaluation_results"]:
            config, score = each["metric_config"], each["score_details"]
            assert config["min_score"] <= score["score"] <= config["max_score"] == 100
            assert config["additional_details"]["signature"] in ("b|v:1", "r|v:1")
            ends = score["uncertainty"].get("confidence_interval")
            assert ends is None or ends["lower"] <= score["score"] <= ends["upper"]
            assert ends or score["details"]["interval"] == "no interval: 1 answer"


def test_a_run_is_published_with_its_answers_only_when_asked_and_licensed(evaluated, tmp_path):
    asked = ("--format", "eee", "--resamples", 200)
    assert publish(evaluated["hf"], "--out", tmp_path / "plain", *asked).exit_code == 0
    assert not list((tmp_path / "plain").rglob("*.jsonl"))
    refused = publish(evaluated["hf"], "--out", tmp_path / "none", *asked, "--samples")
    assert isinstance(refused.exception, UserError) and "--license" in str(refused.exception)
    out = tmp_path / "full"
    asked += ("--samples", "--license", "mit", "--model-id", "owner/model")
    assert publish(evaluated["hf"], "--out", out, *asked).exit_code == 0
    (samples,) = out.rglob("*.jsonl")
    (record,) = (json.loads(path.read_text(encoding="utf-8")) for path in out.rglob("*.json"))
    lines = [json.loads(line) for line in samples.read_text(encoding="utf-8").split("\n") if line]
    assert len(lines) == record["detailed_evaluation_results"]["total_rows"] == 24
    overall = next(
        each for each in record["evaluation_results"] if each["evaluation_result_id"] == "overall/bertscore_f1"
    )
    mean = sum(line["evaluation"]["score"] for line in lines) / 24
    assert mean == pytest.approx(overall["score_details"]["score"])
    if EEE_PYTHON:
        _validated(out)


@pytest.mark.skipif(not EEE_PYTHON, reason="needs Python 3.12 and huggingface_hub 1: run by `make test-eee`")
def test_their_own_validator_takes_an_aggregate(tmp_path):
    found = Results(board(row(NAMES[1], 60.0, (1, 1))), Options(model_id="owner/model"), single=True)
    for name, text in eee(found).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    _validated(tmp_path)


def _validated(folder: Path) -> None:
    files = [str(path.relative_to(folder)) for path in folder.rglob("*.json*")]
    command = [EEE_PYTHON, "-m", "every_eval_ever", "validate", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def dataset(tmp_path):
    from maqa_severity.harness.data.prepare import prepare

    rows = [f"سؤال رقم {n},جواب رقم {n},عام,{('critical', 'neutral')[n % 2]}" for n in range(30)]
    source = tmp_path / "rows.csv"
    source.write_text("\n".join(["question,answer,category,severity", *rows]), encoding="utf-8")
    prepare(source, tmp_path / "dataset", PrepareOptions(language("ar")))
    return tmp_path / "dataset"


def test_croissant_is_valid_and_the_card_says_licence_source_and_labels(dataset, tmp_path):
    assert (
        publish(dataset, "--format", "croissant", "--license", "cc-by-4.0", "--out", tmp_path / "out").exit_code
        == 0
    )
    found = mlcroissant.Dataset(jsonld=tmp_path / "out" / "croissant.json")
    assert not found.metadata.ctx.issues.errors
    assert {each.id for each in found.metadata.record_sets} == {"train", "validation", "test"}
    card = DatasetCard.load(tmp_path / "out" / "README.md")
    assert card.data.license == "cc-by-4.0" and card.data.language == ["ar"]
    assert "never checked against" in card.text and "rows.csv" in card.text


def test_what_would_mislead_or_overwrite_is_refused_in_one_line(dataset, tmp_path):
    one = row("a", 70.0, (1, 1))
    one["metrics"] = {"bertscore_f1": {"overall": cell(70.0, n=1)}}
    floors = saved(tmp_path, board(row("c", 1.0, (1, 1), floor=True)))
    (tmp_path / "one").mkdir()
    single = saved(tmp_path / "one", board(one))
    full = tmp_path / "full"
    full.mkdir()
    (full / "kept").write_text("x")
    (tmp_path / "none").mkdir()
    good = saved(full, board(row("a", 70.0, (1, 1))))
    cases = [
        ((floors, "--format", "latex"), "trivial systems alone"),
        ((single, "--format", "latex"), "one answer"),
        ((good, "--format", "word"), "unknown format"),
        ((tmp_path / "none", "--format", "latex"), "neither a board, a run nor a dataset"),
        ((tmp_path / "gone", "--format", "latex"), "does not exist"),
        ((dataset, "--format", "croissant"), "--license"),
        ((dataset, "--format", "latex"), "made of a board or a run"),
        ((good, "--format", "croissant"), "made of a dataset"),
        ((good, "--format", "hf"), "--dataset-id"),
        ((good, "--format", "hf", "--dataset-id", "a b"), "no hub id"),
        ((good, "--format", "latex", "--samples"), "holds no answers"),
    ]
    for arguments, said in cases:
        done = publish(*arguments, "--out", tmp_path / "out")
        assert isinstance(done.exception, UserError) and said in str(done.exception), (arguments, done.exception)
        assert "\n" not in str(done.exception) and not (tmp_path / "out").exists()
    done = publish(good, "--format", "latex", "--out", full)
    assert "not an empty folder" in str(done.exception) and (full / "kept").read_text() == "x"


def test_boards_of_before_say_that_signatures_were_not_recorded(tmp_path):
    old = board(row("a", 70.0, (1, 1), signatures={}))
    found = read_source(saved(tmp_path, old), Options(), "bertscore_f1", old.resampling)
    text = make_files("csv-long", FORMATS["csv-long"], found, Options(), tmp_path)[0]["results.csv"]
    signs = pd.read_csv(io.StringIO(text)).groupby("metric")["signature"].first()
    assert signs["bertscore_f1"] == "b|v:1" and "not recorded" in signs["refers"]
