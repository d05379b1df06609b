"""What stands beside every published number: what may be concluded, and what it rests on."""

from __future__ import annotations

from ..harness.metrics.screening import SCREENING
from ..leaderboards.records import Board, Cell, Row

_METRIC = (
    "A score is likeness to a reference answer or a rule's finding, not clinical safety; no number here licenses "
    "use on patients."
)
_SINGLE = "One run alone: nothing may be concluded about its rank, or about how it was trained."
_STRATA = "Only the overall ranks are tested; means of one severity are shown with intervals and rank nothing."


def screening_only(board: Board, metric: str) -> bool:
    """Whether a metric is for screening only, or is an aggregate's part."""
    return metric in board.screening


def interval_words(cell: Cell) -> str:
    """The interval, or that there is none and why."""
    if cell.low is None or cell.high is None:
        return f"no interval: {cell.n} answer{'s' if cell.n != 1 else ''}"
    return f"95 % interval {cell.low:.2f} to {cell.high:.2f}"


def signature_of(board: Board, row: Row, metric: str) -> str:
    """How a score came about; boards of before know it of their own metric alone."""
    known = row.signatures.get(metric) or (board.signature if metric == board.metric else "")
    return known or "not recorded: the board is older"


def lacking(board: Board) -> list[str]:
    """One line for each row that has numbers without an interval."""
    found = []
    for row in board.rows:
        bare = [
            f"{metric} {stratum}"
            for metric, cells in row.metrics.items()
            for stratum, cell in cells.items()
            if cell.low is None or cell.high is None
        ]
        if bare:
            more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
            found.append(f"{row.name}: no interval for {', '.join(bare[:3])}{more}")
    return found


def concluded(board: Board, row: Row) -> list[str]:
    """What may be concluded of a row, a sentence each."""
    said = [claim.conclusion["en"] for claim in board.claims if claim.arm == row.arm and "en" in claim.conclusion]
    if row.differs:
        said.append(f"Not ranked: {'; '.join(row.differs)}.")
    elif len(board.rows) == 1:
        said.append(_SINGLE)
    elif row.ranks:
        said.append(f"Rank {row.ranks} of {sum(each.rank is not None for each in board.rows)} by {board.metric}.")
        if row.tested and row.tested.low is not None and row.tested.high is not None:
            test = row.tested
            p = "" if test.p_all_pairs is None else f", p {test.p_all_pairs:.3g} over all pairs"
            said.append(
                f"{test.mean:+.2f} points against {test.against} "
                f"[{test.low:+.2f}, {test.high:+.2f}]{p}, n {test.n}."
            )
    apart = ["Exploratory: no declared test stands behind these scores."] if board.analysis else []
    return [*said, *apart, _METRIC]


def caveats(board: Board, row: Row | None = None) -> list[str]:
    """What a reader must know of the numbers: labels, people, encoder, detectors, gaps."""
    rows = [row] if row else board.rows
    return [
        _STRATA,
        *board.labels,
        *(line for line in (board.people, board.encoder, board.questions) if line),
        *board.screening_words,
        *board.notes,
        *(f"{each.name}: {note}" for each in rows for note in each.notes),
        *(line for line in lacking(board) if row is None or line.startswith(f"{row.name}:")),
        *(each.words for each in board.missing),
    ]


def mark(board: Board, metric: str) -> str:
    """What stands behind a metric's name."""
    return f" ({SCREENING})" if screening_only(board, metric) else ""
