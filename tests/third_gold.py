"""The third author's gold answers, by kind.

The texts of real answers are read from FALAH-Mix (``falah_draw.py``) and must have the digests of the gold.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maqa_severity.harness.core.files import sha256_text
from maqa_severity.tests.falah_draw import FALAH, digest, real_rows

_DATA = Path(__file__).parent / "data"
WRITTEN = _DATA / "gold_answers_third.jsonl"
REAL = _DATA / "falah_answers_gold.jsonl"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def joined_rows(workbook: Path = FALAH) -> list[dict[str, Any]]:
    """The real answers with their texts.

    Raises:
        ValueError: a text is not the one that was read.
    """
    table, rows = real_rows(workbook), rows_of(REAL)
    for row in rows:
        for key, column in (("question", "question"), ("answer", "answer"), ("reference", "answer")):
            if f"{key}_row" not in row:
                continue
            row[key] = table[column][row[f"{key}_row"]]
            if digest(row[key]) != row[f"{key}_sha256"]:
                raise ValueError(f"{row['id']}: the {key} in {workbook} is not the one that was annotated")
    return rows


def parts(workbook: Path = FALAH) -> dict[str, list[dict[str, Any]]]:
    """Rows by kind; the real ones only where their texts are at hand."""
    kinds = {"written": rows_of(WRITTEN)}
    if workbook.is_file():
        real = joined_rows(workbook)
        altered = [row for row in real if row["id"].endswith("-altered")]
        swapped = [row for row in real if "reference_row" in row]
        kinds |= {
            "real": [row for row in real if row not in altered and row not in swapped],
            "real, altered reference": altered,
            "real, other answer": swapped,
        }
    return kinds


def is_development(row: dict[str, Any]) -> bool:
    """Whether misses of this answer may be read: the first byte of SHA-256 of its id is even."""
    return int(sha256_text(row["id"])[:2], 16) % 2 == 0
