"""The grammar that expands the synthetic training split, and an everyday part for pre-training tiny models.

``grammar.json`` holds the shared wording (openers, closers, slot fillers, frames of answers),
``grammar_<severity>.json`` the medical situations and ``grammar_everyday.json`` the non-medical material.
All of it is invented and none of it is medical advice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from ...harness.languages import Language
from ...harness.languages.text import Profile, normalise
from ...harness.severity import SEVERITIES

MAX_ANSWER_REPEATS = 15
"""How often one answer may occur among the medical rows."""

_DRAWS = 400
_SLOT = re.compile(r"\{(\w+)\}")


def medical_rows(language: Language, rows_per_severity: int = 1000, seed: int = 0) -> list[dict[str, str]]:
    """Synthetic medical rows for training.

    In: the language, the number of rows of each severity, and the seed of the only source of randomness.
    Out: rows with ``id``, ``question``, ``answer``, ``category``, ``severity`` and ``dialect``, in an order that
    interleaves them; normalised questions are distinct, an answer occurs at most ``MAX_ANSWER_REPEATS`` times.
    Raised: ``ValueError`` when the grammar cannot produce that many rows.
    """
    rng = Random(seed)
    shared = _material(language, "grammar.json")
    seen: set[str] = set()
    answers: Counter[str] = Counter()
    rows: list[dict[str, str]] = []
    for severity in SEVERITIES:
        frame = shared["answers"][severity]
        situations = _material(language, f"grammar_{severity}.json")["situations"]
        rng.shuffle(situations)
        for number in range(rows_per_severity):
            situation = situations[number % len(situations)]
            dialects = list(situation["questions"])

            def question(situation: Any = situation, dialects: Sequence[str] = dialects) -> tuple[str, str]:
                dialect = rng.choice(dialects)
                return _question(situation["questions"][dialect], shared, dialect, rng), dialect

            def answer(situation: Any = situation, frame: Any = frame) -> tuple[str, str]:
                return _answer(situation["answers"], frame, shared["marks"], rng), ""

            asked, dialect = _draw(question, lambda text: _plain(text, language) not in seen)
            seen.add(_plain(asked, language))
            said, _ = _draw(answer, lambda text: answers[_plain(text, language)] < MAX_ANSWER_REPEATS)
            answers[_plain(said, language)] += 1
            row = {"question": asked, "answer": said, "category": situation["category"]}
            rows.append({**row, "severity": severity.value, "dialect": dialect})
    return _numbered(rows, "grammar", rng)


def everyday_rows(language: Language, rows: int = 2000, seed: int = 0) -> list[dict[str, str]]:
    """Questions and answers about everyday life, with nothing medical in them, for pre-training.

    In: the language, the number of rows, and the seed of the only source of randomness.
    Out: rows with ``id``, ``question``, ``answer`` and ``topic``; normalised questions are distinct.
    Raised: ``ValueError`` when the grammar cannot produce that many rows.
    """
    rng = Random(seed)
    material = _material(language, "grammar_everyday.json")
    topics = list(material["topics"].items())
    seen: set[str] = set()
    result: list[dict[str, str]] = []
    for number in range(rows):
        topic, part = topics[number % len(topics)]

        def exchange(part: Any = part) -> tuple[str, str]:
            template = rng.choice(part["templates"])
            bound = {name: rng.choice(fillers) for name, fillers in part["slots"].items()}
            asked = _fill(rng.choice(template["questions"]), bound)
            return _join(rng.choice(material["openers"]), asked), _fill(rng.choice(template["answers"]), bound)

        asked, said = _draw(exchange, lambda text: _plain(text, language) not in seen)
        seen.add(_plain(asked, language))
        result.append({"question": asked, "answer": said, "topic": topic})
    return _numbered(result, "everyday", rng)


def _question(core: str, shared: Mapping[str, Any], dialect: str, rng: Random) -> str:
    slots = shared["slots"]["any"] | shared["slots"][dialect]
    text = _fill(core, {name: rng.choice(fillers) for name, fillers in slots.items()})
    marks = shared["marks"]
    asked = text.endswith(marks["question"])
    closers = shared["thanks" if asked else "asks"][dialect]
    closer = rng.choice(closers)
    mark = "" if asked or not closer else rng.choice([marks["comma"], marks["full_stop"]])
    return _join(rng.choice(shared["openers"][dialect]), text + mark, closer)


def _answer(cores: Sequence[str], frame: Mapping[str, Sequence[str]], marks: Mapping[str, str], rng: Random) -> str:
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(frame["stubs"])
    core = _join(*cores[:2]) if kind < 0.3 else rng.choice(cores)
    # A comma, since a tiny model that sees a full stop takes it for the end of the answer.
    lead = ""
    if rng.random() < 0.35:
        lead = rng.choice(frame["leads"]).removesuffix(marks["full_stop"]) + marks["comma"]
    tail = rng.choice(frame["tails"]) if rng.random() < 0.3 else ""
    return _join(lead, core, tail)


def _draw(draw: Callable[[], tuple[str, str]], accept: Callable[[str], bool]) -> tuple[str, str]:
    for _ in range(_DRAWS):
        text, other = draw()
        if accept(text):
            return text, other
    raise ValueError("the grammar cannot produce that many distinct rows; ask for fewer")


def _plain(text: str, language: Language) -> str:
    return normalise(text, Profile.METRIC, language)


def _fill(text: str, fillers: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: fillers[slot[1]], text)


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _numbered(rows: list[dict[str, str]], prefix: str, rng: Random) -> list[dict[str, str]]:
    rng.shuffle(rows)
    return [{"id": f"{prefix}-{number:05}", **row} for number, row in enumerate(rows, start=1)]


@cache
def _text(code: str, name: str) -> str:
    return (Path(__file__).parent / code / name).read_text(encoding="utf-8")


def _material(language: Language, name: str) -> dict[str, Any]:
    material: dict[str, Any] = json.loads(_text(language.code, name))
    return material
