"""What is declared of the metrics, and what follows from it."""

import gc

import numpy as np
import pytest
from maqa_severity.cli import main
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.languages import Part
from maqa_severity.harness.metrics.aggregates import GATES
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.document import PAGE, metrics_page
from maqa_severity.harness.metrics.registry import (
    COLUMNS,
    IN_LM_EVAL,
    Group,
    columns_of,
    declared,
    gates_in_words,
    left_out,
    metric,
    task_columns,
)
from maqa_severity.harness.metrics.scoring import (
    beside_metrics,
    default_metrics,
    run_metrics,
    safety_metrics,
    score,
    signatures,
)
from maqa_severity.harness.scores.signatures import better
from maqa_severity.tests.tongues import ARABIC


def test_every_column_of_a_run_is_declared_in_its_order_and_signed_as_declared(encoder):
    found = signatures(run_metrics(ARABIC, str(encoder)))
    assert list(found) == list(COLUMNS)
    assert {column: better(signature) for column, signature in found.items()} == {
        column.name: column.better for column in COLUMNS.things()
    }


def test_similarity_comes_first_then_safety_then_style():
    groups = [each.group for each in declared()]
    assert groups == sorted(groups, key=list(Group).index)
    assert next(iter(COLUMNS)) == "bertscore_f1", "what ranks, where nothing else is chosen"


def test_lm_eval_scores_what_every_answer_has_and_knows_which_way_is_better():
    known = {"bertscore_f1": True, "beyond_encoder": False, "rougeL": True, "empty": False}
    assert known.items() <= task_columns().items()
    assert not set(task_columns()) & set(columns_of(Group.SAFETY, Group.STYLE))


def test_every_finding_and_nothing_else_is_a_detector():
    found = [column for each in safety_metrics(ARABIC) for column in each.columns]
    assert [column for column in found if column not in columns_of(Group.PART)] == list(columns_of(Group.SAFETY))


def test_the_gates_and_their_words_are_declared():
    assert {"missed_emergency", "negated_referral", "dose_conflict", "degenerate"} <= set(GATES)
    assert gates_in_words().startswith("misses an emergency, negates a referral, contradicts a dose")
    assert {COLUMNS[gate].group for gate in GATES} == {Group.SAFETY}


def test_every_group_is_either_scored_inside_lm_eval_or_beside_it(encoder):
    inside, beside = (
        {column for each in made for column in each.columns}
        for made in (default_metrics(ARABIC, str(encoder)), beside_metrics(ARABIC, str(encoder)))
    )
    assert inside == {name for name in COLUMNS if COLUMNS[name].metric.group in IN_LM_EVAL}
    assert inside | beside == set(COLUMNS) and not inside & beside


def test_what_a_language_lacks_is_left_out_and_named(tmp_path, monkeypatch):
    assert left_out(ARABIC) == []
    (tmp_path / "zz").mkdir()
    monkeypatch.setattr("maqa_severity.harness.languages._FOLDER", tmp_path)
    bare = ARABIC.model_copy(update={"code": "zz", "name": "Zz"})
    assert [column for each in beside_metrics(bare) for column in each.columns] == list(columns_of(Group.STYLE))
    said = left_out(bare)
    missing = {column for each in declared() if any(part in each.needs for part in Part) for column in each.columns}
    assert all(any(column in line.replace(",", "").split() for line in said) for column in missing)
    assert "Zz has no quantities: dose_conflict left out" in said


def test_the_committed_page_is_the_one_that_is_written():
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), "run `make metrics-doc`"
    assert all(f"| `{column}` |" in metrics_page() for column in COLUMNS)


@pytest.mark.parametrize("command", ["score", "compare", "leaderboard", "report"])
def test_help_names_every_metric(command, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["maqa", command, "--help"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out.replace(",", " ").split()
    assert set(COLUMNS) <= set(printed)


def test_a_column_that_is_declared_twice_names_both_places():
    with pytest.raises(ValueError, match=r"two .* 'chrf': .*chrf\.py:\d+ and .*test_metrics_registry"):

        @metric(Group.SIMILARITY, meaning={"chrf": "the same again"})
        class Again:
            columns = ("chrf",)

            def score(self, answers):
                return {}


def test_a_declaration_that_is_not_the_columns_is_refused_where_it_stands():
    for meaning, facts in (({"other": "x"}, {}), ({"mine": "x"}, {"lower": ["other"]})):
        with pytest.raises(ValueError, match="test_metrics_registry"):

            @metric(Group.SAFETY, meaning=meaning, **facts)
            class Mine:
                columns = ("mine",)

    assert "mine" not in COLUMNS


def test_an_unknown_column_names_the_known_ones():
    with pytest.raises(UserError, match=r"unknown metric 'bertscore'.*bertscore_f1, .*echo_rate"):
        COLUMNS["bertscore"]


class _Watching:
    """Notes whether the collector of cycles runs while it scores."""

    columns = ("exact_match",)
    signatures = {"exact_match": "none"}

    def __init__(self, fails: bool) -> None:
        self.fails, self.running = fails, True

    def score(self, answers):
        self.running = gc.isenabled()
        if self.fails:
            raise UserError("it cannot be computed", "Try another")
        return {"exact_match": np.zeros(len(answers))}


@pytest.mark.parametrize("fails", [False, True])
def test_the_collector_of_cycles_rests_while_a_metric_scores_and_runs_again_afterwards(fails):
    watching = _Watching(fails)
    if fails:
        with pytest.raises(UserError):
            score(Answers(["a"], ["a"]), [watching])
    else:
        score(Answers(["a"], ["a"]), [watching])
    assert not watching.running and gc.isenabled()
