"""What is wrong with scores is said in one line that names rows; nothing is averaged away."""

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.scores.signatures import (
    APPLIES_TO_SOME,
    LOWER_IS_BETTER,
    RATE,
    Better,
    applies_to,
    better,
    is_rate,
    required_severities,
)
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Method, across_seeds, check_scores, summarise
from maqa_severity.tests.worlds import bertscore_like, table

SIZES = {Severity.CRITICAL: 10, Severity.NEUTRAL: 10, Severity.NON_CRITICAL: 10}


def _scores(signature="version:1", seed=0):
    return table(SIZES, bertscore_like(np.random.default_rng(seed), (30, 1)), signature)


def test_a_missing_score_stops_the_run_and_names_the_answers():
    scores = _scores()
    scores.frame.loc[[4, 7], "m0"] = np.nan
    with pytest.raises(UserError, match=r"my run: m0 was not scored in 2 answers \('row-000004', 'row-000007'\)"):
        check_scores(scores, "my run")
    with pytest.raises(UserError, match="m0 was not scored in 2 answers"):
        summarise(scores)


def test_a_metric_may_declare_that_it_applies_to_critical_answers_alone():
    scores = _scores(applies_to(Severity.CRITICAL))
    scores.frame.loc[10:, "m0"] = np.nan
    critical, neutral, _, overall = summarise(scores)
    assert (critical.n, overall.n, neutral.n, neutral.method) == (10, 10, 0, Method.TOO_FEW)
    assert (overall.mean, overall.low, overall.high) == (critical.mean, critical.low, critical.high)
    scores.frame.loc[3, "m0"] = np.nan
    with pytest.raises(UserError, match=r"m0 was not scored in 1 answers \('row-000003'\)"):
        summarise(scores)


def test_a_metric_may_declare_that_it_applies_to_some_answers():
    scores = _scores(APPLIES_TO_SOME)
    scores.frame.loc[::3, "m0"] = np.nan
    assert [each.n for each in summarise(scores)] == [6, 7, 7, 20]


def test_a_metric_that_applies_to_no_answer_takes_nothing_from_the_others():
    values = np.column_stack([bertscore_like(np.random.default_rng(0), (30, 1)), np.full(30, np.nan)])
    found = summarise(table(SIZES, values, APPLIES_TO_SOME))
    assert found[:4] == summarise(table(SIZES, values[:, :1], APPLIES_TO_SOME))
    assert {(each.n, each.low, each.method) for each in found[4:]} == {(0, None, Method.TOO_FEW)}


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("id", 3, "row-000000", r"the id occurs twice in 1 answers \('row-000000'\)"),
        ("id", 3, None, "1 answers have no id"),
        ("severity", 3, "urgent", r"the severity is unknown in 1 answers \('row-000003'\)"),
        ("severity", 3, None, "the severity is unknown"),
        ("m0", 3, np.inf, "m0 is infinite"),
    ],
)
def test_a_bad_cell_is_named(column, row, value, message):
    scores = _scores()
    scores.frame.loc[row, column] = value
    with pytest.raises(UserError, match=message):
        summarise(scores)


@pytest.mark.parametrize("signature", ["better:up", "applies:urgent"])
def test_a_signature_that_declares_what_nobody_knows_is_refused(signature):
    with pytest.raises(UserError, match=f"my run: the signature of m0 cannot be read: .*{signature.split(':')[1]}"):
        check_scores(_scores(signature), "my run")


def test_scores_that_are_no_numbers_are_refused():
    scores = _scores()
    scores.frame["m0"] = scores.frame["m0"].astype(str)
    with pytest.raises(UserError, match="my run: m0 holds no numbers"):
        check_scores(scores, "my run")


def test_a_rate_has_to_be_0_or_100():
    with pytest.raises(UserError, match="m0 is a rate but neither 0 nor 100 in 30 answers"):
        summarise(_scores(RATE))


def test_scores_without_a_signature_are_refused():
    with pytest.raises(UserError, match="no signature for m0"):
        summarise(ScoreTable(_scores().frame, {}))


def test_signatures_declare_rates_directions_and_where_a_metric_applies():
    signature = f"refs:1|{RATE}|{LOWER_IS_BETTER}|{applies_to(Severity.CRITICAL, Severity.NEUTRAL)}|version:2"
    assert is_rate(signature)
    assert better(signature) is Better.LOWER
    assert required_severities(signature) == {Severity.CRITICAL, Severity.NEUTRAL}
    assert not is_rate("refs:1|version:2")
    assert better("refs:1|version:2") is Better.HIGHER
    assert required_severities("refs:1|version:2") == set(Severity)


def test_training_seeds_are_a_level_of_their_own():
    runs = [_scores(seed=seed) for seed in range(4)]
    for place, summary in enumerate(across_seeds(runs)):
        rows = [summarise(run)[place] for run in runs]
        means = np.array([row.mean for row in rows])
        half = 3.182446 * means.std(ddof=1) / 2
        assert summary.mean == pytest.approx(means.mean())
        assert summary.deviation == pytest.approx(means.std(ddof=1))
        assert (summary.low, summary.high) == pytest.approx((means.mean() - half, means.mean() + half), abs=1e-5)
        for own, alone in zip(summary.rows, rows, strict=True):
            assert (own.low, own.mean, own.high) == pytest.approx((alone.low, alone.mean, alone.high))


def test_trainings_that_agree_have_no_spread_however_wide_the_rows_are():
    overall = across_seeds([_scores(), _scores(), _scores()])[-1]
    assert overall.deviation == pytest.approx(0, abs=1e-9)
    assert overall.rows[0].high - overall.rows[0].low > 1


def test_one_training_says_nothing_about_seeds():
    overall = across_seeds([_scores()])[-1]
    assert (overall.seeds, overall.deviation, overall.low, overall.high) == (1, None, None, None)
    assert overall.rows[0].low is not None


def test_seeds_of_other_rows_or_metrics_are_refused():
    other = _scores()
    with pytest.raises(UserError, match="answers are missing in the second run"):
        across_seeds([_scores(), ScoreTable(other.frame[1:], other.signatures)])
    renamed = ScoreTable(other.frame.rename(columns={"m0": "rouge"}), {"rouge": "version:1"})
    with pytest.raises(UserError, match="other metrics: m0, rouge"):
        across_seeds([_scores(), renamed])
