"""Questions that belong together count together: in tests, intervals, arms, ranks and aggregates."""

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.aggregates import aggregate_differences, aggregates
from maqa_severity.harness.runs.together import _counted
from maqa_severity.harness.scores.signatures import RATE
from maqa_severity.harness.scores.table import CLUSTER, ScoreTable
from maqa_severity.harness.statistics import (
    Method,
    Resampling,
    Verdict,
    compare_groups,
    in_words,
    paired,
    rank_intervals,
    summarise,
)
from maqa_severity.harness.statistics.clusters import clustered, numbered, spread_of
from maqa_severity.tests.validity_clusters import (
    ACROSS,
    DEVIATION,
    EQUAL,
    FEW,
    UNEQUAL,
    Shape,
    alone,
    contradictions,
    covered,
    effects,
    means_covered,
    of_arms,
    pairs,
    rejected,
    scores,
)


def renamed(made, name="bertscore_f1"):
    frame = made.frame.rename(columns={"m0": name})
    return ScoreTable(frame, {name: made.signatures["m0"]})


def pair(shape, gain=2.0, seed=0):
    """Two tables of one column, ``bertscore_f1``."""
    rng = np.random.default_rng(seed)
    before = 50 + 8 * effects(rng, shape, 1)
    after = before + gain + DEVIATION * effects(rng, shape, 1)
    return renamed(scores(shape, before)), renamed(scores(shape, after))


def without(made):
    return ScoreTable(made.frame.drop(columns=CLUSTER), made.signatures)


def test_equal_systems_of_clustered_questions_get_a_verdict_as_often_as_said():
    assert rejected(ACROSS, 100) <= 11
    assert rejected(ACROSS, 40, clusters=False) > 25


@pytest.mark.slow
def test_brackets_cover_what_unequal_clusters_show():
    assert covered(UNEQUAL, 200) > 90
    assert means_covered(UNEQUAL, 100) > 88


@pytest.mark.slow
def test_arms_of_clustered_questions_keep_the_level():
    rejects, holds = of_arms(ACROSS, 200)
    assert rejects <= 8.5
    assert holds >= 91.5


def test_bracket_and_p_of_clusters_never_contradict_each_other():
    assert contradictions(Shape("9 clusters", (1, 3, 5, 2, 8, 1, 4, 9, 2)), 100) == 0
    assert contradictions(Shape("9 clusters", (1, 3, 5, 2, 8, 1, 4, 9, 2)), 100, rates=True) == 0


def test_clusters_of_one_question_are_no_clusters():
    shape = Shape("alone", (1,) * 40)
    first, second = pair(shape)
    for call in (paired, aggregate_differences):
        names = ("bertscore_f1",) if call is paired else ()
        assert call(first, second, *names) == call(without(first), without(second), *names)
    assert aggregates(first) == aggregates(without(first))
    arms = [{0: first, 1: second}, {2: second, 3: first}]
    bare = [{seed: without(made) for seed, made in arm.items()} for arm in arms]
    assert compare_groups(*arms, ["bertscore_f1"]) == compare_groups(*bare, ["bertscore_f1"])


def test_a_question_without_a_cluster_is_one_of_its_own():
    assert numbered(np.array(["a", None, "a", None], dtype=object)).tolist() == [0, 1, 0, 2]
    assert numbered(np.array([None, None], dtype=object)) is None


def test_equal_answers_within_clusters_give_the_test_of_the_clusters():
    """Ten copies of each of 30 questions say what the 30 say."""
    rng = np.random.default_rng(3)
    few, many = Shape("30", (1,) * 30), Shape("30 of 10", (10,) * 30)
    sides = [50 + rng.normal(shift, 3, (30, 1)) for shift in (0, 1)]
    once = alone(paired(*(scores(few, each) for each in sides), "m0"))[0]
    copied = alone(paired(*(scores(many, np.repeat(each, 10, axis=0)) for each in sides), "m0"))[0]
    assert copied.p == pytest.approx(once.p, abs=0.01)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=0.06)
    assert copied.clustered.icc == pytest.approx(1.0)
    assert copied.clustered.design_effect == pytest.approx(10.0)
    assert copied.clustered.effective_n == pytest.approx(30.0)
    assert copied.detectable == pytest.approx(once.detectable, rel=0.1)


@pytest.mark.parametrize("rate", [False, True])
def test_an_interval_of_copies_is_that_of_the_originals(rate):
    rng = np.random.default_rng(4)
    values = rng.normal(50, 5, (40, 1))
    values, signature = (100.0 * (values > 52), RATE) if rate else (values, "version:1")
    once = summarise(scores(Shape("40", (1,) * 40), values, signature))[-1]
    copied = summarise(scores(Shape("40 of 5", (5,) * 40), np.repeat(values, 5, axis=0), signature))[-1]
    assert copied.n == 5 * once.n
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1.5 if rate else 0.25)


def test_fewer_than_six_clusters_cannot_be_tested():
    shape = Shape("5 clusters", (20,) * 5)
    first, second = pair(shape, gain=30.0)
    overall = alone(paired(first, second, "bertscore_f1"))[0]
    assert overall.verdict is Verdict.UNTESTABLE
    assert overall.smallest_p == 2 / 2**5
    words = in_words(paired(first, second, "bertscore_f1"))
    assert "in 2 clusters" in words
    arms = [{0: first, 1: first}, {2: second, 3: second}]
    assert alone(compare_groups(*arms, ["bertscore_f1"]).differences)[0].verdict is Verdict.UNTESTABLE


def test_a_single_cluster_has_a_mean_and_no_interval():
    shape = Shape("one", (30,), apart=False)
    first, second = pair(shape)
    assert summarise(first)[-1].method is Method.ONE_CLUSTER
    assert {each.method for each in aggregates(first)} == {Method.ONE_CLUSTER}
    change = alone(paired(first, second, "bertscore_f1"))[0]
    assert (change.method, change.verdict) == (Method.UNBOUNDED, Verdict.UNTESTABLE)


def test_aggregates_of_clusters_are_wider_than_those_of_independent_questions():
    first, second = pair(ACROSS)
    for ours, theirs in (
        (aggregates(first), aggregates(without(first))),
        (aggregate_differences(first, second), aggregate_differences(without(first), without(second))),
    ):
        named = {each.aggregate: each for each in theirs}
        for each in ours:
            if each.aggregate != "critical_gap":
                bare = named[each.aggregate]
                assert each.high - each.low > 1.25 * (bare.high - bare.low), each.aggregate
    # What a cluster moves in all severities alike cancels in the gap.
    gaps = [next(each for each in made if each.aggregate == "critical_gap") for made in (aggregates(first), theirs)]
    assert gaps[0].high - gaps[0].low < 5


def test_ranks_of_equal_systems_on_clusters_do_not_exclude_each_other():
    wrong = 0
    for first, second in pairs(EQUAL, 20):
        for name in first.metrics:
            ranking = rank_intervals([first.only([name]), second.only([name])], name, Resampling(resamples=500))
            wrong += ranking.intervals != [(1, 2), (1, 2)]
    assert wrong <= 4


def test_a_table_that_says_nothing_of_clusters_takes_those_of_the_same_questions():
    first, second = pair(EQUAL)
    known = paired(first, second, "bertscore_f1", resampling=FEW)
    assert paired(without(first), second, "bertscore_f1", resampling=FEW) == known
    assert paired(first, without(second), "bertscore_f1", resampling=FEW) == known


def test_other_clusters_of_the_same_questions_are_refused():
    first, second = pair(EQUAL)
    frame = second.frame.assign(**{CLUSTER: np.roll(second.frame[CLUSTER], 3)})
    with pytest.raises(UserError, match="which questions belong together"):
        paired(first, ScoreTable(frame, second.signatures), "bertscore_f1")
    names = second.frame.assign(**{CLUSTER: second.frame[CLUSTER] + " by another name"})
    paired(first, ScoreTable(names, second.signatures), "bertscore_f1", resampling=FEW)


def test_the_correction_is_exact_where_a_cluster_deviates_as_one():
    rng = np.random.default_rng(5)
    sizes = np.array([1.0, 2, 3, 5, 8, 13])
    means = rng.normal(0, 1, (200_000, 6))
    mean = means @ sizes / sizes.sum()
    squares = ((sizes * (means - mean[:, None])) ** 2).sum(axis=1)
    assert spread_of(sizes)[0] * squares.mean() / sizes.sum() ** 2 == pytest.approx(mean.var(), rel=0.02)
    assert spread_of(np.ones(7)) == (pytest.approx(7 / 6), pytest.approx(6.0))


def test_the_intraclass_correlation_is_that_of_a_known_table():
    """Two clusters (1, 3) and (6, 8): mean squares 25 between and 2 within, icc (25 - 2) / (25 + 2)."""
    found = clustered(np.array([1.0, 3, 6, 8]), np.array([0, 0, 1, 1]))
    assert found.icc == pytest.approx(23 / 27)
    assert found.design_effect == pytest.approx(1 + 23 / 27)


def test_one_cluster_counts_as_one_question_and_is_said_to():
    values = np.arange(8.0)
    found = clustered(values, np.zeros(8, np.int64))
    assert (found.design_effect, found.effective_n, found.error) == (8.0, 1.0, None)
    assert _counted(found) == "1 cluster of 8, which counts as 1 question"
    singles = clustered(values, np.arange(8))
    assert (singles.design_effect, singles.effective_n) == (1.0, 8.0)
