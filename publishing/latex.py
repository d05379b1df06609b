"""A table for a paper, with booktabs."""

from __future__ import annotations

import unicodedata

from ..harness.core.readable import visible
from ..harness.statistics import OVERALL, STRATA
from ..leaderboards.records import Cell, Row
from .formats import FORMATS, Files, Format, Results
from .words import caveats, concluded, signature_of

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "\t": " ",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_HEAD = (
    "% Needs \\usepackage{booktabs}; for names in Arabic also, under lualatex or xelatex,\n"
    "% \\usepackage[bidi=default]{babel} \\babelprovide[import]{arabic} and a font that has Arabic.\n"
)


def escaped(text: str) -> str:
    """Text that TeX prints as it stands; runs of right-to-left words are set as Arabic."""
    words = visible(text).replace("\u2028", " ").replace("\u2029", " ").split(" ")
    made: list[str] = []
    arabic: list[str] = []
    for word in [*words, ""]:
        if any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in word):
            arabic.append(_plain(word))
            continue
        if arabic:
            made.append(f"\\foreignlanguage{{arabic}}{{{' '.join(arabic)}}}")
            arabic = []
        made.append(_plain(word))
    return " ".join(made).strip()


def _plain(word: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in word if unicodedata.category(sign) != "Cf")


def latex(results: Results) -> Files:
    """``table.tex``: a row per run, a column per severity, means with intervals. Bold is a sole first rank."""
    board = results.board
    metric = escaped(board.metric)
    strata = [stratum for stratum in STRATA if any(row.cell(board.metric, stratum) for row in board.rows)]
    several = sum(row.rank is not None for row in board.rows) > 1
    lines = [_line(row, board.metric, strata, several) for row in board.rows]
    said = concluded(board, board.rows[0])[:-1] if len(board.rows) == 1 else []
    bold = "Bold: ranked first alone, all pairs tested at once with 95 \\% confidence."
    caption = " ".join(
        [
            f"{'Exploratory: ' if board.analysis else ''}{metric} in percent with 95 \\% intervals.",
            *(map(escaped, said) if said else [bold]),
            f"$\\dagger$: trivial system. Signature: {escaped(signature_of(board, board.rows[0], board.metric))}.",
        ]
    )
    notes = "".join(f"% {' '.join(visible(line).split())}\n" for line in caveats(board))
    body = "\n".join(
        [
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{caption}}}",
            f"\\begin{{tabular}}{{ll{'r' * len(strata)}}}",
            "\\toprule",
            " & ".join(["system", "rank", *map(escaped, strata)]) + r" \\",
            "\\midrule",
            *lines,
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
        ]
    )
    return {"table.tex": f"{_HEAD}{notes}{body}\n"}


def _line(row: Row, metric: str, strata: list[str], several: bool) -> str:
    name = escaped(row.name) + (r"$^{\dagger}$" if row.floor else "")
    rank = str(row.ranks).replace("–", "--") if row.ranks else "--"
    # Older boards have no rank_high, and tell ties alone.
    alone = several and row.rank_high is not None and row.ranks == (1, 1)
    cells = [_cell(row.cell(metric, stratum), alone and stratum == OVERALL) for stratum in strata]
    return " & ".join([name, rank, *cells]) + r" \\"


def _cell(cell: Cell | None, bold: bool) -> str:
    if cell is None:
        return "--"
    mean = f"\\textbf{{{cell.mean:.2f}}}" if bold else f"{cell.mean:.2f}"
    if cell.low is None or cell.high is None:
        return f"{mean} (no interval, $n={cell.n}$)"
    return f"{mean} [{cell.low:.1f}, {cell.high:.1f}]"


FORMATS.add("latex", Format("a booktabs table with intervals, for a paper", latex))
