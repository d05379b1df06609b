"""The shipped sample, a folder for each language: hand-written test rows, and a grammar for the training rows.

Synthetic, written for this project, not medical advice.
"""

from __future__ import annotations

import json
from pathlib import Path

from ...harness.languages import Language
from ...harness.severity import SEVERITIES

FOLDER = Path(__file__).parent


def handwritten_rows(language: Language) -> list[dict[str, str]]:
    """The test rows: ``id, question, answer, category, severity, dialect``, as many of each severity."""
    rows = []
    for severity in SEVERITIES:
        with (FOLDER / language.code / f"{severity}.jsonl").open(encoding="utf-8") as stream:
            rows += [json.loads(line) for line in stream]
    return rows
