"""Whether severity-aware training helps: one claim, which holds only if every leg of it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..languages.sentences import Sentence, sentence, severity, together
from ..statistics import Difference, Verdict
from ..statistics.verdicts import p_in_words, points
from .noise_compared import WITHIN

CLAIMED = "severity"
BASELINE = "ce"
CONTROLS = ("constant", "shuffled", "matched")
"""Arms that weight the examples too, but not by their severity: what they gain as well, the severity did not."""


@dataclass(frozen=True)
class Leg:
    """The claimed arm minus one other, in one metric and stratum; ``seeds`` is how many trainings each side has,
    ``within_noise`` whether asking the engine again makes such a difference by itself."""

    against: str
    change: Difference
    seeds: tuple[int, int]
    within_noise: bool = False

    @property
    def judged(self) -> bool:
        """Whether it says anything about arms: two trainings of each, or nothing is known about others; and more
        than screening."""
        return min(self.seeds) > 1 and not self.screened

    @property
    def screened(self) -> bool:
        """Whether its metric is for screening only."""
        return self.change.verdict is Verdict.SCREENING

    @property
    def holds(self) -> bool:
        """Whether the claimed arm is better, at the level."""
        return self.judged and self.change.verdict is Verdict.GAIN

    def __str__(self) -> str:
        change = self.change
        size = points(change.mean, "+")
        if change.low is not None and change.high is not None:
            size += f" [{points(change.low, '+')}, {points(change.high, '+')}]"
        figures: list[str] = [size]
        if change.p is not None:
            figures.append(f"p {p_in_words(change)}")
        if self.within_noise:
            figures.append(WITHIN)
        return sentence("claim.leg", against=self.against, figures=together(figures, "list.comma"))


@dataclass(frozen=True)
class Claim:
    """That an arm helps: it is better than the plain arm and than every weighted control.

    An intersection-union test (Berger 1982, doi 10.1080/00401706.1982.10487790): where each leg is tested at 5 %,
    so is the whole, without any adjustment. ``specific`` says whether critical gains more than non_critical over
    the plain arm, which is no leg of it.
    """

    arm: str
    metric: str
    stratum: str
    legs: tuple[Leg, ...]
    specific: str = ""

    @property
    def holds(self) -> bool | None:
        """None where nothing can be said: there is no leg against the plain arm, or one has too few trainings."""
        if not self.plain or not all(leg.judged for leg in self.legs):
            return None
        return all(leg.holds for leg in self.legs)

    @property
    def plain(self) -> bool:
        """Whether the plain arm is among those that it is set against."""
        return any(named(leg.against, BASELINE) for leg in self.legs)

    @property
    def controls(self) -> list[Leg]:
        """The legs against weighted controls."""
        return [leg for leg in self.legs if any(named(leg.against, control) for control in CONTROLS)]

    def __str__(self) -> str:
        verdict = self._verdict()
        if self.specific and self.holds is not None:
            return together([verdict, sentence("claim.specific", baseline=BASELINE, words=self.specific)])
        return verdict

    def _verdict(self) -> Sentence:
        what = sentence("claim.what", metric=self.metric, stratum=severity(self.stratum))
        if not self.plain:
            return sentence("claim.missing", what=what, baseline=BASELINE)
        if any(leg.screened for leg in self.legs):
            return sentence("claim.screened", what=what, metric=self.metric)
        if few := [leg for leg in self.legs if not leg.judged]:
            one, other = few[0].seeds
            return sentence(
                "claim.few",
                what=what,
                arm=self.arm,
                trainings=_trainings(other),
                against=few[0].against,
                others=_trainings(one),
            )
        parts = []
        if self.holds:
            parts.append(sentence("claim.holds", what=what, arm=self.arm, legs=_listed(self.legs)))
        else:
            failed = [leg for leg in self.legs if not leg.holds]
            parts.append(sentence("claim.not_shown", what=what, arm=self.arm, legs=_listed(failed)))
            if beaten := [leg for leg in self.legs if leg.holds]:
                parts.append(sentence("claim.beaten", legs=_listed(beaten)))
        if not self.controls:
            parts.append(sentence("claim.uncontrolled", controls=", ".join(CONTROLS)))
        return together(parts)


def named(arm: str | None, name: str) -> bool:
    """Whether an arm such as ``severity balanced`` is meant by ``severity``, ``severity-balanced`` or as it is."""
    return arm is not None and name in (arm, arm.split(" ")[0], arm.split("-")[0], arm.replace(" ", "-"))


def scheme(arm: str) -> str:
    """The weighting scheme in an arm's name; empty without one."""
    return arm.replace("-", " ").partition(" ")[2]


def controls_of(arm: str, others: Sequence[str]) -> list[str]:
    """The weighted controls of an arm: those of its own scheme where there are any, else all."""
    found = [other for other in others if any(named(other, control) for control in CONTROLS)]
    return [other for other in found if scheme(other) == scheme(arm)] or found


def _trainings(count: int) -> Sentence:
    return sentence(f"claim.training{'s' if count > 1 else ''}", n=count)


def _listed(legs: Sequence[Leg]) -> Sentence:
    return together(map(str, legs), "list.comma")
