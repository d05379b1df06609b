"""Hugging Face's community evaluations: ``.eval_results/*.yaml`` in a model's repository.

The format is of https://huggingface.co/docs/hub/eval-results: a dataset's id, a task of it, a value. It has no
field for interval or number of answers, which therefore stand in ``notes``.
"""

from __future__ import annotations

import re

import yaml

from ..harness.core.errors import UserError
from ..harness.statistics import STRATA
from .formats import FORMATS, Files, Format, Results
from .words import concluded, interval_words, signature_of


def hub_id(value: str, option: str, what: str) -> str:
    """An id as the hub has them.

    Raises:
        UserError: it was not given, or is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", value, re.ASCII):
        problem = f"{value!r} is no hub id" if value else f"this format needs {what}"
        raise UserError(problem, f"Give {option} OWNER/NAME")
    return value


def hf(results: Results) -> Files:
    """One task per severity, ``overall`` among them; the value is the board's metric in percent."""
    board = results.board
    dataset = hub_id(results.options.dataset_id, "--dataset-id", "the hub id of the benchmark's dataset")
    files = {}
    for place, row in results.models:
        entries = []
        run = results.runs.get(place)
        for stratum in STRATA:
            if (cell := row.cell(board.metric, stratum)) is None:
                continue
            notes = [
                f"{board.metric} in percent, {interval_words(cell)}, n {cell.n}.",
                f"Signature: {signature_of(board, row, board.metric)}.",
                *concluded(board, row),
            ]
            entry: dict[str, object] = {
                "dataset": {"id": dataset, "task_id": stratum},
                "value": round(cell.mean, 4),
                "notes": " ".join(notes),
            }
            if run and run.manifest:
                entry["date"] = run.manifest.created[:10]
            entries.append(entry)
        text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=1000)
        files[f"{results.folder(place)}.eval_results/maqa_severity.yaml"] = text
    return files


FORMATS.add("hf", Format("Hugging Face's .eval_results, a task per severity", hf))
