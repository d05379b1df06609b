"""What paired differences say, judged family by family, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..languages.sentences import Sentence, sentence, severity, together
from ..scores.signatures import Better
from .clusters import Clustered
from .columns import OVERALL
from .crossed import LEAST_P
from .exact import ExactBound
from .intervals import Method
from .margins import AgainstMargin, Shown
from .significance import detectable_at, detectable_difference, holm, within_error

ALPHA = 0.05
NOISE = 1e-9
"""Percentage points below which a mean or a deviation is rounding."""
UNCHANGED = 1e-4
"""Percentage points up to which one answer's change is rounding: in another batch a float32 encoder scores the same
text some 1e-6 apart."""


class Verdict(StrEnum):
    """What a difference says at the family-wise level ``ALPHA``; ``difference`` where no side is better.

    ``borderline`` is for a p that another draw of random signs could put on the other side of the level.
    ``cannot be tested`` is for so few changed answers that no p of theirs is below the level. ``same answers`` is
    for runs that no answer tells apart, of which no test can say anything. ``screening only`` is for a detector
    that errs too often for one.
    """

    GAIN = "gain"
    LOSS = "loss"
    DIFFERENCE = "difference"
    NO_EVIDENCE = "no evidence"
    BORDERLINE = "borderline"
    UNTESTABLE = "cannot be tested"
    NOT_TESTED = "not tested"
    SAME_ANSWERS = "same answers"
    SCREENING = "screening only"


@dataclass(frozen=True)
class Difference:
    """Second minus first run: one metric in one stratum (a severity or ``overall``), over the n answers of both.

    Attributes:
        mean, low, high: in percentage points; no interval where ``method`` says why. The interval holds 0 exactly
            if p is not below ``ALPHA``.
        p: two-sided randomisation p; None for n < 2, and for what is for screening only.
        p_holm: the same, adjusted over the ``family`` tests that it was judged with; None where the level is below
            ``smallest_p``, which leaves the family, as an unchanged stratum does.
        deviation: standard deviation of the differences, in percentage points.
        effect_size: Cohen's d_z, mean over deviation; None where the differences do not vary.
        better: which way the metric improves.
        improved_pct, worsened_pct: share of answers that changed for the better and the worse; rose and fell for a
            metric with no better side.
        detectable: smallest true difference that this test, adjusted for its family, finds with 80 % power, in
            percentage points; None where no difference can be found so, as it would be larger than ``room`` or its
            p not small enough.
        error, freedom: standard error over questions and trainings, and its degrees of freedom; None where interval
            and p are over questions alone.
        smallest_p: the smallest p that so few changed answers can give; None where it has no such bound.
        vectors: of signs behind p; None where p is not by flipped signs. ``exact`` if they are all that there are.
        room: how far the first run's mean is from the best there is, in percentage points.
        margin: what it shows against a margin, where one was declared.
        bound: how many of such answers rise and fall at most, where too few changed to test.
        clustered: what clusters of questions do to it; None where each stands alone.
    """

    metric: str
    stratum: str
    n: int
    mean: float
    low: float | None
    high: float | None
    method: Method
    p: float | None
    deviation: float | None
    effect_size: float | None
    better: Better
    improved_pct: float | None
    worsened_pct: float | None
    p_holm: float | None = None
    family: int = 0
    detectable: float | None = None
    verdict: Verdict = Verdict.NOT_TESTED
    error: float | None = None
    freedom: float | None = None
    smallest_p: float | None = None
    vectors: int | None = None
    exact: bool = False
    room: float | None = None
    margin: AgainstMargin | None = None
    bound: ExactBound | None = None
    clustered: Clustered | None = None

    @property
    def at_floor(self) -> bool:
        """Whether p is the smallest that its random signs, or its test, can give, and so a bound."""
        if self.error is not None:
            return self.p is not None and self.p <= LEAST_P
        drawn = self.vectors if self.vectors and not self.exact else None
        return drawn is not None and self.p is not None and self.p * (drawn + 1) < 1.5

    @property
    def can_be_tested(self) -> bool:
        """Whether any signs of its changed answers give a p below the level."""
        return self.p is not None and (self.smallest_p is None or self.smallest_p < ALPHA)


def points(value: float, sign: str = "") -> str:
    """Percentage points with one decimal. A value that is too small for it keeps its first digit, so that no loss
    reads as -0.0 and no bound as 0.0.

    Args:
        sign: ``+`` to show the sign of positive values too.
    """
    return f"{value:{sign}.1g}" if NOISE < abs(value) < 0.05 else f"{value:{sign}z.1f}"


def judge(family: Sequence[Difference]) -> list[Difference]:
    """The same differences, judged as one family: Holm's p, detectable difference at ALPHA over the family's size,
    and verdict. Differences without a p (n < 2) and those that cannot be tested stay outside it."""
    tested = [difference for difference in family if difference.can_be_tested]
    adjusted = iter(holm([difference.p for difference in tested if difference.p is not None]))
    return [
        judged_at(difference, next(adjusted), len(tested)) if difference.can_be_tested else _outside(difference)
        for difference in family
    ]


def in_words(differences: Sequence[Difference]) -> Sentence:
    """The verdict on one metric: what was found in which severity, where nothing was found and what could have been
    missed there; then the overall difference.

    Args:
        differences: those of one metric, judged.
    """
    if found := [each for each in differences if each.verdict is Verdict.SCREENING and each.n]:
        sizes = [sentence("differences.size", stratum=severity(each.stratum), size=_size(each)) for each in found]
        return sentence("differences.screening", sizes=_listed(sizes))
    strata = [difference for difference in differences if difference.stratum != OVERALL]
    parts = [_found(difference) for difference in strata if difference.verdict in _FOUND]
    silent = [difference for difference in strata if difference.verdict is Verdict.NO_EVIDENCE]
    if silent:
        parts.append(sentence("differences.none", strata=_listed(map(_missed, silent))))
    parts += [_unsure(difference) for difference in strata if difference.verdict is Verdict.BORDERLINE]
    hopeless = [difference for difference in strata if difference.verdict is Verdict.UNTESTABLE]
    if hopeless:
        parts.append(sentence("differences.cannot", strata=_listed(map(_hopeless, hopeless))))
    untested = [difference for difference in strata if difference.verdict is Verdict.NOT_TESTED]
    if untested:
        few = [sentence("differences.few", stratum=severity(each.stratum), n=each.n) for each in untested]
        parts.append(sentence("differences.not_tested", strata=_listed(few)))
    parts += [
        sentence(
            f"differences.overall{'_borderline' if difference.verdict is Verdict.BORDERLINE else ''}",
            size=_size(difference),
            p=_p(difference),
        )
        for difference in differences
        if difference.stratum == OVERALL and difference.p is not None
    ]
    return together(parts + _against(differences))


def p_in_words(difference: Difference, adjusted: bool = False) -> str:
    """p, or Holm's p: ``0.03``, or ``≤ 0.0001`` where these random signs could give no smaller one."""
    p = difference.p_holm if adjusted else difference.p
    return "-" if p is None else f"{'≤ ' if difference.at_floor else ''}{p:.2g}"


def shown_in_words(margin: AgainstMargin) -> Sentence:
    """What a difference shows against its margin, as in ``no worse by 2.0``."""
    what = str(margin.shown).replace(" ", "_")
    if margin.shown is Shown.NOT_SHOWN:
        what += "_equivalent" if margin.no_worse is None else "_no_worse"
    return sentence(f"page.{what}", points=points(margin.points))


_FOUND = (Verdict.GAIN, Verdict.LOSS, Verdict.DIFFERENCE)


def judged_at(difference: Difference, p_holm: float, family: int, alpha: float = ALPHA) -> Difference:
    """The difference with the verdict of its adjusted p.

    Args:
        family: how many tests it was adjusted over.
        alpha: the level that the family has, of which depends what could have been found.
    """
    judged = replace(difference, p_holm=p_holm, family=family, detectable=_detectable(difference, alpha / family))
    return replace(judged, verdict=Verdict.BORDERLINE if borderline(judged) else _verdict(judged))


def _outside(difference: Difference) -> Difference:
    """Judged outside any family: an unchanged stratum has p 1 whatever its family, and others have no verdict."""
    apart = replace(difference, p_holm=None, family=0, detectable=None, verdict=Verdict.NOT_TESTED)
    if difference.p is None:
        return apart
    if difference.smallest_p == 1 and not difference.mean:
        return replace(apart, p_holm=difference.p, verdict=Verdict.NO_EVIDENCE)
    return replace(apart, verdict=Verdict.UNTESTABLE)


def borderline(difference: Difference) -> bool:
    """Whether a judged difference's verdict could be another with other random signs."""
    if not difference.p or difference.p_holm is None or difference.vectors is None or difference.exact:
        return False
    return within_error(difference.p, difference.vectors, ALPHA * difference.p / difference.p_holm)


def _verdict(difference: Difference) -> Verdict:
    if difference.p_holm is None or difference.p_holm >= ALPHA:
        return Verdict.NO_EVIDENCE
    rose = difference.mean > 0
    return {
        Better.HIGHER: Verdict.GAIN if rose else Verdict.LOSS,
        Better.LOWER: Verdict.LOSS if rose else Verdict.GAIN,
        Better.NEITHER: Verdict.DIFFERENCE,
    }[difference.better]


def _detectable(difference: Difference, alpha: float) -> float | None:
    found = None
    if difference.error and difference.freedom:
        found = detectable_at(difference.error, difference.freedom, alpha)
    elif difference.clustered:
        cluster = difference.clustered
        if cluster.error and cluster.freedom and (difference.smallest_p is None or difference.smallest_p < alpha):
            found = detectable_at(cluster.error, cluster.freedom, alpha)
    elif difference.deviation and (difference.smallest_p is None or difference.smallest_p < alpha):
        found = detectable_difference(difference.deviation, difference.n, alpha)
    return None if found is None or (difference.room is not None and found > difference.room) else found


def _listed(parts: Iterable[str]) -> Sentence:
    return together(parts, "list.comma")


def _found(difference: Difference) -> Sentence:
    return sentence(
        f"differences.{difference.verdict}",
        stratum=severity(difference.stratum),
        size=_size(difference),
        p=_p(difference),
    )


def _unsure(difference: Difference) -> Sentence:
    return sentence(
        "differences.borderline",
        stratum=severity(difference.stratum),
        size=_size(difference),
        p=_p(difference),
        vectors=f"{difference.vectors:,}",
        alpha=ALPHA,
    )


def _hopeless(difference: Difference) -> Sentence:
    never = sentence("differences.never", least=f"{difference.smallest_p:.2g}")
    few = sentence("differences.n", n=difference.n)
    if difference.clustered:
        clusters = difference.clustered.clusters
        few = sentence(
            f"differences.n_{'clusters' if clusters > 1 else 'cluster'}", n=difference.n, clusters=clusters
        )
    why = together(filter(None, (few, never, _at_most(difference))))
    return sentence("differences.hopeless", stratum=severity(difference.stratum), why=why)


def _at_most(difference: Difference) -> str:
    """The exact bound, from the side that matters: how many of such answers change for the worse at most."""
    bound = difference.bound
    if bound is None:
        return ""
    rising, falling = f"{bound.rising:.0f} %", f"{bound.falling:.0f} %"
    if difference.better is Better.NEITHER:
        return sentence("differences.rise", rising=rising, falling=falling)
    best, worst = (falling, rising) if difference.better is Better.LOWER else (rising, falling)
    return sentence("differences.turn", best=best, worst=worst)


def _p(difference: Difference) -> Sentence:
    adjusted = difference.family > 1
    found = f"{'' if difference.at_floor else '= '}{p_in_words(difference, adjusted)}"
    return sentence(f"differences.{'holm' if adjusted else 'p'}", p=found)


def _missed(difference: Difference) -> Sentence:
    stratum = severity(difference.stratum)
    if difference.detectable is not None:
        return sentence("differences.missed", stratum=stratum, points=points(difference.detectable))
    if not difference.deviation and not difference.error:
        if difference.mean:
            return sentence("differences.equally", stratum=stratum)
        return sentence("differences.unchanged", stratum=stratum, most=_at_most(difference))
    if difference.smallest_p is not None and difference.smallest_p >= ALPHA / max(difference.family, 1):
        return sentence("differences.too_few", stratum=stratum)
    return sentence("differences.any", stratum=stratum, points=points(difference.room or 0))


def _against(differences: Sequence[Difference]) -> list[Sentence]:
    """What the differences of one metric show against its margin, stratum by stratum."""
    strata: dict[Sentence, list[str]] = {}
    for difference in differences:
        if difference.margin and difference.n:
            found = strata.setdefault(shown_in_words(difference.margin), [])
            found.append(severity(difference.stratum))
    return [sentence("differences.against", words=words, strata=_listed(each)) for words, each in strata.items()]


def _size(difference: Difference) -> str:
    if difference.low is None or difference.high is None:
        return points(difference.mean, "+")
    ends = f"{points(difference.low, '+')}, {points(difference.high, '+')}"
    return f"{points(difference.mean, '+')} [{ends}]"
