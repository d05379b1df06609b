"""Which example is shown when: fixed before training starts, the same for every arm of an experiment."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

BLANK = -1
"""Fills the last window: an example without labels, which counts for nothing."""


def steps_for(rows: int, epochs: float, effective_batch: int) -> int:
    """Optimizer steps that show every row ``epochs`` times."""
    return math.ceil(round(rows * epochs) / effective_batch)


def stage_passes(rows: Rows, epochs: float, effective_batch: int, seed: int, number: int) -> Rows:
    """The rows of one stage ``epochs`` times, filled up to whole steps with ``BLANK``: the stage is a training of
    its own, the ``number``-th."""
    total = round(len(rows) * epochs)
    blanks = steps_for(len(rows), epochs, effective_batch) * effective_batch - total
    return np.concatenate([_passes(rows, total, [seed, number]), np.full(blanks, BLANK)]).astype(np.int64)


def spread(times: npt.NDArray[np.float64], seed: int, strata: Rows | None = None) -> Rows:
    """Row numbers in random order, each row as often as ``times`` (n,) says, shape (the sum of them, rounded,).

    A row between two whole numbers of times gets one of the two, at random and so that the sum is met (systematic
    sampling). What is shown k times is shown once in each k-th part of the training, at a random place; the same
    holds of all that is shown of a stratum, for ``strata`` (n,), so that early and late steps have its share.
    """
    rng = np.random.default_rng(seed)
    total = round(float(times.sum()))
    mixed = rng.permutation(len(times))
    if strata is not None:
        mixed = mixed[np.argsort(strata[mixed], kind="stable")]
    bounds = np.floor(np.cumsum(times[mixed]) + rng.random()).astype(np.int64)
    bounds[-1] = total
    counts = np.diff(bounds, prepend=0)
    rows, each = np.repeat(mixed, counts), np.repeat(counts, counts)
    number = np.arange(total) - np.repeat(bounds - counts, counts)
    place = (number + rng.random(total)) / each
    kinds = np.zeros(0, np.int64) if strata is None else strata[rows]
    for stratum in np.unique(kinds):
        own = np.flatnonzero(kinds == stratum)
        place[own[np.argsort(place[own])]] = (np.arange(len(own)) + rng.random(len(own))) / len(own)
    found: Rows = rows[np.argsort(place, kind="stable")]
    return found


def presentation(stages: Sequence[Rows], rows: int, epochs: float, effective_batch: int, seed: int) -> Rows:
    """Row numbers in the order of training, shape (steps × effective batch,), ``BLANK`` at the very end.

    Every stage gets an equal share of the ``rows × epochs`` presentations and passes over its rows in a new random
    order as often as that takes. One stage of all rows is ordinary training; the curriculum has three. Nothing is
    dropped and nothing shown twice to fill a batch, so the split into processes, micro-batches and accumulation
    steps changes nothing.
    """
    total = round(rows * epochs)
    bounds = [round(total * stage / len(stages)) for stage in range(len(stages) + 1)]
    shown = [
        _passes(stage, bounds[number + 1] - bounds[number], [seed, number]) for number, stage in enumerate(stages)
    ]
    blanks = steps_for(rows, epochs, effective_batch) * effective_batch - total
    return np.concatenate([*shown, np.full(blanks, BLANK)]).astype(np.int64)


def sorted_windows(order: Rows, lengths: Rows, effective_batch: int) -> Rows:
    """The order with the longest examples first in each step, for lengths (n,) in tokens: a step's loss does not
    depend on the order inside it, and micro-batches of like lengths have little padding."""
    windows = order.reshape(-1, effective_batch)
    found = np.where(windows == BLANK, 0, lengths[windows])
    sorted_order: Rows = np.take_along_axis(windows, np.argsort(-found, axis=1, kind="stable"), axis=1).reshape(-1)
    return sorted_order


def order_sha256(order: Rows) -> str:
    """Digest of an order, for the manifest."""
    return hashlib.sha256(order.astype("<i8").tobytes()).hexdigest()


def _passes(rows: Rows, count: int, seed: list[int]) -> Rows:
    rng = np.random.default_rng(seed)
    passes = [rng.permutation(rows) for _ in range(math.ceil(count / len(rows)))]
    return np.concatenate([*passes, np.empty(0, np.int64)])[:count]
