"""The planted world under controls: what helps there is that critical rows count for more, by weight or times."""

from pathlib import Path

import pytest
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.statistics import OVERALL, Verdict
from maqa_severity.trainers.experiments.config import ArmPart, load_experiment
from rich.console import Console

pytestmark = [pytest.mark.slow, pytest.mark.weekly]
ARMS = ("severity", "oversample", "shuffled")
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """The demo's planted world, two trainings of each arm."""
    demo = load_experiment(Path("demo"))
    asked = demo.model_copy(
        update={
            "arms": [ArmPart(arm="ce"), *(ArmPart(arm=arm, scheme="strong") for arm in ARMS)],
            "seeds": list(SEEDS),
            "evaluation": demo.evaluation.model_copy(update={"floors": []}),
            "compare": ("severity", "oversample"),
            "claim": None,
        }
    )
    return run_experiment(asked, tmp_path_factory.mktemp("controls") / "out", Console(quiet=True))


def test_oversampling_does_what_weights_do_and_shuffled_weights_do_nothing(outcome):
    (board,) = outcome.boards.values()
    critical = {row.name: row.cell("bertscore_f1", "critical").mean for row in board.rows}
    # Of arms: where sums round otherwise, as on another CPU, one training of one seed is another training.
    low, high = (
        [sum(critical[f"{arm}/seed-{seed}"] for seed in SEEDS) / len(SEEDS) for arm in pair]
        for pair in (("ce", "shuffled"), ("severity", "oversample"))
    )
    assert min(high) - max(low) > 10, critical
    assert abs(low[0] - low[1]) < 5 and abs(high[0] - high[1]) < 10, critical
    ((compared,),) = outcome.verdicts.values()
    assert compared.difference("bertscore_f1", OVERALL).verdict not in (Verdict.GAIN, Verdict.LOSS)


def test_oversampling_is_named_as_another_exposure_whose_weighted_sum_is_that_of_the_weights(outcome):
    ((compared,),) = outcome.verdicts.values()
    (line,) = [each for each in compared.labels.warnings if each.startswith("exposure differs")]
    assert "oversample-strong against severity-strong: critical 7" in line
    (board,) = outcome.boards.values()
    assert sum("exposure differs" in each for each in board.labels) == 1
