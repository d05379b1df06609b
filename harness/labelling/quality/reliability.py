"""Whether probabilities are what they say: of rows called critical with 30 %, how many are critical."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...core.settings import Record
from ...pages.sheets import keep, sheet
from ...severity import SEVERITIES
from ...statistics.intervals import wilson

if TYPE_CHECKING:
    from .report_card import ReportCard

RELIABILITY = "reliability.png"
"""The file of the curves, beside the cards."""
_BINS = 10
LABEL = "label"
"""The curve of the assigned severity, beside one for each severity."""


class Bin(Record):
    """Rows whose probability lies in one tenth: the mean said, the percentage seen, its 95 % interval."""

    rows: int
    said: float
    seen: float
    low: float
    high: float


def reliability(
    probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.int8], assigned: npt.NDArray[np.int8]
) -> dict[str, tuple[Bin, ...]]:
    """Reliability curves (Murphy and Winkler 1977, doi 10.2307/2346866), tenths without rows left out."""
    rows = np.arange(len(truth))
    curves = {LABEL: _bins(probabilities[rows, assigned], truth == assigned)}
    for severity in SEVERITIES:
        curves[str(severity)] = _bins(probabilities[:, severity.rank], truth == severity.rank)
    return curves


def _bins(said: npt.NDArray[np.float64], seen: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    places = np.minimum((said * _BINS).astype(int), _BINS - 1)
    found = []
    for place in np.unique(places):
        own = places == place
        n = int(own.sum())
        low, high = wilson(np.array(float(seen[own].sum())), n)
        mean, share = 100 * float(said[own].mean()), 100 * float(seen[own].mean())
        found.append(Bin(rows=n, said=mean, seen=share, low=float(low), high=float(high)))
    return tuple(found)


def plot_reliability(cards: Sequence[ReportCard], path: Path) -> None:
    """Write a PNG: a panel per card, said against seen for the label and for critical.

    Raises:
        UserError: the folder cannot be written to.
    """
    figure = sheet(4 * len(cards) + 0.5, 4.2)
    panels = figure.subplots(1, len(cards), squeeze=False, sharey=True)[0]
    for axes, card in zip(panels, cards, strict=True):
        axes.plot([0, 100], [0, 100], color="#999999", linewidth=1)
        for name, colour in ((LABEL, "#4477aa"), ("critical", "#cc3311")):
            bins = card.reliability.get(name, ())
            said, seen = [each.said for each in bins], [each.seen for each in bins]
            # A share of 0 or 100 is its own interval's end but for rounding.
            error = [
                [max(0.0, each.seen - each.low) for each in bins],
                [max(0.0, each.high - each.seen) for each in bins],
            ]
            words = "the label given" if name == LABEL else name
            axes.errorbar(said, seen, yerr=error, color=colour, marker="o", capsize=3, label=words)
        ece = card.measures["ece"].value
        error_words = "" if ece is None else f", ECE {ece:.1f} %"
        axes.set_title(f"{card.source}, n = {card.rows:,}{error_words}", fontsize=10)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_xlabel("probability said, %")
    panels[0].set_ylabel("share seen, % (95 % interval)")
    panels[0].legend(fontsize=8)
    keep(figure, path)
