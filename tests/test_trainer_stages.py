"""Curricula as published: stages with epochs and learning rates of their own, and what is shown."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.tests.training import SETTINGS, medical_dataset, same, weights
from maqa_severity.trainers.arms import ArmSpec, arm_levels
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.exposure import exposures
from maqa_severity.trainers.lm.order import BLANK, spread
from maqa_severity.trainers.lm.plan import plan_of, rates, steps_at_most
from maqa_severity.trainers.lm.train import train_lm

STAGES = (
    "curriculum=[{severity: non_critical, epochs: 3, learning_rate: 2e-5},"
    " {severity: neutral, epochs: 3, learning_rate: 1e-5}, {severity: critical, epochs: 3, learning_rate: 8e-6}]"
)
SHARES = {"non_critical": 539, "neutral": 314, "critical": 147}
"""Per thousand, as published (arXiv 2604.06365)."""


@pytest.fixture(scope="module")
def rows():
    severities = [name for name, count in SHARES.items() for _ in range(count)]
    mixed = np.random.default_rng(0).permutation(severities)
    return pd.DataFrame({"id": [f"row-{number}" for number in range(len(mixed))], "severity": mixed})


def ranks(rows):
    return arm_levels(ArmSpec.of("curriculum"), rows, 0)


def shown(arm, rows, *given, effective=8):
    config = load_config(settings=[*given])
    plan = plan_of(ArmSpec.of(arm), rows, config, effective)
    return plan, exposures(plan, np.ones(len(rows)), ranks(rows), config.learning_rate)


def test_the_curriculum_as_published_gives_critical_rows_three_presentations(rows):
    plan, found = shown("curriculum", rows, STAGES, "learning_rate=2e-5")
    assert {name: each.presentations for name, each in found.items()} == {
        "critical": 3.0,
        "neutral": 6.0,
        "non_critical": 9.0,
    }
    # Half of each stage's rate in the mean, of which critical rows have the last stage's, 8e-6.
    assert found["critical"].rate == pytest.approx(3 * 0.4 * 0.5, rel=0.03)
    assert found["non_critical"].rate == pytest.approx(3 * (1 + 0.5 + 0.4) * 0.5, rel=0.03)
    assert found["critical"].rows == 147 and found["critical"].weight_rate == found["critical"].rate
    assert plan.staged and not plan.shared


def test_without_stages_of_its_own_the_curriculum_shows_a_critical_row_once_under_the_last_of_one_rate(rows):
    _, plain = shown("ce", rows)
    _, found = shown("curriculum", rows)
    assert plain["critical"].presentations == 3.0 and plain["critical"].rate == pytest.approx(1.5, rel=0.03)
    assert found["critical"].presentations == pytest.approx(1.0, abs=0.02)
    assert found["critical"].rate == pytest.approx(0.17, abs=0.01)


def test_every_stage_begins_on_a_step_with_a_warm_up_and_a_schedule_of_its_own(rows):
    config = load_config(settings=[STAGES, "warmup_ratio=0.1"])
    plan = plan_of(ArmSpec.of("curriculum"), rows, config, 8)
    counts = [3 * 539, 3 * (539 + 314), 3 * 1000]
    steps = [-(-count // 8) for count in counts]
    assert plan.restarts == (steps[0], steps[0] + steps[1]) and plan.steps == sum(steps)
    bounds = [0, *plan.restarts, plan.steps]
    for number, peak in enumerate((2e-5, 1e-5, 8e-6)):
        stage = slice(bounds[number], bounds[number + 1])
        own, order = plan.rates[stage], plan.order.reshape(-1, 8)[stage].ravel()
        assert own[0] == 0 and own.max() == pytest.approx(peak) and own[-1] < 0.01 * peak
        assert own.argmax() == round(0.1 * steps[number])
        assert set(ranks(rows)[order[order != BLANK]]) == set(range(number + 1))
        assert (order == BLANK).sum() == steps[number] * 8 - counts[number]


def test_stages_that_are_not_cumulative_show_their_severity_alone(rows):
    _, found = shown("curriculum", rows, STAGES, "cumulative=false")
    assert {each.presentations for each in found.values()} == {3.0}


def test_stages_stand_in_any_order_and_may_leave_a_severity_out(rows):
    part = (
        "curriculum=[{severity: critical, epochs: 0.5, learning_rate: 1e-5},"
        " {severity: neutral, epochs: 1, learning_rate: 1e-5}]"
    )
    plan, found = shown("curriculum", rows, part)
    first = plan.order[: plan.restarts[0] * 8]
    assert set(ranks(rows)[first[first != BLANK]]) == {2}
    assert (found["non_critical"].presentations, found["neutral"].presentations) == (0, 1)
    assert found["critical"].presentations == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("given", [[STAGES], [STAGES, "cumulative=false"], []])
def test_the_unordered_control_has_every_severitys_exposure_at_the_same_steps_and_rates(rows, given):
    staged, wanted = shown("curriculum", rows, *given)
    plan, found = shown("unordered", rows, *given)
    assert np.array_equal(plan.rates, staged.rates) and plan.restarts == staged.restarts
    assert np.array_equal(plan.order == BLANK, staged.order == BLANK)
    for name in SHARES:
        assert found[name].rate == pytest.approx(wanted[name].rate, rel=0.02)
    # No stages are left: the first tenth has the mixture of the whole.
    kinds = [
        np.bincount(ranks(rows)[part[part != BLANK]], minlength=3)
        for part in (plan.order[: plan.steps // 10 * 8], plan.order)
    ]
    assert np.allclose(*[kind / kind.sum() for kind in kinds], atol=0.02)


def test_the_permuted_control_has_stages_of_the_same_size_that_follow_no_severity(rows):
    staged, wanted = shown("curriculum", rows, STAGES)
    plan, found = shown("permuted", rows, STAGES)
    assert np.array_equal(plan.rates, staged.rates) and plan.restarts == staged.restarts
    means = [each.rate for each in found.values()]
    assert max(means) / min(means) < 1.2 < wanted["non_critical"].rate / wanted["critical"].rate
    other = plan_of(ArmSpec.of("permuted"), rows, load_config(settings=[STAGES, "seed=1"]), 8)
    assert not np.array_equal(other.order, plan.order)


def test_what_a_curriculum_takes_at_most_is_told_before_the_severities_are_known(rows):
    config = load_config(settings=[STAGES])
    most = {arm: steps_at_most(ArmSpec.of(arm), len(rows), config, 8) for arm in ("ce", "curriculum", "unordered")}
    assert most == {"ce": 375, "curriculum": 3 * 375, "unordered": 3 * 375}
    assert plan_of(ArmSpec.of("curriculum"), rows, config, 8).steps < most["curriculum"]


def test_what_early_stopping_leaves_out_is_not_counted_as_shown(rows):
    plan, whole = shown("ce", rows)
    part = exposures(plan.until(125), np.ones(len(rows)), ranks(rows), 2e-4)
    assert {name: round(each.presentations, 2) for name, each in part.items()} == dict.fromkeys(whole, 1.0)
    # Of a rate that falls to 0 over three passes, the first has five parts of nine.
    assert part["critical"].rate == pytest.approx(whole["critical"].rate * 5 / 9, rel=0.03)


def test_arms_without_stages_pass_the_settings_of_stages_by(rows):
    assert np.array_equal(shown("ce", rows, STAGES)[0].order, shown("ce", rows)[0].order)


@given(st.lists(st.floats(0, 6), min_size=1, max_size=40), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_what_is_spread_is_shown_as_often_as_asked(times, seed):
    wanted = np.array(times) * (round(sum(times)) / sum(times) if sum(times) else 0)
    order = spread(wanted, seed)
    counts = np.bincount(order, minlength=len(times))
    assert len(order) == round(wanted.sum()) and (np.abs(counts - wanted) < 1 + 1e-6).all()
    assert np.array_equal(order, spread(wanted, seed))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("curriculum=[{severity: mild, epochs: 1, learning_rate: 1}]", r"'curriculum\.0\.severity'.*'critical'"),
        ("curriculum=[{severity: critical, epochs: 3, learning_rate: -1e-5}]", r"'curriculum\.0\.learning_rate'"),
        ("curriculum=[{severity: critical, epochs: 3, learning_rate: 0}]", r"'curriculum\.0\.learning_rate'"),
        ("curriculum=[{severity: critical, epochs: 3, learning_rate: .inf}]", r"'curriculum\.0\.learning_rate'"),
        ("curriculum=[{severity: critical, epochs: 0, learning_rate: 1}]", r"'curriculum\.0\.epochs'"),
        ("curriculum=[{severity: critical, epochs: 1}]", r"'curriculum\.0\.learning_rate'"),
        (STAGES.replace("epochs: 3", "epoch: 3"), "'curriculum"),
        (STAGES.replace("epochs: 3", "epochs: 3, rate: 1"), r"key 'curriculum\.0\.rate'.*Known: severity, epochs"),
        ("curriculum=[]", "'curriculum'"),
        (STAGES.replace("neutral", "critical"), "critical has two stages"),
    ],
)  # fmt: skip
def test_impossible_stages_are_refused_in_one_line(given, words):
    with pytest.raises(UserError, match=words) as caught:
        load_config(settings=[given])
    assert "\n" not in str(caught.value)


def test_a_stage_without_rows_is_refused(rows):
    few = rows[rows["severity"] != "neutral"].reset_index(drop=True)
    with pytest.raises(UserError, match="stage 2 of curriculum has no rows: no training row is neutral"):
        shown("curriculum", few, STAGES)
    tiny = STAGES.replace("epochs: 3", "epochs: 0.0001")
    with pytest.raises(UserError, match="stage 1 of curriculum shows not one example"):
        shown("curriculum", rows, tiny)
    with pytest.raises(UserError, match="cumulative is about the stages of curriculum, and there are none"):
        shown("ce", rows, "cumulative=false")


# With training


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


STAGED = [
    *SETTINGS,
    "warmup_ratio=0.2",
    "schedule=cosine",
    STAGES.replace("2e-5", "2e-3")
    .replace("1e-5", "1e-3")
    .replace("8e-6", "8e-4")
    .replace("epochs: 3", "epochs: 2"),
]


@pytest.fixture(scope="module")
def staged(dataset, checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged") / "curriculum"
    return folder, train_lm(
        dataset, str(checkpoint), ArmSpec.of("curriculum"), load_config(settings=STAGED), folder
    )


def test_the_rates_that_are_logged_are_those_of_the_plan(staged, dataset):
    folder, manifest = staged
    lines = [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]
    plan = plan_of(ArmSpec.of("curriculum"), dataset.split("train"), load_config(settings=STAGED), 4)
    assert [line["learning_rate"] for line in lines] == pytest.approx(plan.rates.tolist())
    assert manifest.exposure["critical"].presentations == 2
    assert manifest.conditions["stage_steps"] == plan.steps
    assert not {"steps", "config.epochs", "config.learning_rate"} & manifest.conditions.keys()
    assert lines[-1]["epoch"] == pytest.approx(plan.passes, abs=1e-4)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant_with_warmup"])
def test_the_rates_of_one_stage_are_those_that_the_library_trains_with(schedule, dataset, checkpoint, tmp_path):
    config = load_config(settings=[*SETTINGS, f"schedule={schedule}", "warmup_ratio=0.4", "epochs=2"])
    train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), config, tmp_path / "ce")
    lines = [json.loads(line) for line in (tmp_path / "ce" / "training_log.jsonl").read_text().splitlines()]
    found = rates(config, config.learning_rate, len(lines))
    assert [line["learning_rate"] for line in lines] == pytest.approx(found.tolist())


def test_a_stage_goes_on_from_the_weights_of_the_one_before_as_a_training_of_its_own(
    staged, dataset, checkpoint, tmp_path
):
    """Two stages of one severity each are two trainings, the second from the checkpoint of the first."""
    both = [*SETTINGS, "warmup_ratio=0.2", "cumulative=false"]
    stage = "{{severity: {}, epochs: 2, learning_rate: {}}}"
    first, second = stage.format("non_critical", "2e-3"), stage.format("critical", "1e-3")
    curriculum = ArmSpec.of("curriculum")
    train_lm(dataset, str(checkpoint), curriculum, load_config(settings=[*both, f"curriculum=[{first}, {second}]"]),
             tmp_path / "both")  # fmt: skip
    train_lm(dataset, str(checkpoint), curriculum, load_config(settings=[*both, f"curriculum=[{first}]"]),
             tmp_path / "first")  # fmt: skip
    train = dataset.split("train")
    config = load_config(settings=[*both, f"curriculum=[{first}, {second}]"])
    plan = plan_of(curriculum, train, config, 4)
    order = plan.order[plan.restarts[0] * 4 :]
    # The same rows in the same order: those of another stage are shown in another.
    own = plan_of(curriculum, train, load_config(settings=[*both, f"curriculum=[{second}]"]), 4)
    assert sorted(order) == sorted(own.order) and np.array_equal(plan.rates[plan.restarts[0] :], own.rates)
    from maqa_severity.trainers.lm import plan as plans

    with pytest.MonkeyPatch.context() as patch:
        number = plans.stage_passes
        patch.setattr(plans, "stage_passes", lambda *given: number(*given[:-1], given[-1] + 1))
        alone = load_config(settings=[*both, f"curriculum=[{second}]"])
        train_lm(dataset, str(tmp_path / "first"), curriculum, alone, tmp_path / "second")
    assert same(weights(tmp_path / "both"), weights(tmp_path / "second"))


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


KILLED = """
import os, runpy, signal
from maqa_severity.trainers.lm.monitor import Monitor

whole = Monitor.on_step_end
def killed(monitor, args, state, control, **more):
    if state.global_step == STEP:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(monitor, args, state, control, **more)
Monitor.on_step_end = killed
runpy.run_module("maqa_severity.trainers", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.weekly), 2, pytest.param(3, marks=pytest.mark.weekly)]
)
def test_killed_in_any_stage_it_ends_with_the_weights_of_an_uninterrupted_curriculum(
    every, staged, dataset, checkpoint, tmp_path
):
    """With a checkpoint every step, the one gone on from lies before the first step of a stage."""
    chosen = [part for given in (*STAGED, f"checkpoint_every={every}") for part in ("--set", given)]
    where = ["--base", str(checkpoint), "--out", str(tmp_path / "killed")]
    command = [str(dataset.folder), "--arm", "curriculum", *where, *chosen]
    plan = plan_of(ArmSpec.of("curriculum"), dataset.split("train"), load_config(settings=STAGED), 4)
    for step in (plan.restarts[0] + 1, plan.restarts[1] + 2):
        script = KILLED.replace("STEP", str(step))
        killed = subprocess.run(
            [sys.executable, "-c", script, *command], capture_output=True, text=True, check=False
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    done = python("-m", "maqa_severity.trainers", *command)
    assert done.returncode == 0, done.stderr
    assert same(weights(tmp_path / "killed"), weights(staged[0]))
    words = " ".join(done.stdout.split())
    for severity in SEVERITIES:
        assert f"shown: {severity}" in words
