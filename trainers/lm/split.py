"""How many rows of a step go through the model at once, chosen by the memory that passes are measured to take.

A step's gradient is the sum over its rows, however they are split (see ``order.py``): a split changes time, memory
and the rounding of sums, and with dropout which units are drawn, but not what is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...harness.core.errors import UserError
from ...harness.core.memory import available_bytes, give_back
from ..losses.modes import LossMode
from ..losses.token_loss import TokenLoss, cross_entropy
from ..losses.weighted import answer_lengths
from .batches import Collator, Examples
from .causal import weighted_forward
from .config import TrainConfig
from .cost import peak_memory_bytes, reset_peak_memory

_SHARE = 0.85
"""Of the free memory; the rest is for what the measured passes lack, such as the optimizer's moments."""


class NoRoom(UserError):
    """What a step at least needs does not fit into memory."""


Measure = Callable[[int], int]
"""From a number of rows to the bytes that a pass of them takes."""


@dataclass(frozen=True)
class Split:
    """``rows`` go through the model at once, ``accumulation`` times a step."""

    rows: int
    accumulation: int

    @classmethod
    def of(cls, rows: int, effective: int) -> Split:
        """A step of ``effective`` rows on this process in passes of ``rows``.

        Raises:
            UserError: they do not divide it.
        """
        if effective % rows:
            raise UserError(
                f"micro_batch {rows} does not divide the {effective} rows of a step on a process "
                "(batch_size x accumulation)",
                f"Use one of {', '.join(map(str, divisors(effective)))}, or auto",
            )
        return cls(rows, effective // rows)


def given_split(config: TrainConfig) -> Split | None:
    """The split that the settings say; None where it is to be measured.

    Raises:
        UserError: as ``Split.of``.
    """
    if config.micro_batch is None:
        return Split(config.batch_size, config.accumulation)
    if not isinstance(config.micro_batch, int):
        return None
    return Split.of(config.micro_batch, config.batch_size * config.accumulation)


def divisors(number: int) -> list[int]:
    """Of a number, the smallest first."""
    return [each for each in range(1, number + 1) if number % each == 0]


def fitting(effective: int, measure: Measure, free: int | None) -> Split:
    """The largest pass that fits.

    One row is measured first, and larger passes only where the line through the last two leaves them room: a pass
    that would not fit is not tried, since on a CPU it would end the process. Without knowledge of ``free`` bytes it
    is one row.

    Args:
        effective: rows of a step on this process.
        measure: raises ``torch.OutOfMemoryError`` where so many rows do not fit.
        free: bytes that passes may take.

    Raises:
        NoRoom: not even one row fits.
    """
    sizes = divisors(effective)
    taken: list[tuple[int, int]] = []
    for rows in sizes:
        if taken and (free is None or _expected(taken, rows) > _SHARE * free):
            break
        try:
            needed = measure(rows)
        except torch.OutOfMemoryError:
            break
        if free is not None and needed > _SHARE * free and taken:
            break
        if free is not None and needed > free:
            break
        taken.append((rows, needed))
    if not taken:
        left = "" if free is None else f"; {free / 1e9:.2f} GB are free"
        raise NoRoom(
            f"not even a pass of one row fits into memory{left}",
            "Lower max_length, --set gradient_checkpointing=true, or take a smaller base or --set method=lora",
        )
    return Split.of(taken[-1][0], effective)


def _expected(taken: list[tuple[int, int]], rows: int) -> float:
    """By the line through the last two measured passes; through one and nothing, if there is one alone."""
    (one, small), (other, large) = [(0, 0), *taken][-2:]
    return large + (large - small) / (other - one) * (rows - other)


def free_bytes() -> int | None:
    """Of the GPU where there is one, else of this machine; None where nobody says."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return available_bytes()


def measured_split(
    model: Any,
    examples: Examples,
    collator: Collator,
    effective: int,
    mode: LossMode,
    token_loss: TokenLoss = cross_entropy,
) -> Split:
    """The largest pass that fits, by forward and backward passes over the longest rows.

    The model is left as it was, random state included.

    Args:
        effective: rows of a step on this process.

    Raises:
        NoRoom: as ``fitting``.
    """
    longest = np.argsort(-examples.lengths, kind="stable")[:effective]
    device = next(model.parameters()).device
    # AdamW keeps two moments of every weight that is trained, from the first step on.
    moments = sum(2 * part.numel() * part.element_size() for part in model.parameters() if part.requires_grad)

    def measure(rows: int) -> int:
        batch = collator([examples[int(place)] for place in longest[:rows]])
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        coefficients = mode.coefficients(batch["weights"], answer_lengths(batch["labels"]))
        give_back()
        reset_peak_memory()
        before = peak_memory_bytes()
        try:
            model(**batch, coefficients=coefficients)["loss"].backward()
            return int(peak_memory_bytes() - before + moments)
        finally:
            model.zero_grad()

    model.train()
    with torch.random.fork_rng(), weighted_forward(model, token_loss):
        # The first pass pays for what later ones find done; where it has no room, the next says so.
        with suppress(torch.OutOfMemoryError):
            measure(1)
        return fitting(effective, measure, free_bytes())
