"""Raters whose judgement is known: sheets of planted runs, and files as they send them back."""

import json
from pathlib import Path

import numpy as np
from maqa_severity.harness.core.files import sha256_text
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.ratings.collected import Ratings, join
from maqa_severity.ratings.draw import Candidate, Draw, draw
from maqa_severity.ratings.forms import FORMS, Kind


def candidates(count: int, answers: int = 2) -> list[Candidate]:
    """Questions in turn of each severity, whose texts name them."""
    return [
        Candidate(
            id=f"q{number}",
            severity=str(SEVERITIES[number % 3]),
            category="c",
            question=f"question {number}",
            answers=tuple(f"answer {side} to {number}" for side in range(answers)),
            disagreement=0.0,
        )
        for number in range(count)
    ]


def sheet_of(kind: Kind, count: int, sides=("ce", "severity"), **how):
    """A sheet and key over so many questions, none of them chosen for disagreement."""
    settings = {"questions": count, "disagreement": 0.0, "repeats": 0.0} | how
    return draw(kind, "ar", "planted", sides, candidates(count, len(sides)), Draw(**settings))


def value_at(ask, points: float) -> str:
    """The value whose points are nearest."""
    return min(ask.values, key=lambda value: abs(ask.points[value] - points))


def rated(folder: Path, key, judge, raters: int) -> Ratings:
    """What raters send back who give ``judge(rater, item, ask)`` points."""
    files = []
    for rater in range(raters):
        ratings = [
            {
                "item": each.item,
                "values": {ask.name: value_at(ask, judge(rater, each, ask)) for ask in FORMS[key.kind]},
            }
            for each in key.items
        ]
        file = folder / f"ratings_{rater}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {"version": 1, "sheet": key.sheet, "kind": key.kind, "rater": f"r{rater}", "ratings": ratings}
        file.write_text(json.dumps(content))
        files.append(file)
    return join(key, files)


def uniform(*parts: object) -> float:
    """A number from 0 to 1 that its parts decide."""
    return int(sha256_text(repr(parts))[:12], 16) / 16**12


def normal(*parts: object) -> float:
    """Standard normal, likewise."""
    return float(np.sqrt(-2 * np.log(1 - uniform("r", *parts))) * np.cos(2 * np.pi * uniform("a", *parts)))
