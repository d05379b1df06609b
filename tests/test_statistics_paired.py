"""Paired tests equal the reference implementations, keep their level, and find what they promise to find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.scores.signatures import LOWER_IS_BETTER, NEITHER_IS_BETTER, RATE
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import (
    OVERALL,
    Method,
    Resampling,
    Verdict,
    in_words,
    judge,
    paired,
    paired_all,
)
from maqa_severity.harness.statistics.bootstrap import resampled_means, signs
from maqa_severity.harness.statistics.significance import detectable_difference, holm, randomisation_p
from maqa_severity.tests.worlds import bertscore_like, table
from scipy import stats

SIZES = {Severity.CRITICAL: 200, Severity.NEUTRAL: 250, Severity.NON_CRITICAL: 350}
N = sum(SIZES.values())


def _systems(count, *, noise=6.0, seed=0, sizes=SIZES):
    """``count`` pairs of equal systems: the same questions, hard or easy for both, and each system's own luck."""
    rng = np.random.default_rng(seed)
    n = sum(sizes.values())
    hardness = bertscore_like(rng, (n, count))
    return [hardness + rng.normal(0, noise, (n, count)) for _ in range(2)]


def test_p_equals_scipys_on_the_same_signs():
    changes = np.random.default_rng(1).normal(0.4, 2, (40, 1))
    seen = []

    def absolute_mean(sample, axis):
        seen.append(np.atleast_2d(sample))
        return np.abs(sample.mean(axis=axis))

    theirs = stats.permutation_test(
        (changes[:, 0],),
        absolute_mean,
        permutation_type="samples",
        alternative="greater",
        n_resamples=2000,
        vectorized=True,
        rng=np.random.default_rng(2),
    )
    drawn = next(sample for sample in seen if len(sample) == 2000) / changes[:, 0]
    ours = randomisation_p(changes.mean(axis=0), resampled_means(changes, [drawn]))
    assert ours[0] == pytest.approx(theirs.pvalue, abs=1e-6)


def test_p_over_all_signs_equals_scipys_exact_p():
    changes = np.random.default_rng(3).normal(0.7, 1, (10, 1))
    every = np.array([[1.0 if pattern >> place & 1 else -1.0 for place in range(10)] for pattern in range(1024)])
    ours = randomisation_p(changes.mean(axis=0), resampled_means(changes, [every]))
    exact = stats.permutation_test((changes[:, 0],), np.mean, permutation_type="samples", n_resamples=np.inf)
    # The observed signs are one of the 1,024; a random draw counts them once more.
    assert (ours[0] * 1025 - 1) / 1024 == pytest.approx(exact.pvalue, abs=1e-6)


def test_p_of_rates_is_mcnemars():
    rng = np.random.default_rng(4)
    before = 100.0 * (rng.random((N, 1)) < 0.6)
    after = np.where(rng.random((N, 1)) < 0.1, 100 - before, before)
    change = next(
        each
        for each in paired(
            table(SIZES, before, RATE), table(SIZES, after, RATE), "m0", resampling=Resampling(resamples=50_000)
        )
        if each.stratum == OVERALL
    )
    gained, lost = int((after > before).sum()), int((after < before).sum())
    mcnemar = stats.binomtest(gained, gained + lost).pvalue
    assert change.p == pytest.approx(mcnemar, abs=4 * (mcnemar * (1 - mcnemar) / 50_000) ** 0.5)
    assert change.method is Method.NEWCOMBE
    assert change.improved_pct == pytest.approx(100 * gained / N)


def test_signs_are_fair_coins():
    drawn = np.concatenate(list(signs(999, 5000, np.random.default_rng(0))))
    assert drawn.shape == (5000, 999)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    assert abs(drawn.mean()) < 4 / drawn.size**0.5
    assert np.abs(drawn.mean(axis=0)).max() < 6 / 5000**0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p):
    """Closing Bonferroni's test over all intersections is another way to Holm's adjusted p (Marcus et al. 1976)."""
    family = range(len(p))
    subsets = [[place for place in family if mask >> place & 1] for mask in range(1, 2 ** len(p))]
    closed = [
        min(1.0, max(len(subset) * min(p[other] for other in subset) for subset in subsets if place in subset))
        for place in family
    ]
    assert holm(p) == pytest.approx(closed)


def test_equal_systems_differ_in_5_percent_of_tests_and_in_no_more_of_the_families():
    pairs = 500
    before, after = _systems(pairs)
    changes = paired(
        table(SIZES, before),
        table(SIZES, after),
        *(f"m{pair}" for pair in range(pairs)),
        resampling=Resampling(resamples=4000),
    )
    families = [[each for each in changes if each.metric == f"m{pair}"][:3] for pair in range(pairs)]
    raw = [each.p < 0.05 for family in families for each in family]
    found = [any(each.p_holm < 0.05 for each in judge(family)) for family in families]
    assert 0.03 <= np.mean(raw) <= 0.07
    assert np.mean(found) <= 0.05


@pytest.mark.slow
def test_a_gain_in_critical_alone_is_found_there_with_the_promised_power_and_nowhere_else():
    worlds, gain = 1000, 2.0
    alpha = 0.05 / 3
    deviation = gain / detectable_difference(1.0, SIZES[Severity.CRITICAL], alpha)
    before, after = _systems(worlds, noise=deviation / 2**0.5)
    after[: SIZES[Severity.CRITICAL]] += gain
    changes = paired(
        table(SIZES, before),
        table(SIZES, after),
        *(f"m{world}" for world in range(worlds)),
        resampling=Resampling(resamples=4000),
    )
    families = [judge([each for each in changes if each.metric == f"m{world}"][:3]) for world in range(worlds)]
    found = np.mean([family[0].verdict is Verdict.GAIN for family in families])
    elsewhere = np.mean(
        [any(each.verdict in (Verdict.GAIN, Verdict.LOSS) for each in family[1:]) for family in families]
    )
    promised = np.mean([family[0].detectable for family in families])
    assert 0.76 <= found <= 0.84
    assert elsewhere <= 0.05
    assert promised == pytest.approx(gain, rel=0.02)


@pytest.mark.slow
def test_intervals_of_differences_cover_the_truth_in_4000_worlds():
    sizes, gain = {Severity.CRITICAL: 30, Severity.NEUTRAL: 60, Severity.NON_CRITICAL: 100}, 1.5
    names = [f"m{world}" for world in range(1000)]
    changes = []
    for seed in range(4):
        before, after = _systems(1000, seed=seed, sizes=sizes)
        changes += paired(
            table(sizes, before),
            table(sizes, after + gain),
            *names,
            resampling=Resampling(seed=seed, resamples=2000),
        )
    for stratum in (*sizes, OVERALL):
        held = [each.low <= gain <= each.high for each in changes if each.stratum == stratum]
        assert 0.935 <= np.mean(held) <= 0.965, stratum


def test_intervals_of_paired_rates_cover_the_truth():
    rng = np.random.default_rng(6)
    worlds = 1000
    luck = rng.random((N, worlds))
    before = 100.0 * (luck < 0.93)
    after = 100.0 * (np.where(rng.random((N, worlds)) < 0.5, luck, rng.random((N, worlds))) < 0.96)
    names = [f"m{world}" for world in range(worlds)]
    changes = paired(
        table(SIZES, before, RATE), table(SIZES, after, RATE), *names, resampling=Resampling(resamples=100)
    )
    for stratum in (*SIZES, OVERALL):
        held = [each.low <= 3.0 <= each.high for each in changes if each.stratum == stratum]
        assert 0.935 <= np.mean(held) <= 0.975, stratum


def test_rows_are_joined_by_id_not_by_place():
    before, after = (table(SIZES, values) for values in _systems(1))
    moved = ScoreTable(after.frame.sample(frac=1, random_state=3), after.signatures)
    assert paired(before, moved, "m0") == paired(before, after, "m0")


def test_several_runs_at_once_give_what_each_gives_alone():
    first, second = (table(SIZES, values) for values in _systems(2))
    third = table(SIZES, _systems(2, seed=9)[0])
    together = paired_all(first, [second, third], ["m0", "m1"])
    for other, changes in zip((second, third), together, strict=True):
        for one, two in zip(paired(first, other, "m0", "m1"), changes, strict=True):
            assert (one.metric, one.stratum, one.p, one.p_holm) == (two.metric, two.stratum, two.p, two.p_holm)
            assert (one.mean, one.low, one.high) == pytest.approx((two.mean, two.low, two.high))


def test_a_run_compared_with_itself_shows_no_difference():
    scores = table(SIZES, _systems(1)[0])
    changes = paired(scores, scores, "m0")
    assert {(each.mean, each.p, each.p_holm, each.verdict) for each in changes} == {(0, 1, 1, Verdict.NO_EVIDENCE)}
    assert {(each.effect_size, each.method, each.improved_pct) for each in changes} == {(None, Method.EXACT, 0)}


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [("v:1", Verdict.GAIN), (LOWER_IS_BETTER, Verdict.LOSS), (NEITHER_IS_BETTER, Verdict.DIFFERENCE)],
)
def test_the_metric_says_whether_more_is_a_gain(signature, verdict):
    before, after = _systems(1)
    changes = paired(table(SIZES, before, signature), table(SIZES, after + 5, signature), "m0")
    assert {each.verdict for each in changes} == {verdict}
    rising = changes[0].worsened_pct if verdict is Verdict.LOSS else changes[0].improved_pct
    assert rising > 50


def test_what_a_float32_encoder_scores_otherwise_in_another_batch_changes_nothing():
    rng = np.random.default_rng(5)
    before, batch = bertscore_like(rng, (N, 1)), rng.uniform(-5e-6, 5e-6, (N, 1))
    real = np.zeros((N, 1))
    real[:3, 0] = (4.0, -6.0, -5.5)
    first = table(SIZES, before)
    clean, noisy = (paired(first, table(SIZES, before + real + each), "m0") for each in (0 * batch, batch))
    for one, other in zip(clean, noisy, strict=True):
        assert (one.improved_pct, one.worsened_pct, one.p) == (other.improved_pct, other.worsened_pct, other.p)
        assert one.mean == pytest.approx(other.mean, abs=1e-6)


def test_the_effect_size_is_the_mean_over_the_deviation_of_the_differences():
    before, after = _systems(1)
    change = paired(table(SIZES, before), table(SIZES, after), "m0")[0]
    rows = (after - before)[: SIZES[Severity.CRITICAL], 0]
    assert change.effect_size == pytest.approx(rows.mean() / rows.std(ddof=1))
    assert change.improved_pct == pytest.approx(100 * (rows > 0).mean())


def test_the_verdict_in_words_says_what_was_found_where_and_what_could_be_missed():
    before, after = _systems(1)
    after[: SIZES[Severity.CRITICAL]] += 4
    changes = paired(table(SIZES, before), table(SIZES, after), "m0")
    critical, neutral, _, overall = changes
    words = in_words(changes)
    assert words.startswith(
        f"gain found in critical: {critical.mean:+.1f} [{critical.low:+.1f}, {critical.high:+.1f}]"
    )
    assert f"neutral (differences below {neutral.detectable:.1f} could have been missed)" in words
    assert words.endswith(
        f"overall {overall.mean:+.1f} [{overall.low:+.1f}, {overall.high:+.1f}], p = {overall.p:.2g}"
    )


def test_an_adjusted_p_is_called_so_in_words():
    before, after = _systems(2)
    changes = paired(table(SIZES, before), table(SIZES, after), "m0", "m1")
    overall = changes[3]
    assert overall.family == 2
    assert in_words(changes[:4]).endswith(f"], Holm p = {overall.p_holm:.2g}")


@pytest.mark.parametrize("size", [0.1, 0.3])
def test_answers_that_all_changed_equally_leave_nothing_to_be_missed(size):
    """0.1 has no exact binary form: the differences vary in their last bits."""
    sizes = dict.fromkeys(SIZES, 6)
    before = bertscore_like(np.random.default_rng(0), (18, 1))
    changes = paired(table(sizes, before), table(sizes, before + size), "m0")
    assert {(each.deviation, each.detectable, each.effect_size) for each in changes} == {(0, None, None)}
    assert in_words(changes).count("every answer changed equally") == 3


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_small_difference_is_never_rounded_to_nothing_in_words(sign):
    sizes = dict.fromkeys(SIZES, 30)
    rng = np.random.default_rng(0)
    before = bertscore_like(rng, (90, 1))
    changes = paired(table(sizes, before), table(sizes, before + sign * rng.uniform(0, 0.06, (90, 1))), "m0")
    words = in_words(changes)
    assert words.count("found in") == 3
    assert "-0.0," not in words and "-0.0]" not in words and "-0.0 " not in words and "+0.0 " not in words
    assert f"{changes[0].mean:+.1g} [" in words


def test_a_stratum_of_one_answer_is_not_tested_and_the_family_is_the_smaller_for_it():
    sizes = {Severity.CRITICAL: 1, Severity.NEUTRAL: 50, Severity.NON_CRITICAL: 50}
    before, after = _systems(1, sizes=sizes)
    changes = paired(table(sizes, before), table(sizes, after), "m0")
    assert (changes[0].p, changes[0].low, changes[0].verdict) == (None, None, Verdict.NOT_TESTED)
    assert [each.family for each in changes] == [0, 2, 2, 1]
    assert "not tested in critical (n = 1)" in in_words(changes)


def test_runs_of_other_answers_are_refused_by_name():
    first = table(SIZES, _systems(1)[0])
    fewer = ScoreTable(first.frame.iloc[2:], first.signatures)
    with pytest.raises(UserError, match=r"2 answers are missing in the second run .'row-000000', 'row-000001'."):
        paired(first, fewer, "m0")
    moved = first.frame.copy()
    moved.loc[5, "severity"] = "neutral"
    with pytest.raises(UserError, match=r"the severity of 1 answers .'row-000005'."):
        paired(first, ScoreTable(moved, first.signatures), "m0")
    with pytest.raises(UserError, match="the signature of m0: version:1 and version:2"):
        paired(first, ScoreTable(first.frame, {"m0": "version:2"}), "m0")
    with pytest.raises(UserError, match="no scores of rouge"):
        paired(first, first, "rouge")


def test_a_metric_that_applies_to_other_answers_is_refused():
    signature = "applies:some"
    first = table(SIZES, _systems(1)[0], signature)
    second = ScoreTable(first.frame.copy(), first.signatures)
    second.frame.loc[3, "m0"] = np.nan
    with pytest.raises(UserError, match="m0 applies to other answers"):
        paired(first, second, "m0")
