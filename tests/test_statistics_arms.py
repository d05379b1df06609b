"""Two arms over their trainings: one training each is two checkpoints; several say how trainings vary."""

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.scores.signatures import APPLIES_TO_SOME, LOWER_IS_BETTER, RATE
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Method, Resampling, Verdict, compare_groups, paired
from maqa_severity.harness.statistics.arms import ONE_EACH
from maqa_severity.tests.worlds import bertscore_like, table

SIZES = {Severity.CRITICAL: 40, Severity.NEUTRAL: 60, Severity.NON_CRITICAL: 80}
N = sum(SIZES.values())
FEW = Resampling(resamples=100)


def arm(seeds, *, worlds=1, gain=0.0, between=1.0, noise=4.0, hardness=None, rng=None):
    """One table per seed: the questions' own hardness, each training's shift, and each answer's luck."""
    rng = rng or np.random.default_rng(0)
    hardness = np.full((N, worlds), 60.0) if hardness is None else hardness
    return {
        seed: table(SIZES, hardness + gain + rng.normal(0, between, worlds) + rng.normal(0, noise, (N, worlds)))
        for seed in seeds
    }


def overall(compared):
    return [each for each in compared.differences if each.stratum == "overall"]


def test_one_training_each_gives_the_numbers_of_two_checkpoints_to_the_last_bit():
    rng = np.random.default_rng(1)
    before = np.column_stack([bertscore_like(rng, (N, 1)), 100.0 * (rng.random((N, 1)) < 0.3)])
    after = np.column_stack([before[:, :1] + rng.normal(1, 3, (N, 1)), 100.0 * (rng.random((N, 1)) < 0.2)])
    first, second = table(SIZES, before), table(SIZES, after)
    for each in (first, second):
        each.signatures["m1"] = f"{RATE}|{LOWER_IS_BETTER}|version:1"
    compared = compare_groups({0: first}, {7: second}, ["m0", "m1"])
    assert compared.differences == paired(first, second, "m0", "m1")
    assert compared.trainings == ONE_EACH == "one training each: nothing is known about other trainings"
    assert all(part.trainings is None for part in compared.parts)


# What version 0.1.0 said of these scores, but for the interval, which could contradict its p: mean, low, high, p,
# Holm's p.
FROZEN = {
    "critical": (
        2.343081423406325,
        -0.23863120842904229,
        4.925476652578117,
        0.07269273072692731,
        0.21807819218078192,
    ),
    "overall": (
        0.6187284777627537,
        -0.7035228578244508,
        1.9430147708980625,
        0.3571642835716428,
        0.3571642835716428,
    ),
}


def test_one_training_each_gives_the_numbers_that_version_0_1_0_gave():
    rng = np.random.default_rng(1)
    first, second = (table(SIZES, bertscore_like(rng, (N, 1)) + shift) for shift in (0, 1.5))
    found = {each.stratum: each for each in compare_groups({0: first}, {0: second}, ["m0"]).differences}
    for stratum, numbers in FROZEN.items():
        each = found[stratum]
        # Processors may differ in the last bits.
        assert (each.mean, each.low, each.high, each.p, each.p_holm) == pytest.approx(numbers, rel=1e-12)


def test_a_difference_between_trainings_is_no_difference_between_arms():
    """No arm effect, trainings 3 points apart: two checkpoints differ nearly always, the arms hardly ever."""
    rng = np.random.default_rng(2)
    worlds = 200
    first, second = (arm(range(3), worlds=worlds, between=3, rng=rng) for _ in range(2))
    names = list(first[0].metrics)
    one = paired(first[0], second[0], *names, resampling=FEW)
    checkpoints = sum(each.p < 0.05 for each in one if each.stratum == "overall")
    arms = sum(each.p < 0.05 for each in overall(compare_groups(first, second, names, FEW)))
    assert checkpoints > 0.6 * worlds and arms < 0.1 * worlds


@pytest.mark.slow
@pytest.mark.parametrize(("between", "seeds"), [(0.0, 3), (1.0, 3), (1.0, 5), (3.0, 3)])
@pytest.mark.parametrize("partners", [True, False])
def test_the_interval_over_both_levels_covers_the_arms_difference(between, seeds, partners):
    rng = np.random.default_rng(3)
    worlds = 250
    hardness = bertscore_like(rng, (N, worlds))
    first = arm(range(seeds), worlds=worlds, between=between, hardness=hardness, rng=rng)
    own = range(seeds) if partners else range(100, 100 + seeds)
    second = arm(own, worlds=worlds, between=between, gain=2, hardness=hardness, rng=rng)
    found = overall(compare_groups(first, second, list(first[0].metrics), FEW))
    covered = 100 * np.mean([each.low <= 2 <= each.high for each in found])
    # With trainings that do not differ it errs on the long side: three of them cannot show that they do not.
    assert 92.5 <= covered <= (100 if between == 0 else 98.5)
    assert {each.method for each in found} == {Method.TWO_LEVELS}


@pytest.mark.slow
def test_both_parts_of_the_variance_are_those_that_were_planted():
    rng = np.random.default_rng(4)
    worlds, k = 300, 4
    first, second = (arm(range(k), worlds=worlds, between=2, noise=5, rng=rng) for _ in range(2))
    compared = compare_groups(first, second, list(first[0].metrics), FEW)
    parts = [each for each in compared.parts if each.stratum == "overall"]
    answers = 2 * 5**2 / (k * N)
    assert np.mean([each.trainings**2 for each in parts]) == pytest.approx(2 * 2**2 / k + answers, rel=0.1)
    assert np.mean([each.questions**2 for each in parts]) == pytest.approx(answers, rel=0.1)


def test_trainings_are_paired_by_seed_where_both_arms_have_it():
    """What a seed does to both arms cancels out; under other seeds it does not."""
    rng = np.random.default_rng(5)
    shifts = {seed: rng.normal(0, 5) for seed in range(5)}
    first, second = (
        {seed: table(SIZES, 60 + gain + shifts[seed] + rng.normal(0, 1, (N, 1))) for seed in seeds}
        for gain, seeds in ((0, [0, 1, 2, 4]), (1, [2, 1, 0, 3]))
    )
    compared = compare_groups(first, second, ["m0"])
    assert (
        compared.trainings == "3 trainings each, paired by seed (0, 1, 2); without a partner, left out: seed 4, 3"
    )
    assert overall(compared)[0].verdict is Verdict.GAIN
    renamed = {seed + 10: each for seed, each in second.items()}
    apart = compare_groups(first, renamed, ["m0"])
    assert apart.trainings == "4 and 4 trainings, not paired by seed"
    assert overall(apart)[0].verdict is Verdict.NO_EVIDENCE and overall(apart)[0].detectable > 5


def test_a_single_training_of_one_arm_says_nothing_about_its_others():
    compared = compare_groups(arm([0], gain=0), arm(range(3), gain=1), ["m0"])
    assert "one training of the first: nothing is known about its other trainings" in compared.trainings
    assert {each.method for each in compared.differences} == {Method.SIGN_FLIP}
    assert {each.trainings for each in compared.parts} == {None}


def test_the_means_of_a_rate_over_trainings_are_compared_as_shares():
    rng = np.random.default_rng(6)
    first, second = (
        {seed: table(SIZES, 100.0 * (rng.random((N, 1)) < share), f"{RATE}|version:1") for seed in range(3)}
        for share in (0.2, 0.5)
    )
    change = overall(compare_groups(first, second, ["m0"]))[0]
    means = [np.mean([each.frame["m0"].mean() for each in group.values()]) for group in (first, second)]
    assert change.mean == pytest.approx(means[1] - means[0])
    assert change.verdict is Verdict.GAIN and -100 <= change.low < change.mean < change.high <= 100


def test_trainings_that_agree_in_everything_and_single_questions_do_not_break_it():
    same = table(SIZES, np.full((N, 1), 60.0))
    change = overall(compare_groups({0: same, 1: same}, {0: same, 1: same}, ["m0"]))[0]
    assert (change.mean, change.verdict) == (0, Verdict.NO_EVIDENCE)
    few = {Severity.CRITICAL: 1, Severity.NEUTRAL: 3}
    rng = np.random.default_rng(7)
    first, second = ({seed: table(few, rng.normal(60, 5, (4, 1))) for seed in range(2)} for _ in range(2))
    critical, neutral, absent, everything = compare_groups(first, second, ["m0"]).differences
    assert (critical.n, critical.p, absent.n) == (1, None, 0)
    assert neutral.method is everything.method is Method.TWO_LEVELS


def test_trainings_of_other_answers_are_refused():
    other = arm([0])[0]
    fewer = ScoreTable(other.frame[2:], other.signatures)
    with pytest.raises(UserError, match="2 answers are missing in the second run"):
        compare_groups({0: other, 1: fewer}, {0: other, 1: other}, ["m0"])
    some = table(SIZES, bertscore_like(np.random.default_rng(0), (N, 1)), APPLIES_TO_SOME)
    none = ScoreTable(some.frame.assign(m0=some.frame["m0"].where(some.frame.index > 5)), some.signatures)
    with pytest.raises(UserError, match="m0 applies to other answers in one training than in another"):
        compare_groups({0: some, 1: none}, {0: some, 1: some}, ["m0"])
