"""A small world in which severity-aware training must help, and its twin in which it cannot.

An answer has three parts: what to do, by the sign; care, by the complaint; and what to watch, by the patient.
Four danger signs are harmless as a rule, and an emergency beside two complaints each. The base has read everyday
rows, where every sign is harmless. In the training rows emergencies are few, so that plain cross-entropy, which the
rest dominates, still answers them as everyday matters when its steps are over; rows that weigh more are learnt.

In the *planted* world the severities say which rows these are. In the *null* world the same severities stand in
random order, spread evenly over the answers, and say nothing. ``planted.json`` holds the wording. It is invented
and no medical advice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from ...harness.core.errors import UserError
from ...harness.languages import Language
from ...harness.severity import Severity

Row = dict[str, str]
_Triple = tuple[str, str, str]

HARMLESS = "harmless"
"""Rows of a danger sign beside a complaint with which it means nothing: non-critical."""

COUNTS: dict[str, dict[str, int]] = {
    "test": {Severity.CRITICAL: 100, Severity.NEUTRAL: 100, Severity.NON_CRITICAL: 72, HARMLESS: 28},
    "validation": {Severity.CRITICAL: 8, Severity.NEUTRAL: 8, Severity.NON_CRITICAL: 6, HARMLESS: 2},
    "train": {Severity.CRITICAL: 80, Severity.NEUTRAL: 200, Severity.NON_CRITICAL: 400, HARMLESS: 160},
}
"""Rows of each split and kind."""

_EVERYDAY = {Severity.NEUTRAL: 500, Severity.NON_CRITICAL: 500, HARMLESS: 300}
_DRAWS = 1000
_FOLDER = Path(__file__).parent


def planted_codes() -> list[str]:
    """The languages that have a planted world."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/planted.json"))


def planted_rows(language: Language, seed: int = 0) -> dict[str, list[Row]]:
    """Rows of the planted world by split: ``id, question, answer, category, severity``.

    No test question is worded as a training question is, and no test row has the sign, complaint and patient of a
    row of another split.

    Args:
        language: of the texts.
        seed: the only source of randomness.

    Raises:
        UserError: the language has no planted world.
    """
    material, rng = _material(language), Random(f"planted {seed}")
    held: set[_Triple] = set()
    found = {}
    for split, counts in COUNTS.items():
        frames = material["test_frames" if split == "test" else "train_frames"]
        rows, triples = _rows(material, rng, frames, counts, held)
        held |= triples if split == "test" else set()
        found[split] = _numbered(f"planted-{split}", rows)
    return found


def null_rows(language: Language, seed: int = 0) -> dict[str, list[Row]]:
    """The rows of the planted world, the severities of each split in random order, spread evenly over its answers.

    Evenly, so that they say nothing in this one draw either: in a plain draw emergencies weigh more or less than
    others by chance, and training by such weights is truly better or worse.

    Raises:
        UserError: as ``planted_rows``.
    """
    rng = Random(f"null {seed}")
    found = {}
    for split, rows in planted_rows(language, seed).items():
        counts = Counter(row["severity"] for row in rows)
        spread = sorted(
            ((number + rng.random()) / count, severity)
            for severity, count in sorted(counts.items())
            for number in range(count)
        )
        alike = sorted(range(len(rows)), key=lambda place: (rows[place]["answer"], place))
        drawn = {place: severity for place, (_, severity) in zip(alike, spread, strict=True)}
        found[split] = [row | {"severity": drawn[place]} for place, row in enumerate(rows)]
    return found


def everyday_of_world(language: Language, seed: int = 0) -> list[Row]:
    """What the base of both worlds has read: training wordings, no emergency, none of the test's combinations.

    Raises:
        UserError: as ``planted_rows``.
    """
    material, rng = _material(language), Random(f"planted {seed}")
    _, held = _rows(material, rng, material["test_frames"], COUNTS["test"], set())
    rows, _ = _rows(material, Random(f"everyday {seed}"), material["train_frames"], _EVERYDAY, held)
    return _numbered("planted-everyday", rows)


def _rows(
    material: Mapping[str, Any], rng: Random, frames: Sequence[str], counts: Mapping[str, int], held: set[_Triple]
) -> tuple[list[Row], set[_Triple]]:
    """Shuffled rows with distinct questions, and their combinations, none of which is among the ``held``."""
    rows: dict[str, Row] = {}
    triples: set[_Triple] = set()
    for kind, count in counts.items():
        signs = list(material["signs"][Severity.CRITICAL if kind == HARMLESS else kind])
        for number in range(count):
            for _ in range(_DRAWS):
                triple, row = _drawn(material, rng, frames, kind, signs[number % len(signs)])
                if triple not in held and row["question"] not in rows:
                    break
            else:
                raise ValueError("the planted world cannot give that many rows; ask for fewer")
            triples.add(triple)
            rows[row["question"]] = row
    shuffled = list(rows.values())
    rng.shuffle(shuffled)
    return shuffled, triples


def _drawn(
    material: Mapping[str, Any], rng: Random, frames: Sequence[str], kind: str, sign: str
) -> tuple[_Triple, Row]:
    complaints = list(material["complaints"])
    severity = Severity.NON_CRITICAL if kind == HARMLESS else Severity(kind)
    meaning = material["signs"][Severity.CRITICAL if kind == HARMLESS else kind][sign]
    if isinstance(meaning, dict):
        complaints = [each for each in complaints if (each in meaning["with"]) == (kind != HARMLESS)]
        action = meaning["else" if kind == HARMLESS else "then"]
    else:
        action = meaning
    complaint, patient = rng.choice(complaints), rng.choice(list(material["patients"]))
    slots = {name: rng.choice(material[f"{name}s"]) for name in ("opener", "closer", "duration")}
    asked = rng.choice(frames).format(sign=sign, complaint=complaint, patient=patient, **slots)
    said = material["answer"].format(
        action=action, care=material["complaints"][complaint], watch=material["patients"][patient]
    )
    row = {"question": " ".join(asked.split()), "answer": said, "category": complaint, "severity": str(severity)}
    return (sign, complaint, patient), row


def _numbered(name: str, rows: Sequence[Row]) -> list[Row]:
    return [{"id": f"{name}-{number:05}", **row} for number, row in enumerate(rows, start=1)]


def demand_world(language: Language) -> None:
    """Raises:
    UserError: the language has no planted world.
    """
    if language.code not in planted_codes():
        raise UserError(
            f"there is no planted world in {language.name} ({language.code})",
            f"Choose one of: {', '.join(planted_codes())}",
        )


def _material(language: Language) -> dict[str, Any]:
    demand_world(language)
    return _read(language.code)


@cache
def _read(code: str) -> dict[str, Any]:
    material: dict[str, Any] = json.loads((_FOLDER / code / "planted.json").read_text(encoding="utf-8"))
    return material
