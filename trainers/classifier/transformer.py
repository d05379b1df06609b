"""Fine-tunes an encoder to tell severities apart: class weights, early stopping, the best epoch kept.

The ordinal loss is the squared earth mover's distance between the probabilities and the true severity (Hou, Yu and
Samaras 2016, arXiv 1611.05916), which for ordered classes is the ranked probability score (Epstein 1969): proper,
so that it is least for true probabilities, and dearer the further a severity is missed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...harness.core.errors import UserError
from ...harness.core.library_bars import without_library_bars
from ...harness.labelling.sources.classifier_transformers import TransformersModel
from ...harness.severity import PROBABILITY_COLUMNS
from .config import ClassifierConfig, Loss

Ranks = npt.NDArray[np.int8]
Rows = tuple[Sequence[str], Ranks]
_WARM_UP = 0.1
_CLIP = 1.0


def fit_transformers(
    train: Rows, held_out: Rows, config: ClassifierConfig, progress: Callable[[int], None] = lambda rows: None
) -> TransformersModel:
    """Fine-tune ``config.base`` on complaints with true ranks.

    Args:
        held_out: rows that decide when to stop.
        progress: called with the number of rows seen since the last call.

    Raises:
        UserError: the checkpoint cannot be loaded or the loss is no number.
    """
    torch.manual_seed(config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network, tokenizer = _load(config)
    model = TransformersModel(network.to(device), tokenizer, config.max_length)
    questions, ranks = train
    counts = np.bincount(ranks, minlength=3)
    # As scikit-learn's "balanced": every class has the same total weight.
    criterion = Criterion(config.loss, torch.tensor(len(ranks) / (3 * counts), dtype=torch.float32))
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * math.ceil(len(ranks) / config.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _linear(steps))
    shuffle = np.random.default_rng(config.seed)
    best_loss, best_weights, worse = math.inf, None, 0
    for epoch in range(config.epochs):
        network.train()
        order = shuffle.permutation(len(ranks))
        for start in range(0, len(order), config.batch_size):
            rows = order[start : start + config.batch_size]
            batch = tokenizer(
                [questions[at] for at in rows],
                padding=True,
                truncation=True,
                max_length=config.max_length,
                return_tensors="pt",
            ).to(device)
            target = torch.tensor(ranks[rows], dtype=torch.long, device=device)
            loss = criterion(network(**batch).logits.float(), target)
            if not torch.isfinite(loss):
                raise UserError(
                    f"the classifier's loss is {loss.item()} in epoch {epoch + 1}", "Lower --learning-rate"
                )
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            progress(len(rows))
        held_out_loss = _loss(model, held_out, criterion)
        if held_out_loss < best_loss:
            best_loss, best_weights, worse = held_out_loss, deepcopy(network.state_dict()), 0
        else:
            worse += 1
        if worse == config.patience:
            break
    if best_weights is not None:
        network.load_state_dict(best_weights)
    network.eval()
    return model


def _load(config: ClassifierConfig) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    labels = {rank: column.removeprefix("p_") for rank, column in enumerate(PROBABILITY_COLUMNS)}
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.base, revision=config.revision)
        with without_library_bars():
            network = AutoModelForSequenceClassification.from_pretrained(
                config.base,
                revision=config.revision,
                id2label=labels,
                label2id={label: rank for rank, label in labels.items()},
                use_safetensors=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"cannot load the base {config.base!r}: {reason}",
            "Give a local folder with safetensors, a hub id that can be reached, or --kind tfidf",
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        network.config.pad_token_id = tokenizer.pad_token_id
    return network, tokenizer


class Criterion:
    """The loss of a batch: a mean over its rows, weighed by their class. ``weights``: shape (3,)."""

    def __init__(self, loss: Loss, weights: torch.Tensor) -> None:
        self._loss, self._weights = loss, weights

    def __call__(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Of logits (n, 3) and true ranks (n,)."""
        weights = self._weights.to(logits.device)
        if self._loss is Loss.CROSS_ENTROPY:
            return torch.nn.functional.cross_entropy(logits, target, weight=weights)
        truth = torch.nn.functional.one_hot(target, 3).to(logits.dtype)
        gap = (logits.softmax(dim=1) - truth).cumsum(dim=1)[:, :2]
        own = weights[target]
        return ((gap**2).mean(dim=1) * own).sum() / own.sum()


def _loss(model: TransformersModel, rows: Rows, criterion: Criterion) -> float:
    logits = torch.tensor(model.logits(rows[0]), dtype=torch.float32)
    return float(criterion(logits, torch.tensor(rows[1], dtype=torch.long)))


def _linear(steps: int) -> Callable[[int], float]:
    """Warm-up over the first tenth of the steps, then linear decay to zero."""
    warm = max(1, round(_WARM_UP * steps))
    return lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
