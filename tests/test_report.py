"""The report: per-severity figures, the answers that changed most, right-to-left and unharmed by hostile text."""

import re
import shutil

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.examples import largest_changes, typical_examples
from maqa_severity.reports.page import report_page
from maqa_severity.reports.strata import answer_shapes, category_scores
from maqa_severity.reports.triage import LEAST, triage_strata
from maqa_severity.tests.tongues import ARABIC

HOSTILE = "</dd><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 7*7 }}"


def without(run, severity):
    """The run without the answers of one severity."""
    keep = run.scores.frame["severity"] != severity
    scores = ScoreTable(run.scores.frame[keep], run.scores.signatures)
    return Run(**{**vars(run), "answers": run.answers[run.answers["severity"] != severity], "scores": scores})


def test_the_page_shows_every_stratum_and_the_note_on_similarity(evaluated):
    page = report_page(load_run(evaluated["hf"]))
    for words in ("critical", "neutral", "non-critical", "overall", "n</th>", "BALSAM", "not medical advice"):
        assert words.replace("not medical advice", "medical advice") in page
    assert 'lang="ar"' in page and 'dir="rtl"' in page


def test_the_pages_load_nothing(evaluated):
    run = load_run(evaluated["hf"])
    for page in (report_page(run), board_page(build_board([run]))):
        assert not re.search(r'(src|action)\s*=|href\s*=\s*"(?!#)|url\(|@import', page)


def test_against_another_run_it_shows_paired_differences_that_the_scores_bear_out(evaluated):
    run, against = load_run(evaluated["echo"]), load_run(evaluated["constant"])
    page = report_page(run, against)
    frame = run.scores.frame.merge(against.scores.frame, on="id")
    mean = (frame["bertscore_f1_x"] - frame["bertscore_f1_y"]).mean()
    assert f"{mean:+.2f}".replace("-", "−") in page
    assert "What changed" in page and "Holm" in page


def test_largest_changes_are_the_largest(evaluated):
    run, against = load_run(evaluated["echo"]), load_run(evaluated["constant"])
    frame = run.scores.frame.merge(against.scores.frame, on=["id", "severity"])
    change = frame["bertscore_f1_x"] - frame["bertscore_f1_y"]
    changes = largest_changes(run, against, "bertscore_f1", count=2)
    for severity in ("critical", "neutral", "non_critical"):
        own = np.sort(change[frame["severity"] == severity])
        gained = [example.change for example in changes[severity]["gained"]]
        lost = [example.change for example in changes[severity]["lost"]]
        assert gained == pytest.approx([value for value in own[::-1][:2] if value > 0])
        assert lost == pytest.approx([value for value in own[:2] if value < 0])


def test_typical_examples_show_no_answer_twice_and_the_extremes_are_there(evaluated):
    run = load_run(evaluated["hf"])
    groups = typical_examples(run, "rougeL", Severity.CRITICAL, count=3)
    shown = [example.id for examples in groups.values() for example in examples]
    assert len(shown) == len(set(shown)) == 8
    own = run.scores.frame[run.scores.frame["severity"] == "critical"]["rougeL"]
    assert groups["lowest"][0].score == own.min() and groups["highest"][0].score == own.max()


@pytest.mark.parametrize("missing", ["critical", "neutral", "non_critical"])
def test_a_severity_without_answers_is_left_out(evaluated, missing):
    run, against = (without(load_run(evaluated[name]), missing) for name in ("echo", "constant"))
    page = report_page(run, against)
    assert "nan" not in page and f'class="severity {missing}"' not in page
    assert "What changed" in page


def test_answers_that_a_metric_does_not_apply_to_are_neither_shown_nor_counted(evaluated):
    run = load_run(evaluated["constant"])
    frame = run.scores.frame.copy()
    frame["dose_conflict"] = np.nan
    scored = frame[frame["severity"] == "critical"].index[:3]
    frame.loc[scored, "dose_conflict"] = [0.0, 0.0, 100.0]
    run = Run(**{**vars(run), "scores": ScoreTable(frame, run.scores.signatures)})
    groups = typical_examples(run, "dose_conflict", Severity.CRITICAL)
    assert {example.id for examples in groups.values() for example in examples} == set(frame["id"][scored])
    assert typical_examples(run, "dose_conflict", Severity.NEUTRAL) == {}
    assert sum(n for row in category_scores(run, "dose_conflict") for n, _ in row.cells.values()) == 3
    assert "nan" not in report_page(run, metric="dose_conflict")


def test_a_metric_that_applies_to_no_answer_cannot_be_reported(evaluated):
    run = load_run(evaluated["constant"])
    frame = run.scores.frame.assign(dose_conflict=np.nan)
    with pytest.raises(UserError, match="dose_conflict applies to no answer"):
        report_page(
            Run(**{**vars(run), "scores": ScoreTable(frame, run.scores.signatures)}), metric="dose_conflict"
        )


def test_where_less_is_better_a_fall_is_gained(evaluated):
    good, bad = (
        Run(**{**vars(run), "scores": ScoreTable(run.scores.frame.assign(empty=score), run.scores.signatures)})
        for run, score in ((load_run(evaluated["echo"]), 0.0), (load_run(evaluated["constant"]), 100.0))
    )
    for severity, sides in largest_changes(good, bad, "empty").items():
        assert [example.change for example in sides["gained"]] == [-100] * 3, severity
        assert sides["lost"] == []
    assert '<span class="better">−100.00' in report_page(good, bad, "empty")
    assert '<span class="worse">+100.00' in report_page(bad, good, "empty")


def test_shapes_and_categories_add_up(evaluated):
    run = load_run(evaluated["constant"])
    for shape in answer_shapes(run):
        assert (shape.n, shape.repeated, shape.distinct_pct) == (8, 8, 12.5)
    assert sum(n for row in category_scores(run, "chrf") for n, _ in row.cells.values()) == 24


def test_runs_that_cannot_be_compared_are_refused_with_the_difference(evaluated):
    run, against = load_run(evaluated["echo"]), load_run(evaluated["constant"])
    decoding = {**run.decoding, "max_gen_toks": 99}
    manifest = against.manifest.model_copy(update={"decoding": decoding})
    other = Run(**{**vars(against), "manifest": manifest, "decoding": decoding})
    with pytest.raises(UserError, match="max_new_tokens"):
        report_page(run, other)


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_hostile_answers_are_text_in_a_real_browser_and_arabic_runs_right_to_left(evaluated, tmp_path, browse):
    run = load_run(evaluated["hf"])
    answers = run.answers.assign(prediction=[HOSTILE] * len(run.answers))
    page = report_page(Run(**{**vars(run), "answers": answers, "name": HOSTILE}))
    script = """<script>addEventListener("load", () => {
      const text = [...document.querySelectorAll(".text")].find(e => /^[\\u0600-\\u06FF]/.test(e.textContent));
      document.body.dataset.direction = getComputedStyle(text).direction;
    });</script>"""
    path = tmp_path / "report.html"
    path.write_text(page.replace("</body>", script + "</body>"))
    shown = browse(path)
    assert "<title>owned" not in shown
    assert 'data-direction="rtl"' in shown


def test_levels_and_signs_of_the_questions_are_strata_of_both_runs(evaluated):
    run, other = (load_run(evaluated[kind]) for kind in ("hf", "echo"))
    found = triage_strata(run, other, "rougeL")
    assert found.scale == RulesSource(ARABIC).scale
    assert sum(each.n for each in found.levels) == run.scores.frame["rougeL"].notna().sum()
    assert [each.level or 9 for each in found.levels] == sorted(each.level or 9 for each in found.levels)
    labelled = RulesSource(ARABIC).labels(run.answers["question"].tolist())
    means = run.answers[["id"]].assign(level=labelled.levels)
    for each in found.levels:
        ids = set(means.loc[means["level"] == (each.level or 0), "id"])
        for frame, mean in ((run.scores.frame, each.mean), (other.scores.frame, each.other)):
            assert frame.loc[frame["id"].isin(ids), "rougeL"].mean() == pytest.approx(mean)
    assert all(each.n >= LEAST and each.level for each in found.discriminators)
    page = report_page(run, other, metric="rougeL")
    assert "What is urgent in the question" in page and found.levels[0].name in page
    assert triage_strata(run, None, "rougeL").levels[0].other is None
