"""The numbers of a board once more, from its runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.sealing import fits_seal
from ..harness.evaluation.verifying import Unequal, Verified, unequal_values
from ..harness.runs.run import Run
from ..harness.runs.seals import contents
from .board import build_board
from .export import board_csv, seeds_csv
from .records import Board

NAME = "leaderboard.json"
_REMEDY = "Make it again with `maqa leaderboard RUN... --out DIR`"
_NOT_NUMBERS = ("maqa_severity", "seal", "missing", "notes", "labels", "changed", "people", "encoder")
"""Words of the board, and what is known of its making."""
_OF_ROWS = ("path", "command", "notes")
_GIVEN = {"analysis": "the declared tests take their analysis", "judge": "the judge's scores take its verdicts"}


def read_board(path: Path) -> tuple[dict[str, Any], Board]:
    """A board as it was written, and as a record.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    raw = read_json(path, _REMEDY)
    return raw, validated(Board, raw, str(path), _REMEDY)


def verify_board(path: Path, runs: Sequence[Run]) -> Verified:
    """Make a board again and compare every value of it, and of the tables beside it.

    Where one of its runs is not there, the tables are held against the board alone.

    Args:
        path: of its ``leaderboard.json``.
        runs: where its runs may be; those that are not on it are left out.

    Raises:
        UserError: it cannot be read.
    """
    raw, board = read_board(path)
    name = f"board by {board.metric}"
    unequal = [] if fits_seal(raw) else [Unequal(path.name, "", "sealed", "changed")]
    numbers, found, left_out = _tables(path.parent, board)
    unequal += found
    left_out += [f"{key}: {why}" for key, why in _GIVEN.items() if raw.get(key)]
    among = {row.name: _run_of(row.name, row.path, board, runs) for row in board.rows}
    if away := [row for row, run in among.items() if run is None]:
        told = f"its runs {', '.join(map(repr, away))} were not found; give them: maqa verify {path} RUN..."
        return Verified(name, path, numbers, unequal, left_out, [told])
    chosen = [run for run in among.values() if run is not None]
    chosen.sort(key=lambda run: run.name != board.reference)
    again = build_board(chosen, board.metric, board.resampling).model_dump(mode="json")
    now = contents(chosen)
    unequal += [
        Unequal(f"contents.{name}", "", digest[:16], now.get(name, "")[:16])
        for name, digest in board.contents.items()
        if now.get(name) != digest
    ]
    count, other = unequal_values(_kept(board.model_dump(mode="json")), _kept(again))
    return Verified(name, path, numbers + count, [*unequal, *other], left_out)


def tail(path: Path, other: Path) -> int:
    """How many parts two paths share at their ends."""
    shared = 0
    for one, two in zip(reversed(path.parts), reversed(other.parts), strict=False):
        if one != two:
            break
        shared += 1
    return shared


def _run_of(name: str, place: str, board: Board, runs: Sequence[Run]) -> Run | None:
    named = [run for run in runs if run.name == name]
    digest = board.contents.get(name)
    best = [run for run in named if digest and contents([run]).get(name) == digest] or named
    return max(best, key=lambda run: tail(run.path, Path(place)), default=None)


def _tables(folder: Path, board: Board) -> tuple[int, list[Unequal], list[str]]:
    """The board's tables beside the board: cells, those that are not equal, and columns that nothing makes here."""
    cells, unequal, left_out = 0, [], []
    made = {"leaderboard.csv": board_csv(board), **({"seeds.csv": seeds_csv(board)} if board.seeds else {})}
    for name, text in made.items():
        if not (folder / name).is_file():
            continue
        stored, again = _columns((folder / name).read_text("utf-8")), _columns(text)
        if extra := [column for column in stored if column not in again]:
            left_out.append(f"{name}: nothing here makes its columns {', '.join(extra)}")
        for column in (each for each in stored if each in again and each not in _OF_ROWS):
            cells += len(again[column])
            if stored[column] != again[column]:
                pairs = zip_longest(stored[column], again[column])
                row, (one, other) = next((at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1])
                unequal.append(Unequal(f"{name}: {column}", "", one, other, f"row {row + 1}"))
    return cells, unequal, left_out


def _columns(text: str) -> dict[str, list[str]]:
    header, *lines = csv.reader(io.StringIO(text))
    return {name: [line[place] for line in lines] for place, name in enumerate(header)}


def _kept(board: dict[str, Any]) -> dict[str, Any]:
    skipped = (*_NOT_NUMBERS, *_GIVEN, "contents")
    kept = {key: value for key, value in board.items() if key not in skipped}
    rows = [{key: value for key, value in row.items() if key not in (*_OF_ROWS, "judge")} for row in kept["rows"]]
    # Of what made a row, all but where it lay.
    facts = [{key: value for key, value in row["facts"].items() if key not in _OF_ROWS} for row in rows]
    return {**kept, "rows": {row["name"]: {**row, "facts": own} for row, own in zip(rows, facts, strict=True)}}
