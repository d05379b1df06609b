"""Trains one arm of an experiment into a checkpoint: a model, or an adapter and the name of its base."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_json
from ...harness.data.dataset import Dataset
from ...harness.generation.checkpoints import write_base_record
from ...harness.generation.start_token import keep_start
from ...harness.labelling.stream import COST as LABELLING_COST
from ...harness.labelling.weights import diagnose
from ...harness.runs.conditions import TRAINING_MANIFEST
from ...harness.runs.trained_on import write_questions
from ...harness.severity import Weights
from ..arms import ArmSpec, flat_warning
from . import manifest as manifests
from .config import Method, Precision, TrainConfig
from .exposure import UNKNOWN_RANK
from .manifest import LOG, Status, TrainingManifest
from .preparation import Prepared, Training, prepare
from .processes import processes

COST = "cost.json"


def train_lm(
    dataset: Dataset,
    base: str,
    spec: ArmSpec,
    config: TrainConfig,
    out: Path,
    *,
    revision: str | None = None,
    announce: Callable[[str], None] = lambda line: None,
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
        announce: told before the training that its weights hardly differ, where they do not.

    Raises:
        UserError: the data lacks what the arm needs, the base cannot be used, or ``out`` holds something else.
    """
    from .bases import load_tokenizer

    training = Training(dataset, base, spec, config, out, revision)
    running = processes()
    with quiet():
        tokenizer = load_tokenizer(base, revision, config.pad_token, add_bos_token=config.add_bos_token)
        prepared = prepare(training, tokenizer, running.num_processes)
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
        work = _train if trains else _look_at_base
        try:
            cost = work(training, tokenizer, prepared)
        except UserError:
            if running.is_main_process:
                manifests.abandon(out, LOG)
            raise
        if running.is_main_process:
            if not trains or config.method is not Method.FULL:
                dtype = "bfloat16" if config.save_dtype is Precision.BF16 else "float32"
                write_base_record(out, prepared.base, dtype, config.add_bos_token)
            elif config.add_bos_token is not None:
                keep_start(out, config.add_bos_token)
            _finish(training, prepared, cost, running.num_processes)
        running.wait_for_everyone()
    return _finished(training.out)


def _look_at_base(training: Training, tokenizer: Any, prepared: Prepared) -> dict[str, Any]:
    from .bases import load_model

    load_model(training.base, training.revision, tokenizer)
    return {}


def _train(training: Training, tokenizer: Any, prepared: Prepared) -> dict[str, Any]:
    from .batches import Examples
    from .run import run

    plan = prepared.plan
    assert plan is not None
    weights = prepared.loss_weights(training.config.loss)
    examples = Examples(prepared.encoded, weights, prepared.ranks, plan.order, tokenizer.eos_token_id)
    start = time.perf_counter()
    cost = run(training, tokenizer, examples, plan)
    return {**cost, "seconds": round(time.perf_counter() - start, 3)}


def _finish(training: Training, prepared: Prepared, cost: dict[str, Any], processes: int) -> None:
    path = prepared.dataset.folder / LABELLING_COST
    labelled = bool(prepared.dataset.info.labelling) and path.is_file()
    cost = {"labelling": read_json(path, "Label again") if labelled else None, "training": cost or None}
    write_json(training.out / COST, cost)
    asked = prepared.rows["question"] if training.spec.arm.trains else ()
    write_questions(training.out, asked, prepared.dataset.language, Path(training.base).expanduser())
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
            exposure=prepared.exposure(training.config),
            truncation=prepared.encoded.truncation,
            processes=processes,
            cost=cost,
        ),
    )


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
