"""Everything about a training that is settled before it starts: rows, weights, order, conditions, identity."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.progress import Progress

from ...harness.core.console import Terminal
from ...harness.core.errors import UserError
from ...harness.data.dataset import Dataset
from ...harness.generation.weights import weights as weights_identity
from ...harness.severity import SEVERITIES
from ..arms import ArmSpec, Needs, arm_pace, arm_weights, scaled_to_mean_one
from ..losses.modes import LossMode
from . import manifest as manifests
from .chat import chat_of
from .config import TrainConfig
from .encoding import Encoded, encode
from .exposure import UNKNOWN_RANK, Exposure, exposures
from .order import order_sha256, sorted_windows
from .plan import Plan, plan_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """What is asked for. ``base`` is a folder or a hub id; ``out`` becomes the checkpoint's folder; ``also`` names
    further arms that would be this very training."""

    dataset: Dataset
    base: str
    spec: ArmSpec
    config: TrainConfig
    out: Path
    revision: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """The rows of a training (n), encoded, with raw weights (n,), severity ranks (n,) and the plan of their order;
    None for the untrained base. ``pace`` are the weights (n,) that the learning rate is fitted to, where it is."""

    dataset: Dataset
    rows: pd.DataFrame
    encoded: Encoded
    weights: npt.NDArray[np.float64]
    ranks: npt.NDArray[np.int64]
    plan: Plan | None
    conditions: dict[str, Any]
    identity: dict[str, Any]
    base: dict[str, Any]
    pace: npt.NDArray[np.float64] | None = None

    def loss_weights(
        self, loss: LossMode, weights: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.float64]:
        """The weights that enter the loss, shape (n,), by default the arm's; under ``tokens`` their mean over
        answer tokens is 1."""
        given = self.weights if weights is None else weights
        return scaled_to_mean_one(given, self.encoded.answer_lengths) if loss is LossMode.TOKENS else given

    def exposure(
        self, config: TrainConfig, pace: float = 1.0, until: int | None = None
    ) -> dict[str, Exposure] | None:
        """How much of each severity is shown; None for the untrained base. Weights by whose sum the loss divides
        count as what they are to their mean; ``pace`` is what the learning rates were multiplied by, ``until`` the
        step whose model was kept, where that is not the last."""
        if self.plan is None:
            return None
        weights = self.loss_weights(LossMode.PAPER if config.loss is LossMode.PAPER else LossMode.TOKENS)
        plan = self.plan.until(until) if until else self.plan
        return exposures(plan, weights, self.ranks, config.learning_rate / pace)


def prepare(training: Training, tokenizer: Any, processes: int) -> Prepared:
    """Read the rows, weight, order and encode them.

    Raises:
        UserError: the dataset or the base cannot be read, or the data lacks what the arm needs.
    """
    config, spec = training.config, training.spec
    dataset = training.dataset
    rows = training_rows(dataset, config)
    base = {
        "name": training.base,
        "revision": training.revision,
        "weights": weights_identity(training.base, training.revision),
    }
    conditions = manifests.base_conditions(dataset, rows, base)
    # Of the untrained base, too: they change what is asked, and what answers.
    both = {name: getattr(config, name) for name in ("add_bos_token", "save_dtype", "chat_template")}
    conditions |= {f"config.{name}": value for name, value in both.items() if value is not None}
    weights = arm_weights(spec, rows, config.seed)
    found = rows["severity"].map({str(severity): severity.rank for severity in SEVERITIES}).fillna(UNKNOWN_RANK)
    ranks = np.array(found, np.int64)
    encoded = _encode(dataset, rows, tokenizer, config)
    plan, labels, pace = None, None, None
    if spec.arm.trains:
        effective = processes * config.batch_size * config.accumulation
        plan, pace = plan_of(spec, rows, config, effective), arm_pace(spec, rows, config.seed)
        plan = replace(plan, order=sorted_windows(plan.order, np.diff(encoded.offsets), effective))
        conditions |= manifests.training_conditions(
            spec,
            dataset,
            config,
            steps=plan.steps,
            effective_batch=effective,
            shared_order=order_sha256(plan.order) if plan.shared else None,
            staged=plan.staged,
        )
        if config.patience is not None:
            # Only then does it change the weights.
            conditions["config.evaluate_every"] = plan.evaluates_every(config)
        if spec.arm.uses & Needs.LABELS or (weights != 1).any():
            fitted = b"" if pace is None else pace.tobytes()
            labels = hashlib.sha256(weights.tobytes() + plan.order.tobytes() + fitted).hexdigest()
    identity = manifests.identity_of(spec, conditions, labels)
    return Prepared(dataset, rows, encoded, weights, ranks, plan, conditions, identity, base, pace)


def training_rows(dataset: Dataset, config: TrainConfig) -> pd.DataFrame:
    """The rows that are trained on, the same for all arms and seeds.

    Raises:
        UserError: there are none.
    """
    rows = dataset.split("train")
    if rows.empty:
        raise UserError(
            f"{dataset.folder}/train.parquet has no rows", "Prepare the dataset with a smaller --test share"
        )
    if config.rows is None or config.rows >= len(rows):
        return rows.reset_index(drop=True)
    # One sample for all arms and seeds: it belongs to the data, not to the run.
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[: config.rows])
    return rows.iloc[chosen].reset_index(drop=True)


def _encode(dataset: Dataset, rows: pd.DataFrame, tokenizer: Any, config: TrainConfig) -> Encoded:
    tongue = dataset.language
    prompts = [tongue.ask(question) for question in rows["question"]]
    chat = chat_of(config, tokenizer, tongue)
    console = Terminal(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("encoding", total=len(rows))
        encoded = encode(
            tokenizer,
            prompts,
            rows["answer"].tolist(),
            config.max_length,
            lambda done: bar.advance(task, done),
            chat,
        )
    if encoded.truncation["answers_cut"]:
        _log.warning(
            "%(answers_cut)d answers did not fit and lost %(answer_tokens_cut)d tokens in all", encoded.truncation
        )
    if encoded.truncation["prompts_cut"]:
        _log.warning(
            "%(prompts_cut)d questions did not fit and lost %(prompt_tokens_cut)d tokens in all", encoded.truncation
        )
    return encoded
