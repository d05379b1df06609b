"""Likelihoods of reference answers for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .words import heading, say, stratum, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.runs.comparison import Comparison
    from ..leaderboards.records import BoardNll


def print_described(console: Console, described: dict[str, Any]) -> None:
    """A line for every severity of each split, from what ``training.json`` says."""
    from rich.table import Table
    from rich.text import Text

    from .tables import print_table

    table = Table(title="References: negative log-likelihood in nats per token", title_justify="left")
    for name in ("split", "severity", "rows", "tokens", "token mean", "example mean", "perplexity"):
        table.add_column(name, justify="left" if name in ("split", "severity") else "right", no_wrap=True)
    for split, found in described["splits"].items():
        for place, each in found["strata"].items():
            table.add_row(
                split,
                place,
                f"{each['rows']:,}",
                f"{each['tokens']:,}",
                f"{each['token_mean']:.4f}",
                f"{each['example_mean']:.4f}",
                "-" if each["perplexity"] is None else f"{each['perplexity']:,.2f}",
            )
    print_table(console, table)
    console.print(Text(f"signature: {described['signature']}"), soft_wrap=True)


def print_nll(console: Console, compared: Comparison) -> None:
    """Both sides of a comparison per severity, and their difference; nothing where nobody measured it."""
    from rich.table import Table
    from rich.text import Text

    from ..harness.runs.nll_compared import UNIT, nats
    from ..harness.statistics.verdicts import p_in_words
    from .tables import print_table

    found = compared.nll
    if found.left_out:
        console.print(Text(say("nll.left_out", why=found.left_out)), soft_wrap=True)
    if not found.differences:
        return
    table = Table(title=say("nll.title", unit=UNIT), title_justify="left")
    for name in ("severity", "n", "a", "b", "change", "two_ps"):
        table.add_column(
            heading(f"compare.{name}"), justify="left" if name == "severity" else "right", no_wrap=True
        )
    for change in found.differences:
        sides = [found.mean(side, change.stratum) for side in (0, 1)]
        table.add_row(
            f"{stratum(change.stratum)}\n{term(change.verdict)}",
            str(change.n),
            *(f"{nats(side.mean)}\n[{nats(side.low)}, {nats(side.high)}]" for side in sides),
            f"{nats(change.mean, '+')}\n[{nats(change.low, '+')}, {nats(change.high, '+')}]",
            f"{p_in_words(change)}\n{p_in_words(change, adjusted=True)}",
        )
    print_table(console, table)
    if found.more:
        mean, low, high, p = found.more
        ends = "" if low is None else f" [{nats(low, '+')}, {nats(high, '+')}], p = {p:.2g}"
        console.print(Text(say("nll.more", size=f"{nats(mean, '+')}{ends}")))
    console.print(say("compare.signature", metric="nll", signature=found.signature), markup=False, soft_wrap=True)


def print_board_nll(console: Console, board: BoardNll) -> None:
    """The likelihood under every arm of a board, and its difference to the plain arm of its base."""
    from rich.table import Table
    from rich.text import Text

    from ..harness.runs.nll_compared import UNIT, nats
    from ..harness.statistics import STRATA
    from .tables import print_table

    table = Table(title=f"Likelihood of the reference answers: {UNIT}", title_justify="left")
    table.add_column("arm", overflow="fold", min_width=10)
    for place in STRATA:
        table.add_column(place, justify="right", no_wrap=True)
    for row in board.rows:
        cells = [row.cells.get(place) for place in STRATA]
        table.add_row(
            Text(row.name),
            *(f"{nats(cell.mean)}\n{nats(cell.low)}-{nats(cell.high)}" if cell else "-" for cell in cells),
        )
        if row.differences:
            changes = [row.differences.get(place) for place in STRATA]
            table.add_row(
                Text(f"minus {row.against}"),
                *(f"{nats(each.mean, '+')}\n{each.verdict}" if each else "-" for each in changes),
            )
    print_table(console, table)
    for line in board.notes:
        console.print(Text(line), soft_wrap=True)
