"""A model's README.md: a section to copy, under metadata with the older ``model-index``."""

from __future__ import annotations

import html
import re

import yaml

from ..harness.core.readable import visible
from ..harness.statistics import STRATA
from ..leaderboards.records import Board, Row
from .formats import FORMATS, Files, Format, Results
from .words import caveats, concluded, interval_words, mark, signature_of


def in_markdown(text: object) -> str:
    """Text that Markdown shows as it stands, in one line."""
    plain = " ".join(visible(str(text)).split())
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", html.escape(plain, quote=False))


def model_card(results: Results) -> Files:
    """``README.md`` for each model of the board."""
    return {f"{results.folder(place)}README.md": _card(results, place) for place, _ in results.models}


def _card(results: Results, place: int) -> str:
    board, row = results.board, results.board.rows[place]
    run = results.runs.get(place)
    metadata = {"tags": ["maqa-severity", "medical"], "model-index": [_index(results, place)]}
    if run:
        metadata["language"] = [run.language.code]
    head = yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)
    made = [
        f"Made by maqa-severity {board.maqa_severity} on {in_markdown(board.data)}.",
        f"Decoding: `{_code(board.decoding)}`; resampling: `{_code(board.resampling)}`.",
    ]
    if row.command:
        made.append(f"Command: `{_code(row.command)}`.")
    if run and run.manifest:
        made.append(f"Run of {run.manifest.created}, test rows `{run.manifest.data.fingerprint[:16]}`.")
    parts = [
        f"---\n{head}---\n",
        f"# Evaluation of {in_markdown(row.name)} by severity\n",
        "## What may be concluded\n",
        *(f"- {in_markdown(line)}" for line in concluded(board, row)),
        "\n## Scores in percent, mean [95 % interval] (answers)\n",
        _table(board, row),
        "\n## Caveats\n",
        *(f"- {in_markdown(line)}" for line in caveats(board, row)),
        "\n## Provenance\n",
        *(f"- {line}" for line in made),
        *(f"- `{metric}`: `{_code(signature_of(board, row, metric))}`" for metric in row.metrics),
    ]
    return "\n".join(parts) + "\n"


def _code(value: object) -> str:
    return " ".join(visible(str(value)).replace("`", "'").split())


def _table(board: Board, row: Row) -> str:
    lines = [f"| metric | {' | '.join(in_markdown(each) for each in STRATA)} |", "|---|" + "---:|" * len(STRATA)]
    for metric, cells in row.metrics.items():
        shown = []
        for stratum in STRATA:
            cell = cells.get(stratum)
            if cell is None:
                shown.append("—")
            elif cell.low is None or cell.high is None:
                shown.append(f"{cell.mean:.2f} ({interval_words(cell)})")
            else:
                shown.append(f"{cell.mean:.2f} \\[{cell.low:.2f}, {cell.high:.2f}\\] ({cell.n})")
        lines.append(f"| {in_markdown(metric)}{mark(board, metric)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _index(results: Results, place: int) -> dict[str, object]:
    board, row = results.board, results.board.rows[place]
    dataset = results.options.dataset_id or "maqa_severity"
    found = []
    for stratum in STRATA:
        metrics = [
            {
                "type": metric,
                "value": round(cells[stratum].mean, 4),
                "name": f"{metric}, {stratum}: {interval_words(cells[stratum])}, n {cells[stratum].n}"
                f"{mark(board, metric)}",
            }
            for metric, cells in row.metrics.items()
            if stratum in cells
        ]
        if metrics:
            where = {"type": dataset, "name": f"maqa-severity, {stratum}", "config": stratum, "split": "test"}
            found.append({"task": {"type": "text-generation"}, "dataset": where, "metrics": metrics})
    return {"name": visible(row.name), "results": found}


FORMATS.add("model-card", Format("a README.md with scores per severity and model-index", model_card))
