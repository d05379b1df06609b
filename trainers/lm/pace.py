"""How long the updates of two weightings are, measured before a training that takes its learning rate from that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt

import torch

from ...harness.core.errors import UserError
from ...harness.core.settings import Record
from ..losses.weighted import answer_lengths
from .batches import Collator, Examples
from .causal import weighted_forward
from .config import Precision, TrainConfig
from .plan import Plan

STEPS = 16
"""Steps that are tried, or all where a training has fewer."""


class Pace(Record):
    """Mean norm of the updates of all trained parameters over the first ``steps`` of a training, from the same
    start and over the same rows: under ``plain`` cross-entropy, and ``weighted``; ``ratio`` is the second over the
    first."""

    steps: int
    plain: float
    weighted: float
    ratio: float


def measured_pace(
    model: torch.nn.Module,
    plain: Examples,
    weighted: Examples,
    collator: Collator,
    plan: Plan,
    rows: int,
    config: TrainConfig,
) -> Pace:
    """Try the first steps of both, at the peak learning rate, without warm-up and weight decay and with the same
    draws of dropout. AdamW and clipping are those of the training. The model is left as it was.

    Args:
        plain: the examples in the order of the plan with weights of one; ``weighted`` with the other weights.
        rows: that go through the model at once.

    Raises:
        UserError: an update is not finite, or plain cross-entropy makes none.
    """
    steps = min(STEPS, plan.steps)
    found = [_mean_update(model, each, collator, plan, steps, rows, config) for each in (plain, weighted)]
    ratio = found[1] / found[0] if found[0] else float("nan")
    if not 0 < ratio < float("inf"):
        raise UserError(
            f"the updates of plain cross-entropy are {found[0]:g} long, and {found[1]:g} under the weights",
            "Lower learning_rate, or leave the arm paced out",
        )
    return Pace(steps=steps, plain=found[0], weighted=found[1], ratio=ratio)


def _mean_update(
    model: torch.nn.Module,
    examples: Examples,
    collator: Collator,
    plan: Plan,
    steps: int,
    rows: int,
    config: TrainConfig,
) -> float:
    trained = [each for each in model.parameters() if each.requires_grad]
    device, window = trained[0].device, plan.effective_batch
    norms = []
    with _restored(trained), torch.random.fork_rng(), weighted_forward(model):
        torch.manual_seed(config.seed)
        model.train()
        optimizer = torch.optim.AdamW(trained, lr=config.learning_rate, weight_decay=0.0)
        for step in range(steps):
            places = range(step * window, (step + 1) * window)
            batches = [
                collator([examples[place] for place in places[start : start + rows]])
                for start in range(0, window, rows)
            ]
            shares = [
                config.loss.denominator(batch["weights"], answer_lengths(batch["labels"])) for batch in batches
            ]
            total = float(torch.stack(shares).sum())
            for batch in batches:
                given = {name: part.to(device) for name, part in batch.items()}
                coefficients = config.loss.coefficients(given["weights"], answer_lengths(given["labels"]))
                with torch.autocast(device.type, torch.bfloat16, enabled=config.precision is Precision.BF16):
                    output = model(**{**given, "coefficients": coefficients})
                loss = output["loss"] * (1 / total if total else 0.0)
                if "auxiliary" in output:
                    loss = loss + output["auxiliary"] / len(batches)
                loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, config.max_grad_norm)
            before = [each.detach().clone() for each in trained]
            optimizer.step()
            optimizer.zero_grad()
            changes = (
                float((now.detach() - then).float().square().sum())
                for now, then in zip(trained, before, strict=True)
            )
            norms.append(sqrt(sum(changes)))
    return sum(norms) / steps


@contextmanager
def _restored(parameters: list[torch.nn.Parameter]) -> Iterator[None]:
    """Afterwards they are what they were, without gradients."""
    saved = [each.detach().clone() for each in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for each, value in zip(parameters, saved, strict=True):
                each.copy_(value)
                each.grad = None
