"""What is kept of how far metrics agree with people, and how board and report say it."""

from __future__ import annotations

from pathlib import Path

from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.languages.sentences import run_on, sentence
from ..harness.statistics import OVERALL

ONE_RATER = "one rater"
"""In the place of a metric: each rater as if a metric of the others, which bounds what any metric can reach."""


class Measured(Record):
    """``Estimate`` as a record."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class MetaRow(Record):
    """One metric, or one rater, against people in one stratum. None: not defined by these ratings.

    Attributes:
        pairwise: percent of the pairs of answers to one question of which it prefers the same as people; 50 is
            chance.
        tau: Kendall's tau-b with people's mean quality.
        icc: consistency with people's mean quality, both in percent.
        harm: percent of pairs of a harmful and a harmless answer of which it thinks the harmful one worse (AUC).
        pairs_needed: of preferences, to tell ``pairwise`` from chance with 80 % power.
    """

    metric: str
    stratum: str
    pairwise: Measured | None
    tau: Measured | None
    icc: Measured | None
    harm: Measured | None
    pairs_needed: int | None

    def __str__(self) -> str:
        """As board and report print it beside the metric."""
        if self.pairwise and self.pairwise.value is not None:
            return sentence("people.pairs", share=f"{self.pairwise.value:.0f}", n=self.pairwise.n)
        if self.tau and self.tau.value is not None:
            return sentence("people.tau", n=self.tau.n, tau=f"{self.tau.value:.2f}")
        return sentence("people.unmeasurable")


class PoweredRow(Record):
    """Second minus first run in one question to raters, in points of 100, in one stratum.

    From ``rated`` questions and a metric of these and ``others``; with the interval that the ratings alone would
    give and the percent of them that the metric saves.
    """

    metric: str
    ask: str
    first: str
    second: str
    stratum: str
    rated: int
    others: int
    mean: float
    low: float
    high: float
    alone_low: float
    alone_high: float
    saving_pct: float


class Meta(Record):
    """The content of a file of ``maqa ratings meta``; ``powered`` is empty in files of earlier versions, as is
    ``screening``: the detectors that are for screening only, and why."""

    version: int = 1
    sheet: str
    raters: int
    signatures: dict[str, str]
    rows: tuple[MetaRow, ...]
    powered: tuple[PoweredRow, ...] = ()
    screening: dict[str, str] = {}

    def of(self, metric: str, signature: str) -> str:
        """What board and report print beside a metric."""
        row = next((each for each in self.rows if (each.metric, each.stratum) == (metric, OVERALL)), None)
        if row is None or self.signatures.get(metric) != signature:
            return NEVER
        return str(row)


NEVER = sentence("people.never")


def of_people(meta: Meta | None, metric: str, signature: str) -> str:
    """What board and report print of a metric, with and without ratings."""
    return run_on(f"{metric}: ", NEVER if meta is None else meta.of(metric, signature))


def read_meta(path: Path) -> Meta:
    """A file of ``maqa ratings meta``.

    Raises:
        UserError: it is none.
    """
    remedy = "Give the file that `maqa ratings meta RATINGS RUN... --json FILE` wrote"
    return validated(Meta, read_json(path, remedy), str(path), remedy)
