"""Questions crossed with trainings: level, interval and p belong together, and power is what was promised."""

import numpy as np
import pytest
from maqa_severity.harness.statistics.crossed import Components, Squares, squares_of
from maqa_severity.harness.statistics.power import Design, planned, planned_table, questions_needed, seeds_needed
from maqa_severity.tests.validity_arms import drawn, found_pct, of_arms
from scipy import special


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("questions", [300, 2000])
@pytest.mark.parametrize("question_sd", [0.0, 3.0, 6.0])
def test_arms_without_a_difference_differ_in_6_percent_of_worlds_at_most(seeds, questions, question_sd):
    rng = np.random.default_rng(1)
    for seed_sd in (0.0, 0.5, 1.0, 1.5):
        found = found_pct(rng, of_arms(seed_sd, question_sd), seeds, questions)
        # Where trainings do not differ, three of them cannot show it, and the interval errs on the long side.
        assert (3 if seed_sd else 1) <= found <= 6.15, (seed_sd, found)


def test_two_trainings_keep_the_level_too():
    rng = np.random.default_rng(2)
    for seed_sd in (0.0, 0.25, 0.5, 1.0, 3.0):
        assert found_pct(rng, of_arms(seed_sd), 2, 300) <= 6.3


def test_satterthwaites_degrees_of_freedom_would_exceed_the_level():
    rng = np.random.default_rng(3)
    means, seen = drawn(rng, of_arms(1.5, 6.0), 3, 300)
    terms = ((seen.trainings, 2), (seen.questions, 299), (seen.answers, 598))
    freedom = seen.error**4 / sum(square**2 / free for square, free in terms)
    found = 100 * np.mean(np.abs(means) > special.stdtrit(freedom, 0.975) * seen.error)
    assert found > 7


def test_p_is_below_the_level_exactly_where_the_interval_leaves_zero_out():
    rng = np.random.default_rng(4)
    means, seen = drawn(rng, of_arms(0.7), 3, 100, worlds=300)
    for place, mean in enumerate(means * 2.5):
        one = Squares(
            *(np.asarray(part[place]) for part in (seen.trainings, seen.questions, seen.answers)),
            seen.training_freedom,
            seen.question_freedom,
        )
        outside = abs(mean) > one.critical(0.05) * one.error
        assert (one.p(mean) < 0.05) == outside
        assert special.stdtrit(one.freedom(0.05), 0.975) == pytest.approx(float(one.critical(0.05)), rel=1e-6)
    assert one.p(0.0) == 1 and one.p(1e6) <= 1e-6


def test_the_components_are_those_that_were_planted():
    rng = np.random.default_rng(5)
    k, n = 8, 3000
    codes = np.repeat([0, 1, 2], n // 3)
    found = []
    for _ in range(20):
        question = rng.normal(0, 3, n)
        block = rng.normal(0, 1, (k, 1)) + question + rng.normal(0, 5, (k, n))
        found.append(squares_of([block], block.mean(axis=0), codes)[1])
        arms = [60 + rng.normal(0, 1, (k, 1)) + shift + rng.normal(0, 5, (k, n)) for shift in (0, question)]
        other = squares_of(arms, arms[1].mean(axis=0) - arms[0].mean(axis=0), codes)[1]
        assert (other.question, other.residual) == pytest.approx((3, 50**0.5), rel=0.15)
    seed = np.mean([each.seed**2 for each in found]) ** 0.5
    assert (seed, found[0].question, found[0].residual) == pytest.approx((1, 3, 5), rel=0.2)


@pytest.mark.parametrize(
    ("seed_sd", "seeds", "questions", "effect"), [(0.5, 3, 300, 2), (1, 5, 2000, 2), (0, 2, 50, 3)]
)
def test_the_promised_power_is_the_simulated_one(seed_sd, seeds, questions, effect):
    components = of_arms(seed_sd)
    promised = planned(components, Design(seeds, questions), effect)
    found = found_pct(np.random.default_rng(6), components, seeds, questions, effect)
    assert promised.power_pct == pytest.approx(found, abs=2)
    assert planned(components, Design(seeds, questions), promised.detectable).power_pct == pytest.approx(
        80, abs=0.1
    )


def test_what_an_effect_needs_is_the_least_that_finds_it():
    components = of_arms(0.5)
    seeds = seeds_needed(components, Design(2, 500), 2)
    few, enough = planned_table(components, [Design(seeds - 1, 500), Design(seeds, 500)], 2)
    assert few.power_pct < 80 <= enough.power_pct
    questions = questions_needed(components, Design(5, 2), 2)
    few, enough = planned_table(components, [Design(5, int(0.9 * questions)), Design(5, questions)], 2)
    assert few.power_pct < 80 <= enough.power_pct
    # No question says how other trainings would turn out.
    assert questions_needed(of_arms(1.5), Design(3, 2), 2) is None
    assert seeds_needed(of_arms(30), Design(2, 500), 0.1) is None


def test_more_samples_help_only_against_the_luck_of_the_answer():
    components = Components(0.5, 2, 6)
    one = planned(components, Design(5, 300), 1.5)
    greedy = planned(components, Design(5, 300, samples=8), 1.5)
    lucky = planned(components, Design(5, 300, samples=8), 1.5, sampling=6)
    assert greedy.power_pct == one.power_pct < lucky.power_pct
