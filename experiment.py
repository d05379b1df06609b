"""An experiment from data to board and reports, one step after the other; what is done is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from .harness.core.errors import UserError
from .harness.core.files import read_json, write_json, write_text
from .harness.core.sealing import with_seal
from .harness.generation.decoding import Preset
from .harness.metrics.bertscore.encoder import choose_encoder
from .harness.runs.arms import ArmsCompared
from .harness.runs.comparison import Comparison
from .harness.runs.declared import Declared
from .harness.runs.run import load_run
from .leaderboards.board import build_board
from .leaderboards.export import write_board
from .leaderboards.records import Board, MissingRow
from .reports.page import report_page
from .trainers.execution.grid import Engine, do_all, driving
from .trainers.execution.job import Job
from .trainers.execution.one import Failure
from .trainers.execution.plain import plain
from .trainers.execution.work import all_work, evaluation
from .trainers.experiments.comparing import compared_arms, gold_of
from .trainers.experiments.config import DEMO, Experiment
from .trainers.experiments.grid import ARMS_FILE, REQUEST, Cell, cells, decoding_folder
from .trainers.experiments.ingredients import demo_base, demo_encoder, experiment_dataset
from .trainers.experiments.preflight import demand_analysis, demand_gold, demand_labels, demand_ready
from .trainers.experiments.twins import find_twins, twins_in_words

_T = TypeVar("_T")
_STYLES = {"step": "bold", "done": "dim", "warning": "yellow"}


@dataclass(frozen=True)
class Outcome:
    """What an experiment leaves per decoding: a board, and for each base the comparison of its arms and a page.

    ``verdicts`` are of the two arms that the experiment compares, ``arms`` of these and of what its claim takes;
    both are empty where it names none. ``declared`` holds the tests of its declared analysis, if it has one and all
    that this takes is there. What a board lacks, it says itself: ``missing``.
    """

    boards: dict[Preset, Board]
    verdicts: dict[Preset, list[Comparison]]
    arms: dict[Preset, ArmsCompared]
    pages: list[Path]
    declared: dict[Preset, Declared] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every cell was trained and evaluated."""
        return not any(board.missing for board in self.boards.values())


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


def run_experiment(
    experiment: Experiment,
    out: Path,
    console: Console,
    command: str | None = None,
    look: int | None = None,
    engine: Engine = plain,
) -> Outcome:
    """Prepare, label, train, evaluate, rank and report. The same call goes on where the last one stopped.

    The folder: ``dataset/``, ``checkpoints/<cell>/``, ``runs/<cell>/``, ``cells/<cell>.json`` (how far it is),
    ``leaderboard/``, ``arms.json`` (what ``maqa compare --arms --json`` says of the arms compared and claimed),
    ``report.html``; a cell is named by the parts of the grid that vary, and several bases have a page each in
    ``reports/``. Further decodings have folders of their own. Each run says which ``command`` made it.

    A cell that fails keeps no other from being done: boards say what they lack, and why.

    Raises:
        UserError: the folder holds another experiment or another process drives it, something that a later step
            needs is missing, or nothing was done that a board could show.
    """
    at_look = _look_of(experiment, look)
    plan(experiment, out)
    with driving(out):
        planned = plan(experiment, out)
        step = Steps(console)
        step("Check what it needs", lambda: demand_ready(experiment, planned, out))
        job = _prepared(experiment, planned, out, step, console, command)

        def said(line: str, kind: str) -> None:
            console.print(line, markup=False, style=_STYLES[kind], soft_wrap=True)

        failed = do_all(all_work(job), job, engine, said)
        return _results(job, list(job.cells.values()), failed, at_look)


def _prepared(
    experiment: Experiment, planned: Sequence[Cell], out: Path, step: Steps, console: Console, command: str | None
) -> Job:
    """What all cells start from: the dataset, and the models that are made on the spot."""
    write_json(out / REQUEST, experiment.model_dump(mode="json"))
    dataset = step("Dataset", lambda: experiment_dataset(experiment.data, out))
    part = experiment.evaluation
    encoder, layer = part.bertscore_model, part.bertscore_layer
    if encoder == DEMO:
        encoder = str(step("BERTScore encoder, made on the spot", lambda: demo_encoder(dataset, out / "encoder")))
        # Not the environment's: that is of another encoder.
        layer = layer or choose_encoder(encoder, None).layer
    if any(model.id == DEMO for model in experiment.models):
        step("Base model, made on the spot", lambda: demo_base(experiment.data, dataset, out / "base"))
    for line in demand_labels(experiment, planned, dataset):
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    demand_gold(experiment, dataset)
    demand_analysis(experiment, dataset)
    for line in twins_in_words(find_twins(experiment, out, dataset)):
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    return Job(experiment, out, dataset.folder, (encoder, layer), command)


def _results(job: Job, planned: Sequence[Cell], failed: dict[str, Failure], look: int) -> Outcome:
    """Boards, comparisons and reports, of what is there."""
    experiment = job.experiment
    outcome = Outcome({}, {}, {}, [])
    for preset in experiment.evaluation.decodings:
        folder = decoding_folder(experiment, preset, job.out)
        missing = {
            label: failure.reason for label, failure in failed.items() if evaluation(preset) not in failure.finished
        }
        runs = {label: load_run(job.run(label, preset)) for label in job.labels if label not in missing}
        if not runs:
            label, reason = next(iter(missing.items()))
            raise UserError(f"nothing was done that a board could show; {label}: {reason}", "Run it again")
        compared = compared_arms(experiment, planned, runs, missing, look)
        declared = compared.declared
        if declared is not None:
            outcome.declared[preset] = declared
        board = build_board(list(runs.values()), resampling=experiment.statistics, declared=declared)
        lacks = [MissingRow(name=label, reason=missing[label]) for label in job.labels if label in missing]
        board = board.model_copy(update={"missing": lacks, "notes": [*board.notes, *compared.notes]})
        outcome.boards[preset] = board
        outcome.pages.extend(write_board(folder / "leaderboard", board)[-1:])
        outcome.arms[preset] = compared.arms
        absent = {"missing": [each.model_dump() for each in lacks]} if lacks else {}
        write_json(folder / ARMS_FILE, with_seal({**compared.as_json(), **absent}))
        outcome.verdicts[preset] = []
        for arms, groups in compared.found:
            if experiment.compare is None:
                continue
            first, second = (experiment.spec_names[label] for label in experiment.compare)
            path = _report_path(experiment, arms.base, folder)
            if (first, second) not in arms.pairs:
                # One of before would pass for one of what is there now.
                path.unlink(missing_ok=True)
                continue
            outcome.verdicts[preset].append(arms.pairs[first, second])
            claims = [declared.claim_words(each, arms.base) if declared else str(each) for each in arms.claims]
            judged = (declared, arms.pairs[first, second]) if declared else None
            page = report_page(
                groups[second],
                groups[first],
                resampling=experiment.statistics,
                claims=claims,
                judged=judged,
                gold=gold_of(experiment),
            )
            write_text(path, page)
            outcome.pages.append(path)
    return outcome


def _look_of(experiment: Experiment, look: int | None) -> int:
    if experiment.analysis:
        return experiment.analysis.at_look(look)
    if look is not None:
        raise UserError(f"--look {look} is a look of no analysis", "Declare one by the experiment's key analysis")
    return 1


def plan(experiment: Experiment, out: Path) -> list[Cell]:
    """The cells of the experiment in that folder, which is left as it is.

    Raises:
        UserError: the folder holds another experiment, or something else.
    """
    remedy = "Choose another --out, or delete the folder"
    path = out / REQUEST
    if path.is_file():
        if not experiment.equals(read_json(path, remedy)):
            raise UserError(f"{out} holds another experiment, by {path}", remedy)
    # A hidden file may be what a kill left of the request.
    elif out.exists() and (not out.is_dir() or any(path.name[0] != "." for path in out.iterdir())):
        raise UserError(f"{out} is not empty and holds no experiment", remedy)
    return list(cells(experiment, out))


def _report_path(experiment: Experiment, model: str, folder: Path) -> Path:
    return folder / ("report.html" if len(experiment.models) == 1 else f"reports/{model.replace('/', '-')}.html")
