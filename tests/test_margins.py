"""What a difference shows against a margin: equivalent, no worse, worse, nothing; and what is no margin."""

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.margins import SAFETY_MARGIN, margins_of
from maqa_severity.harness.scores.signatures import LOWER_IS_BETTER, RATE, Better
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Method, Resampling, compare_groups, paired
from maqa_severity.harness.statistics.margins import Margin, Shown, against_margin
from maqa_severity.tests.worlds import rouge_like, table
from scipy import optimize, special, stats

SIZES = {Severity.CRITICAL: 120}


def _changes(before, after, signature, margin, resamples=2000):
    names = [f"m{world}" for world in range(before.shape[1])]
    found = paired(
        table(SIZES, before, signature),
        table(SIZES, after, signature),
        *names,
        resampling=Resampling(resamples=resamples),
        margins=dict.fromkeys(names, margin),
    )
    return [each for each in found if each.stratum == "critical"]


def test_equivalence_is_that_of_two_one_sided_t_tests():
    """Schuirmann's tests by hand; the sign-flip test and the t test part only next to the level."""
    rng = np.random.default_rng(0)
    before = rng.normal(50, 5, (120, 150))
    after = before + rng.normal(rng.uniform(-1.2, 1.2, 150), 3, (120, 150))
    moved = after - before
    error = moved.std(axis=0, ddof=1) / 120**0.5
    p = np.maximum(
        stats.t.sf((moved.mean(axis=0) + 1) / error, 119), stats.t.cdf((moved.mean(axis=0) - 1) / error, 119)
    )
    ours = np.array([each.margin.equivalent for each in _changes(before, after, "v", 1.0)])
    clear = np.abs(np.log(p / 0.05)) > 0.4
    assert clear.mean() > 0.8 and 0.1 < ours.mean() < 0.6
    assert np.array_equal(ours[clear], p[clear] < 0.05)


def _tango(gained, lost, n):
    """The lower end of Tango's 1998 score interval of a paired difference of rates, by bisection."""

    def z(delta):
        a, b = 2 * n, -gained - lost + (2 * n - gained + lost) * delta
        c = -lost * delta * (1 - delta)
        q = (np.sqrt(max(b * b - 4 * a * c, 0)) - b) / (2 * a)
        return (gained - lost - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))

    return optimize.brentq(lambda delta: z(delta) - special.ndtri(0.975), -1 + 1e-9, (gained - lost) / n - 1e-9)


def test_no_worse_in_a_rate_is_what_another_interval_of_paired_rates_says():
    """Newcombe's interval and Tango's are made otherwise, and part only where an end lies next to the margin."""
    rng = np.random.default_rng(1)
    before = 100.0 * (rng.random((120, 200)) < 0.8)
    flip = rng.random((120, 200)) < rng.uniform(0.01, 0.15, 200)
    after = np.where(flip, 100 - before, before)
    ours = _changes(before, after, RATE, 10.0, resamples=100)
    ends = [
        100 * _tango(int((after > before)[:, world].sum()), int((after < before)[:, world].sum()), 120)
        if flip[:, world].any()
        else -3.1
        for world in range(200)
    ]
    clear = [world for world, end in enumerate(ends) if abs(end + 10) > 1]
    assert len(clear) > 100 and 0.1 < np.mean([each.margin.no_worse for each in ours]) < 0.9
    assert all(ours[world].margin.no_worse == (ends[world] > -10) for world in clear)


def test_a_rise_of_what_should_be_low_is_worse_and_a_fall_is_no_worse():
    rng = np.random.default_rng(2)
    before = rng.normal(30, 3, (120, 1))
    for rise, signature, shown in (
        (5, LOWER_IS_BETTER, Shown.WORSE),
        (-5, LOWER_IS_BETTER, Shown.NO_WORSE),
        (5, "v", Shown.NO_WORSE),
        (-5, "v", Shown.WORSE),
    ):
        after = before + rise + rng.normal(0, 1, before.shape)
        (change,) = _changes(before, after, signature, 2.0)
        assert change.margin.shown is shown, (rise, signature)


def test_where_neither_side_is_better_there_is_only_equivalence():
    assert against_margin(1, Better.NEITHER, (2, 3), (2.1, 2.9)).shown is Shown.NOT_SHOWN
    found = against_margin(1, Better.NEITHER, (-0.5, 0.5), (-0.4, 0.4))
    assert (found.shown, found.no_worse) == (Shown.EQUIVALENT, None)


@pytest.mark.parametrize(("n", "shown"), [(30, Shown.NOT_SHOWN), (400, Shown.EQUIVALENT)])
def test_answers_that_did_not_change_show_as_much_as_their_number_can(n, shown):
    """None of 30 changed: one of 10 such answers still may, by 100 points."""
    scores = table({Severity.CRITICAL: n}, np.full((n, 1), 70.0))
    change = paired(scores, scores, "m0", margins={"m0": 1.0})[0]
    assert change.margin.shown is shown
    moved = table({Severity.CRITICAL: n}, np.full((n, 1), 70.5))
    equally = paired(scores, moved, "m0", margins={"m0": 2.0})[0]
    assert equally.method is Method.CONSTANT and equally.margin.shown is shown


def test_arms_over_their_trainings_are_judged_by_the_interval_over_both_levels():
    rng = np.random.default_rng(3)
    question = rng.normal(50, 5, (120, 1))

    def arm(shifts):
        return {
            seed: table(SIZES, question + shift + rng.normal(0, 0.5, question.shape))
            for seed, shift in enumerate(shifts)
        }

    steady, erratic = arm((0, 0, 0)), arm((-3, 0, 3))
    margins = {"m0": 1.0}
    same = compare_groups(steady, arm((0, 0, 0)), ["m0"], margins=margins).differences[0]
    unsure = compare_groups(steady, erratic, ["m0"], margins=margins).differences[0]
    assert same.margin.shown is Shown.EQUIVALENT and unsure.margin.shown is Shown.NOT_SHOWN
    assert (same.margin.low, same.margin.high) > (same.low, -100) and same.margin.high < same.high


def test_a_margin_is_of_all_metrics_or_of_one_which_goes_before():
    found = margins_of(["rougeL=3", "1"], ["bertscore_f1", "rougeL"])
    assert (found["bertscore_f1"], found["rougeL"], found["missed_emergency"]) == (1, 3, SAFETY_MARGIN)
    assert margins_of(["missed_emergency=5"], ["rougeL"])["missed_emergency"] == 5


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["0.01"], "reads as a share; margins are in percentage points"),
        (["-1"], "a margin of -1 is not above 0"),
        (["0"], "is not above 0"),
        (["nan"], "is no number"),
        (["inf"], "is not above 0 and finite"),
        (["1e3"], "holds for any two scores"),
        (["1%"], "is no number"),
        (["rougeL="], "is no number"),
        (["bleu=1"], "'bleu' is not compared"),
        (["1", "2"], "stands twice for all metrics"),
        (["rougeL=1", "rougeL=1"], "stands twice for rougeL"),
    ],
)
def test_a_margin_that_means_nothing_is_refused_in_one_line_with_a_remedy(given, named):
    with pytest.raises(UserError, match=named) as refused:
        margins_of(given, ["rougeL"])
    assert "\n" not in str(refused.value) and refused.value.remedy


def test_a_smaller_level_shows_less_and_the_usual_one_is_what_no_level_means():
    rng = np.random.default_rng(0)
    before = rouge_like(rng, (120, 8))
    after = np.clip(before + rng.normal(-0.5, 3, before.shape), 0, 100)
    usual = _changes(before, after, "v", 2.0)
    assert [each.margin for each in _changes(before, after, "v", Margin(2.0))] == [each.margin for each in usual]
    small = _changes(before, after, "v", Margin(2.0, 0.05 / 6))
    for one, other in zip(small, usual, strict=True):
        assert (one.low, one.high, one.p) == (other.low, other.high, other.p)
        assert one.margin.low < other.margin.low and one.margin.high > other.margin.high
        assert one.margin.no_worse <= other.margin.no_worse and one.margin.alpha == 0.05 / 6
    # So few random signs can show nothing at such a level.
    few = _changes(before, after, "v", Margin(99.0, 0.001), resamples=200)
    assert not any(each.margin.no_worse for each in few)
