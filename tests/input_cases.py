"""Small files that were refused or read wrong, after reports of people, and what is right for each.

    python -m maqa_severity.tests.input_cases [FOLDER]

prints a line for each and how many are right. The files are no part of the project; by default they are looked for
in ``shared/data/input-cases`` beside it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import SPLITS, Dataset
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.languages import language

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "input-cases"
ROWS = 40
THREE = {"critical": 10, "neutral": 20, "non_critical": 10}


@dataclass(frozen=True)
class Case:
    """What is right for a file: the severities of its rows and words that are said, or the words of the error."""

    name: str
    severities: dict[str, int] | None
    said: str = ""
    holds: Callable[[pd.DataFrame], bool] = lambda rows: True


def _in_arabic(rows: pd.DataFrame) -> bool:
    return bool(rows["question"].str.contains("[\u0621-\u064a]").all())


CASES = (
    Case("merged_severity.xlsx", {"critical": 20, "neutral": 20}, "Merged cells filled"),
    Case("formula_severity.xlsx", None, "formula that was never calculated"),
    Case("title_row.xlsx", THREE, "The header is row 2"),
    Case("hidden_sheet.xlsx", THREE, "_lists"),
    Case("messages.jsonl", {}, "read from the dialogues"),
    Case("sharegpt.jsonl", {}, "read from the dialogues"),
    Case("answer_list.jsonl", THREE, "several answers", lambda rows: rows["references"].map(len).min() > 1),
    Case(
        "cp1256_semi.csv",
        THREE,
        "Windows-1256",
        lambda rows: rows["question"].str.contains("[\u0621-\u064a]").all(),
    ),
    Case("sev_ar.csv", THREE, "is critical"),
    Case("en_label.csv", THREE),
    Case("nul.csv", THREE, "Control characters", lambda rows: not rows["question"].str.contains("\0").any()),
    Case("sep_line.csv", THREE, "The first line says"),
    Case("data.csv.gz", THREE),
    Case("hf_dd", THREE),
)


def problem(case: Case, folder: Path, out: Path) -> str:
    """What is wrong with how a file is read; empty where all is right."""
    options = PrepareOptions(language("ar"), test=Share(rows=8), validation=Share(rows=4))
    try:
        dataset, card = prepare(folder / case.name, out, options)
    except UserError as error:
        told = str(error)
        if case.severities is None and case.said in told and "\n" not in told:
            return ""
        return f"refused: {told}"
    if case.severities is None:
        return "read, where an error is right"
    rows = _rows(dataset)
    counts = rows["severity"].value_counts().to_dict()
    if len(rows) != ROWS or counts != case.severities:
        return f"{len(rows)} rows with {counts}, not {ROWS} with {case.severities}"
    if case.said not in "\n".join([*card.reading, *card.rows, card.read_as]):
        return f"nothing says {case.said!r}"
    return "" if case.holds(rows) else "the texts are not right"


def _rows(dataset: Dataset) -> pd.DataFrame:
    return pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)


def main() -> int:
    """Print each case and how many are right; the exit status is 1 where one is not."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, case in enumerate(CASES):
            said = problem(case, folder, Path(scratch) / str(number))
            wrong += bool(said)
            sys.stdout.write(f"{case.name}: {said or 'right'}\n")
    sys.stdout.write(f"{len(CASES) - wrong} of {len(CASES)} right\n")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
