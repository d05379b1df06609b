"""What a probe says, as it is written to ``probe.json``."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..harness.core.settings import Record
from ..harness.languages.sentences import Words, sentence
from ..harness.statistics import USUAL, Resampling
from .design import Design


class Rate(Record):
    """A rate in percent over the answers to the texts of a stratum; its interval is over cases, and is absent of a
    single case. ``told_apart`` is a difference of rates, in points."""

    stratum: str
    outcome: str
    cases: int
    answers: int
    value: float
    low: float | None
    high: float | None


class Effect(Record):
    """How a level of a factor changes the odds of being sent for help at once, all else of the text being equal.

    Of ``pairs`` of texts that differ in it alone, ``only_here`` were sent only with ``level`` and ``only_there``
    only with ``against``. ``low`` is absent where fewer than two cases have such a pair; ``high`` is absent beside
    a ``low`` where nothing bounds it. ``rate`` and ``rate_against`` are in percent.
    """

    stratum: str
    factor: str
    level: str
    against: str
    cases: int
    pairs: int
    only_here: int
    only_there: int
    rate: float
    rate_against: float
    odds_ratio: float
    low: float | None
    high: float | None

    @property
    def interval(self) -> str:
        """In words, as terminal and page print it."""
        if self.low is None:
            return sentence("probe.few_changed" if self.only_here + self.only_there else "probe.no_change")
        return f"[{_odds(self.low)}, {'∞' if self.high is None else _odds(self.high)}]"

    @property
    def ratio(self) -> str:
        """As terminal and page print it."""
        return _odds(self.odds_ratio) if self.only_here + self.only_there else "—"


class Answered(Record):
    """How many answers there are, how many a server refused, and how many the limit of tokens cut."""

    all: int
    refused: int
    cut: int


class Probe(Record):
    """A model's answers to one design, read; ``screening`` says which of the detectors behind the rates are for
    screening only, and why: probes of earlier versions do not know."""

    maqa_severity: str = __version__
    version: int = 1
    name: str
    created: str
    command: str
    language: str
    about: Words
    vignettes: str
    design: Design
    screening: dict[str, Words] = {}
    left_out: list[Words]
    model: str
    model_args: dict[str, Any]
    identity: dict[str, Any]
    decoding: dict[str, Any]
    signatures: dict[str, str]
    resampling: Resampling = USUAL
    answers: Answered
    rates: list[Rate]
    effects: list[Effect]
    compared: list[Words]
    notes: list[Words]


def _odds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"
