"""Odds ratios of matched pairs, over cases."""

import numpy as np
import pytest
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.matched_odds import matched_odds_ratio, mean_difference, mean_over_cases

FEW = Resampling(resamples=400)


def planted(rng, log_odds: float, cases: int = 14, pairs: int = 36) -> tuple[np.ndarray, np.ndarray]:
    """Discordant pairs of a model that sends by a case's own odds, times ``exp(log_odds)`` with the factor."""
    base = rng.normal(0, 1.5, (cases, 1))
    here, there = (rng.random((cases, pairs)) < 1 / (1 + np.exp(-base - add)) for add in (log_odds, 0.0))
    return (here & ~there).sum(1).astype(float), (there & ~here).sum(1).astype(float)


@pytest.mark.parametrize("odds", [0.1, 1.0, 3.0])
def test_the_planted_odds_ratio_lies_in_nearly_all_intervals(odds):
    rng = np.random.default_rng(5)
    found = [matched_odds_ratio(*planted(rng, np.log(odds)), FEW) for _ in range(60)]
    assert sum(each.low <= odds <= each.high for each in found) >= 53
    assert np.exp(np.mean([np.log(each.value) for each in found])) == pytest.approx(odds, rel=0.12)


def test_pairs_of_one_case_that_move_together_make_the_interval_wider():
    one = np.array([36, 36, 0, 0, 36, 0, 36, 0, 36, 36.0])
    together = matched_odds_ratio(one, 36 - one, FEW)
    apart = matched_odds_ratio(np.full(10, 21.0) + [1, -1] * 5, np.full(10, 15.0) - [1, -1] * 5, FEW)
    assert together.low < 0.7 and together.high > 2
    assert apart.low > 1.1


def test_of_few_cases_the_interval_is_no_shorter_than_that_of_as_many_single_pairs():
    found = matched_odds_ratio(np.array([1.0, 0, 0, 0]), np.array([15.0, 16, 15, 15]), FEW)
    # Clopper and Pearson of 1 in 62.
    low, high = 0.000408, 0.086624
    assert found.low <= low / (1 - low) * 1.01 and found.high >= high / (1 - high) * 0.99


def test_a_side_that_was_never_seen_gives_an_exact_bound_and_no_end_to_the_other():
    found = matched_odds_ratio(np.zeros(12), np.full(12, 36.0), FEW)
    assert found.low == 0.0 and found.value < 0.01
    # Clopper and Pearson: 0 of 12 cases is a share of at most 1 - 0.025^(1/12).
    share = 1 - 0.025 ** (1 / 12)
    assert found.high == pytest.approx(share / (1 - share))
    turned = matched_odds_ratio(np.full(12, 36.0), np.zeros(12), FEW)
    assert turned.high == np.inf and turned.low == pytest.approx(1 / found.high)


def test_where_no_pair_or_one_case_alone_changed_there_is_no_interval():
    nothing = matched_odds_ratio(np.zeros(5), np.zeros(5), FEW)
    assert (nothing.value, nothing.low, nothing.high) == (1.0, None, None)
    assert matched_odds_ratio(np.array([9.0, 0, 0]), np.zeros(3), FEW).low is None


def test_rates_over_cases_have_wilsons_interval_where_all_cases_are_equal():
    assert mean_over_cases(np.full(14, 0.0), FEW)[1:] == (0.0, pytest.approx(21.53, abs=0.01))
    mean, low, high = mean_over_cases(np.array([0, 0, 50, 100, 100, 100, 25, 0, 75, 100.0]), FEW)
    assert low < mean == 55.0 < high
    assert mean_over_cases(np.array([40.0]), FEW) == (40.0, None, None)


def test_a_difference_that_no_case_varies_in_has_no_interval():
    assert mean_difference(np.full(5, 100.0), np.full(5, 100.0), FEW) == (0.0, None, None)
