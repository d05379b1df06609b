"""The bracket is drawn out on the side of the long tail, and never over 0 where p excludes it."""

import numpy as np
import pytest
from maqa_severity.harness.statistics.exact import at_most, exact_bound, exact_ends
from maqa_severity.harness.statistics.flips import every_flip
from maqa_severity.harness.statistics.inversion import sign_flip_test
from maqa_severity.harness.statistics.skewness import skew_corrected, widened
from maqa_severity.tests.validity_small import coverage
from scipy import stats


def test_the_ends_are_where_halls_transformed_t_reaches_students_quantile():
    changes = np.random.default_rng(0).gamma(0.7, 5, (15, 4))
    low, high = skew_corrected(changes, 0.95)
    for column, ends in zip(changes.T, zip(low, high, strict=True), strict=True):
        bend = stats.skew(column, bias=False) / 15**0.5
        for end, side in zip(ends, (1, -1), strict=True):
            t = (column.mean() - end) / stats.sem(column)
            transformed = t + bend * t**2 / 3 + bend**2 * t**3 / 27 + bend / 6
            assert transformed == pytest.approx(side * stats.t.ppf(0.975, 14))


def test_symmetric_differences_have_students_interval_there():
    changes = np.array([[-3.0], [-1.0], [0.0], [1.0], [3.0]]) + 2
    assert np.ravel(skew_corrected(changes, 0.9)) == pytest.approx(
        stats.t.interval(0.9, 4, 2, stats.sem(changes[:, 0]))
    )


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_it_only_widens_and_never_contradicts_p(level):
    rng = np.random.default_rng(1)
    tails = np.where(rng.random((11, 600)) < 0.4, 0, rng.gamma(0.8, 9, (11, 600)))
    changes = np.concatenate([tails + rng.uniform(-9, 3, 600), -tails + rng.uniform(-3, 9, 600)], axis=1)
    tested = sign_flip_test(every_flip(changes), [level])
    (before,) = tested.ends
    low, high = widened(before, changes, tested.p, level)
    assert (low <= before[0]).all() and (high >= before[1]).all() and (low < before[0]).any()
    excludes = (low > 0) | (high < 0)
    assert np.array_equal(excludes, tested.p < round(1 - level, 12)) and 0.1 < excludes.mean() < 0.9


def test_the_exact_bound_is_clopper_and_pearsons():
    for n in (1, 3, 12, 300):
        for events in range(0, n + 1, max(1, n // 7)):
            theirs = stats.binomtest(events, n).proportion_ci(0.95, "exact").high
            assert at_most(events, n) == pytest.approx(100 * theirs, rel=1e-9)
    bound = exact_bound(np.array([5.0, 0.0, -1.0, 2.0]))
    assert np.ravel(exact_ends(np.array([[5.0], [0.0], [-1.0], [2.0]]), 0.95)) == pytest.approx(
        [-bound.falling, bound.rising]
    )


@pytest.mark.slow
@pytest.mark.parametrize("n", [8, 12])
def test_it_covers_where_no_answer_falls_and_half_do_not_change(n):
    ours, alone = coverage("no answer falls, ROUGE-like rises, unchanged: half", n, 400)
    assert ours >= 92 > alone
