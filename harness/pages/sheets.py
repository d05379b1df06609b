"""Pictures as files, sized for a paper: the charts of the pages drawn by matplotlib as PNG or SVG.

The same chart gives the same bytes. Words are in the reader's language, as on a page; Arabic letters are joined and
run from right to left by matplotlib's own text layout, in DejaVu Sans, which comes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UserError
from ..core.files import atomic
from ..languages import language
from ..languages.messages import reader
from ..languages.sentences import Sentence, told
from .charts import IntervalChart
from .scatter import ScatterChart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg")
WIDTH = 6.9
"""Inches of two columns of a journal; letters are of 8 points then."""
_COLOURS = {
    "critical": "#b3261e",
    "neutral": "#8a6100",
    "non_critical": "#00695c",
    "overall": "#1d4f91",
    "muted": "#5c666d",
}
_PLAIN = "#1d4f91"
_LINE = "#888888"
_RIGHT_TO_LEFT = "\u200f"
"""Before a text that would else run from left to right, since it begins with a name in Latin letters."""
_NO_ISOLATES = dict.fromkeys((0x2066, 0x2068, 0x2069))


def demand_format(path: Path) -> None:
    """Raises:
    UserError: the picture's name ends as none that can be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path} is no picture that can be written", f"End its name in {' or '.join(FORMATS)}")


def sheet(width: float, height: float) -> Figure:
    """An empty figure of so many inches, on no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def keep(figure: Figure, path: Path, dpi: int = 150) -> None:
    """Write a figure by its path's ending, atomically, without a date or a version in it.

    Raises:
        UserError: the ending is another, or the folder cannot be written to.
    """
    from matplotlib import rc_context

    demand_format(path)
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Software": None} if kind == "png" else {"Date": None}
    # Names inside an SVG are random otherwise.
    with rc_context({"svg.hashsalt": "maqa"}), atomic(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=kind, metadata=metadata)


def draw(chart: IntervalChart | ScatterChart, label: str = "") -> Figure:
    """A chart of a page as a figure.

    Args:
        chart: intervals below one another, or points on two axes.
        label: what the axis of intervals shows.
    """
    return _scatter(chart) if isinstance(chart, ScatterChart) else _intervals(chart, label)


def write_figures(folder: Path, charts: Mapping[str, tuple[IntervalChart | ScatterChart, str]]) -> list[Path]:
    """Write every chart as PNG of 300 dots an inch and as SVG, by its name.

    Returns:
        The paths of the files.

    Raises:
        UserError: the folder cannot be written to.
    """
    written = []
    for name, (chart, label) in charts.items():
        figure = draw(chart, label)
        for ending in FORMATS:
            written.append(folder / f"{name}{ending}")
            keep(figure, written[-1], dpi=300)
    return written


def _intervals(chart: IntervalChart, label: str) -> Figure:
    figure = sheet(WIDTH, 0.24 * len(chart.rows) + 0.9)
    axes = figure.add_subplot()
    places = range(len(chart.rows), 0, -1)
    for place, row in zip(places, chart.rows, strict=True):
        colour = _COLOURS.get(row.kind, _PLAIN)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot([row.mean], [place], "o", color=colour, markersize=4, clip_on=False)
    if chart.zero:
        axes.axvline(0, color=_LINE, linestyle="--", linewidth=0.8)
    axes.set_yticks(list(places), [_plain(row.label) for row in chart.rows])
    axes.set_ylim(0.4, len(chart.rows) + 0.6)
    axes.set_xticks(chart.axis.ticks)
    axes.set_xlim(chart.axis.start, chart.axis.stop)
    return _dressed(figure, axes, chart.title, label, "")


def _scatter(chart: ScatterChart) -> Figure:
    figure = sheet(WIDTH, 4.2)
    axes = figure.add_subplot()
    if chart.path:
        axes.plot(*zip(*chart.path, strict=True), color=_LINE, linestyle="--", linewidth=0.8)
    for point in chart.points:
        colour = _COLOURS.get(point.kind, _PLAIN)
        for ends, across in ((point.across, True), (point.up, False)):
            if ends:
                at: Sequence[Any] = (ends, [point.y] * 2) if across else ([point.x] * 2, ends)
                axes.plot(*at, color=colour, linewidth=1.2, alpha=0.5)
        axes.plot([point.x], [point.y], "o", color=colour, markersize=5, clip_on=False)
        axes.annotate(
            _plain(point.label), (point.x, point.y), xytext=(5, 4), textcoords="offset points", fontsize=7
        )
    for axis, set_ticks, set_ends in (
        (chart.x_axis, axes.set_xticks, axes.set_xlim),
        (chart.y_axis, axes.set_yticks, axes.set_ylim),
    ):
        set_ticks(axis.ticks)
        set_ends(axis.start, axis.stop)
    return _dressed(figure, axes, chart.title, chart.x_label, chart.y_label)


def _dressed(figure: Figure, axes: Any, title: str, x_label: str, y_label: str) -> Figure:
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(_plain(title), fontsize=9, loc="right" if language(reader()).direction == "rtl" else "left")
    axes.set_xlabel(_plain(x_label), fontsize=8)
    axes.set_ylabel(_plain(y_label), fontsize=8)
    return figure


def _plain(text: str, most: int = 60) -> str:
    shown = told(text, reader())
    if len(shown) > most:
        # Both ends of a long name tell it from others; an isolate that lost its end would hold the rest too.
        whole = shown.translate(_NO_ISOLATES)
        shown = f"{whole[: most // 2]}…{whole[-most // 2 :]}"
    says = isinstance(text, Sentence) and language(reader()).direction == "rtl"
    # A dollar sign would begin a formula.
    return (_RIGHT_TO_LEFT if says else "") + shown.replace("$", r"\$")
