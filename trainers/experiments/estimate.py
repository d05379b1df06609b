"""How long an experiment will take on this machine, from passes and answers that are measured before it starts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...harness.core import memory
from ...harness.core.errors import UserError
from ...harness.data.dataset import Dataset
from ...harness.generation.backends import BACKENDS
from ...harness.generation.config import GenerationConfig
from ...harness.generation.decoding import decoding
from ...harness.generation.records import Prompt
from ...harness.severity import SEVERITIES
from ..lm.config import TrainConfig
from ..lm.manifest import Status
from ..lm.plan import plan_of
from ..lm.preparation import Training, prepare, training_rows
from .config import DEMO, Experiment, ModelPart, training_config
from .grid import Cell, base_of, evaluated

if TYPE_CHECKING:
    from ..lm.split import Split

_PASSES = 3
_ANSWERS = 16


@dataclass(frozen=True)
class Work:
    """So many pieces of one kind of work for one base, and how long a measured one took.

    Attributes:
        base: the base's name.
        what: such as ``passes of 4 rows``.
        count: how many are still to do.
        seconds: of one.
    """

    base: str
    what: str
    count: int
    seconds: float

    @property
    def hours(self) -> float:
        """Of all."""
        return self.count * self.seconds / 3600


@dataclass(frozen=True)
class Estimate:
    """What is still to do. ``steps`` counts the optimizer steps; loading, scoring, statistics and pages are left
    out."""

    work: list[Work]
    steps: int

    @property
    def hours(self) -> float:
        """Of all work together."""
        return sum(each.hours for each in self.work)

    def __str__(self) -> str:
        time_words = f"{self.hours:.1f} hours" if self.hours >= 1 else f"{60 * self.hours:.0f} minutes"
        return (
            f"{self.steps} training steps to do; about {time_words} on this machine, as busy as it is now, beside "
            "loading, scoring and pages"
        )


def estimate(experiment: Experiment, cells: Sequence[Cell], dataset: Dataset, out: Path) -> Estimate:
    """Measure passes of a training and answers of each base, and count what the open cells need of them.

    Args:
        experiment: whatever its bases, backend and settings are.
        cells: those planned; what is done is not counted.
        dataset: labelled as the arms need it.
        out: the experiment's folder.

    Raises:
        UserError: a base cannot be loaded, is made only during the run, or cannot train.
    """

    from ..lm.cost import PASSES

    work: list[Work] = []
    steps = 0
    asked = _asked(experiment, dataset)
    for model in experiment.models:
        own = [cell for cell in cells if cell.model == model]
        base = base_of(model, out)
        if model.id == DEMO and not Path(base).is_dir():
            raise UserError(
                f"the base {model.name} is made by the run itself, so nothing can be measured before",
                "Leave --estimate out",
            )
        open_cells = [cell for cell in own if cell.arm.spec.arm.trains and cell.status is not Status.DONE]
        if open_cells:
            config = training_config(experiment, model, experiment.seeds[0])
            rows, effective = training_rows(dataset, config), config.batch_size * config.accumulation
            own_steps = sum(plan_of(cell.arm.spec, rows, config, effective).steps for cell in open_cells)
            split, seconds = _pass_seconds(open_cells[0], dataset, base, config)
            memory.release()
            passes = own_steps * split.accumulation + len(open_cells) * PASSES
            work.append(Work(model.name, f"passes of {split.rows} rows", passes, seconds))
            steps += own_steps
        decodings = len(experiment.evaluation.decodings)
        answers = asked * sum(decodings - evaluated(experiment, cell.label, out) for cell in own)
        if answers:
            work.append(Work(model.name, "answers", answers, _answer_seconds(experiment, model, base, dataset)))
    return Estimate(work, steps)


def _asked(experiment: Experiment, dataset: Dataset) -> int:
    """Questions that every system is asked: lm-eval's limit is of each severity's."""
    severities = dataset.split("test")["severity"]
    counts = [int((severities == str(severity)).sum()) for severity in SEVERITIES]
    limit = experiment.evaluation.limit
    return sum(counts if limit is None else [min(count, limit) for count in counts])


def _pass_seconds(cell: Cell, dataset: Dataset, base: str, config: TrainConfig) -> tuple[Split, float]:
    """How a step is split, and the mean of forward and backward passes over batches that lie evenly in the order of
    a training."""
    from ..lm.arithmetic import settled
    from ..lm.bases import load_for_training, load_tokenizer
    from ..lm.batches import Collator, Examples
    from ..lm.causal import weighted_forward
    from ..lm.recomputation import recomputing, where_needed
    from ..lm.split import given_split, measured_split
    from ..lm.train import quiet
    from ..losses.weighted import answer_lengths

    spec, revision, config = cell.arm.spec, cell.model.revision, settled(config, cell.checkpoint)
    with quiet():
        tokenizer = load_tokenizer(base, revision, config.pad_token, add_bos_token=config.add_bos_token)
        prepared = prepare(Training(dataset, base, spec, config, cell.checkpoint, revision), tokenizer, 1)
        model = load_for_training(base, revision, tokenizer, config)
    assert prepared.plan is not None
    device = next(model.parameters()).device
    examples = Examples(
        prepared.encoded, prepared.weights, prepared.ranks, prepared.plan.order, int(tokenizer.eos_token_id)
    )
    collator = Collator(int(tokenizer.pad_token_id))
    effective = config.batch_size * config.accumulation
    split, recomputes = where_needed(
        config.gradient_checkpointing,
        model,
        lambda: (
            given_split(config)
            or measured_split(model, examples, collator, effective, config.loss, spec.arm.token_loss)
        ),
    )
    starts = np.linspace(0, max(len(examples) - split.rows, 0), _PASSES).astype(int)
    taken: list[float] = []
    with weighted_forward(model, spec.token_loss), recomputing(model, recomputes):
        # The first pass pays for what later ones find done.
        for start in (int(starts[0]), *map(int, starts)):
            places = range(start, min(start + split.rows, len(examples)))
            batch = {
                name: part.to(device) for name, part in collator([examples[place] for place in places]).items()
            }
            begun = time.perf_counter()
            coefficients = config.loss.coefficients(batch["weights"], answer_lengths(batch["labels"]))
            model(**{**batch, "coefficients": coefficients})["loss"].backward()
            taken.append(time.perf_counter() - begun)
            model.zero_grad()
    return split, float(np.mean(taken[1:]))


def _answer_seconds(experiment: Experiment, model: ModelPart, base: str, dataset: Dataset) -> float:
    """Of one answer among several: the base's, which ends its answers late, if at all."""
    part = experiment.evaluation
    rows = dataset.split("test")
    places = np.unique(np.linspace(0, len(rows) - 1, _ANSWERS).astype(int))
    prompts = [
        Prompt(
            str(place),
            dataset.language.ask(question := str(rows["question"].iloc[place])),
            0,
            str(place),
            "",
            question,
        )
        for place in places
    ]
    with tempfile.TemporaryDirectory() as store:
        config = GenerationConfig(
            kind=part.model,
            model_args={**part.model_args, **part.secrets, "pretrained": base},
            decoding=decoding(part.decodings[0], dataset.language, until=part.until, **part.decoding_changes),
            data=dataset.folder,
            store=Path(store),
        )
        engine: Any = BACKENDS[str(part.model)].load(config)
        begun = time.perf_counter()
        engine.generate(prompts)
        seconds = time.perf_counter() - begun
        engine.release()
    return seconds / len(prompts)
