"""Similarity to several references: of the first, the best over all, or their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..scores.references import References
from ..scores.signatures import OVER_REFERENCES
from .base import Answers, Metric, Scores
from .registry import COLUMNS, Group


@dataclass(frozen=True)
class OverReferences:
    """A metric of similarity over all references of each answer; ``over`` is the best or the mean.

    Every pair of answer and reference is scored once, in one batch, and then reduced. What a metric says of a
    reference beside its similarity (a part) is that of the largest. The signature ends with ``references:best`` or
    ``references:mean``.
    """

    metric: Metric
    over: References

    @property
    def columns(self) -> tuple[str, ...]:
        return self.metric.columns

    @property
    def signatures(self) -> dict[str, str]:
        return {
            name: signature if "refs:0" in signature.split("|") else f"{signature}|{OVER_REFERENCES}:{self.over}"
            for name, signature in self.metric.signatures.items()
        }

    def score(self, answers: Answers) -> dict[str, Scores]:
        listed = [
            list(given) if given is not None and len(given) else [first]
            for first, given in zip(
                answers.references, answers.all_references or [None] * len(answers), strict=True
            )
        ]
        counts = np.array([len(each) for each in listed])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
        rows = np.repeat(np.arange(len(answers)), counts).tolist()
        pairs = Answers(
            predictions=[answers.predictions[row] for row in rows],
            references=[reference for each in listed for reference in each],
            questions=None if answers.questions is None else [answers.questions[row] for row in rows],
            severities=None if answers.severities is None else [answers.severities[row] for row in rows],
        )
        found: dict[str, Scores] = {}
        for name, values in self.metric.score(pairs).items():
            if self.over is References.MEAN and COLUMNS[name].group is Group.SIMILARITY:
                found[name] = np.clip(np.add.reduceat(values, starts) / counts, 0, 100)
            else:
                found[name] = np.maximum.reduceat(values, starts)
        return found


def over_references(metrics: Sequence[Metric], over: References) -> list[Metric]:
    """The metrics, those of similarity over all references; as they are where only the first counts."""
    if over is References.FIRST:
        return list(metrics)
    return [
        OverReferences(each, over) if COLUMNS[each.columns[0]].group is Group.SIMILARITY else each
        for each in metrics
    ]


def with_one_reference(metric: Metric) -> Metric:
    """The metric itself, of one that is taken over references."""
    return metric.metric if isinstance(metric, OverReferences) else metric
