"""A gain in one severity is called specific only where it is found to be larger than in the other."""

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest
from maqa_severity.harness.scores.signatures import LOWER_IS_BETTER, NEITHER_IS_BETTER
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Resampling, interactions
from maqa_severity.harness.statistics.crossed_interaction import InteractionComponents, as_one, planned_interaction
from maqa_severity.harness.statistics.divisions import divided, smallest_division_p, welch
from maqa_severity.harness.statistics.power import Design
from maqa_severity.tests.worlds import bertscore_like, table, welch_power_pct
from scipy import stats

SIZES = {Severity.CRITICAL: 40, Severity.NEUTRAL: 20, Severity.NON_CRITICAL: 80}
PLACES = np.repeat([0, 1, 2], list(SIZES.values()))
FEW = Resampling(resamples=999)


def whether(gains, seeds=1, noise=3.0, signature="version:1", sizes=SIZES, seed=0):
    """The interaction of two arms whose severities gain so much."""
    rng = np.random.default_rng(seed)
    places = np.repeat([0, 1, 2], list(sizes.values()))
    before = bertscore_like(rng, (len(places), 1))
    after = before + np.array(gains, float)[places][:, None] + rng.normal(0, noise, before.shape)
    luck = [rng.normal(0, 1, (2, *before.shape)) for _ in range(seeds)]
    first, second = (
        {place: table(sizes, scores + own[side], signature) for place, own in enumerate(luck)}
        for side, scores in enumerate((before, after))
    )
    (found,) = interactions(first, second, ["m0"], FEW)
    return found


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_gain_in_critical_alone_is_severity_specific(seeds):
    found = whether((5, 0, 0), seeds)
    assert found.specific and str(found).startswith("severity-specific: critical gains more than non_critical (+")
    assert found.low > 0 and found.p < 0.05 and (found.components is None) == (seeds == 1)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_uniform_gain_is_not(seeds):
    found = whether((4, 4, 4), seeds)
    assert not found.found and found.here > 3
    assert str(found).startswith("whether the gain differs between critical and non_critical: not shown (")
    assert "severity-specific" not in str(found) and "could have been missed" in str(found)


@pytest.mark.parametrize(
    ("gains", "signature", "words"),
    [
        ((0, 0, 5), "version:1", "the change in critical is worse than that in non_critical (-"),
        ((-1, 0, -6), "version:1", "the change in critical is better than that in non_critical (+"),
        ((-5, 0, 0), LOWER_IS_BETTER, "severity-specific: critical gains more than non_critical (-"),
        ((5, 0, 0), LOWER_IS_BETTER, "the change in critical is worse than that in non_critical (+"),
        ((5, 0, 0), NEITHER_IS_BETTER, "the change in critical differs from that in non_critical (+"),
        ((0, 0, 0), NEITHER_IS_BETTER, "whether the change differs between critical and non_critical: not shown ("),
    ],
)
def test_only_a_gain_in_critical_itself_is_specific(gains, signature, words):
    assert str(whether(gains, signature=signature)).startswith(words)


def test_few_questions_cannot_be_tested_and_none_are_not_spoken_of():
    few = {Severity.CRITICAL: 2, Severity.NEUTRAL: 0, Severity.NON_CRITICAL: 3}
    found = whether((9, 0, 0), sizes=few)
    assert found.p is None and str(found).endswith("cannot be tested with n = 2 and 3")
    none = {Severity.CRITICAL: 0, Severity.NEUTRAL: 3, Severity.NON_CRITICAL: 30}
    assert str(whether((9, 0, 0), sizes=none)) == ""
    same = table(SIZES, np.full((len(PLACES), 1), 40.0)), table(SIZES, np.full((len(PLACES), 1), 44.0))
    (found,) = interactions({None: same[0]}, {None: same[1]}, ["m0"], FEW)
    assert (found.mean, found.p, str(found)) == (0, None, "")


def test_of_several_metrics_p_is_adjusted_and_equal_trainings_share_their_divisions():
    rng = np.random.default_rng(0)
    before = bertscore_like(rng, (len(PLACES), 3))
    after = before + rng.normal(0, 3, before.shape) + 1.6 * (PLACES == 0)[:, None]
    tables = {None: table(SIZES, before)}, {None: table(SIZES, after)}
    together = interactions(*tables, ["m0", "m1", "m2"], FEW)
    alone = [interactions(*tables, [name], FEW)[0] for name in ("m0", "m1", "m2")]
    assert [each.family for each in together] == [3, 3, 3] and "Holm p" in str(together[0])
    drawn_alike = [
        (one, other) for one, other in zip(together, alone, strict=True) if one.divisions == other.divisions
    ]
    assert drawn_alike and all(one.p == other.p for one, other in drawn_alike)
    assert all(one.p_holm >= one.p for one in together)


def test_p_is_the_share_of_divisions_whose_welch_t_reaches_the_observed_one():
    rng = np.random.default_rng(1)
    here, there = rng.exponential(5, (4, 1)) + 3, rng.exponential(9, (5, 1))
    values = np.vstack([here, there])
    reference = stats.ttest_ind(here, there, equal_var=False).statistic
    every = [
        stats.ttest_ind(values[list(some)], np.delete(values, some, axis=0), equal_var=False).statistic
        for some in combinations(range(9), 4)
    ]
    exact = np.mean(np.abs(every) >= abs(reference) - 1e-9)
    assert divided(here, there, Resampling(resamples=20_000)).p[0] == pytest.approx(exact, abs=0.015)
    assert smallest_division_p(4, 5) == 1 / comb(9, 4)
    ours, theirs = welch(here, there), stats.ttest_ind(here, there, equal_var=False)
    assert (here.mean() - there.mean()) / ours[0] ** 0.5 == pytest.approx(theirs.statistic)
    assert ours[1] == pytest.approx(theirs.df)


@pytest.mark.parametrize(("n", "m"), [(5, 7), (12, 30)])
def test_bracket_and_p_agree_and_the_bracket_is_the_inversion(n, m):
    rng = np.random.default_rng(n)
    here, there = (np.round(np.where(rng.random((k, 80)) < 0.4, 0, rng.exponential(8, (k, 80)))) for k in (n, m))
    here += rng.choice([0, 5.0], 80)
    keep = welch(here, there)[0] > 0
    here, there = here[:, keep], there[:, keep]
    found = divided(here, there, FEW)
    excludes = (found.low > 0) | (found.high < 0)
    assert (excludes == (found.p < 0.05)).all() and excludes.any() and not excludes.all()
    for side, end in ((-1, found.low), (1, found.high)):
        moved = end - side * 1e-3
        assert (divided(here - moved, there, FEW).p >= 0.05).mean() > 0.97
        assert (divided(here - end - side * 1e-3, there, FEW).p < 0.05).mean() > 0.97


def test_over_trainings_a_shift_of_all_trainings_alike_is_no_evidence_of_noise():
    """Trainings that move critical by chance widen the bracket; those that move both severities do not."""
    rng = np.random.default_rng(2)
    before = bertscore_like(rng, (len(PLACES), 1))

    def error(critical, both):
        first = {seed: table(SIZES, before + rng.normal(0, 1, before.shape)) for seed in range(5)}
        second = {
            seed: table(SIZES, before + both * seed + critical * seed * (PLACES == 0)[:, None]) for seed in range(5)
        }
        return interactions(first, second, ["m0"], FEW)[0]

    assert error(0, 3).error == pytest.approx(error(0, 0).error, rel=0.2)
    assert error(3, 0).error > 5 * error(0, 0).error and error(3, 0).components.seed > 3


def test_the_promised_power_is_that_of_one_mean_with_the_same_error():
    parts = InteractionComponents(0.5, 3, 4, 5, 6)
    joined, questions = as_one(parts, 100, 300)
    square = 0.25 / 5 + 9 / 100 + 16 / 300 + (25 / 100 + 36 / 300) / 5
    assert joined.seed**2 / 5 + (joined.question**2 + joined.residual**2 / 5) / questions == pytest.approx(square)
    shares = (0.25, 0.75)
    less, more = (planned_interaction(parts, Design(seeds, 400), shares, 2.0) for seeds in (3, 10))
    assert less.power_pct < more.power_pct and less.detectable > more.detectable
    wider = planned_interaction(replace(parts, seed=2.0), Design(10, 400), shares, 2.0)
    assert wider.power_pct < more.power_pct
    sampled = planned_interaction(parts, Design(3, 400, samples=4), shares, 2.0, sampling=4.0)
    assert less.power_pct < sampled.power_pct
    assert welch_power_pct(4, 4, 5000, 5000, 0.0) == pytest.approx(2.5, abs=0.1)
    two_sided = stats.norm.sf(1.96 - 2 / (16 / 50 + 16 / 50) ** 0.5)
    assert welch_power_pct(4, 4, 50, 50, 2.0) == pytest.approx(100 * two_sided, abs=1.5)


def clustered(shape, gains, seeds=1, seed=0):
    """Arms whose questions come in clusters that gain as one; ``shape`` says how many clusters of how many."""
    rng = np.random.default_rng(seed)
    count, size = shape
    sizes = dict.fromkeys(Severity, count * size)
    n = 3 * count * size
    names = np.repeat([f"c{place:03d}" for place in range(3 * count)], size)
    moved = np.repeat(rng.normal(0, 6, 3 * count), size) + np.repeat(np.array(gains, float), count * size)
    before = bertscore_like(rng, (n, 1))
    arms = []
    for shift in (0.0, moved[:, None]):
        made = {place: table(sizes, before + shift + rng.normal(0, 1, (n, 1))) for place in range(seeds)}
        arms.append({place: replace(each, frame=each.frame.assign(cluster=names)) for place, each in made.items()})
    return interactions(*arms, ["m0"], FEW)[0]


@pytest.mark.parametrize("seeds", [1, 3])
def test_questions_that_belong_together_count_as_one(seeds):
    found = clustered((20, 5), (0, 0, 0), seeds)
    usual = 6 * (2 / 20) ** 0.5
    assert found.clusters == (20, 20) and found.divisions is None
    assert found.error == pytest.approx(usual, rel=0.4)
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)
    assert clustered((20, 5), (15, 0, 0), seeds).specific


def test_one_cluster_of_a_severity_cannot_be_tested():
    found = clustered((1, 5), (9, 0, 0))
    assert found.p is None and str(found).endswith("cannot be tested with 1 and 1 clusters")
