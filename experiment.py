"""An experiment from data to board and reports, one step after the other; what is done is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from .harness.core.errors import UserError
from .harness.core.files import read_json, write_json, write_text
from .harness.data.dataset import Dataset
from .harness.evaluation.evaluate import evaluate
from .harness.evaluation.options import EvaluationOptions
from .harness.generation.config import GenerationConfig
from .harness.generation.decoding import Preset, decoding
from .harness.metrics.bertscore.encoder import choose_encoder
from .harness.runs.comparison import Comparison, compare
from .harness.runs.groups import RunGroup, as_group
from .harness.runs.run import Run
from .leaderboards.board import build_board
from .leaderboards.export import write_board
from .leaderboards.records import Board
from .reports.page import report_page
from .tasks import FOLDER, GROUP
from .trainers.experiments.config import DEMO, Experiment, training_config
from .trainers.experiments.grid import Cell, base_of, cells, decoding_folder, run_folder
from .trainers.experiments.ingredients import demo_base, demo_encoder, experiment_dataset
from .trainers.experiments.preflight import demand_labels, demand_ready
from .trainers.lm.train import train_lm

_T = TypeVar("_T")
_REQUEST = "experiment.json"


@dataclass(frozen=True)
class Outcome:
    """What an experiment leaves per decoding: a board, and for each base the comparison of its arms and a page."""

    boards: dict[Preset, Board]
    verdicts: dict[Preset, list[Comparison]]
    pages: list[Path]


class Steps:
    """Prints each step before it starts and how long it took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._count = 0

    def __call__(self, what: str, work: Callable[[], _T]) -> _T:
        self._count += 1
        self._console.print(f"[{self._count}] {what}", markup=False, style="bold")
        started = time.monotonic()
        result = work()
        self._console.print(f"    {time.monotonic() - started:.1f} s", markup=False, style="dim")
        return result


def run_experiment(experiment: Experiment, out: Path, console: Console, command: str | None = None) -> Outcome:
    """Prepare, label, train, evaluate, rank and report. The same call goes on where the last one stopped.

    The folder: ``dataset/``, ``checkpoints/<cell>/``, ``runs/<cell>/``, ``leaderboard/``, ``report.html``; a cell
    is named by the parts of the grid that vary, and several bases have a page each in ``reports/``. Further
    decodings have folders of their own. Each run says which ``command`` made it.

    Raises:
        UserError: the folder holds another experiment, something that a later step needs is missing, or a step
            cannot be done.
    """
    planned = plan(experiment, out)
    step = Steps(console)
    step("Check what it needs", lambda: demand_ready(experiment, planned, out))
    write_json(out / _REQUEST, experiment.model_dump(mode="json"))
    dataset = step("Dataset", lambda: experiment_dataset(experiment.data, out))
    encoder, layer = experiment.evaluation.bertscore_model, experiment.evaluation.bertscore_layer
    if encoder == DEMO:
        encoder = str(step("BERTScore encoder, made on the spot", lambda: demo_encoder(dataset, out / "encoder")))
        # Not the environment's: that is of another encoder.
        layer = layer or choose_encoder(encoder, None).layer
    if any(model.id == DEMO for model in experiment.models):
        step("Base model, made on the spot", lambda: demo_base(dataset, out / "base"))
    demand_labels(experiment, planned, dataset)
    for cell in planned:
        step(f"Train {cell.label}", partial(_train, experiment, cell, dataset, out))
    outcome = Outcome({}, {}, [])
    for preset in experiment.evaluation.decodings:
        folder = decoding_folder(experiment, preset, out)
        runs = _evaluate_all(experiment, planned, dataset, (encoder, layer), preset, out, step, command)
        outcome.boards[preset] = build_board(list(runs.values()), resampling=experiment.statistics)
        outcome.pages.extend(write_board(folder / "leaderboard", outcome.boards[preset])[-1:])
        outcome.verdicts[preset] = []
        for model, (first, second) in _compared(experiment, planned, runs):
            outcome.verdicts[preset].append(compare(first, second, resampling=experiment.statistics))
            path = _report_path(experiment, model, folder)
            write_text(path, report_page(second, first, resampling=experiment.statistics))
            outcome.pages.append(path)
    return outcome


def plan(experiment: Experiment, out: Path) -> list[Cell]:
    """The cells of the experiment in that folder, which is left as it is.

    Raises:
        UserError: the folder holds another experiment, or something else.
    """
    remedy = "Choose another --out, or delete the folder"
    path = out / _REQUEST
    if path.is_file():
        if not experiment.equals(read_json(path, remedy)):
            raise UserError(f"{out} holds another experiment, by {path}", remedy)
    # A hidden file may be what a kill left of the request.
    elif out.exists() and (not out.is_dir() or any(path.name[0] != "." for path in out.iterdir())):
        raise UserError(f"{out} is not empty and holds no experiment", remedy)
    return list(cells(experiment, out))


def _train(experiment: Experiment, cell: Cell, dataset: Dataset, out: Path) -> None:
    config = training_config(experiment, cell.model, cell.seed)
    train_lm(
        dataset, base_of(cell.model, out), cell.arm.spec, config, cell.checkpoint, revision=cell.model.revision
    )


def _evaluate_all(
    experiment: Experiment,
    planned: Sequence[Cell],
    dataset: Dataset,
    encoder: tuple[str | None, int | None],
    preset: Preset,
    out: Path,
    step: Steps,
    command: str | None,
) -> dict[str, Run]:
    part = experiment.evaluation
    arguments = part.model_args | part.secrets
    systems = {cell.label: (part.model, {**arguments, "pretrained": str(cell.checkpoint)}) for cell in planned}
    systems |= {str(kind): (kind, {}) for kind in part.floors}
    runs = {}
    for label, (kind, given) in systems.items():
        run = run_folder(experiment, preset, label, out)
        config = GenerationConfig(
            kind=kind,
            model_args=given,
            decoding=decoding(preset, dataset.language, until=part.until),
            answer=dataset.language.referral,
            data=dataset.folder,
            store=run / "answers",
        )
        options = EvaluationOptions(
            out=run,
            data=dataset.folder,
            bertscore_model=encoder[0],
            bertscore_layer=encoder[1],
            limit=part.limit,
            name=label,
            command=command,
        )
        runs[label] = step(f"Evaluate {label} ({preset})", partial(evaluate, config, options, FOLDER, GROUP))
    return runs


def _compared(
    experiment: Experiment, planned: Sequence[Cell], runs: dict[str, Run]
) -> Iterator[tuple[str, list[RunGroup]]]:
    """For each base its name and the two arms that the experiment compares, each over its trainings."""
    if experiment.compare is None:
        return
    labels = dict(zip((arm.spec.name for arm in experiment.arms), experiment.labels, strict=True))
    for model in experiment.models:
        sides = []
        for label in experiment.compare:
            cells = [cell for cell in planned if cell.model == model and labels[cell.arm.spec.name] == label]
            name = f"{model.name}/{label}" if len(experiment.models) > 1 else label
            sides.append(as_group([runs[cell.label] for cell in cells], name))
        yield model.name, sides


def _report_path(experiment: Experiment, model: str, folder: Path) -> Path:
    return folder / ("report.html" if len(experiment.models) == 1 else f"reports/{model.replace('/', '-')}.html")
