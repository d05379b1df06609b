"""The stress test as a picture: share of flipped labels per way of rewriting, with 95 % intervals."""

from __future__ import annotations

from pathlib import Path

from ...pages.sheets import keep, sheet
from .stress import StressReport


def plot_stress(report: StressReport, path: Path) -> None:
    """Write a PNG.

    Raises:
        UserError: the folder cannot be written to.
    """
    rows = report.rows[::-1]
    names = [f"{row.perturbation} (n = {row.rows:,})" for row in rows]
    shares = [row.flips for row in rows]
    # A share of 0 or 100 is its own interval's end but for rounding.
    error = [
        [max(0.0, row.flips - row.flips_low) for row in rows],
        [max(0.0, row.flips_high - row.flips) for row in rows],
    ]
    figure = sheet(9, 0.45 * len(rows) + 1.6)
    axes = figure.add_subplot()
    axes.barh(names, shares, color="#4477aa")
    axes.errorbar(shares, names, xerr=error, fmt="none", ecolor="#222222", capsize=3)
    axes.set_xlim(0, 100)
    axes.set_xlabel("complaints whose severity changes, % (95 % interval)")
    axes.set_title(f"{report.source} {report.version}: the same complaints written otherwise", fontsize=10)
    keep(figure, path)
