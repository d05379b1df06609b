"""Rank intervals hold all at once, depend on no order, and tell of two systems what the paired test tells."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.scores.signatures import LOWER_IS_BETTER, RATE
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import OVERALL, Resampling, paired, rank_intervals, ranks
from maqa_severity.tests.worlds import bertscore_like, table

SIZES = {Severity.CRITICAL: 20, Severity.NEUTRAL: 30, Severity.NON_CRITICAL: 30}
N = sum(SIZES.values())
FEW = Resampling(resamples=999)


def systems(shifts, seed=0, noise=4.0):
    rng = np.random.default_rng(seed)
    hardness = bertscore_like(rng, (N, 1))
    return hardness + rng.normal(0, noise, (N, len(shifts))) + np.array(shifts)


def tables(values, signature="version:1"):
    return [table(SIZES, column[:, None], signature) for column in values.T]


@pytest.mark.parametrize("seed", range(8))
def test_of_two_systems_p_is_that_of_the_paired_test(seed):
    two = tables(systems((0, 1), seed))
    change = next(each for each in paired(*two, "m0", resampling=FEW) if each.stratum == OVERALL)
    ranking = rank_intervals(two, "m0", FEW.model_copy(update={"resamples": change.vectors}))
    assert ranking.p[0, 1] == change.p
    assert (ranking.intervals == [(1, 2), (1, 2)]) == (change.p >= 0.05)


def test_p_over_all_pairs_is_the_largest_statistic_of_any_pair_under_the_same_signs():
    """Against signs drawn here: a Monte-Carlo error apart."""
    values = systems((0, 0.5, 1, 3), 3)
    changes = np.column_stack([values[:, b] - values[:, a] for a, b in combinations(range(4), 2)])

    def students(rows):
        return np.abs(rows.mean(axis=0)) / (rows.std(axis=0, ddof=1) / N**0.5)

    rng = np.random.default_rng(11)
    largest = np.array([students(changes * rng.choice([-1, 1], (N, 1))).max() for _ in range(4000)])
    ours = rank_intervals(tables(values), "m0", Resampling(resamples=4000)).p
    for (a, b), own in zip(combinations(range(4), 2), students(changes), strict=True):
        assert ours[a, b] == ours[b, a] == pytest.approx((largest >= own).mean(), abs=0.03)


def test_more_systems_than_are_held_at_once_are_one_family_too(monkeypatch):
    values = systems([0] * 23, 4)
    p = rank_intervals(tables(values), "m0", FEW).p
    some = rank_intervals(tables(values[:, :10]), "m0", FEW).p
    assert (p[:10, :10] >= some).all() and p.shape == (23, 23)
    monkeypatch.setattr(ranks, "_PAIRS", 10_000)
    assert (rank_intervals(tables(values), "m0", FEW).p == p).all()


@pytest.mark.parametrize("signature", ["version:1", RATE])
def test_the_order_of_the_systems_and_of_their_answers_changes_no_bit(signature):
    values = systems((0, 0.5, 1, 1, 2, 4), 6)
    values = 100.0 * (values > 65) if signature == RATE else values
    values[:, 3] = values[:, 2]
    plain = rank_intervals(tables(values, signature), "m0", FEW)
    order = np.random.default_rng(0).permutation(6)
    mixed = [
        replace(each, frame=each.frame.sample(frac=1, random_state=place))
        for place, each in enumerate(tables(values[:, order], signature))
    ]
    again = rank_intervals(mixed, "m0", FEW)
    assert again.intervals == [plain.intervals[place] for place in order]
    assert (again.p == plain.p[np.ix_(order, order)]).all() and plain.p[2, 3] == 1


def test_of_few_answers_p_is_over_all_signs():
    few = {Severity.CRITICAL: 4, Severity.NON_CRITICAL: 5}
    values = np.random.default_rng(0).normal((60, 62), 3, (9, 2))
    two = [table(few, column[:, None]) for column in values.T]
    change = next(each for each in paired(*two, "m0") if each.stratum == OVERALL)
    assert change.exact and rank_intervals(two, "m0").p[0, 1] == pytest.approx(change.p)


def test_a_ladder_of_clearly_different_systems_has_one_rank_each_from_the_better_side():
    up = tables(systems((0, 20, 10)))
    assert rank_intervals(up, "m0", FEW).intervals == [(3, 3), (1, 1), (2, 2)]
    down = tables(systems((0, 20, 10)), LOWER_IS_BETTER)
    assert rank_intervals(down, "m0", FEW).intervals == [(1, 1), (3, 3), (2, 2)]


def test_a_system_between_two_that_differ_may_hold_every_rank():
    ranking = rank_intervals(tables(systems((0, 1.2, 2.4), 2)), "m0", FEW)
    assert ranking.intervals == [(2, 3), (1, 3), (1, 2)]


def test_equal_answers_and_rounding_rank_nobody():
    values = systems((0, 0), 2)
    values[:, 1] = values[:, 0] + 5e-5
    assert rank_intervals(tables(values), "m0", FEW).intervals == [(1, 2), (1, 2)]
    assert rank_intervals(tables(values[:, :1]), "m0", FEW).intervals == [(1, 1)]


def test_systems_of_one_answer_each_are_not_told_apart():
    one = [table({Severity.NEUTRAL: 1}, np.array([[value]])) for value in (10.0, 90.0)]
    assert rank_intervals(one, "m0", FEW).intervals == [(1, 2), (1, 2)]


def test_a_metric_that_applies_to_other_answers_is_refused():
    values = systems((0, 0))
    first, second = tables(values, "version:1|applies:some")
    second.frame.loc[3, "m0"] = np.nan
    with pytest.raises(UserError, match="applies to other answers in one run"):
        rank_intervals([first, second], "m0", FEW)
