"""What a detector found, and where: the words that a page can show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..languages.sentences import sentence

COLUMN = "findings"
"""The column of ``scores.parquet`` that holds each answer's findings as JSON text."""


class Where(StrEnum):
    """Which text a span lies in."""

    ANSWER = "answer"
    QUESTION = "question"
    REFERENCE = "reference"


# To look up is several times as fast as to make.
_WHERE = {str(each): each for each in Where}


@dataclass(frozen=True)
class Finding:
    """``start`` to ``end`` are characters of the text ``where`` as it is stored, ``end`` not included.

    ``detector`` is the column that it explains, ``rule`` what found it. Both ends are 0 where what is missing was
    found ("no advice to go"): there are no words to show.
    """

    detector: str
    rule: str
    start: int
    end: int
    where: Where = Where.ANSWER


def to_text(findings: Iterable[Finding]) -> str:
    """Findings as one line of JSON: a list of ``[detector, rule, start, end, where]``."""
    rows = [[each.detector, each.rule, each.start, each.end, str(each.where)] for each in findings]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> tuple[Finding, ...]:
    """What ``to_text`` wrote.

    Raises:
        ValueError: it is something else.
    """
    rows: Any = json.loads(text)
    try:
        return tuple(
            Finding(str(detector), str(rule), int(start), int(end), _WHERE.get(where) or Where(where))
            for detector, rule, start, end, where in rows
        )
    except TypeError as error:
        raise ValueError(f"no list of findings: {error}") from None


def spans_note(findings: Iterable[str] | None) -> str:
    """A line for whoever shows scores: how many words are marked, or that the scores are from before marks."""
    if findings is None:
        return sentence("spans.none")
    return sentence("spans", n=f"{sum(len(json.loads(text)) for text in findings):,}")
