"""Labelled complaints as a classifier is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...harness.core.errors import UserError
from ...harness.data.dataset import SPLITS, Dataset
from ...harness.labelling.quality.check import severity_ranks
from ...harness.labelling.quality.report_card import Ranks, class_names
from .groups import group_rows

LEAST = 5
"""Rows of each severity that a classifier needs."""


@dataclass(frozen=True)
class Rows:
    """Labelled complaints: questions, true ranks of shape (n,), and the group of each, which no fold cuts.

    ``grouped_by`` says in words what the groups are. ``ids`` are empty where nobody asks for them.
    """

    questions: list[str]
    ranks: Ranks
    groups: list[str]
    grouped_by: str = "category"
    ids: tuple[str, ...] = ()

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """The rows at these positions."""
        ids = tuple(self.ids[at] for at in rows) if self.ids else ()
        groups = [self.groups[at] for at in rows]
        return Rows([self.questions[at] for at in rows], self.ranks[rows], groups, self.grouped_by, ids)


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows of several parts."""
    return Rows(
        [question for part in parts for question in part.questions],
        np.concatenate([part.ranks for part in parts]),
        [group for part in parts for group in part.groups],
        parts[0].grouped_by,
        tuple(key for part in parts for key in part.ids),
    )


def read_rows(dataset: Dataset) -> dict[str, Rows]:
    """The labelled rows of each split; groups are those of all splits together."""
    frames = {}
    for name in SPLITS:
        frame = dataset.split(name)
        frames[name] = frame[severity_ranks(frame["severity"]) >= 0]
    whole = pd.concat([frames[name] for name in SPLITS], ignore_index=True)
    ranks = severity_ranks(whole["severity"])
    groups, words = group_rows(whole, ranks, dataset.language)
    everything = Rows(whole["question"].tolist(), ranks, groups, words, tuple(whole["id"].astype(str)))
    ends = np.cumsum([len(frames[name]) for name in SPLITS])
    cuts = np.split(np.arange(len(whole)), ends[:-1])
    return {name: everything.take(places) for name, places in zip(SPLITS, cuts, strict=True)}


def demand_classes(rows: Rows, where: str) -> None:
    """Raises:
    UserError: a severity has too few rows to learn it and to calibrate on it.
    """
    counts = np.bincount(rows.ranks, minlength=3)
    if counts.min() < LEAST:
        missing = class_names()[int(counts.argmin())]
        raise UserError(
            f"{where} has {counts.min()} rows labelled {missing}; a classifier needs {LEAST} of each",
            "Label the dataset with `maqa label`, or give a file with more labels",
        )
