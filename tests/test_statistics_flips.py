"""Bracket and p of a paired difference are one test: they agree in every world, and few answers get exact ones."""

import sys
from itertools import product

import numpy as np
import pytest
from maqa_severity.harness.scores.signatures import LOWER_IS_BETTER, RATE
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Method, Resampling, Verdict, in_words, paired
from maqa_severity.harness.statistics.bootstrap import signs
from maqa_severity.harness.statistics.flips import Flips, every_flip, flips_of
from maqa_severity.harness.statistics.intervals import newcombe
from maqa_severity.harness.statistics.inversion import inverted, sign_flip_test
from maqa_severity.harness.statistics.significance import smallest_p, within_error
from maqa_severity.harness.statistics.verdicts import p_in_words
from maqa_severity.tests.validity_small import contradictions, rouge_with_zeros
from maqa_severity.tests.worlds import bertscore_like, table
from scipy import stats

SMALL = {Severity.CRITICAL: 3, Severity.NEUTRAL: 8, Severity.NON_CRITICAL: 12}


def every_sign(n):
    return np.array(list(product((1.0, -1.0), repeat=n)))


@pytest.mark.parametrize("n", [2, 3, 6, 9])
def test_the_interval_is_all_differences_that_brute_force_does_not_reject(n):
    rng = np.random.default_rng(n)
    every = every_sign(n)
    for values in rouge_with_zeros(rng, (30, n)) - rouge_with_zeros(rng, (30, n)):
        ((low, high),) = sign_flip_test(every_flip(values[:, None]), [0.9]).ends
        for delta in np.append(rng.uniform(-60, 60, 40), values):
            shifted = np.abs(every @ (values - delta)) / n
            p = (shifted >= abs(values.mean() - delta) - 1e-10).mean()
            assert (p >= 0.1) == (low[0] - 1e-9 <= delta <= high[0] + 1e-9)


def test_the_interval_of_drawn_signs_is_all_differences_that_these_signs_do_not_reject():
    rng = np.random.default_rng(1)
    values = np.where(rng.random(30) < 0.4, 0, rng.gamma(1, 8, 30))
    drawn = np.concatenate(list(signs(30, 999, rng)))
    flips = Flips(values.mean(keepdims=True), (drawn @ values)[None] / 30, drawn.mean(axis=1), exact=False)
    ((low, high),) = inverted(flips, [0.95])
    for delta in np.linspace(-5, 25, 400):
        hits = (np.abs(drawn @ (values - delta)) / 30 >= abs(values.mean() - delta) - 1e-10).sum()
        assert ((hits + 1) / 1000 >= 0.05) == (low[0] <= delta <= high[0])


def test_p_of_few_answers_is_scipys_exact_p_and_for_rates_mcnemars():
    rng = np.random.default_rng(2)
    for n in (4, 7, 12):
        values = rng.normal(1, 2, (n, 3))
        values[0] = 0
        tested = sign_flip_test(every_flip(values), [0.95])
        exact = [
            stats.permutation_test((column,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
            for column in values.T
        ]
        assert tested.p == pytest.approx(exact, abs=1e-12)
        assert (tested.vectors, tested.exact) == (2**n, True)
    flips = 100.0 * np.array([1] * 7 + [-1] + [0] * 8)[:, None]
    assert sign_flip_test(every_flip(flips), [0.95]).p[0] == pytest.approx(stats.binomtest(1, 8).pvalue, abs=1e-12)


def test_bracket_and_p_agree_in_every_small_world():
    """The simulation of ``make bench-validity``, on fewer worlds; a slip of one vector or of a tie breaks it."""
    assert contradictions(worlds=200) == (0, 200)


def test_bracket_and_p_of_rates_agree_in_every_world():
    rng = np.random.default_rng(3)
    sizes = {Severity.CRITICAL: 9, Severity.NEUTRAL: 30, Severity.NON_CRITICAL: 60}
    worlds = 400
    before, after = (100.0 * (rng.random((99, worlds)) < rng.uniform(0, 0.5, worlds)) for _ in range(2))
    changes = paired(
        table(sizes, before, RATE),
        table(sizes, after, RATE),
        *(f"m{world}" for world in range(worlds)),
        resampling=Resampling(resamples=200),
    )
    assert {each.method for each in changes} == {Method.NEWCOMBE}
    assert all((each.low > 0 or each.high < 0) == (each.p < 0.05) for each in changes)
    assert 0.1 < np.mean([each.p < 0.05 for each in changes]) < 0.9


def test_newcombes_interval_never_holds_0_where_mcnemars_exact_p_excludes_it():
    for n in range(2, 41):
        tables = [(b, x, y) for y in range(n + 1) for x in range(y) for b in range(n - x - y + 1)]
        both, first, second = np.array(tables, dtype=float).T
        low, _ = newcombe(both, first, second, n - both - first - second)
        p = 2 * stats.binom.cdf(first, first + second, 0.5)
        assert (low[p < 0.05] > 0).all()


def test_overall_is_inverted_over_the_signs_of_its_strata():
    rng = np.random.default_rng(4)
    sizes = {Severity.CRITICAL: 30, Severity.NEUTRAL: 40}
    change = rng.normal(1, 4, (70, 1))
    resampling = Resampling(resamples=500)
    overall = paired(table(sizes, np.full((70, 1), 50.0)), table(sizes, 50 + change), "m0", resampling=resampling)[
        -1
    ]
    strata = np.split(change[:, 0], [30])
    drawn = np.hstack(
        [
            np.concatenate(list(signs(len(part), 500, np.random.default_rng([0, place, 1]))))
            for place, part in enumerate(strata)
        ]
    )
    flips = Flips(change.mean(axis=0), (drawn @ change).T / 70, drawn.mean(axis=1), exact=False)
    ((low, high),) = inverted(flips, [0.95])
    assert (overall.low, overall.high) == pytest.approx((low[0], high[0]))


def test_more_resamples_continue_the_stream_of_signs():
    for n in (21, 999):
        few, many = (
            np.concatenate(list(signs(n, count, np.random.default_rng([0, 1, 1])))) for count in (1000, 4000)
        )
        assert np.array_equal(few, many[:1000])


def _few(gain=0.0, sizes=SMALL, signature="version:1"):
    rng = np.random.default_rng(5)
    before = bertscore_like(rng, (sum(sizes.values()), 1))
    after = before + rng.normal(gain, 1, before.shape)
    return paired(table(sizes, before, signature), table(sizes, after, signature), "m0")


def test_three_answers_cannot_be_tested_leave_the_family_and_show_an_exact_bound():
    critical, neutral, non_critical, overall = _few(gain=8)
    assert (critical.verdict, critical.p, critical.p_holm, critical.smallest_p) == (
        Verdict.UNTESTABLE,
        0.25,
        None,
        0.25,
    )
    assert critical.method is Method.EXACT
    # Of 3 answers 3 rose and 0 fell: Clopper and Pearson's upper ends.
    assert (critical.low, critical.high) == pytest.approx((-100 * (1 - 0.025 ** (1 / 3)), 100))
    assert critical.detectable is None
    assert [each.family for each in (critical, neutral, non_critical, overall)] == [0, 2, 2, 1]
    assert (neutral.p, neutral.exact, neutral.verdict) == (2 / 2**8, True, Verdict.GAIN)
    assert (
        "cannot be tested in critical (n = 3; p of so few changes is never below 0.25; at most 100 % of such "
        "answers get better and 71 % worse)"
    ) in in_words([critical, neutral])


def test_what_counts_are_the_answers_that_changed():
    sizes = {Severity.CRITICAL: 200}
    before = np.full((200, 1), 50.0)
    after = before.copy()
    after[:5] += 30
    change = paired(table(sizes, before), table(sizes, after), "m0")[0]
    assert (change.smallest_p, change.verdict) == (smallest_p(5), Verdict.UNTESTABLE) == (0.0625, change.verdict)
    exact = [stats.binomtest(events, 200).proportion_ci(0.95, "exact").high for events in (0, 5)]
    assert (change.low, change.high) == pytest.approx((-100 * exact[0], 100 * exact[1]))
    few = paired(table(sizes, before), table(sizes, after), "m0", resampling=Resampling(resamples=100, seed=5))[0]
    assert few.p >= 0.0625


def test_no_detectable_difference_is_named_that_is_larger_than_what_is_left():
    sizes = {Severity.CRITICAL: 30}
    rng = np.random.default_rng(6)
    before, after = (np.where(rng.random((30, 1)) < 0.2, 60.0, 99.5) for _ in range(2))
    change = paired(table(sizes, before), table(sizes, after), "m0")[0]
    assert change.room == pytest.approx(100 - before.mean()) and change.detectable is None
    assert f"any gain could have been missed: {change.room:.1f} are left" in in_words([change])
    lower = paired(table(sizes, before, LOWER_IS_BETTER), table(sizes, after, LOWER_IS_BETTER), "m0")[0]
    assert lower.room == pytest.approx(before.mean()) and 0 < lower.detectable < lower.room


def test_a_p_at_its_floor_is_a_bound_and_an_exact_one_is_none():
    sizes = {Severity.CRITICAL: 8, Severity.NEUTRAL: 80}
    exact, drawn, *_ = (each for each in _few(gain=8, sizes=sizes) if each.n)
    assert p_in_words(exact) == "0.0078" and not exact.at_floor
    assert p_in_words(drawn) == "≤ 0.0001" and drawn.at_floor
    assert p_in_words(drawn, adjusted=True) == "≤ 0.0002"


def _near_the_level():
    """A difference whose p is so near the level that 200 signs cannot tell on which side it is."""
    rng = np.random.default_rng(7)
    sizes = {Severity.CRITICAL: 60}
    values = rng.normal(0, 5, 60)
    values += 5 * 1.9 / 60**0.5 * values.std() / 5 - values.mean()
    return table(sizes, np.full((60, 1), 50.0)), table(sizes, 50 + values[:, None])


def test_a_p_near_the_level_gets_more_signs_of_the_same_stream_up_to_a_limit():
    first, second = _near_the_level()
    change = paired(first, second, "m0", resampling=Resampling(resamples=200))[0]
    assert change.vectors in (800, 3200)
    alone = paired(first, second, "m0", resampling=Resampling(resamples=change.vectors))[0]
    assert (change.p, change.low, change.high) == (alone.p, alone.low, alone.high)
    assert (change.verdict is Verdict.BORDERLINE) == within_error(change.p, change.vectors, 0.05)


def test_a_p_that_no_number_of_signs_decides_is_borderline_in_words(monkeypatch):
    monkeypatch.setattr(sys.modules["maqa_severity.harness.statistics.paired"], "MOST_DRAWN", 1)
    change = paired(*_near_the_level(), "m0", resampling=Resampling(resamples=200))[0]
    assert change.verdict is Verdict.BORDERLINE and change.vectors == 200
    assert in_words([change]).startswith("borderline in critical: ")


def test_exact_and_drawn_p_are_of_one_test():
    rng = np.random.default_rng(8)
    values = rng.normal(0.5, 1, (20, 1))
    exact = sign_flip_test(every_flip(values), [0.95])
    drawn = np.concatenate(list(signs(20, 40_000, rng)))
    flips = Flips(values.mean(axis=0), (drawn @ values).T / 20, drawn.mean(axis=1), exact=False)
    near = sign_flip_test([flips], [0.95])
    assert near.p[0] == pytest.approx(exact.p[0], abs=0.005)
    assert np.ravel(near.ends) == pytest.approx(np.ravel(exact.ends), abs=0.02)


def test_all_columns_share_the_enumeration_whatever_their_number(monkeypatch):
    values = np.random.default_rng(9).normal(0, 1, (12, 7))
    whole = sign_flip_test(every_flip(values), [0.95])
    monkeypatch.setattr(sys.modules["maqa_severity.harness.statistics.flips"], "_CELLS", 3 * 2**11)
    assert len(list(every_flip(values))) == 3
    parts = sign_flip_test(every_flip(values), [0.95])
    assert np.array_equal(whole.p, parts.p)
    assert np.ravel(whole.ends) == pytest.approx(np.ravel(parts.ends))


def test_only_what_is_asked_for_is_flipped():
    from maqa_severity.harness.statistics.columns import stack

    (block,) = stack([table({Severity.CRITICAL: 30, Severity.NEUTRAL: 40}, np.zeros((70, 1)))])
    assert set(flips_of(block, [1], Resampling(resamples=100))) == {1}
    assert set(flips_of(block, [3], Resampling(resamples=100))) == {3}
