"""What several bases show together: a pair of arms over all answers, and whether critical changes by more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..languages.sentences import sentence, severity, together
from ..scores.signatures import Better
from ..severity import Severity
from ..statistics import OVERALL, Interaction
from ..statistics.over_models import OverModels, over_models
from ..statistics.significance import holm
from ..statistics.verdicts import ALPHA
from .comparison import Comparison

Pair = tuple[str, str]
"""The names of two arms, the subtracted one first."""


@dataclass(frozen=True)
class OverBases:
    """One pair of arms in one metric over all bases, all answers together."""

    first: str
    second: str
    metric: str
    found: OverModels

    def __str__(self) -> str:
        words = str(self.found)
        return sentence("over.pair", second=self.second, first=self.first, metric=self.metric, found=words)


@dataclass(frozen=True)
class InteractionOverBases:
    """The same of the change in critical less that in non_critical.

    Attributes:
        here: the change in critical itself, the mean over bases.
        better: which way the metric improves.
        p_holm: of ``found``, adjusted over the ``family`` metrics of the pair.
    """

    first: str
    second: str
    metric: str
    found: OverModels
    here: float
    better: Better
    p_holm: float | None = None
    family: int = 0

    @property
    def specific(self) -> bool:
        """Whether critical gains, and is found to gain more than non_critical."""
        if self.p_holm is None or self.p_holm >= ALPHA or self.better is Better.NEITHER:
            return False
        side = 1 if self.better is Better.HIGHER else -1
        return self.found.mean * side > 0 and self.here * side > 0

    def __str__(self) -> str:
        here, there = severity(Severity.CRITICAL), severity(Severity.NON_CRITICAL)
        found = str(self.found)
        if self.p_holm is not None and self.family > 1:
            found = sentence("over.holm", found=found, p=f"{self.p_holm:.2g}")
        named = {"second": self.second, "first": self.first, "metric": self.metric}
        parts = [sentence("over.change", **named, here=here, there=there, found=found)]
        if self.specific:
            parts.append(sentence("over.specific", here=here))
        elif self.p_holm is not None:
            parts.append(sentence("over.found" if self.p_holm < ALPHA else "over.not_shown"))
        return together(parts)


def over_bases(bases: Sequence[Mapping[Pair, Comparison]]) -> list[OverBases]:
    """Each pair that all of several bases have, over them, where every base has two trainings of both arms, in what
    is more than for screening."""
    found = []
    for pair, metric, made in _of_all(bases):
        if any(metric in each.screening for each in made):
            continue
        changes = [each.difference(metric, OVERALL) for each in made]
        errors = [each.error for each in changes if each.error]
        if len(errors) == len(bases):
            found.append(OverBases(*pair, metric, over_models([each.mean for each in changes], errors)))
    return found


def interactions_over(bases: Sequence[Mapping[Pair, Comparison]]) -> list[InteractionOverBases]:
    """As ``over_bases``, of the interaction; the metrics of a pair are one family."""
    found: dict[Pair, list[InteractionOverBases]] = {}
    for pair, metric, made in _of_all(bases):
        own = [each for compared in made for each in compared.interactions if each.metric == metric]
        errors = [each.error for each in own if each.error and _over_trainings(each)]
        if len(errors) == len(bases):
            over = over_models([each.mean for each in own], errors)
            here = sum(each.here for each in own) / len(own)
            found.setdefault(pair, []).append(InteractionOverBases(*pair, metric, over, here, own[0].better))
    return [each for family in found.values() for each in _adjusted(family)]


def _of_all(bases: Sequence[Mapping[Pair, Comparison]]) -> list[tuple[Pair, str, list[Comparison]]]:
    """Each pair and metric with its comparisons, if there are several bases and all have it."""
    if len(bases) < 2:
        return []
    common = [pair for pair in bases[0] if all(pair in each for each in bases)]
    return [(pair, metric, [each[pair] for each in bases]) for pair in common for metric in bases[0][pair].metrics]


def _over_trainings(interaction: Interaction) -> bool:
    return interaction.components is not None


def _adjusted(family: Sequence[InteractionOverBases]) -> list[InteractionOverBases]:
    tested = [each for each in family if each.found.p is not None]
    adjusted = iter(holm([each.found.p for each in tested if each.found.p is not None]))
    return [
        replace(each, p_holm=float(next(adjusted)), family=len(tested)) if each.found.p is not None else each
        for each in family
    ]
