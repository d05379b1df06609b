"""The numbers of a board once more, from its runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.sealing import fits_seal
from ..harness.evaluation.verifying import RELATIVE, Unequal, Verified
from ..harness.runs.run import Run
from ..harness.runs.seals import contents
from .board import build_board
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
    """Make a board again and compare every value of it.

    Args:
        path: of its ``leaderboard.json``.
        runs: where its runs may be; those that are not on it are left out.

    Raises:
        UserError: it cannot be read, or one of its runs is not among ``runs``.
    """
    raw, board = read_board(path)
    chosen = [_run_of(row.name, row.path, board, runs, path) for row in board.rows]
    chosen.sort(key=lambda run: run.name != board.reference)
    again = build_board(chosen, board.metric, board.resampling).model_dump(mode="json")
    unequal = [] if fits_seal(raw) else [Unequal(path.name, "", "sealed", "changed")]
    now = contents(chosen)
    unequal += [
        Unequal(f"contents.{name}", "", digest[:16], now.get(name, "")[:16])
        for name, digest in board.contents.items()
        if now.get(name) != digest
    ]
    left_out = [f"{key}: {why}" for key, why in _GIVEN.items() if raw.get(key)]
    stored = board.model_dump(mode="json")
    numbers = 0
    for place, one, other in _leaves(_kept(stored), _kept(again)):
        numbers += 1
        if not _same(one, other):
            unequal.append(Unequal(place, "", one, other))
    return Verified(f"board by {board.metric}", path, numbers, unequal, left_out)


def _run_of(name: str, place: str, board: Board, runs: Sequence[Run], path: Path) -> Run:
    named = [run for run in runs if run.name == name]
    digest = board.contents.get(name)
    best = [run for run in named if digest and contents([run]).get(name) == digest]
    best = best or [run for run in named if run.path.name == Path(place).name] or named
    if not best:
        raise UserError(f"{path}: its run {name!r} was not found", f"Give its folder: maqa verify {path} RUN...")
    return best[0]


def _kept(board: dict[str, Any]) -> dict[str, Any]:
    skipped = (*_NOT_NUMBERS, *_GIVEN, "contents")
    kept = {key: value for key, value in board.items() if key not in skipped}
    rows = [{key: value for key, value in row.items() if key not in (*_OF_ROWS, "judge")} for row in kept["rows"]]
    # Of what made a row, all but where it lay.
    facts = [{key: value for key, value in row["facts"].items() if key not in _OF_ROWS} for row in rows]
    return {**kept, "rows": {row["name"]: {**row, "facts": own} for row, own in zip(rows, facts, strict=True)}}


def _leaves(one: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Both values at every place of either."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _leaves(one.get(key), other.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _leaves(*pair, f"{at}[{place}]")
    else:
        yield at, one, other


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-9)
    return bool(one == other)
