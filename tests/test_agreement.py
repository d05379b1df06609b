"""Agreement beyond chance, means over two levels, and orders of scores: against known answers."""

import numpy as np
import pytest
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.agreement import Scale, agreement
from maqa_severity.harness.statistics.orders import auc, consistency, pairs_needed, pairwise_accuracy, tau_b
from maqa_severity.harness.statistics.two_way import two_way_mean
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

FEW = Resampling(resamples=500)
# Four observers, twelve units: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); 0 is missing.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]
CODES = np.array(OBSERVERS).T - 1


def test_coefficients_are_those_that_were_published():
    nominal = agreement(CODES, 5, Scale.NOMINAL, FEW)
    assert nominal.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert nominal.ac.value == pytest.approx(0.775, abs=5e-4)  # Gwet's handbook, the same ratings
    assert agreement(CODES, 5, Scale.ORDINAL, FEW).alpha.value == pytest.approx(0.815, abs=5e-4)
    assert (nominal.units, nominal.raters) == (11, 4)


def test_two_raters_have_the_kappa_of_scikit_learn():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 200)
    second = np.clip(first + rng.integers(-1, 2, 200), 0, 3)
    codes = np.stack([first, second], axis=1)
    found = agreement(codes, 4, Scale.ORDINAL, FEW)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    assert agreement(codes, 4, Scale.NOMINAL, FEW).kappa.value == pytest.approx(cohen_kappa_score(first, second))
    assert found.kappa.low < found.kappa.value < found.kappa.high
    assert found.exact.value == pytest.approx(100 * (first == second).mean())


def test_chance_alone_has_no_agreement_and_the_interval_holds_0():
    codes = np.random.default_rng(1).integers(0, 3, (300, 3))
    for scale in Scale:
        found = agreement(codes, 3, scale, FEW)
        for each in (found.kappa, found.alpha, found.ac):
            assert each.low < 0 < each.high


def test_units_with_one_rating_say_nothing():
    assert agreement(np.array([[0, -1], [-1, 1]]), 3, Scale.ORDINAL, FEW) is None
    assert agreement(np.array([[1, 1], [1, 1]]), 3, Scale.NOMINAL, FEW).kappa.value is None


@pytest.mark.parametrize(("raters", "bias"), [(3, 0.0), (3, 1.0), (5, 1.0)])
def test_a_mean_over_questions_and_raters_covers_what_a_mean_over_cells_does_not(raters, bias):
    rng = np.random.default_rng(2)
    worlds, questions = 600, 60
    covered = naive = 0
    for _ in range(worlds):
        cells = (
            rng.normal(0, 1, (questions, 1)) + rng.normal(0, bias, raters) + rng.normal(0, 1, (questions, raters))
        )
        rows, columns = np.nonzero(rng.random((questions, raters)) < 0.8)
        values = cells[rows, columns]
        found = two_way_mean(values, rows, columns)
        covered += found.low <= 0 <= found.high
        naive += abs(values.mean()) <= 1.96 * values.std(ddof=1) / len(values) ** 0.5
    assert 0.93 <= covered / worlds <= 0.99
    assert naive / worlds < 0.85 or not bias


def test_one_rater_or_one_question_says_nothing_of_others():
    one = two_way_mean(np.array([1.0, 2.0]), [0, 1], [0, 0])
    assert (one.mean, one.low, one.p) == (1.5, None, None)


def test_orders_are_those_of_scipy_and_scikit_learn():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 150).astype(float)
    score = truth + rng.normal(0, 2, 150).round()
    ids = np.arange(150)
    assert tau_b(score, truth, ids, FEW).value == pytest.approx(stats.kendalltau(score, truth).statistic)
    event = truth > 3
    assert auc(score, event, ids, FEW).value == pytest.approx(100 * roc_auc_score(event, score))
    table = np.stack([score, truth], axis=1)
    left = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    rows = 2 * ((table.mean(axis=1) - table.mean()) ** 2).sum() / 149
    residual = (left**2).sum() / 149
    assert consistency(score, truth, ids, FEW).value == pytest.approx((rows - residual) / (rows + residual))


def test_pairwise_accuracy_covers_the_truth_and_counts_ties_half():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        change = rng.normal(0, 1, 120)
        preference = np.sign(change) * np.where(rng.random(120) < 0.7, 1, -1)
        found = pairwise_accuracy(change, preference, np.arange(120), FEW)
        covered += found.low <= 70 <= found.high
    assert covered / 300 >= 0.92
    tied = pairwise_accuracy(np.zeros(4), np.array([1.0, -1, 1, 0]), np.arange(4), FEW)
    assert (tied.value, tied.n) == (50, 3)


def test_so_many_pairs_are_needed_as_find_the_accuracy_with_80_percent_power():
    needed = pairs_needed(60.0)
    rng = np.random.default_rng(5)
    share = rng.binomial(needed, 0.6, 20_000) / needed
    found = np.abs(share - 0.5) > 1.96 * 0.5 / needed**0.5
    assert found.mean() == pytest.approx(0.8, abs=0.03)
    assert pairs_needed(50.0) is None
