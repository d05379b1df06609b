"""The flags of one answer, and its text in parts of which those that fired them are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..harness.runs.run import Run
from ..harness.scores.findings import Finding, Where, from_text
from .wrong import Wrong


@dataclass(frozen=True)
class Piece:
    """Part of a text; ``why`` names what fired on it, empty where nothing did."""

    text: str
    why: str


class Flagged:
    """What is flagged of a run's answers, by the id of the question."""

    def __init__(self, run: Run, ways: Sequence[Wrong], side: int) -> None:
        """``ways`` are by the order of their first run's answers, ``side`` is the run's place in them."""
        self._ways = [way for way in ways if way.below is None]
        self._flags = [way.flagged[side] for way in self._ways]
        self._spans = (
            {}
            if run.scores.findings is None
            else dict(zip(run.scores.frame["id"].tolist(), run.scores.findings.tolist(), strict=True))
        )
        self.marked = run.scores.findings is not None
        self._rows: dict[str, int] = {}

    def over(self, ids: Sequence[str]) -> Flagged:
        """With the ids of the first run's answers, in order."""
        self._rows = {name: row for row, name in enumerate(ids)}
        return self

    def names(self, name: str) -> list[str]:
        """The columns that flag the answer."""
        row = self._rows[name]
        return [way.column for way, flags in zip(self._ways, self._flags, strict=True) if flags[row]]

    def pieces(self, name: str, text: str, where: str = Where.ANSWER) -> list[Piece]:
        """The text in parts, of which those that a flag rests on are marked."""
        flagged = set(self.names(name))
        found = [
            each
            for each in from_text(self._spans.get(name, "[]"))
            if each.where == where and each.detector in flagged and each.end > each.start
        ]
        return _cut(text, found)


def _cut(text: str, found: Sequence[Finding]) -> list[Piece]:
    cuts = sorted({0, len(text), *(end for each in found for end in (each.start, each.end) if end <= len(text))})
    return [
        Piece(
            text[start:end],
            "; ".join(
                dict.fromkeys(
                    f"{each.detector}: {each.rule}" for each in found if each.start <= start and each.end >= end
                )
            ),
        )
        for start, end in pairwise(cuts)
    ]
