"""``noise.json``: what changed where questions were asked again, and how large a difference that can make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.errors import UserError
from ..core.files import read_json
from ..core.records import validated
from ..core.settings import Record
from ..statistics.columns import OVERALL
from ..statistics.noise import Spread

NAME = "noise.json"
REPEATS = "repeats.parquet"
"""The second answers that it is made from."""
FORMAT_VERSION = 1
_AGAIN = "Delete it and run the same `maqa evaluate` again: no answer is asked again"


class Changed(Record):
    """Of ``asked`` answers, ``changed`` came out otherwise; ``at_most_pct`` is the 95 % bound of their share."""

    asked: int
    changed: int
    at_most_pct: float

    @property
    def share_pct(self) -> float:
        """Share of the changed answers."""
        return 100 * self.changed / self.asked


class SelfDifference(Record):
    """Second minus first score of the ``n`` questions that were asked twice, in percentage points.

    ``deviation`` is the standard deviation of the differences; ``square`` the mean of their squares, known with
    ``freedom`` degrees of freedom; the interval is that of a paired difference. ``floor`` is how far asking all of
    the run's questions again moves its mean by chance alone, with 95 % confidence.
    """

    n: int
    mean: float
    absolute_mean: float
    deviation: float | None
    low: float | None
    high: float | None
    square: float
    freedom: float
    floor: float | None


class Noise(Record):
    """What asking again changed. ``share`` was asked for; ``how`` says in what the second asking was another one.

    ``changed`` is by stratum; ``metrics`` by metric and stratum, with the ``signatures`` that both sides were
    scored by. Of a question with several samples the means of both rounds are compared.
    """

    format_version: int = FORMAT_VERSION
    share: float
    seed: int
    how: str
    changed: dict[str, Changed]
    metrics: dict[str, dict[str, SelfDifference]]
    signatures: dict[str, str]

    @property
    def overall(self) -> Changed:
        """Over all severities."""
        return self.changed[OVERALL]

    def spreads(self, metric: str, signature: str) -> Mapping[str, Spread]:
        """How far a metric's scores vary, by severity; empty where it was scored by other rules than these."""
        if self.signatures.get(metric) != signature:
            return {}
        found = self.metrics.get(metric, {})
        return {stratum: Spread(cell.square, cell.freedom) for stratum, cell in found.items() if stratum != OVERALL}


def read_noise(folder: Path) -> Noise | None:
    """What the run's second asking showed; None where nothing was asked again.

    Raises:
        UserError: the file is damaged or of a newer format.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    raw = read_json(path, _AGAIN)
    if isinstance(raw, dict) and raw.get("format_version", 0) > FORMAT_VERSION:
        raise UserError(f"{path} has the newer format {raw['format_version']}", "Update maqa-severity")
    return validated(Noise, raw, str(path), _AGAIN)
