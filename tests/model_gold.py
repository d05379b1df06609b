"""The fourth author's gold answers: what small models wrote for questions of FALAH-Mix.

Questions, references and copied passages are read from FALAH-Mix (``falah_draw.py``); every text must have the
digest of the gold.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from maqa_severity.tests.falah_draw import FALAH, digest, real_rows

GOLD = Path(__file__).parent / "data" / "model_answers_gold.jsonl"
FOURTH = "fourth, model answers"


def rows_of(path: Path = GOLD) -> list[dict[str, Any]]:
    """The rows as they are kept: ``pieces`` instead of ``answer`` where the model copied."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def joined_rows(workbook: Path = FALAH) -> list[dict[str, Any]]:
    """The answers with their questions and references; none where FALAH-Mix is not at hand.

    Raises:
        ValueError: a text is not the one that was read.
    """
    if not workbook.is_file():
        return []
    table, rows = real_rows(workbook), rows_of()
    for row in rows:
        row["question"] = table.question[row["question_row"]]
        row["reference"] = table.answer[row["reference_row"]]
        if "pieces" in row:
            row["answer"] = "".join(_text(piece, table) for piece in row["pieces"])
        for key in ("question", "reference", "answer"):
            if digest(row[key]) != row[f"{key}_sha256"]:
                raise ValueError(f"{row['id']}: the {key} by {workbook} is not the one that was annotated")
    return rows


def _text(piece: str | dict[str, Any], table: pd.DataFrame) -> str:
    """The model's own words, or a passage of a cell from character ``start`` up to ``end``."""
    if isinstance(piece, str):
        return piece
    return str(table[piece["column"]][piece["row"]])[piece["start"] : piece["end"]]
