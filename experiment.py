"""An experiment from data to board and reports, one step after the other; what is done is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
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
from .harness.metrics.aggregates import QUALITY
from .harness.metrics.bertscore.encoder import choose_encoder
from .harness.runs.arms import ArmsCompared, ArmsOfBase, arms_compared, arms_of_base
from .harness.runs.comparison import Comparison
from .harness.runs.declared import Declared
from .harness.runs.declaring import declared_bases, pairs_of, with_declared
from .harness.runs.groups import RunGroup, as_group
from .harness.runs.run import Run
from .leaderboards.board import build_board
from .leaderboards.export import write_board
from .leaderboards.records import Board
from .reports.page import report_page
from .tasks import FOLDER, GROUP
from .trainers.experiments.config import DEMO, Experiment, ModelPart, training_config
from .trainers.experiments.grid import Cell, base_of, cells, decoding_folder, run_folder
from .trainers.experiments.ingredients import demo_base, demo_encoder, experiment_dataset
from .trainers.experiments.preflight import demand_analysis, demand_gold, demand_labels, demand_ready
from .trainers.lm.train import train_lm

_T = TypeVar("_T")
_REQUEST = "experiment.json"
_ARMS = "arms.json"


@dataclass(frozen=True)
class Outcome:
    """What an experiment leaves per decoding: a board, and for each base the comparison of its arms and a page.

    ``verdicts`` are of the two arms that the experiment compares, ``arms`` of these and of what its claim takes;
    both are empty where it names none. ``declared`` holds the tests of its declared analysis, if it has one.
    """

    boards: dict[Preset, Board]
    verdicts: dict[Preset, list[Comparison]]
    arms: dict[Preset, ArmsCompared]
    pages: list[Path]
    declared: dict[Preset, Declared] = field(default_factory=dict)


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
    experiment: Experiment, out: Path, console: Console, command: str | None = None, look: int | None = None
) -> Outcome:
    """Prepare, label, train, evaluate, rank and report. The same call goes on where the last one stopped.

    The folder: ``dataset/``, ``checkpoints/<cell>/``, ``runs/<cell>/``, ``leaderboard/``, ``arms.json`` (what
    ``maqa compare --arms --json`` says of the arms compared and claimed), ``report.html``; a cell
    is named by the parts of the grid that vary, and several bases have a page each in ``reports/``. Further
    decodings have folders of their own. Each run says which ``command`` made it.

    Raises:
        UserError: the folder holds another experiment, something that a later step needs is missing, or a step
            cannot be done.
    """
    planned = plan(experiment, out)
    at_look = _look_of(experiment, look)
    step = Steps(console)
    step("Check what it needs", lambda: demand_ready(experiment, planned, out))
    write_json(out / _REQUEST, experiment.model_dump(mode="json"))
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
    for cell in planned:
        step(f"Train {cell.label}", partial(_train, experiment, cell, dataset, out))
    outcome = Outcome({}, {}, {}, [])
    for preset in experiment.evaluation.decodings:
        folder = decoding_folder(experiment, preset, out)
        runs = _evaluate_all(experiment, planned, dataset, (encoder, layer), preset, out, step, command)
        found = [_arms_of(experiment, model, planned, runs, at_look) for model in experiment.models]
        bases = [arms for arms, _ in found if arms.pairs]
        declared = None
        if experiment.analysis:
            declared, bases = declared_bases(experiment.analysis, at_look, bases, experiment.spec_names)
            found = [(arms, groups) for arms, (_, groups) in zip(bases, found, strict=True)]
            outcome.declared[preset] = declared
        board = build_board(list(runs.values()), resampling=experiment.statistics, declared=declared)
        outcome.boards[preset] = board
        outcome.pages.extend(write_board(folder / "leaderboard", board)[-1:])
        outcome.arms[preset] = arms_compared(bases)
        write_json(folder / _ARMS, with_declared(outcome.arms[preset].as_json(), declared))
        outcome.verdicts[preset] = []
        for arms, groups in found:
            if experiment.compare is None:
                continue
            first, second = (experiment.spec_names[label] for label in experiment.compare)
            outcome.verdicts[preset].append(arms.pairs[first, second])
            path = _report_path(experiment, arms.base, folder)
            claims = [declared.claim_words(each, arms.base) if declared else str(each) for each in arms.claims]
            judged = (declared, arms.pairs[first, second]) if declared else None
            page = report_page(
                groups[second],
                groups[first],
                resampling=experiment.statistics,
                claims=claims,
                judged=judged,
                gold=_gold_of(experiment),
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
            decoding=decoding(preset, dataset.language, until=part.until, **part.decoding_changes),
            answer=dataset.language.referral,
            data=dataset.folder,
            store=run / "answers",
            repeat_share=part.repeat_share,
        )
        options = EvaluationOptions(
            out=run,
            data=dataset.folder,
            bertscore_model=encoder[0],
            bertscore_layer=encoder[1],
            bertscore_window=part.bertscore_window,
            limit=part.limit,
            name=label,
            command=command,
        )
        runs[label] = step(f"Evaluate {label} ({preset})", partial(evaluate, config, options, FOLDER, GROUP))
    return runs


def _arms_of(
    experiment: Experiment, model: ModelPart, planned: Sequence[Cell], runs: dict[str, Run], look: int
) -> tuple[ArmsOfBase, dict[str, RunGroup]]:
    """The arms of a base that the experiment compares or claims something of, each over its trainings."""
    names = experiment.spec_names
    pairs = [experiment.compare] if experiment.compare else []
    claim = experiment.claim
    against = {claim.arm: claim.against} if claim else {}
    groups = {}
    analysis = experiment.analysis
    pairs += pairs_of(analysis)
    for label in dict.fromkeys((*chain(*pairs), *against, *chain(*against.values()))):
        cells = [cell for cell in planned if cell.model == model and cell.arm.spec.name == names[label]]
        shown = f"{model.name}/{label}" if len(experiment.models) > 1 else label
        groups[names[label]] = as_group([runs[cell.label] for cell in cells], shown)
    found = arms_of_base(
        model.name,
        groups,
        [(names[first], names[second]) for first, second in pairs],
        {names[arm]: [names[other] for other in others] for arm, others in against.items()},
        list(dict.fromkeys((*(analysis.metrics if analysis else ()), QUALITY))),
        experiment.statistics,
        margins=analysis.margins_at(look, len(analysis.models or experiment.models)) if analysis else None,
        gold=_gold_of(experiment),
    )
    return found, groups


def _gold_of(experiment: Experiment) -> Path | None:
    return None if experiment.gold is None else Path(experiment.gold)


def _report_path(experiment: Experiment, model: str, folder: Path) -> Path:
    return folder / ("report.html" if len(experiment.models) == 1 else f"reports/{model.replace('/', '-')}.html")
