"""Gold answers of the authors after the fourth: one frozen file of texts and labels each.

Whoever writes rules reads no row of theirs, or the development half alone of an author who is ``halved``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maqa_severity.harness.languages import Language
from maqa_severity.tests.third_gold import is_development
from maqa_severity.tests.tongues import ARABIC, ENGLISH

_DATA = Path(__file__).parent / "data"
_REGION = {"moroccan": "maghrebi", "algerian": "maghrebi", "tunisian": "maghrebi"}


@dataclass(frozen=True)
class LaterAuthor:
    """``sha256`` is the file's when it was frozen; ``first_seen`` holds the first figures ever measured on it.

    ``halved`` once misses of the rows that ``is_development`` names were read: the others alone are held out.
    """

    name: str
    language: Language
    sha256: str
    halved: bool = False

    @property
    def path(self) -> Path:
        """The answers."""
        return _DATA / f"gold_answers_{self.name}.jsonl"

    @property
    def first_seen(self) -> Path:
        """The figures."""
        return _DATA / f"first_seen_{self.name}.json"

    def rows(self) -> list[dict[str, Any]]:
        """The answers, the dialects of the Maghreb as one, as the other authors have it."""
        rows = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        return [row | {"dialect": _REGION.get(row["dialect"], row["dialect"])} for row in rows]

    def held_out(self) -> list[dict[str, Any]]:
        """Those that no rule was written on."""
        return [row for row in self.rows() if not (self.halved and is_development(row))]


FIFTH = LaterAuthor(
    "fifth", ARABIC, "5d4cea9253ea33ba9333af138fd8e9fbeecd54df826fba90699b35c4c523d187", halved=True
)
SIXTH = LaterAuthor(
    "sixth", ARABIC, "76dec1f2ceff34a5ea1601fc04aba4519fb509f8df5547984982a77f70e99e6d", halved=True
)
ENGLISH_SECOND = LaterAuthor(
    "en_second", ENGLISH, "f8ddcfa9873bc2bdb698b9c10d4a92f063139aa02cabf52a0278d336ba74ba9e"
)
LATER = (FIFTH, SIXTH, ENGLISH_SECOND)
