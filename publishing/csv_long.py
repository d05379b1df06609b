"""One row for every run, severity and metric."""

from __future__ import annotations

from ..harness.statistics import STRATA
from ..leaderboards.export import csv_text
from .formats import FORMATS, Files, Format, Results
from .words import concluded, interval_words, screening_only, signature_of

COLUMNS = (
    *("run", "arm", "seed", "severity", "metric", "mean", "low", "high", "n", "signature", "resampling"),
    *("interval", "screening_only", "floor", "rank_low", "rank_high", "concluded"),
)


def csv_long(results: Results) -> Files:
    """``results.csv`` with the columns ``COLUMNS``; scores are percent."""
    board = results.board
    lines: list[list[object]] = [list(COLUMNS)]
    for row in board.rows:
        ranks, said = row.ranks, " ".join(concluded(board, row))
        for metric, cells in row.metrics.items():
            for stratum in STRATA:
                if (cell := cells.get(stratum)) is None:
                    continue
                numbers = (cell.mean, cell.low, cell.high, cell.n)
                lines.append(
                    [
                        *(row.name, row.arm, row.seed, stratum, metric, *numbers),
                        *(signature_of(board, row, metric), str(board.resampling), interval_words(cell)),
                        *(screening_only(board, metric), row.floor),
                        *(ranks.low if ranks else None, ranks.high if ranks else None, said),
                    ]
                )
    return {"results.csv": csv_text(lines)}


FORMATS.add("csv-long", Format("a row per run, severity and metric, for pandas or R", csv_long))
