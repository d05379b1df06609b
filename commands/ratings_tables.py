"""What ratings say, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .tables import print_table

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.statistics.agreement import Agreement, Coefficient
    from ..ratings.agreement import RatingsRead
    from ..ratings.collected import Ratings
    from ..ratings.meta_records import Measured, Meta


def print_agreement(console: Console, ratings: Ratings, read: RatingsRead) -> None:
    """Between raters, within each, each beside the others, and the runs' differences."""
    table = Table(title=f"agreement of {len(ratings.raters)} raters, 95 % interval", title_justify="left")
    for name in ("asked", "raters", "items", "equal, %", "kappa", "Krippendorff's α", "Gwet's AC"):
        table.add_column(name, justify="left" if name in ("asked", "raters") else "right", no_wrap=True)
    for each in read.agreements:
        rows = [("between", each.between), *((f"{name} twice", within) for name, within in each.within.items())]
        for name, found in rows:
            if found is not None:
                table.add_row(Text(each.ask), Text(name), *_cells(found))
    if table.row_count:
        print_table(console, table)
    if len(ratings.raters) < 2:
        console.print("one rater: agreement cannot be known", style="yellow")
    for rater in read.raters:
        apart = [f"{ask} {value:+.0f}" for ask, value in rater.apart.items() if value is not None]
        seconds = "" if rater.seconds is None else f", {rater.seconds:.0f} s each"
        console.print(
            f"{rater.name}: {rater.rated} items{seconds}; to the others' mean, in points of 100: "
            f"{', '.join(apart) or '-'}",
            markup=False,
            soft_wrap=True,
        )
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
    table = Table(title="second minus first run, points of 100", title_justify="left")
    for name in ("asked", "first", "second", "severity"):
        table.add_column(name)
    for name in ("questions", "raters", "difference, 95 % interval", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in read.differences:
        found = each.found
        interval = "" if found.low is None else f" [{found.low:+.1f}, {found.high:+.1f}]"
        table.add_row(
            Text(f"{each.ask}{' (less is better)' if each.lower_is_better else ''}"),
            Text(each.first),
            Text(each.second),
            each.stratum,
            f"{found.rows}",
            f"{found.columns}",
            f"{found.mean:+.1f}{interval}",
            "—" if found.p is None else f"{found.p:.2g}",
        )
    print_table(console, table)
    console.print(
        "Over questions and raters at once, from the items that were drawn at random. Of one rater or one question "
        "nothing can be said about others.",
        soft_wrap=True,
    )


def print_meta(console: Console, meta: Meta) -> None:
    """Each metric against people, and one rater as what can be reached."""
    from ..harness.metrics.screening import in_lines, named

    table = Table(title=f"metrics against {meta.raters} raters, 95 % interval", title_justify="left")
    table.add_column("metric", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    heads = ("pairs, %", "tau-b", "ICC", "harm, AUC %", "pairs needed")
    for name in heads:
        table.add_column(name, justify="right", no_wrap=True)
    for row in meta.rows:
        cells = [
            _coefficient(row.pairwise, 0),
            _coefficient(row.tau, 2),
            _coefficient(row.icc, 2),
            _coefficient(row.harm, 0),
        ]
        if any(cell != "—" for cell in cells):
            needed = "—" if row.pairs_needed is None else f"{row.pairs_needed:,}"
            table.add_row(named(row.metric, meta.screening), row.stratum, *cells, needed)
    print_table(console, table)
    console.print(
        "Pairs and harm: 50 is chance. tau-b and ICC: 0 is chance. Pairs needed: preferences that people must give "
        "to tell the metric from chance with 80 % power. One rater: the mean of each against the others.",
        soft_wrap=True,
    )
    for line in in_lines(meta.screening, list(meta.screening)):
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    _print_powered(console, meta)


def _print_powered(console: Console, meta: Meta) -> None:
    """Differences in people's units, helped by a metric of all answers."""
    from ..harness.metrics.screening import named

    if not meta.powered:
        return
    table = Table(
        title=f"second minus first run in points of 100 by people, helped by "
        f"{named(meta.powered[0].metric, meta.screening)}",
        title_justify="left",
    )
    for name in ("asked", "first", "second", "severity"):
        table.add_column(name)
    for name in ("rated", "others", "difference, 95 % interval", "ratings alone", "ratings saved, %"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in meta.powered:
        table.add_row(
            *(Text(word) for word in (each.ask, each.first, each.second, each.stratum)),
            f"{each.rated:,}",
            f"{each.others:,}",
            f"{each.mean:+.1f} [{each.low:+.1f}, {each.high:+.1f}]",
            f"[{each.alone_low:+.1f}, {each.alone_high:+.1f}]",
            f"{each.saving_pct:.0f}",
        )
    print_table(console, table)
    console.print(
        "Over questions, for these raters, by prediction-powered inference (PPI++): right whatever the metric is "
        "worth, narrower the more it goes with people. From the items that were drawn at random within a severity.",
        soft_wrap=True,
    )
