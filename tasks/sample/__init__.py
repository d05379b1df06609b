"""The shipped sample, a folder for each language: hand-written test rows, and a grammar for the training rows.

Synthetic, written for this project, not medical advice.
"""

from __future__ import annotations

import json
from pathlib import Path

from ...harness.core.errors import UserError
from ...harness.languages import Language
from ...harness.severity import SEVERITIES

FOLDER = Path(__file__).parent


def sample_codes() -> list[str]:
    """The languages that have a sample."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{SEVERITIES[0]}.jsonl"))


def has_grammar(language: Language) -> bool:
    """Whether training rows can be made in a language, beside the hand-written ones."""
    return (FOLDER / language.code / "grammar.json").is_file()


def handwritten_rows(language: Language) -> list[dict[str, str]]:
    """The test rows: ``id, question, answer, category, severity, dialect``, as many of each severity.

    Raises:
        UserError: there is no sample in this language.
    """
    if language.code not in sample_codes():
        raise UserError(
            f"there is no sample in {language.name} ({language.code})",
            f"Name a dataset with --data, or one of the samples: {', '.join(sample_codes())}",
        )
    rows = []
    for severity in SEVERITIES:
        with (FOLDER / language.code / f"{severity}.jsonl").open(encoding="utf-8") as stream:
            rows += [json.loads(line) for line in stream]
    return rows
