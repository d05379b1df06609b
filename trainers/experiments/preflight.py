"""Whether an experiment can be done to its end, found out before its first training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.progress import track

from ...harness.core.console import Terminal
from ...harness.core.errors import UserError
from ...harness.core.hub import hub_answers
from ...harness.data.dataset import Dataset
from ...harness.generation.backends import BACKENDS
from ...harness.metrics.bertscore.encoder import NO_ENCODER, Encoder, choose_encoder, encoder_asked
from ...harness.metrics.screening import screening
from ...harness.runs.labels import gold_for
from ...harness.runs.screened import refuse_screening
from ..arms import ArmSpec, arm_weights, flat_warning
from ..lm.adapters import demand_bitsandbytes
from ..lm.base_kind import demand_model_files
from ..lm.config import Method
from ..lm.manifest import Status
from ..lm.plan import plan_of
from ..lm.preparation import training_rows
from ..lm.trackers import demand_trackers
from ..lm.unloadable import demand_in_reach
from .config import DEMO, Experiment, ModelPart, training_config
from .footprint import demand_room, footprints
from .gpus import GPUS
from .grid import Cell, evaluated
from .ingredients import demand_source, labelled_already


def demand_ready(experiment: Experiment, cells: Sequence[Cell], out: Path) -> None:
    """Look at all that the cells still to do will need: the data, the bases, the disk, the encoder, the backends.

    Raises:
        UserError: something is missing; all of it is named, each with its remedy.
    """
    open_cells = [cell for cell in cells if cell.status is not Status.DONE]
    models = list({cell.model.name: cell.model for cell in open_cells}.values())
    found = [(name, problem) for name, problem in _base_problems(experiment, models)]
    checks: list[Callable[[], None]] = [lambda: demand_source(experiment.data, out)] if open_cells else []
    if any(_method(experiment, cell) is Method.QLORA for cell in open_cells if cell.arm.spec.arm.trains):
        checks.append(demand_bitsandbytes)
    trackers = [
        each for cell in open_cells for each in training_config(experiment, cell.model, cell.seed).report_to
    ]
    checks.append(lambda: demand_trackers(list(dict.fromkeys(trackers))))
    checks.append(lambda: _demand_room(experiment, cells, out))
    if any(evaluated(experiment, cell.label, out) < len(experiment.evaluation.decodings) for cell in cells):
        checks += [lambda: _demand_encoder(experiment), lambda: _demand_backend(experiment)]
    for check in checks:
        try:
            check()
        except UserError as error:
            found.append(("", error))
    if not found:
        return
    if len(found) == 1 and not found[0][0]:
        raise found[0][1]
    told = "; ".join(
        f"({number}) {name + ': ' if name else ''}{problem}" for number, (name, problem) in enumerate(found, 1)
    )
    raise UserError(
        f"this experiment could not be done to its end: {told}",
        "What is said of --set KEY=VALUE goes into the model's `training:` in the experiment's file",
    )


def demand_gold(experiment: Experiment, dataset: Dataset) -> None:
    """Look whether the experiment's gold can say how right the dataset's severities are.

    Raises:
        UserError: as ``gold_for``.
    """
    if experiment.gold is not None:
        source = dataset.info.severity_source.model_dump()
        gold_for(Path(experiment.gold), source, dataset.split("test"), dataset.language, str(dataset.folder))


def demand_analysis(experiment: Experiment, dataset: Dataset) -> None:
    """Look whether the metrics of the experiment's declared analysis can bear a verdict in the data's language.

    Raises:
        UserError: one is a detector for screening only.
    """
    if experiment.analysis is not None:
        refuse_screening(experiment.analysis.metrics, screening(dataset.language), "the analysis declares")


def demand_labels(experiment: Experiment, cells: Sequence[Cell], dataset: Dataset) -> list[str]:
    """Look whether the training rows have what every arm still to do needs, and return what has to be said of their
    weights before they are trained.

    Raises:
        UserError: severities or probabilities are missing, the weights are impossible, or a stage has no rows.
    """
    seen: set[tuple[ArmSpec, str]] = set()
    flat: list[str] = []
    for cell in cells:
        config, spec = training_config(experiment, cell.model, cell.seed), cell.arm.spec
        key = (spec, repr((config.rows, config.curriculum, config.cumulative, config.epochs)))
        if cell.status is Status.DONE or not spec.arm.trains or key in seen:
            continue
        seen.add(key)
        rows = training_rows(dataset, config)
        flat.append(flat_warning(spec, arm_weights(spec, rows, cell.seed)))
        plan_of(spec, rows, config, config.batch_size * config.accumulation)
    return list(dict.fromkeys(filter(None, flat)))


def _method(experiment: Experiment, cell: Cell) -> Method:
    return training_config(experiment, cell.model, cell.seed).method


def _base_problems(experiment: Experiment, models: Sequence[ModelPart]) -> Iterator[tuple[str, UserError]]:
    named = [model for model in models if model.id != DEMO]
    on_the_hub = [model.id for model in named if not Path(model.id).is_dir()]
    # Its client takes a minute for each model to find out that there is no network.
    cached_only = bool(on_the_hub) and not hub_answers(on_the_hub[0])
    new_tokens = experiment.evaluation.longest_answer
    console = Terminal(stderr=True)
    for model in track(named, "checking bases", console=console, transient=True, disable=not console.is_terminal):
        try:
            demand_model_files(model.id)
            if cached_only:
                demand_in_reach(model.id, model.revision)
        except UserError as error:
            yield model.name, error
            continue
        # Only now: torch and the models of transformers take seconds to import.
        from ..lm.base_check import base_problems

        config = training_config(experiment, model, experiment.seeds[0])
        for problem in base_problems(
            model.id, model.revision, config, new_tokens=new_tokens, cached_only=cached_only
        ):
            yield model.name, problem


def _demand_room(experiment: Experiment, cells: Sequence[Cell], out: Path) -> None:
    # The disk is the same whatever the GPU.
    any_gpu = GPUS[next(iter(GPUS))]
    demand_room(footprints(experiment, cells, labelled_already(experiment.data, out), out, any_gpu), out)


def _demand_encoder(experiment: Experiment) -> None:
    part = experiment.evaluation
    model, layer, _ = encoder_asked(part.bertscore_model, part.bertscore_layer, part.bertscore_window)
    if model == NO_ENCODER:
        raise UserError(
            "without a BERTScore encoder the board has nothing to rank by",
            "Name one in evaluation.bertscore_model, or unset MAQA_BERTSCORE_MODEL",
        )
    if model != DEMO:
        Encoder(choose_encoder(model, layer)).release()


def _demand_backend(experiment: Experiment) -> None:
    BACKENDS[str(experiment.evaluation.model)].check()
