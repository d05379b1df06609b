"""The intervals equal the reference implementations and cover what they say they cover."""

from statistics import NormalDist, fmean

import numpy as np
import pytest
from maqa_severity.harness.scores.signatures import RATE
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import OVERALL, Method, summarise, summarise_all
from maqa_severity.harness.statistics.bootstrap import counts, resampled_means
from maqa_severity.harness.statistics.intervals import bca, newcombe, wilson
from maqa_severity.tests.worlds import BERTSCORE_MEAN, ROUGE_MEAN, bertscore_like, rouge_like, table
from scipy import stats

SIZES = {Severity.CRITICAL: 30, Severity.NEUTRAL: 100, Severity.NON_CRITICAL: 500}


@pytest.mark.parametrize("n", [30, 60, 301])
@pytest.mark.parametrize("draw", [bertscore_like, rouge_like])
def test_bca_equals_scipys_on_the_same_resamples(draw, n):
    values = draw(np.random.default_rng(n), (n, 3))
    resampled = resampled_means(values, counts(n, 4000, np.random.default_rng(7)))
    low, high = bca(values.mean(axis=0), resampled, [(values - values.mean(axis=0)) / n], expanded=False)
    for column in range(3):
        theirs = stats.bootstrap(
            (values[:, column],), np.mean, method="BCa", n_resamples=4000, rng=np.random.default_rng(7)
        ).confidence_interval
        assert low[column] == pytest.approx(theirs.low, abs=1e-6)
        assert high[column] == pytest.approx(theirs.high, abs=1e-6)


def test_resamples_that_equal_the_estimate_count_half_as_in_scipy():
    """Whole numbers of eight answers: ties are common, and their sums are exact in either order."""
    values = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    resampled = resampled_means(values[:, None], counts(8, 4000, np.random.default_rng(7)))
    low, high = bca(values.mean(keepdims=True), resampled, [(values[:, None] - values.mean()) / 8], expanded=False)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=4000, rng=np.random.default_rng(7))
    assert (low[0], high[0]) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-6)


def test_the_acceleration_is_the_jackknifes_written_out():
    values = rouge_like(np.random.default_rng(3), (40, 1))
    resampled = resampled_means(values, counts(40, 2000, np.random.default_rng(4)))
    low, high = bca(values.mean(axis=0), resampled, [(values - values.mean(axis=0)) / 40], expanded=False)
    assert (low[0], high[0]) == pytest.approx(_textbook_bca(values[:, 0].tolist(), resampled[0].tolist()), abs=1e-9)


def _textbook_bca(values: list[float], resampled: list[float]) -> tuple[float, float]:
    """Efron and Tibshirani 1993, chapter 14.3, value by value."""
    normal, estimate = NormalDist(), fmean(values)
    left_out = [fmean(values[:row] + values[row + 1 :]) for row in range(len(values))]
    centre = fmean(left_out)
    cubes = sum((centre - each) ** 3 for each in left_out)
    squares = sum((centre - each) ** 2 for each in left_out)
    acceleration = cubes / (6 * squares**1.5)
    bias = normal.inv_cdf(sum(each < estimate for each in resampled) / len(resampled))
    ends = []
    for level in (0.025, 0.975):
        moved = bias + normal.inv_cdf(level)
        ends.append(100 * normal.cdf(bias + moved / (1 - acceleration * moved)))
    return tuple(np.percentile(resampled, ends))


@pytest.mark.parametrize(("events", "n"), [(0, 30), (1, 30), (29, 30), (30, 30), (95, 100), (1, 2)])
def test_wilsons_interval_equals_scipys(events, n):
    theirs = stats.binomtest(events, n).proportion_ci(method="wilson")
    low, high = wilson(np.array([events]), n)
    assert (low[0], high[0]) == pytest.approx((100 * theirs.low, 100 * theirs.high), abs=1e-6)


def test_newcombes_interval_equals_the_published_one():
    """Fagerland, Lydersen and Laake 2017, chapter 8: 65 and 75 of 161, 59 in both: 0.0621 (0.0046 to 0.1186)."""
    low, high = newcombe(*(np.array([float(count)]) for count in (59, 6, 16, 80)))
    assert (low[0], high[0]) == pytest.approx((0.46, 11.86), abs=0.005)


def test_paired_rates_that_never_differ_still_have_an_interval():
    low, high = newcombe(*(np.array([float(count)]) for count in (30, 0, 0, 0)))
    assert low[0] < 0 < high[0]


@pytest.mark.parametrize("n", SIZES.values())
@pytest.mark.parametrize(
    ("draw", "truth"), [(bertscore_like, BERTSCORE_MEAN), (rouge_like, ROUGE_MEAN)], ids=["bertscore", "rouge"]
)
def test_intervals_of_means_cover_the_truth_in_4000_worlds(draw, truth, n):
    assert 93.5 <= _coverage_of_means(draw, truth, n, worlds=4000, resamples=2000) <= 96.5


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES.values())
@pytest.mark.parametrize(
    ("draw", "truth"), [(bertscore_like, BERTSCORE_MEAN), (rouge_like, ROUGE_MEAN)], ids=["bertscore", "rouge"]
)
def test_intervals_of_means_keep_their_level_within_half_a_percent_over_20000_worlds(draw, truth, n):
    assert 94.5 <= _coverage_of_means(draw, truth, n, worlds=20_000, resamples=10_000) <= 95.5


def test_at_30_answers_the_textbooks_bca_is_too_short_and_the_expansion_mends_it():
    plain, expanded = (
        _coverage_of_means(bertscore_like, BERTSCORE_MEAN, 30, worlds=8000, resamples=2000, expanded=expanded)
        for expanded in (False, True)
    )
    assert plain < 94 < expanded


@pytest.mark.parametrize("n", SIZES.values())
def test_intervals_of_rates_near_95_percent_cover_the_truth_in_20000_worlds(n):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.93, 0.97, 20_000)
    low, high = wilson(rng.binomial(n, truth).astype(float), n)
    share = 100 * np.mean((low <= 100 * truth) & (100 * truth <= high))
    assert 93.5 <= share <= 96.5


def test_wilson_covers_rates_near_95_percent_by_exact_enumeration():
    for n in SIZES.values():
        events = np.arange(n + 1)
        low, high = wilson(events, n)
        covered = [
            stats.binom.pmf(events, n, rate)[(low <= 100 * rate) & (100 * rate <= high)].sum()
            for rate in np.linspace(0.93, 0.97, 401)
        ]
        assert 0.945 <= np.mean(covered) <= 0.96, n


@pytest.mark.slow
def test_severities_of_other_means_do_not_widen_the_overall_interval():
    rng = np.random.default_rng(0)
    values = rng.normal(60, 2, (630, 1000))
    shift = np.repeat([-20.0, 0.0, 20.0], list(SIZES.values()))[:, None]
    apart, together = (
        {each.metric: each for each in summarise(table(SIZES, scores)) if each.stratum == OVERALL}
        for scores in (values + shift, values)
    )
    for metric in ("m0", "m1"):
        widths = [summary[metric].high - summary[metric].low for summary in (apart, together)]
        assert widths[0] == pytest.approx(widths[1], rel=1e-9)
    truth = 60 + float(np.average([-20, 0, 20], weights=list(SIZES.values())))
    covered = np.mean([each.low <= truth <= each.high for each in apart.values()])
    assert 0.935 <= covered <= 0.965


def test_a_stratum_of_one_answer_has_a_mean_and_no_interval():
    scores = table({Severity.CRITICAL: 1, Severity.NEUTRAL: 40}, bertscore_like(np.random.default_rng(0), (41, 1)))
    critical, neutral, non_critical, overall = summarise(scores)
    assert (critical.n, critical.low, critical.high, critical.method) == (1, None, None, Method.TOO_FEW)
    assert critical.mean == scores.frame["m0"][0]
    assert (non_critical.n, non_critical.method) == (0, Method.TOO_FEW)
    assert np.isnan(non_critical.mean)
    for summary in (neutral, overall):
        assert summary.method is Method.BCA
        assert summary.low < summary.mean < summary.high


def test_scores_that_do_not_vary_have_no_interval_unless_they_are_a_rate():
    constant = np.full((630, 1), 100.0)
    assert {each.method for each in summarise(table(SIZES, constant))} == {Method.CONSTANT}
    for each in summarise(table(SIZES, constant, RATE)):
        assert (each.method, each.high) == (Method.WILSON, 100)
        assert 80 < each.low < 100


def test_the_order_of_rows_and_the_company_of_other_runs_change_nothing():
    scores = table(SIZES, bertscore_like(np.random.default_rng(1), (630, 2)))
    other = table(SIZES, rouge_like(np.random.default_rng(2), (630, 2)))
    shuffled = type(scores)(scores.frame.sample(frac=1, random_state=0), scores.signatures)
    alone = summarise(scores)
    together = summarise_all([other, shuffled])[1]
    for one, two in zip(alone, together, strict=True):
        assert (one.metric, one.stratum, one.n) == (two.metric, two.stratum, two.n)
        assert (one.mean, one.low, one.high) == pytest.approx((two.mean, two.low, two.high), abs=1e-9)


def _coverage_of_means(draw, truth, n, *, worlds, resamples, expanded=True):
    """Percent of worlds whose interval holds the truth; every 1,000 worlds have resamples of their own."""
    held = []
    for seed in range(worlds // 1000):
        values = draw(np.random.default_rng([seed, n]), (n, 1000))
        resampled = resampled_means(values, counts(n, resamples, np.random.default_rng([seed, n, 1])))
        estimate = values.mean(axis=0)
        low, high = bca(estimate, resampled, [(values - estimate) / n], expanded=expanded)
        held.append(np.mean((low <= truth) & (truth <= high)))
    return 100 * np.mean(held)
