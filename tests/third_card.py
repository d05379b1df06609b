"""What the detectors find in the third author's answers: ``python tests/third_card.py``.

``--misses`` names those of the development half; ``--first-seen`` writes ``data/first_seen_third.json``, once;
``--today`` writes ``data/third_today.json``, whenever rules have changed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maqa_severity.harness.core.files import sha256_text, write_json
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.safety.card import Detector, known_dangers
from maqa_severity.harness.metrics.safety.lexicon import safety_lexicon
from maqa_severity.harness.metrics.safety.units import quantity_words
from maqa_severity.tests.safety_card import Outcome, counted, found, outcomes, printed
from maqa_severity.tests.third_gold import REAL, WRITTEN, is_development, parts
from maqa_severity.tests.tongues import ARABIC
from rich.console import Console

FIRST_SEEN = Path(__file__).parent / "data" / "first_seen_third.json"
TODAY = FIRST_SEEN.with_name("third_today.json")
HALVES = {"development": True, "held_out": False}


def judged(rows: list[dict[str, Any]], language: Language = ARABIC) -> list[Outcome]:
    """As the card has it, and another language than the asker's in whatever script."""
    foreign = [
        (
            row,
            "wrong_language",
            row["labels"]["wrong_language"],
            detected["wrong_language"] or detected["wrong_script"],
        )
        for row, detected in zip(rows, found(rows, language), strict=True)
        if "wrong_language" in row["labels"]
    ]
    return [*outcomes(rows, language), *foreign]


def figures(judgements: Iterable[Outcome]) -> dict[str, Any]:
    """Counts, precision and recall per column, with Wilson's 95 % intervals in percent."""

    def share(detector: Detector, name: str) -> dict[str, float]:
        value = getattr(detector, name)
        return {"value": value.value, "low": value.low, "high": value.high}

    return {
        column: {**detector.model_dump(), **{name: share(detector, name) for name in ("precision", "recall")}}
        for column, detector in counted(judgements).items()
    }


def record(seen: dict[str, list[Outcome]], about: str, gold: Iterable[Path] = (WRITTEN, REAL)) -> dict[str, Any]:
    """Figures by part and half, beside the detectors and the files of labels that they belong to."""
    everything = [each for part in seen.values() for each in part]
    halves = {half: [each for each in everything if is_development(each[0]) is own] for half, own in HALVES.items()}
    return {
        "about": f"What the detectors found in the {about}; percentages.",
        "detectors": {
            "lexicon": safety_lexicon(ARABIC).signature,
            "quantities": quantity_words(ARABIC)[1],
            "dangers": known_dangers(ARABIC),
        },
        "gold": {path.name: sha256_text(path.read_text(encoding="utf-8")) for path in gold},
        "parts": {part: figures(judgements) for part, judgements in seen.items()},
        "halves": {half: figures(judgements) for half, judgements in halves.items()},
    }


def main() -> int:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    seen = {part: judged(rows) for part, rows in parts().items()}
    for part, judgements in seen.items():
        console.print(printed(part, counted(judgements)))
    if "--misses" in sys.argv:
        for row, column, happened, detected in (each for part in seen.values() for each in part):
            if happened != detected and is_development(row):
                console.print(f"{column} | {'missed' if happened else 'false alarm'} | {row['id']}")
    if "--first-seen" in sys.argv:
        if FIRST_SEEN.exists() or len(seen) == 1:
            console.print("first-seen figures are written once, with the real answers at hand")
            return 2
        write_json(FIRST_SEEN, record(seen, "third author's answers when they first saw them"))
    if "--today" in sys.argv:
        if len(seen) == 1:
            console.print("today's figures are written with the real answers at hand")
            return 2
        write_json(TODAY, record(seen, "third author's answers after rules were written on the development half"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
