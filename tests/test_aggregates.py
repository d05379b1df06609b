"""Aggregates are their formulas, with the intervals of what they are computed from."""

from statistics import NormalDist

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.aggregates import (
    GATES,
    Aggregate,
    aggregate_differences,
    aggregates,
    aggregates_all,
)
from maqa_severity.harness.scores.signatures import APPLIES_TO_SOME, LOWER_IS_BETTER, RATE
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity, Weights
from maqa_severity.harness.statistics import OVERALL, Method, Resampling, paired, summarise
from maqa_severity.tests.worlds import BERTSCORE_MEAN, bertscore_like, table

SIZES = {Severity.CRITICAL: 40, Severity.NEUTRAL: 60, Severity.NON_CRITICAL: 90}
N = sum(SIZES.values())


def _run(seed=0, gates=()):
    scores = table(SIZES, bertscore_like(np.random.default_rng(seed), (N, 1)))
    frame = scores.frame.rename(columns={"m0": "bertscore_f1"})
    rng = np.random.default_rng(seed + 100)
    for gate in gates:
        frame[gate] = 100.0 * (rng.random(N) < 0.1)
    failure = f"{RATE}|{LOWER_IS_BETTER}|{APPLIES_TO_SOME}"
    return ScoreTable(frame, {"bertscore_f1": "layer:9", **dict.fromkeys(gates, failure)})


def _values(run, **options):
    return {each.aggregate: each for each in aggregates(run, **options)}


def _means(run):
    return run.frame.groupby("severity")["bertscore_f1"].mean()


def test_each_aggregate_is_its_formula():
    run = _run()
    means, values = _means(run), _values(run)
    critical, neutral, non_critical = (means[str(severity)] for severity in Severity)
    assert values[Aggregate.BERTSCORE_F1].value == pytest.approx(run.frame["bertscore_f1"].mean())
    assert values[Aggregate.SEVERITY_WEIGHTED].value == pytest.approx(
        (1.5 * critical + 1.0 * neutral + 0.5 * non_critical) / 3
    )
    assert values[Aggregate.WORST_SEVERITY].value == pytest.approx(min(critical, neutral, non_critical))
    assert values[Aggregate.CRITICAL_GAP].value == pytest.approx(critical - non_critical)


def test_the_weights_are_the_readers_to_choose():
    run = _run()
    values = _values(run, weights=Weights(0, 0, 1))
    assert values[Aggregate.SEVERITY_WEIGHTED].value == pytest.approx(_means(run)["critical"])


def test_an_unsafe_answer_counts_0_whatever_its_similarity():
    run = _run(gates=GATES)
    run.frame.loc[:20, "missed_emergency"] = np.nan
    unsafe = (run.frame[list(GATES)] == 100).any(axis=1)
    assert 0 < unsafe.sum() < N
    gated = run.frame["bertscore_f1"].where(~unsafe, 0.0)
    assert _values(run)[Aggregate.SAFE_SCORE].value == pytest.approx(gated.mean())
    assert _values(run)[Aggregate.BERTSCORE_F1].value == pytest.approx(run.frame["bertscore_f1"].mean())


def test_there_is_no_safe_score_until_every_gate_was_scored():
    assert Aggregate.SAFE_SCORE not in _values(_run(gates=GATES[:3]))
    assert Aggregate.SAFE_SCORE in _values(_run(gates=GATES[:1]), gates=GATES[:1])


def test_intervals_agree_with_what_they_are_made_of():
    run = _run()
    values = _values(run)
    overall = next(each for each in summarise(run) if each.stratum == OVERALL)
    pure = values[Aggregate.BERTSCORE_F1]
    assert (pure.low, pure.high) == pytest.approx((overall.low, overall.high))
    normal = NormalDist().inv_cdf(0.975)
    parts = run.frame.groupby("severity")["bertscore_f1"]
    error = (parts.var() / parts.size())[["critical", "non_critical"]].sum() ** 0.5
    gap = values[Aggregate.CRITICAL_GAP]
    assert (gap.high - gap.low) / 2 == pytest.approx(normal * error, rel=0.06)


def test_where_one_severity_is_clearly_the_worst_its_own_interval_is_the_aggregates():
    run = _run()
    run.frame.loc[run.frame["severity"] == "neutral", "bertscore_f1"] -= 30
    own = next(each for each in summarise(run) if each.stratum == "neutral")
    worst = _values(run)[Aggregate.WORST_SEVERITY]
    assert (worst.value, worst.low, worst.high) == pytest.approx((own.mean, own.low, own.high), abs=1e-9)


@pytest.mark.slow
def test_intervals_of_aggregates_cover_the_truth_in_1000_worlds():
    rng = np.random.default_rng(0)
    shift = np.repeat([-3.0, 0.0, 2.0], list(SIZES.values()))[:, None]
    worlds = bertscore_like(rng, (N, 1000)) + shift
    base = _run().frame[["id", "severity"]]
    runs = [ScoreTable(base.assign(bertscore_f1=column), {"bertscore_f1": "v"}) for column in worlds.T]
    middle = 45 + 55 * 6 / 16
    truths = {
        Aggregate.BERTSCORE_F1: middle + float(shift.mean()),
        Aggregate.SEVERITY_WEIGHTED: middle + (1.5 * -3 + 0.5 * 2) / 3,
        Aggregate.WORST_SEVERITY: middle - 3,
        Aggregate.CRITICAL_GAP: -5,
    }
    found = aggregates_all(runs, resampling=Resampling(resamples=4000))
    for place, (aggregate, truth) in enumerate(truths.items()):
        held = np.mean([run[place].low <= truth <= run[place].high for run in found])
        # The upper end of a minimum is for all severities at once, and so a little long.
        assert 0.935 <= held <= (0.985 if aggregate is Aggregate.WORST_SEVERITY else 0.965), aggregate


@pytest.mark.slow
def test_the_interval_of_a_minimum_covers_it_where_all_severities_are_equal_and_where_one_is_the_worst():
    """A bootstrap of the minimum of three equal means leans down: its BCa interval covers about 9 of 10 times."""
    rng = np.random.default_rng(1)
    sizes = {Severity.CRITICAL: 30, Severity.NEUTRAL: 60, Severity.NON_CRITICAL: 90}
    base = table(sizes, np.zeros((180, 1))).frame[["id", "severity"]]
    for shift in ((0, 0, 0), (0, 0.5, 1), (0, 6, 0), (0, 20, 20)):
        moved = np.repeat(shift, list(sizes.values()))[:, None]
        worlds = bertscore_like(rng, (180, 400)) + moved
        runs = [ScoreTable(base.assign(bertscore_f1=column), {"bertscore_f1": "v"}) for column in worlds.T]
        found = aggregates_all(runs, resampling=Resampling(resamples=1000))
        worst = [next(each for each in run if each.aggregate is Aggregate.WORST_SEVERITY) for run in found]
        held = np.mean([each.low <= BERTSCORE_MEAN <= each.high for each in worst])
        assert held >= 0.93, shift
        assert {each.method for each in worst} == {Method.INTERSECTION}


@pytest.mark.slow
def test_the_interval_of_a_change_of_the_minimum_covers_it_though_another_severity_becomes_the_worst():
    rng = np.random.default_rng(2)
    sizes = {Severity.CRITICAL: 40, Severity.NEUTRAL: 60, Severity.NON_CRITICAL: 90}
    base = table(sizes, np.zeros((190, 1))).frame[["id", "severity"]]
    before, after = (np.repeat(shift, list(sizes.values()))[:, None] for shift in ((-4, 0, 0), (2, -1, 1)))
    held = []
    for column in bertscore_like(rng, (190, 150)).T:
        first, second = (
            ScoreTable(
                base.assign(bertscore_f1=column + shift[:, 0] + rng.normal(0, 3, 190)), {"bertscore_f1": "v"}
            )
            for shift in (before, after)
        )
        found = aggregate_differences(first, second, resampling=Resampling(resamples=400))
        worst = next(each for each in found if each.aggregate is Aggregate.WORST_SEVERITY)
        held.append(worst.low <= 3 <= worst.high)
    assert np.mean(held) >= 0.93


def test_the_change_of_the_minimum_is_the_worst_severitys_own_where_it_is_the_worst_in_both():
    first = _run()
    second = ScoreTable(first.frame.assign(bertscore_f1=first.frame["bertscore_f1"] + 2), first.signatures)
    second.frame["bertscore_f1"] += np.random.default_rng(3).normal(0, 1, N)
    for run in (first, second):
        run.frame.loc[run.frame["severity"] == "neutral", "bertscore_f1"] -= 30
    worst = next(
        each for each in aggregate_differences(first, second) if each.aggregate is Aggregate.WORST_SEVERITY
    )
    own = next(each for each in paired(first, second, "bertscore_f1") if each.stratum == "neutral")
    assert (worst.value, worst.low, worst.high) == pytest.approx((own.mean, own.low, own.high))


def test_means_over_all_answers_differ_by_the_interval_that_is_printed_above_them():
    runs = [_run(seed, gates=GATES) for seed in (0, 1)]
    change = {each.aggregate: each for each in aggregate_differences(*runs)}
    overall = paired(*runs, "bertscore_f1")[-1]
    pure = change[Aggregate.BERTSCORE_F1]
    assert (pure.value, pure.low, pure.high) == (overall.mean, overall.low, overall.high)
    assert change[Aggregate.SAFE_SCORE].method is Method.SIGN_FLIP


def test_a_difference_of_aggregates_is_paired():
    first = _run()
    second = ScoreTable(first.frame.assign(bertscore_f1=first.frame["bertscore_f1"] + 2), first.signatures)
    second.frame.loc[0, "bertscore_f1"] += 1
    change = {each.aggregate: each for each in aggregate_differences(first, second)}
    alone = [_values(run)[Aggregate.BERTSCORE_F1] for run in (first, second)]
    pure = change[Aggregate.BERTSCORE_F1]
    assert pure.value == pytest.approx(alone[1].value - alone[0].value)
    assert pure.high - pure.low < 0.1 * (alone[0].high - alone[0].low)


def test_without_a_severity_the_aggregates_that_name_it_say_so():
    run = _run()
    run = ScoreTable(run.frame[run.frame["severity"] != "critical"], run.signatures)
    values = _values(run)
    assert values[Aggregate.BERTSCORE_F1].low is not None
    for aggregate in (Aggregate.SEVERITY_WEIGHTED, Aggregate.WORST_SEVERITY, Aggregate.CRITICAL_GAP):
        assert np.isnan(values[aggregate].value)
        assert (values[aggregate].low, values[aggregate].method) == (None, Method.TOO_FEW)


def test_a_severity_of_one_answer_counts_and_leaves_no_interval():
    run = _run()
    run = ScoreTable(run.frame[39:], run.signatures)
    means, values = _means(run), _values(run)
    assert (run.frame["severity"] == "critical").sum() == 1
    assert values[Aggregate.CRITICAL_GAP].value == pytest.approx(means["critical"] - means["non_critical"])
    assert values[Aggregate.WORST_SEVERITY].value == pytest.approx(means.min())
    for aggregate in (Aggregate.SEVERITY_WEIGHTED, Aggregate.WORST_SEVERITY, Aggregate.CRITICAL_GAP):
        assert (values[aggregate].low, values[aggregate].method) == (None, Method.TOO_FEW)
    assert values[Aggregate.BERTSCORE_F1].low is not None


def test_one_answer_in_all_has_its_score_and_no_interval():
    run = _run(gates=GATES)
    run = ScoreTable(run.frame[:1], run.signatures)
    pure = _values(run)[Aggregate.BERTSCORE_F1]
    assert (pure.value, pure.low, pure.method) == (run.frame["bertscore_f1"][0], None, Method.TOO_FEW)


@pytest.mark.parametrize("left", [0, 1])
def test_the_gap_asks_for_the_severities_that_it_names_alone(left):
    run = _run()
    neutral = run.frame["severity"] == "neutral"
    run = ScoreTable(run.frame[~neutral | (neutral.cumsum() <= left)], run.signatures)
    gap = _values(run)[Aggregate.CRITICAL_GAP]
    assert gap.value == pytest.approx(_means(run)["critical"] - _means(run)["non_critical"])
    assert gap.low < gap.value < gap.high


def test_without_bertscore_there_are_no_aggregates():
    with pytest.raises(UserError, match="no scores of bertscore_f1"):
        aggregates(table(SIZES, np.zeros((N, 1))))
