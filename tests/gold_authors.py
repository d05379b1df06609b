"""Who wrote the gold answers, which of them no rule was written on, and what the detectors first made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maqa_severity.harness.core.files import sha256_text
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.harness.metrics.safety.card import Detector, pooled
from maqa_severity.tests import model_gold, third_gold
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.later_gold import LATER
from maqa_severity.tests.tongues import ARABIC, ENGLISH

_DATA = Path(__file__).parent / "data"
GOLD = {ARABIC: _DATA / "gold_answers.jsonl", ENGLISH: _DATA / "gold_answers_en.jsonl"}
FIRST_AUTHOR = "project"
THIRD, THIRD_REAL = "third", "third, real answers"
_OF_THIRD = {THIRD: ("written",), THIRD_REAL: ("real", "real, altered reference", "real, other answer")}


@dataclass(frozen=True)
class Author:
    """``rows`` are the held-out ones; empty where their texts are not at hand."""

    name: str
    rows: list[dict[str, Any]]
    first_seen: dict[str, Detector] = field(default_factory=dict)

    @property
    def unseen(self) -> bool:
        """Whether it is another author than the rules' first."""
        return self.name != FIRST_AUTHOR


def gold_rows(language: Language = ARABIC) -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOLD[language].read_text(encoding="utf-8").splitlines()]


def authors(language: Language, workbook: Path = FALAH) -> list[Author]:
    """Everybody who annotated answers of a language."""
    held_out = [row for row in gold_rows(language) if row["half"] == "held_out"]
    names = dict.fromkeys(row["author"] for row in held_out)
    first = {"second": _figures(json.loads((_DATA / "first_seen_second.json").read_text())["detectors"])}
    found = [
        Author(name, [row for row in held_out if row["author"] == name], first.get(name, {}))
        for name in sorted(names, key=lambda name: name != FIRST_AUTHOR)
    ]
    return found + (_third(workbook) if language is ARABIC else []) + _later(language)


def _third(workbook: Path) -> list[Author]:
    parts = third_gold.parts(workbook)
    first = json.loads((_DATA / "first_seen_third.json").read_text())["parts"]
    return [
        Author(
            name,
            [row for kind in kinds for row in parts.get(kind, []) if not third_gold.is_development(row)],
            pooled(_figures(first[kind]) for kind in kinds),
        )
        for name, kinds in _OF_THIRD.items()
    ]


def _later(language: Language) -> list[Author]:
    """Without first-seen figures none of their answers have been measured yet."""
    return [
        Author(
            each.name,
            each.held_out(),
            _figures(json.loads(each.first_seen.read_text())["detectors_on"]) if each.first_seen.exists() else {},
        )
        for each in LATER
        if each.language is language
    ]


def model_answers(workbook: Path = FALAH) -> Author:
    """The fourth author's, beside the card and not in it: texts of one model that are much alike decide nothing."""
    first = json.loads((_DATA / "first_seen_model.json").read_text())["parts"]["model"]
    held_out = [row for row in model_gold.joined_rows(workbook) if row["half"] == "held_out"]
    return Author(model_gold.FOURTH, held_out, _figures(first))


def gold_digest(language: Language) -> str:
    """Of all files of annotated answers of a language."""
    third = [third_gold.WRITTEN, third_gold.REAL] if language is ARABIC else []
    files = [GOLD[language], *third, *(each.path for each in LATER if each.language is language)]
    return sha256_text("".join(sha256_text(path.read_text(encoding="utf-8")) for path in files))[:12]


def _figures(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, Detector]:
    """Counts of the detectors that tables show."""
    return {
        name: Detector(**{key: columns[name][key] for key in Detector.model_fields})
        for name in columns_of(Group.SAFETY)
        if name in columns
    }
