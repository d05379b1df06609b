"""What an experiment takes, before anything is loaded: steps, hours on a GPU, memory, disk, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from ...harness.core.folders import demand_space
from ...harness.data.dataset import Dataset
from ...harness.generation.decoding import Preset, max_new_tokens
from ..lm.config import TrainConfig
from ..lm.manifest import Status
from ..lm.plan import steps_at_most
from ..lm.preparation import training_rows
from .config import DEMO, DataPart, Experiment, training_config
from .gpus import Gpu
from .grid import Cell, run_folder
from .shapes import Shape, shape_of
from .stated import (
    TOKENS_A_WORD,
    WORDS_A_ROW,
    answers_seconds,
    checkpoint_bytes,
    pass_seconds,
    peak_bytes,
    rows_at_once,
    settled,
    state_bytes,
)

ROW_BYTES = 4_000
"""Of an answer with its question, its prompt and its scores in a run's folder."""

QUESTION_BYTES = 40
"""Of a training question's digest in a checkpoint."""


@dataclass(frozen=True)
class Footprint:
    """What a cell still takes. None is not known before the base or the data is there.

    Attributes:
        label: the cell's.
        base: the base's name.
        steps: optimizer steps, of a curriculum at most; 0 where nothing is to be trained.
        training_hours, answering_hours: on the GPU; every answer is taken to be as long as it may be.
        peak_bytes: of the GPU's memory in training.
        checkpoint_bytes, state_bytes, run_bytes: on disk: the trained weights, what is beside them during the
            training, and the answers with their scores.
    """

    label: str
    base: str
    steps: int | None = 0
    training_hours: float | None = 0.0
    answering_hours: float | None = 0.0
    peak_bytes: float | None = 0.0
    checkpoint_bytes: float | None = 0.0
    state_bytes: float | None = 0.0
    run_bytes: float | None = 0.0

    @property
    def hours(self) -> float:
        """Of training and answers, as far as they are known."""
        return (self.training_hours or 0) + (self.answering_hours or 0)

    @property
    def disk_bytes(self) -> float:
        """That stay, as far as they are known."""
        return (self.checkpoint_bytes or 0) + (self.run_bytes or 0)


@dataclass(frozen=True)
class Download:
    """A base that is not on this machine, and its size in bytes; None where nothing is known of it."""

    base: str
    size: int | None


@dataclass(frozen=True)
class Footprints:
    """Of all cells that are not done. ``counted`` says that rows and words are the data's own, not stated ones."""

    gpu: Gpu
    cells: list[Footprint]
    downloads: list[Download]
    counted: bool

    @property
    def hours(self) -> float:
        """Of all cells, one after the other."""
        return sum(cell.hours for cell in self.cells)

    @property
    def disk_bytes(self) -> float:
        """Of all that stays, and of the largest training on its way."""
        return sum(cell.disk_bytes for cell in self.cells) + max(
            (cell.state_bytes or 0 for cell in self.cells), default=0
        )

    @property
    def dearest(self) -> list[Footprint]:
        """The cells, those of the most hours first."""
        return sorted(self.cells, key=lambda cell: -cell.hours)


@dataclass(frozen=True)
class _Counts:
    train: int | None
    test: int | None
    tokens: float


def footprints(
    experiment: Experiment, cells: Sequence[Cell], dataset: Dataset | None, out: Path, gpu: Gpu
) -> Footprints:
    """What the open cells take on a GPU; nothing is loaded, and nothing is asked of the network.

    Args:
        dataset: None before it is made: then the experiment's own numbers of rows are taken.
        out: the experiment's folder.

    Raises:
        UserError: the folder of a base cannot be read.
    """
    # A base that nothing needs any more may be gone.
    models = list({cell.model.name: cell.model for cell in cells if not _is_done(experiment, cell, out)}.values())
    shapes = {model.name: shape_of(model.id, model.revision) for model in models}
    counts: dict[int | None, _Counts] = {}
    found: list[Footprint] = []
    for cell in cells:
        config = training_config(experiment, cell.model, cell.seed)
        if config.rows not in counts:
            counts[config.rows] = _counts(experiment.data, config, dataset)
        shape = shapes.get(cell.model.name)
        found.append(_footprint(experiment, cell, config, shape, counts[config.rows], out, gpu))
    away = {
        model.id: shapes[model.name]
        for model in models
        if model.id != DEMO and not Path(model.id).expanduser().is_dir()
    }
    downloads = [
        Download(base, shape.file_bytes if shape else None)
        for base, shape in away.items()
        if shape is None or not shape.here
    ]
    return Footprints(gpu, found, downloads, dataset is not None)


def _to_evaluate(experiment: Experiment, cell: Cell, out: Path) -> list[Preset]:
    decodings = experiment.evaluation.decodings
    return [preset for preset in decodings if not run_folder(experiment, preset, cell.label, out).is_dir()]


def _is_done(experiment: Experiment, cell: Cell, out: Path) -> bool:
    return cell.status is Status.DONE and not _to_evaluate(experiment, cell, out)


def demand_room(found: Footprints, out: Path) -> None:
    """Raises:
    UserError: the disk cannot hold what the experiment leaves there.
    """
    demand_space(out, round(found.disk_bytes), "this experiment")


def _counts(data: DataPart, config: TrainConfig, dataset: Dataset | None) -> _Counts:
    if dataset is None:
        test = data.test if isinstance(data.test, int) else None
        return _Counts(config.rows, test, min(WORDS_A_ROW * TOKENS_A_WORD, config.max_length))
    rows = training_rows(dataset, config)
    prompt = len(dataset.language.ask("").split())
    texts = zip(rows["question"], rows["answer"], strict=True)
    tokens = [TOKENS_A_WORD * (prompt + len(question.split()) + len(answer.split())) for question, answer in texts]
    mean = fmean(min(count, config.max_length) for count in tokens)
    return _Counts(len(rows), len(dataset.split("test")), mean)


def _footprint(
    experiment: Experiment,
    cell: Cell,
    config: TrainConfig,
    shape: Shape | None,
    counts: _Counts,
    out: Path,
    gpu: Gpu,
) -> Footprint:
    found = _trained(cell, config, shape, counts, gpu)
    part = experiment.evaluation
    open_decodings = _to_evaluate(experiment, cell, out)
    if not open_decodings:
        return found
    if counts.test is None:
        return replace(found, answering_hours=None, run_bytes=None)
    test = counts.test if part.limit is None else min(3 * part.limit, counts.test)
    lengths = [part.max_new_tokens or max_new_tokens(preset) for preset in open_decodings]
    hours = None if shape is None else sum(answers_seconds(shape, test, length, gpu) for length in lengths) / 3600
    return replace(found, answering_hours=hours, run_bytes=float(test * ROW_BYTES * len(open_decodings)))


def _trained(cell: Cell, config: TrainConfig, shape: Shape | None, counts: _Counts, gpu: Gpu) -> Footprint:
    nothing = Footprint(cell.label, cell.model.name)
    if cell.status is Status.DONE or not cell.arm.spec.arm.trains:
        return nothing
    batch = config.batch_size * config.accumulation
    steps = None if counts.train is None else steps_at_most(cell.arm.spec, counts.train, config, batch)
    if shape is None:
        return replace(
            nothing, steps=steps, training_hours=None, peak_bytes=None, checkpoint_bytes=None, state_bytes=None
        )
    config = settled(shape, config, counts.tokens, gpu)
    rows = rows_at_once(shape, config, counts.tokens, gpu)
    passes = None if steps is None else steps * batch / rows
    seconds = pass_seconds(shape, config, counts.tokens, rows, gpu)
    return replace(
        nothing,
        steps=steps,
        training_hours=None if passes is None else passes * seconds / 3600,
        peak_bytes=peak_bytes(shape, config, counts.tokens, rows),
        checkpoint_bytes=checkpoint_bytes(shape, config) + QUESTION_BYTES * (counts.train or 0),
        state_bytes=state_bytes(shape, config),
    )
