"""Two runs are compared answer by answer, or refused by the name of what they differ in."""

import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from maqa_severity.commands.compare_tables import print_comparison
from maqa_severity.commands.leaderboard import print_board
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.runs.comparable import differences
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable, write_scores
from maqa_severity.harness.statistics import Resampling, Verdict
from maqa_severity.leaderboards.board import build_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.tongues import ENGLISH
from rich.console import Console


@pytest.fixture
def runs(evaluated):
    return load_run(evaluated["hf"]), load_run(evaluated["constant"])


def changed(run: Run, **parts) -> Run:
    return Run(**{**vars(run), **parts})


def recorded(run: Run, part: str, **fields) -> Run:
    """The run with other fields in one part of its manifest."""
    inner = getattr(run.manifest, part)
    inner = {**inner, **fields} if isinstance(inner, dict) else inner.model_copy(update=fields)
    return changed(run, manifest=run.manifest.model_copy(update={part: inner}))


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", "compare", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"}
    )


def test_runs_that_differ_in_the_model_alone_can_be_compared(runs):
    assert differences(*runs) == []


def test_a_planted_gain_in_critical_is_found_in_critical(runs):
    first = runs[0]
    frame = first.scores.frame.copy()
    critical = frame["severity"] == "critical"
    frame["bertscore_f1"] = 60.0 + np.random.default_rng(0).normal(0, 5, len(frame))
    after = frame.copy()
    after["bertscore_f1"] += np.random.default_rng(1).normal(0, 0.5, len(frame)) + 4 * critical
    one, other = (changed(first, scores=ScoreTable(each, first.scores.signatures)) for each in (frame, after))
    compared = compare(one, other)
    verdicts = {each.stratum: each.verdict for each in compared.differences}
    assert (verdicts["critical"], verdicts["neutral"]) == (Verdict.GAIN, Verdict.NO_EVIDENCE)
    assert compared.words["bertscore_f1"].startswith("gain found in critical: +")
    assert compared.family == "3 tests: bertscore_f1 in critical, neutral, non_critical"
    (whether,) = compared.as_json()["interactions"]
    assert whether["specific"] and whether["words"].startswith("severity-specific: critical gains more than")
    assert compared.words["bertscore_f1"].endswith(whether["words"])
    assert compared.words["bertscore_f1"] in html.unescape(report_page(other, one))
    change = {each.aggregate: each.value for each in compared.aggregates[2]}
    assert change["severity_weighted"] > change["bertscore_f1"] > 0


@pytest.mark.parametrize("column", ["question", "reference", "prompt"])
def test_runs_of_other_texts_are_refused(runs, column):
    answers = runs[1].answers.copy()
    answers.loc[5, column] += " ؟"
    other = changed(runs[1], answers=answers)
    with pytest.raises(UserError, match=f"differ in: the {column} of 1 answers .such as '{answers['id'][5]}'"):
        compare(runs[0], other)


@pytest.mark.parametrize(
    ("part", "fields", "named"),
    [
        ("data", {"fingerprint": "f00"}, "data.fingerprint"),
        ("data", {"severity_source": {"name": "rules"}}, "data.severity_source"),
        ("prompt", {"sha256": "f00"}, "prompt.sha256"),
    ],
)
def test_runs_of_another_manifest_are_refused(runs, part, fields, named):
    (found,) = differences(runs[0], recorded(runs[1], part, **fields))
    assert found.startswith(named)


@pytest.mark.parametrize(("key", "value"), [("temperature", 0.7), ("max_new_tokens", 200), ("until", ["\n"])])
def test_runs_of_another_decoding_are_refused(runs, key, value):
    (found,) = differences(runs[0], recorded(runs[1], "decoding", **{key: value}))
    assert found.startswith(f"decoding.{key}")


def test_the_seed_of_the_decoding_may_differ(runs):
    assert differences(runs[0], recorded(runs[1], "decoding", seed=5)) == []


def test_a_plain_lm_eval_run_is_compared_by_lm_evals_record_of_the_decoding(runs):
    plain = changed(runs[1], manifest=None)
    assert differences(runs[0], plain) == []
    longer = changed(plain, decoding={**plain.decoding, "max_gen_toks": 17})
    assert differences(runs[0], longer) == ["decoding.max_gen_toks: 16 and 17"]


def test_a_metric_of_another_signature_is_refused_only_where_it_is_compared(runs):
    signatures = {**runs[1].scores.signatures, "rougeL": "another"}
    other = changed(runs[1], scores=ScoreTable(runs[1].scores.frame, signatures))
    assert compare(runs[0], other, ["bertscore_f1"], resampling=Resampling(resamples=100)).differences
    with pytest.raises(UserError, match=r"the signature of rougeL: .* and another"):
        compare(runs[0], other, ["bertscore_f1", "rougeL"])


def test_of_many_signatures_one_is_shown_and_the_rest_named(runs):
    scores = runs[1].scores
    other = changed(runs[1], scores=ScoreTable(scores.frame, dict.fromkeys(scores.signatures, "another")))
    first, rest = differences(runs[0], other)
    ranked, *more = scores.metrics
    assert first == f"the signature of {ranked}: {scores.signatures[ranked]} and another"
    assert rest == f"the signatures of {', '.join(more[:5])} and {len(more) - 5} more metrics"


def test_of_two_languages_nothing_else_is_named(runs):
    english = changed(runs[1], language=ENGLISH, scores=ScoreTable(runs[1].scores.frame, {}))
    assert differences(runs[0], english) == ["language: 'ar' and 'en'"]


def test_a_narrow_terminal_loses_no_figure(runs, monkeypatch):
    def printed(columns):
        stream = io.StringIO()
        console = Console(file=stream, width=columns)
        print_comparison(console, compare(*runs, resampling=Resampling(resamples=100)))
        print_board(console, build_board(runs, resampling=Resampling(resamples=100)))
        return console.width, stream.getvalue()

    width, narrow = printed(40)
    _, wide = printed(160)
    assert width == 40 and "…" not in narrow
    figures = Counter(re.findall(r"-?\d+\.\d+", wide.replace("\n", " ")))
    assert figures == Counter(re.findall(r"-?\d+\.\d+", narrow.replace("\n", " ")))
    assert all(run.name in narrow for run in runs)


def test_runs_of_other_answers_are_refused(runs):
    fewer = changed(
        runs[1], answers=runs[1].answers[2:], scores=ScoreTable(runs[1].scores.frame[2:], runs[1].scores.signatures)
    )
    with pytest.raises(UserError, match=f"2 answers are missing in the second run .'{runs[0].answers['id'][0]}'"):
        compare(runs[0], fewer)


def test_a_metric_counts_once_and_an_unknown_one_is_refused_with_the_known_ones(runs):
    assert len(compare(*runs, ["rougeL", "rougeL"], resampling=Resampling(resamples=100)).differences) == 4
    with pytest.raises(UserError, match=r"has no scores of meteor\. Choose among .*rougeL"):
        compare(*runs, ["meteor"])


def test_runs_of_one_answer_a_severity_are_compared_without_a_test(runs):
    one, other = (
        changed(
            run,
            answers=run.answers.groupby("severity").head(1),
            scores=ScoreTable(run.scores.frame.groupby("severity").head(1), run.scores.signatures),
        )
        for run in runs
    )
    compared = compare(one, other)
    assert compared.family == "no tests"
    assert "not tested in critical (n = 1), neutral (n = 1), non_critical (n = 1)" in compared.words["bertscore_f1"]


def test_the_command_prints_both_runs_per_severity_and_what_the_difference_says(evaluated, tmp_path):
    file = tmp_path / "compared.json"
    done = maqa(
        evaluated["constant"], evaluated["hf"], "--reference", load_run(evaluated["hf"]).name,
        "--metric", "bertscore_f1", "--metric", "rougeL", "--json", file,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for word in ("critical", "neutral", "non_critical", "overall", "severity_weighted", "worst_severity"):
        assert word in done.stdout
    saved = json.loads(file.read_text())
    run = load_run(evaluated["constant"])
    written = {(each["metric"], each["stratum"]): each for each in saved["summaries"][1]}
    for metric in ("bertscore_f1", "rougeL"):
        assert saved["words"][metric] in " ".join(done.stdout.split())
        assert written[metric, "overall"]["mean"] == pytest.approx(run.scores.frame[metric].mean())
    tested = [each for each in saved["differences"] if each["stratum"] != "overall" and each["family"]]
    assert {each["family"] for each in tested} == {len(tested)}
    assert 3 <= len(tested) <= 6 and f"{len(tested)} tests" in done.stdout


def test_the_whole_comparison_is_said_in_arabic_with_the_same_figures(evaluated):
    given = (evaluated["constant"], evaluated["hf"], "--reference", load_run(evaluated["hf"]).name)
    english, arabic = (maqa(*given, "--metric", "rougeL", "--lang", code) for code in ("en", "ar"))
    assert arabic.returncode == 0, arabic.stderr
    told = [line for line in arabic.stdout.splitlines() if "rougeL|" not in line]
    words = re.compile("[a-z]+ [a-z]+ [a-z]+")
    assert words.search(english.stdout) and [line for line in told if words.search(line)] == []
    figures = [
        re.findall(r"[-+]?\d+\.\d", done.stdout.split("rougeL:")[0].split("rougeL")[-1])
        for done in (english, arabic)
    ]
    assert figures[0] == figures[1] and len(figures[0]) > 20


def test_the_command_refuses_in_one_line(evaluated, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(evaluated["constant"], other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["data"]["fingerprint"] = "f00"
    write_json(other / "manifest.json", manifest)
    resealed(other)
    file = tmp_path / "compared.json"
    done = maqa("--a", evaluated["hf"], "--b", other, "--json", file)
    assert (done.returncode, done.stdout, file.exists()) == (2, "", False)
    assert done.stderr.count("\n") == 1 and "data.fingerprint" in done.stderr


def test_a_model_name_with_markup_is_printed_as_it_is(evaluated, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(evaluated["constant"], other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["name"] = "[red]loud[/red] [link=x]"
    write_json(other / "manifest.json", manifest)
    resealed(other)
    assert "[red]loud[/red] [link=x]" in maqa("--a", evaluated["hf"], "--b", other).stdout


def test_an_unscored_answer_stops_the_comparison(evaluated, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(evaluated["constant"], other)
    scores = load_run(other).scores
    scores.frame.loc[3, "bertscore_f1"] = np.nan
    write_scores(other / "scores.parquet", scores)
    done = maqa("--a", evaluated["hf"], "--b", other)
    assert done.returncode == 2
    file = other / "scores.parquet"
    assert f"{file}: bertscore_f1 was not scored in 1 answers ('{scores.frame['id'][3]}')" in done.stderr
