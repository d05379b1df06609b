"""Whether arms showed the severities alike while they trained.

An arm that sees critical rows less often, or at lower learning rates, learns less of them whatever else it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ..languages.sentences import sentence, severity, together
from .conditions import training_of
from .run import Saved

EQUAL = 0.05
"""Sums of learning rates that differ by less than this share are equal: parts of an epoch make such differences."""


def exposure_notes(runs: Sequence[Saved]) -> list[str]:
    """A sentence for each two arms that showed a severity unequally, with the figures. Arms of equal exposure stand
    together; of an arm with several trainings the mean counts. Trainings that do not say theirs are left out.
    """
    return [_sentence(one, other) for one, other in combinations(_alike(runs), 2)]


_Exposure = Mapping[str, Mapping[str, float]]
_Group = tuple[list[str], _Exposure]


def _alike(runs: Sequence[Saved]) -> list[_Group]:
    """Arms of equal exposure, and what it is of the first of them."""
    groups: list[_Group] = []
    for arm, exposure in _by_arm(runs):
        for arms, known in groups:
            if not _unequal(known, exposure):
                arms.append(arm)
                break
        else:
            groups.append(([arm], exposure))
    return groups


def _by_arm(runs: Sequence[Saved]) -> Iterator[tuple[str, _Exposure]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for training in filter(None, map(training_of, runs)):
        if training.get("exposure"):
            arm = "-".join(filter(None, (training["arm"], training.get("scheme"))))
            found.setdefault(arm, []).append(training["exposure"])
    for arm, given in sorted(found.items()):
        names = [name for name in given[0] if all(name in each for each in given)]
        yield (
            arm,
            {
                name: {key: float(np.mean([each[name][key] for each in given])) for key in given[0][name]}
                for name in names
            },
        )


def _unequal(one: _Exposure, other: _Exposure) -> list[str]:
    """The severities whose sums of learning rates differ."""
    return [
        name
        for name in one
        if name in other
        and abs(one[name]["rate"] - other[name]["rate"]) > EQUAL * max(one[name]["rate"], other[name]["rate"])
    ]


def _sentence(one: _Group, other: _Group) -> str:
    (first, shown), (second, against) = one, other
    parts = [
        sentence("exposure.one", stratum=severity(name), one=_figures(shown[name]), other=_figures(against[name]))
        for name in _unequal(shown, against)
    ]
    return sentence(
        "exposure",
        first=together(first, "list.and"),
        second=together(second, "list.and"),
        parts=together(parts, "list.comma"),
    )


def _figures(exposure: Mapping[str, float]) -> str:
    return f"{exposure['presentations']:.2f} ({exposure['rate']:.2f})"
