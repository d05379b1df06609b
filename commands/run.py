"""``maqa run``."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from .app import app
from .options import Look, Resamples, Seed, resampling_of
from .words import heading

if TYPE_CHECKING:
    from ..experiment import Outcome
    from ..trainers.execution.grid import Engine
    from ..trainers.experiments.config import Experiment


class GridEngine(StrEnum):
    """How the cells of an experiment are done."""

    PLAIN = "plain"
    RAY = "ray"


@app.command()
def run(
    experiment: Path = typer.Argument(
        help="An experiment's YAML file, or the name of a shipped one, as demo or paper."
    ),
    out: Path = typer.Option(help="Folder of the experiment; the same command goes on where it stopped."),
    check: bool = typer.Option(
        False, "--check", help="Only look: what is planned and done, and whether all that it needs is there."
    ),
    estimate: bool = typer.Option(
        False,
        "--estimate",
        help="Look as --check does, then measure a few passes and answers: how long it will take.",
    ),
    gpu: str = typer.Option(
        "a100", metavar="NAME", help="For --check: the GPU whose stated figures the hours stand on, as t4 or h100."
    ),
    status: bool = typer.Option(
        False,
        "--status",
        help="Only tell how far it is, from any terminal: what is done, running, waiting and failed; hours left.",
    ),
    engine: GridEngine = typer.Option(
        GridEngine.PLAIN,
        help="ray: several cells at once, on all machines of the cluster at RAY_ADDRESS, or else on this one. A "
        "cell takes as much of a GPU as others of its base were measured to need; without a GPU, as many "
        "processors as OMP_NUM_THREADS says, or all.",
    ),
    workers: int | None = typer.Option(None, min=1, help="With --engine ray: at most so many cells at once."),
    look: Look = None,
    bertscore_model: str | None = typer.Option(
        None, help="Encoder of BERTScore instead of the experiment's `evaluation.bertscore_model`."
    ),
    bertscore_layer: int | None = typer.Option(
        None, help="Its layer instead of the experiment's `evaluation.bertscore_layer`."
    ),
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Run an experiment, from the data to the report.

    What is done already is not done again. A cell that fails keeps no other from being done: the board says what it
    lacks and why, the exit status is 1, and the same command tries it again.
    """
    encoder = EncoderGiven(bertscore_model, bertscore_layer)
    if workers is not None and engine is not GridEngine.RAY:
        raise UserError("--workers is of several cells at once", "Add --engine ray")
    if status:
        _status(experiment, out, encoder)
    elif check or estimate:
        _check(experiment, out, encoder, gpu, measure=estimate)
    else:
        drawn = Drawn(seed, resamples, look)
        command = ["run", str(experiment), "--out", str(out), *encoder.words(), *drawn.words()]
        outcome = run_and_print(
            experiment, out, command, drawn=drawn, encoder=encoder, engine=_engine(engine, workers)
        )
        if not outcome.whole:
            raise typer.Exit(1)


def _engine(engine: GridEngine, workers: int | None) -> Engine:
    from ..trainers.execution.plain import plain

    if engine is GridEngine.PLAIN:
        return plain
    from ..trainers.execution.ray import RayEngine

    return RayEngine(workers)


class Drawn(NamedTuple):
    """What is drawn, and at which look, otherwise than the experiment says."""

    seed: int | None = None
    resamples: int | None = None
    look: int | None = None

    def words(self) -> list[str]:
        """As on the command line."""
        return _words(self._asdict())


class EncoderGiven(NamedTuple):
    """BERTScore's encoder otherwise than the experiment says."""

    bertscore_model: str | None = None
    bertscore_layer: int | None = None

    def words(self) -> list[str]:
        """As on the command line."""
        return _words(self._asdict())

    def of(self, experiment: Experiment) -> Experiment:
        """The experiment with this encoder. Another encoder does not keep the layer of the one that it replaces."""
        given = {name: value for name, value in self._asdict().items() if value is not None}
        if self.bertscore_model is not None:
            given.setdefault("bertscore_layer", None)
        return experiment.model_copy(update={"evaluation": experiment.evaluation.model_copy(update=given)})


def _words(given: dict[str, Any]) -> list[str]:
    options = [(f"--{name.replace('_', '-')}", str(value)) for name, value in given.items() if value is not None]
    return [word for option in options for word in option]


def run_and_print(
    path: Path,
    out: Path,
    command: list[str],
    language: str | None = None,
    drawn: Drawn = Drawn(),
    encoder: EncoderGiven = EncoderGiven(),
    engine: Engine | None = None,
) -> Outcome:
    """Run an experiment, cell after cell unless an ``engine`` is given; print its boards and what its arms show.

    Raises:
        UserError: as ``run_experiment``.
    """
    from ..experiment import run_experiment
    from ..trainers.execution.plain import plain
    from ..trainers.experiments.config import load_experiment
    from .arms_tables import USUAL_EFFECT, print_arms
    from .leaderboard import print_board

    console = Terminal()
    experiment = encoder.of(load_experiment(path))
    if language:
        data = experiment.data.model_copy(update={"language": language})
        experiment = experiment.model_copy(update={"data": data})
    if drawn.seed is not None or drawn.resamples is not None:
        asked = resampling_of(drawn.seed, drawn.resamples, f"maqa {command[0]}")
        usual = experiment.statistics.model_dump()
        merged = {**usual, **asked.model_dump(exclude_unset=True)}
        experiment = experiment.model_copy(update={"statistics": type(asked)(**merged)})
    outcome = run_experiment(experiment, out, console, shlex.join(["maqa", *command]), drawn.look, engine or plain)
    for preset, board in outcome.boards.items():
        console.print(f"\n{preset}", markup=False, style="bold")
        print_board(console, board)
        print_arms(console, outcome.arms[preset], USUAL_EFFECT, outcome.declared.get(preset))
    for page in outcome.pages:
        console.print(str(page), markup=False, soft_wrap=True)
    return outcome


def _status(path: Path, out: Path, encoder: EncoderGiven) -> None:
    from ..experiment import plan
    from ..trainers.experiments.config import load_experiment
    from .status_table import show_status

    experiment = encoder.of(load_experiment(path))
    plan(experiment, out)
    show_status(Terminal(), experiment, out)


def _check(path: Path, out: Path, encoder: EncoderGiven, gpu: str, measure: bool = False) -> None:
    from ..experiment import plan
    from ..trainers.arms import Needs
    from ..trainers.experiments.config import load_experiment
    from ..trainers.experiments.estimate import estimate
    from ..trainers.experiments.footprint import footprints
    from ..trainers.experiments.gpus import GPUS
    from ..trainers.experiments.ingredients import labelled_already
    from ..trainers.experiments.preflight import demand_analysis, demand_labels, demand_ready
    from .footprint_table import print_footprints
    from .plan_table import plan_table, print_estimate

    console = Terminal()
    card = GPUS[gpu]
    experiment = encoder.of(load_experiment(path))
    cells = plan(experiment, out)
    console.print(plan_table(experiment, cells, out))
    labelled = labelled_already(experiment.data, out)
    print_footprints(console, footprints(experiment, cells, labelled, out, card))
    demand_ready(experiment, cells, out)
    if labelled is not None:
        for line in demand_labels(experiment, cells, labelled):
            console.print(line, markup=False, style="yellow", soft_wrap=True)
        demand_analysis(experiment, labelled)
    elif any(Needs.PROBABILITIES in cell.arm.spec.arm.uses for cell in cells):
        console.print(heading("plan.weights"))
    console.print(heading("plan.all_there"))
    if measure:
        if labelled is None:
            raise UserError(
                "nothing can be measured before the data is labelled",
                "Make it by `maqa prepare` and `maqa label`, and give its folder as data.source",
            )
        print_estimate(console, estimate(experiment, cells, labelled, out))
