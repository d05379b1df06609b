"""What ratings say, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .tables import print_table
from .words import heading, ours, say, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.statistics.agreement import Agreement, Coefficient
    from ..ratings.agreement import RatingsRead
    from ..ratings.collected import Ratings
    from ..ratings.meta_records import Measured, Meta


def print_agreement(console: Console, ratings: Ratings, read: RatingsRead) -> None:
    """Between raters, within each, each beside the others, and the runs' differences."""
    from ..harness.languages.sentences import sentence

    table = Table(title=say("ratings.table", n=len(ratings.raters)), title_justify="left")
    for name in ("asked", "raters", "items", "equal", "kappa", "alpha", "ac"):
        words = name in ("asked", "raters")
        table.add_column(heading(f"ratings.{name}"), justify="left" if words else "right", no_wrap=True)
    for each in read.agreements:
        twice = [(say("ratings.twice", name=name), within) for name, within in each.within.items()]
        rows = [(heading("ratings.between"), each.between), *twice]
        for name, found in rows:
            if found is not None:
                table.add_row(Text(each.ask), Text(name), *_cells(found))
    if table.row_count:
        print_table(console, table)
    if len(ratings.raters) < 2:
        console.print(heading("ratings.one"), style="yellow")
    for rater in read.raters:
        apart = [f"{ask} {value:+.0f}" for ask, value in rater.apart.items() if value is not None]
        seconds = "" if rater.seconds is None else sentence("ratings.seconds", n=f"{rater.seconds:.0f}")
        given = {"name": rater.name, "n": rater.rated, "seconds": seconds, "apart": ", ".join(apart) or "-"}
        console.print(say("ratings.rater", **given), markup=False, soft_wrap=True)
    _print_differences(console, read)


def _cells(found: Agreement) -> list[str]:
    return [
        f"{found.units}",
        _coefficient(found.exact, 0),
        *(_coefficient(each, 2) for each in (found.kappa, found.alpha, found.ac)),
    ]


def _coefficient(each: Coefficient | Measured | None, digits: int) -> str:
    if each is None or each.value is None:
        return "—"
    interval = "" if each.low is None else f" [{each.low:.{digits}f}, {each.high:.{digits}f}]"
    return f"{each.value:.{digits}f}{interval}"


def _print_differences(console: Console, read: RatingsRead) -> None:
    if not read.differences:
        return
    table = Table(title=heading("ratings.differences"), title_justify="left")
    _columns(table, "questions", "raters", "difference", "p")
    for each in read.differences:
        found = each.found
        interval = "" if found.low is None else f" [{found.low:+.1f}, {found.high:+.1f}]"
        table.add_row(
            Text(say("ratings.less", ask=each.ask) if each.lower_is_better else each.ask),
            Text(each.first),
            Text(each.second),
            term(each.stratum),
            f"{found.rows}",
            f"{found.columns}",
            f"{found.mean:+.1f}{interval}",
            "—" if found.p is None else f"{found.p:.2g}",
        )
    print_table(console, table)
    console.print(heading("ratings.differences_read"), soft_wrap=True)


def _columns(table: Table, *figures: str) -> None:
    """What was asked, of which runs and severity; then figures."""
    for key in ("ratings.asked", "ratings.first", "ratings.second", "terminal.severity"):
        table.add_column(heading(key))
    for name in figures:
        table.add_column(heading(f"ratings.{name}"), justify="right", no_wrap=True)


def print_meta(console: Console, meta: Meta) -> None:
    """Each metric against people, and one rater as what can be reached."""
    from ..harness.metrics.screening import in_lines, named

    table = Table(title=say("ratings.meta", n=meta.raters), title_justify="left")
    for name in ("metric", "severity"):
        table.add_column(heading(f"terminal.{name}"), no_wrap=True)
    for name in ("pairs", "tau", "icc", "harm", "needed"):
        table.add_column(heading(f"ratings.{name}"), justify="right", no_wrap=True)
    for row in meta.rows:
        cells = [
            _coefficient(row.pairwise, 0),
            _coefficient(row.tau, 2),
            _coefficient(row.icc, 2),
            _coefficient(row.harm, 0),
        ]
        if any(cell != "—" for cell in cells):
            needed = "—" if row.pairs_needed is None else f"{row.pairs_needed:,}"
            name = ours(named(row.metric, meta.screening))
            table.add_row(name, term(row.stratum), *cells, needed)
    print_table(console, table)
    console.print(heading("ratings.meta_read"), soft_wrap=True)
    for line in in_lines(meta.screening, list(meta.screening)):
        console.print(ours(line), markup=False, style="yellow", soft_wrap=True)
    _print_powered(console, meta)


def _print_powered(console: Console, meta: Meta) -> None:
    """Differences in people's units, helped by a metric of all answers."""
    from ..harness.metrics.screening import named

    if not meta.powered:
        return
    by = named(meta.powered[0].metric, meta.screening)
    table = Table(title=say("ratings.powered", metric=by), title_justify="left")
    _columns(table, "rated", "others", "difference", "alone", "saved")
    for each in meta.powered:
        table.add_row(
            *(Text(word) for word in (each.ask, each.first, each.second, term(each.stratum))),
            f"{each.rated:,}",
            f"{each.others:,}",
            f"{each.mean:+.1f} [{each.low:+.1f}, {each.high:+.1f}]",
            f"[{each.alone_low:+.1f}, {each.alone_high:+.1f}]",
            f"{each.saving_pct:.0f}",
        )
    print_table(console, table)
    console.print(heading("ratings.powered_read"), soft_wrap=True)
