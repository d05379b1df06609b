"""Trains one arm of an experiment into a checkpoint: a model, or an adapter and the name of its base."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...harness.core import memory
from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_json
from ...harness.core.folders import working_in
from ...harness.data.dataset import Dataset
from ...harness.generation.checkpoints import write_base_record
from ...harness.generation.start_token import keep_start
from ...harness.labelling.stream import COST as LABELLING_COST
from ...harness.labelling.weights import diagnose
from ...harness.runs.conditions import TRAINING_MANIFEST
from ...harness.runs.nll import NAME as NLL
from ...harness.runs.nll import write_nll
from ...harness.runs.trained_on import write_questions
from ...harness.severity import Weights
from ..arms import ArmSpec, flat_warning
from . import manifest as manifests
from .config import Method, Precision, TrainConfig, load_config
from .curves import CURVES
from .exposure import UNKNOWN_RANK
from .finite import Diverged
from .manifest import LOG, Status, TrainingManifest
from .preparation import Prepared, Training, prepare
from .processes import processes
from .trackers import demand_trackers

COST = "cost.json"

_Done = tuple[dict[str, Any], dict[str, Any] | None]
"""What a training cost, and where early stopping ended it."""


def train_lm(
    dataset: Dataset,
    base: str,
    spec: ArmSpec,
    config: TrainConfig,
    out: Path,
    *,
    revision: str | None = None,
    announce: Callable[[str], None] = lambda line: None,
    also: Sequence[str] = (),
) -> TrainingManifest:
    """Train, or go on where an earlier call was stopped; a checkpoint that is whole already is left as it is.

    ``out`` gets what was trained, as safetensors: the model with its tokenizer, or the adapter alone; beside an
    adapter, and of the untrained base, ``training_base.json`` says which base to load. ``training.json``,
    ``cost.json`` and ``training_log.jsonl`` tell of the training. While it runs, ``training_state/`` holds what
    resuming needs, of which transformers keeps the optimizer in torch's own format (read back as weights only); it
    is gone when the checkpoint is whole.

    Args:
        dataset: labelled, for the arms that need severities.
        base: a folder or a hub id.
        spec: the arm.
        config: the settings, alike for all arms of an experiment.
        out: the checkpoint's folder, new or left by the same call.
        revision: of a hub id.
        also: names of further arms that would be this very training, for the manifest.
        announce: told before the training that its weights hardly differ, where they do not.

    Raises:
        UserError: the data lacks what the arm needs, the base cannot be used, or ``out`` holds something else or is
            written by another process.
    """
    from .arithmetic import settled
    from .bases import load_tokenizer

    running = processes()
    config = settled(config, out)
    training = Training(dataset, base, spec, config, out, revision, tuple(also))
    with quiet():
        demand_trackers(config.report_to)
        tokenizer = load_tokenizer(base, revision, config.pad_token, add_bos_token=config.add_bos_token)
        prepared = prepare(training, tokenizer, running.num_processes)
        with working_in(out) if running.is_main_process else nullcontext():
            running.wait_for_everyone()
            found = manifests.status(training.out, prepared.identity)
            if found is Status.DONE:
                return _finished(training.out)
            running.wait_for_everyone()
            if running.is_main_process:
                if flat := flat_warning(spec, prepared.weights):
                    announce(flat)
                manifests.begin(training.out, prepared.identity)
            running.wait_for_everyone()
            trains = training.spec.arm.trains
            try:
                if trains:
                    cost, stopping = _train(training, tokenizer, prepared, announce)
                else:
                    cost, stopping = _look_at_base(training, tokenizer)
            except Diverged:
                raise
            except UserError:
                if running.is_main_process:
                    manifests.abandon(out, LOG, CURVES)
                raise
            if running.is_main_process:
                if not trains or config.method is not Method.FULL:
                    dtype = "bfloat16" if config.save_dtype is Precision.BF16 else "float32"
                    write_base_record(out, prepared.base, dtype, config.add_bos_token)
                elif config.add_bos_token is not None:
                    keep_start(out, config.add_bos_token)
                _finish(training, tokenizer, prepared, cost, stopping, running.num_processes, announce)
            running.wait_for_everyone()
    # Whoever comes next, such as an engine that takes what a GPU has free, finds nothing of this left.
    memory.release()
    return _finished(training.out)


def _look_at_base(training: Training, tokenizer: Any) -> _Done:
    from .bases import load_model

    load_model(training.base, training.revision, tokenizer)
    return {}, None


def _train(training: Training, tokenizer: Any, prepared: Prepared, announce: Callable[[str], None]) -> _Done:
    from .batches import Examples
    from .run import run

    plan = prepared.plan
    assert plan is not None
    weights = prepared.loss_weights(training.config.loss)
    examples = Examples(prepared.encoded, weights, prepared.ranks, plan.order, tokenizer.eos_token_id)
    like = None
    if prepared.pace is not None:
        fitted = prepared.loss_weights(training.config.loss, prepared.pace)
        like = Examples(prepared.encoded, fitted, prepared.ranks, plan.order, tokenizer.eos_token_id)
    start = time.perf_counter()
    ids = prepared.rows["id"].tolist()
    cost, stopping = run(training, tokenizer, examples, plan, ids, like, announce)
    return {**cost, "seconds": round(time.perf_counter() - start, 3)}, stopping


def _finish(
    training: Training,
    tokenizer: Any,
    prepared: Prepared,
    cost: dict[str, Any],
    stopping: dict[str, Any] | None,
    processes: int,
    announce: Callable[[str], None],
) -> None:
    path = prepared.dataset.folder / LABELLING_COST
    labelled = bool(prepared.dataset.info.labelling) and path.is_file()
    pace = cost["pace"]["ratio"] if cost.get("pace") else 1.0
    cost = {"labelling": read_json(path, "Label again") if labelled else None, "training": cost or None}
    write_json(training.out / COST, cost)
    asked = prepared.rows["question"] if training.spec.arm.trains else ()
    write_questions(training.out, asked, prepared.dataset.language, Path(training.base).expanduser())
    found = _likelihoods(training, tokenizer, announce)
    manifests.finish(
        training.out,
        manifests.manifest_of(
            training.spec,
            prepared.dataset,
            training.config,
            base=prepared.base,
            conditions=prepared.conditions,
            identity=prepared.identity,
            weights=_describe(training.spec, prepared),
            exposure=prepared.exposure(training.config, pace, stopping["best_step"] if stopping else None),
            truncation=prepared.encoded.truncation,
            processes=processes,
            cost=cost,
            nll=found,
            also=list(training.also),
            stopping=stopping,
        ),
    )


def _likelihoods(training: Training, tokenizer: Any, announce: Callable[[str], None]) -> dict[str, Any] | None:
    """Measure what the saved checkpoint makes of the reference answers, and write it beside the weights; what the
    manifest says of it. Of an untrained base that cannot be measured there is none, which is announced."""
    from .checkpoint import checkpoint_model
    from .nll import described, measured

    config, out = training.config, training.out
    try:
        found = measured(checkpoint_model(out, tokenizer, config), tokenizer, training.dataset, config)
    except UserError as error:
        if training.spec.arm.trains:
            raise
        announce(f"The references' likelihood under {training.spec.name} is not measured: {error}")
        return None
    write_nll(out / NLL, found)
    return described(found, training.dataset, out)


def _describe(spec: ArmSpec, prepared: Prepared) -> dict[str, Any] | None:
    scheme = spec.weights
    if scheme is None:
        if (prepared.weights == 1).all():
            return None
        # Weights of another kind: drawn between their own extremes.
        low, high = float(prepared.weights.min()), float(prepared.weights.max())
        scheme = Weights(low, low, high)
    ranks = np.where(prepared.ranks == UNKNOWN_RANK, -1, prepared.ranks)
    found = diagnose(prepared.weights, ranks, scheme, "assigned")
    return {**asdict(found), "warning": "" if spec.arm.even else found.warning}


def settings_of(checkpoint: Path, settings: Sequence[str]) -> TrainConfig:
    """The settings that a checkpoint was trained with, as far as it says, and ``settings`` on top.

    Raises:
        UserError: as ``load_config``.
    """
    if not (checkpoint / TRAINING_MANIFEST).is_file():
        return load_config(settings=settings)
    return load_config(settings=settings, under=_finished(checkpoint).config)


def _finished(out: Path) -> TrainingManifest:
    return TrainingManifest.model_validate(read_json(out / TRAINING_MANIFEST, "Train again"))


@contextmanager
def quiet() -> Iterator[None]:
    """Without the library's bars of loading and saving, which would bury one's own progress."""
    from transformers.utils import logging as library

    shown = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            library.enable_progress_bar()
