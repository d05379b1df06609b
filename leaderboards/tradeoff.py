"""Missed emergencies against over-referral: where each run of a board stands, and what sending at random gives.

Both axes are rates of one event, being sent to an emergency department now: of critical questions that are not, of
non-critical ones that are. Whoever always says the same stands on the line between "send nobody" and "send
everybody", wherever a condition is named; so does whoever sends at random. (By ``missed_emergency`` alone, which
a conditional referral satisfies, an answer "if it gets worse, go to the emergency department" to every question
would look perfect: it is drawn as a thin line below the point.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from ..harness.metrics.screening import SCREENING
from ..harness.pages import PlaneChart, PlanePoint
from ..harness.severity import Severity
from .records import Board, Cell, Row

_RATES = ("urgent_referral", "missed_emergency", "over_referral")
NOBODY, EVERYBODY = (0.0, 100.0), (100.0, 0.0)
"""Over-referral and emergencies not sent, of whoever sends nobody, and everybody."""


@dataclass(frozen=True)
class OperatingPoint:
    """One run: percent of critical questions sent now, missed even on a condition, and of non-critical ones sent.

    ``better`` is Youden's index, sent minus over-referral: 0 is what always saying the same gives, and sending at
    random. Its interval joins those of both rates, which are of different questions (Zou and Donner 2008, doi
    10.1002/sim.3095). ``screened`` if a detector behind the rates is for screening only.
    """

    name: str
    floor: bool
    sent: Cell
    missed: Cell
    over: Cell
    screened: bool = False

    @property
    def at(self) -> tuple[float, float]:
        """Over-referral and emergencies not sent."""
        return self.over.mean, 100 - self.sent.mean

    @property
    def better(self) -> tuple[float, float | None, float | None]:
        """In points, with its 95 % interval; none where one of the rates has none."""
        value, sent, over = self.sent.mean - self.over.mean, self.sent, self.over
        if sent.low is None or sent.high is None or over.low is None or over.high is None:
            return value, None, None
        down = hypot(sent.mean - sent.low, over.high - over.mean)
        up = hypot(sent.high - sent.mean, over.mean - over.low)
        return value, value - down, value + up

    @property
    def words(self) -> str:
        """What the index says."""
        _, low, high = self.better
        if self.screened:
            return f"{SCREENING}, so no verdict"
        if low is None or high is None:
            return "too few answers to tell"
        if low > 0:
            return "tells emergencies from harmless questions"
        return "worse than sending at random" if high < 0 else "not shown to do better than sending at random"


@dataclass(frozen=True)
class Tradeoff:
    """The runs that have both rates, the curve that they and the two constants make, and who lacks a rate."""

    points: tuple[OperatingPoint, ...]
    curve: tuple[tuple[float, float], ...]
    lacking: tuple[str, ...]

    @property
    def chart(self) -> PlaneChart:
        """The picture."""
        ends = [
            PlanePoint("send nobody", *NOBODY, kind="muted"),
            PlanePoint("send everybody", *EVERYBODY, kind="muted"),
        ]
        runs = [
            PlanePoint(point.name, *point.at, point.missed.mean, "neutral" if point.floor else "overall")
            for point in self.points
        ]
        return PlaneChart(
            title="Emergencies not sent at once against over-referral",
            x_label="over-referral, % of non-critical",
            y_label="not sent at once, % of critical",
            points=(*ends, *runs),
            curve=self.curve,
            chance=(NOBODY, EVERYBODY),
        )


def tradeoff(board: Board) -> Tradeoff | None:
    """The trade-off of a board's runs; None where none has both rates."""
    screened = any(name in board.screening for name in _RATES)
    found = [(row, _point(row, screened)) for row in board.rows]
    points = tuple(point for _, point in found if point)
    lacking = tuple(row.name for row, point in found if not point)
    return Tradeoff(points, lower_hull([point.at for point in points]), lacking) if points else None


def lower_hull(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The lower left of the convex hull of the points and the two constants, from "send nobody" on.

    Every point on it can be had, by letting chance choose between the systems at its ends (Provost and Fawcett
    2001, doi 10.1023/A:1007601015854); no run above it is worth having.
    """
    hull: list[tuple[float, float]] = []
    for point in sorted({NOBODY, EVERYBODY, *points}):
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return tuple(hull)


def _turn(one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]) -> float:
    return (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])


def _point(row: Row, screened: bool) -> OperatingPoint | None:
    severities = (Severity.CRITICAL, Severity.CRITICAL, Severity.NON_CRITICAL)
    sent, missed, over = (row.cell(name, each) for name, each in zip(_RATES, severities, strict=True))
    return OperatingPoint(row.name, row.floor, sent, missed, over, screened) if sent and missed and over else None
