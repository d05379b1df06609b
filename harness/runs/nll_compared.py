"""The references' likelihood under two runs or arms: paired differences, a family of tests of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..languages.sentences import sentence, severity, together
from ..scores.table import ScoreTable
from ..severity import Severity
from ..statistics import (
    OVERALL,
    Difference,
    Resampling,
    Summary,
    Verdict,
    averaged,
    compare_groups,
    interactions,
    summarise,
)
from ..statistics.arms import Seed
from ..statistics.verdicts import p_in_words
from .groups import RunGroup
from .nll import METRIC
from .run import Run

UNIT = sentence("nll.unit")


@dataclass(frozen=True)
class NllCompared:
    """Means over questions of the negative log-likelihood of the reference answer per token, in nats.

    Attributes:
        differences: second minus first, four strata, judged as one family; empty where they cannot be compared.
        means: of both sides, of an arm with several trainings of each question's mean over them.
        more: the change in critical less that in non_critical: mean, low, high and p, as far as there are any.
        left_out: why there is no comparison; empty where there is one, or where nobody measured anything.
        words: the differences in a sentence.
        signature: how the numbers came about.
    """

    differences: list[Difference] = field(default_factory=list)
    means: tuple[list[Summary], list[Summary]] = ([], [])
    more: tuple[float, float | None, float | None, float | None] | None = None
    left_out: str = ""
    words: str = ""
    signature: str = ""

    def mean(self, side: int, stratum: str) -> Summary:
        """The mean of a side, 0 or 1."""
        return next(each for each in self.means[side] if each.stratum == stratum)


def compare_nll(first: RunGroup, second: RunGroup, resampling: Resampling, pair_seeds: bool = True) -> NllCompared:
    """Compare the likelihoods of two runs or arms by question, and over trainings where both have several."""
    runs = [*first.runs.values(), *second.runs.values()]
    if left_out := why_not(runs):
        return NllCompared(left_out=left_out)
    one, other = nll_tables(first), nll_tables(second)
    if not one:
        return NllCompared()
    made = compare_groups(one, other, [METRIC], resampling, pair_seeds)
    more = interactions(one, other, [METRIC], resampling, pair_seeds)[0]
    differences = [each for each in made.differences if each.n]
    return NllCompared(
        differences,
        (nll_means(one, resampling), nll_means(other, resampling)),
        (more.mean, more.low, more.high, more.p) if more.n_here and more.n_there else None,
        words=nll_in_words(differences),
        signature=next(iter(one.values())).signatures[METRIC],
    )


def why_not(runs: Sequence[Run]) -> str:
    """Why the likelihoods of runs cannot be compared; empty where they can, or where none has any."""
    found = [(run.name, run.nll) for run in runs]
    if lacking := [name for name, table in found if table is None]:
        return "" if len(lacking) == len(found) else sentence("nll.lacking", run=lacking[0])
    signatures = {table.signatures[METRIC] for _, table in found if table is not None}
    if len(signatures) > 1:
        return sentence("nll.tokens")
    return ""


def nll_tables(group: RunGroup) -> dict[Seed, ScoreTable]:
    """The likelihoods of an arm by seed; empty unless all of its runs have them."""
    found = {seed: run.nll for seed, run in group.runs.items() if run.nll is not None}
    return found if len(found) == len(group.runs) else {}


def nll_means(tables: dict[Seed, ScoreTable], resampling: Resampling) -> list[Summary]:
    """The mean of each stratum that has questions, with its interval over questions."""
    return [each for each in summarise(averaged(list(tables.values())), resampling) if each.n]


def nats(value: float | None, sign: str = "") -> str:
    """Nats with four decimals, for a terminal."""
    return "-" if value is None or value != value else f"{value:{sign}z.4f}"


def nll_in_words(differences: Sequence[Difference]) -> str:
    """What was found in which severity, and overall."""
    parts = [
        sentence(
            f"nll.{'overall' if each.stratum == OVERALL else 'stratum'}",
            verdict=sentence(f"term.{each.verdict.replace(' ', '_')}"),
            stratum=severity(each.stratum),
            size=f"{nats(each.mean, '+')}{_ends(each)}",
            p=sentence(f"differences.{'holm' if each.family > 1 else 'p'}", p=p_in_words(each, each.family > 1)),
        )
        for each in differences
        if each.verdict in (Verdict.GAIN, Verdict.LOSS) or each.stratum in (Severity.CRITICAL, OVERALL)
    ]
    return sentence("nll.words", unit=UNIT, parts=together(parts)) if parts else ""


def _ends(change: Difference) -> str:
    return "" if change.low is None else f" [{nats(change.low, '+')}, {nats(change.high, '+')}]"
