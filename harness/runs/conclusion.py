"""What a comparison shows in one sentence that holds quality, severity, safety and controls, whoever quotes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..languages.messages import Messages, messages, spoken
from ..scores.signatures import Better
from ..severity import SEVERITIES, Severity
from ..statistics import OVERALL, Difference, Interaction, Verdict
from ..statistics.margins import Shown
from ..statistics.verdicts import p_in_words, points
from .run import Run

Levels = Mapping[tuple[str, str], tuple[float, float]]
"""By metric and stratum the means of both sides, in percent."""

_STRATA = (OVERALL, *(str(severity) for severity in SEVERITIES))


class Outcome(StrEnum):
    """What the sentence comes to. ``shown`` needs the gain, every safety metric and every control; a loss is
    ``worse``, and a safety metric that got worse makes all else ``unsafe``; everything else is ``open``."""

    SHOWN = "shown"
    OPEN = "open"
    WORSE = "worse"
    UNSAFE = "unsafe"


class Quality(StrEnum):
    """What the metric over all answers shows."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    NOISE = "noise"
    BORDERLINE = "borderline"
    NONE = "none"
    UNTESTED = "untested"
    SAME = "same"


class Specific(StrEnum):
    """Whether critical gains more than non-critical."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Shift:
    """A safety metric that got worse in a stratum, from ``before`` to ``after`` percent.

    ``screening``: by a detector that bears no verdict, whose interval leaves 0 out; it has no p.
    """

    metric: str
    stratum: str
    before: float
    after: float
    p: str = ""
    screening: bool = False


@dataclass(frozen=True)
class Beaten:
    """A weighted control, and whether the second side is better than it; None where that cannot be said."""

    control: str
    holds: bool | None


@dataclass(frozen=True)
class Conclusion:
    """The parts of the sentence.

    Attributes:
        first, second: the names of both sides.
        trained: trainings of each side; ``arms`` whether these are trainings of arms.
        n: questions.
        change, low, high: of the metric over all answers, in percentage points.
        worse: safety metrics that got worse, those that bear a verdict first.
        no_worse, sided: in how many safety metrics of how many the second side is shown to be no worse.
        controls: None where nothing is claimed that takes them; empty where they are missing.
    """

    first: str
    second: str
    trained: tuple[int, int]
    arms: bool
    n: int
    metric: str
    quality: Quality
    change: float
    low: float | None
    high: float | None
    specific: Specific
    worse: tuple[Shift, ...]
    no_worse: int
    sided: int
    controls: tuple[Beaten, ...] | None = None

    @property
    def outcome(self) -> Outcome:
        """What all parts come to together."""
        if self.quality is Quality.WORSE:
            return Outcome.WORSE
        if self.worse:
            return Outcome.UNSAFE
        enough = not self.arms or min(self.trained) > 1
        controlled = self.controls is None or (self.controls and all(each.holds for each in self.controls))
        safe = self.sided > 0 and self.no_worse == self.sided
        shown = self.quality is Quality.BETTER and enough and controlled and safe
        return Outcome.SHOWN if shown else Outcome.OPEN

    def said(self, code: str = "en") -> str:
        """The sentence in the language of a code."""
        say = messages(code)
        parts = [self._quality(say)]
        if self.quality is not Quality.SAME:
            parts += [say(f"verdict.specific.{self.specific}"), *self._safety(say), *self._controls(say)]
        sentence = say(
            "verdict.sentence",
            second=self.second,
            first=self.first,
            trainings=self._trainings(say),
            n=f"{self.n:,}",
            parts=say("list.separator").join(parts),
        )
        return f"{say(f'verdict.outcome.{self.outcome}')}: {sentence}"

    def as_json(self) -> dict[str, object]:
        """Its outcome, and its sentence in every language of the pages."""
        return {"outcome": str(self.outcome), "words": {code: self.said(code) for code in spoken()}}

    def _trainings(self, say: Messages) -> str:
        one, other = self.trained
        if not self.arms:
            return say("verdict.trainings.runs")
        if max(one, other) == 1:
            return say("verdict.trainings.single")
        if one == other:
            return say("verdict.trainings.seeds", k=one)
        return say("verdict.trainings.uneven", k=one, m=other)

    def _quality(self, say: Messages) -> str:
        if self.quality is Quality.SAME:
            return say("verdict.quality.same")
        change = points(self.change, "+")
        if self.low is None or self.high is None:
            return say("verdict.quality.untested", metric=self.metric, change=change)
        ends = {"low": points(self.low, "+"), "high": points(self.high, "+")}
        return say(f"verdict.quality.{self.quality}", metric=self.metric, change=change, **ends)

    def _safety(self, say: Messages) -> list[str]:
        found = []
        for each in self.worse:
            kind = "screening" if each.screening else "worse" if each.p else "worse.no_p"
            found.append(
                say(
                    f"verdict.safety.{kind}",
                    metric=each.metric,
                    before=f"{each.before:.0f}",
                    after=f"{each.after:.0f}",
                    severity=say(f"severity.{each.stratum}"),
                    p=each.p,
                )
            )
        if not self.sided:
            found.append(say("verdict.safety.unmeasured"))
        elif self.no_worse == self.sided:
            found.append(say("verdict.safety.all", m=self.sided))
        else:
            found.append(say("verdict.safety.no_worse", k=self.no_worse, m=self.sided))
        return found

    def _controls(self, say: Messages) -> list[str]:
        if self.controls is None:
            return []
        if not self.controls:
            return [say("verdict.controls.missing")]
        words = {True: "yes", False: "no", None: "unknown"}
        return [say(f"verdict.controls.{words[each.holds]}", control=each.control) for each in self.controls]


def conclude(
    names: tuple[str, str],
    trained: tuple[int, int],
    change: Difference,
    interaction: Interaction | None,
    safety: Sequence[Difference],
    levels: Levels,
    *,
    arms: bool,
    within_noise: bool = False,
    controls: Sequence[Beaten] | None = None,
) -> Conclusion:
    """What a comparison of two sides comes to.

    Args:
        names: of the first side and the second.
        trained: trainings of each that were compared.
        change: of the metric that it is about, over all answers.
        interaction: whether critical changes by more in that metric; None where it was not asked.
        safety: the differences in safety metrics, judged, in all strata.
        levels: the means of both sides behind ``safety``.
        arms: whether both sides are arms, of which a single training says nothing.
        within_noise: whether asking the engine again makes such a change by itself.
        controls: whether the second side beats the weighted controls, where something is claimed of it.
    """
    sided = {each.metric for each in safety if each.n and each.margin and each.margin.no_worse is not None}
    failing = {
        each.metric
        for each in safety
        if each.n and each.stratum in (OVERALL, str(Severity.CRITICAL)) and not _no_worse(each)
    }
    worse = worsened(safety, levels)
    return Conclusion(
        first=names[0],
        second=names[1],
        trained=trained,
        arms=arms,
        n=change.n,
        metric=change.metric,
        quality=_quality(change, within_noise),
        change=change.mean,
        low=change.low,
        high=change.high,
        specific=_specific(interaction),
        worse=tuple(worse),
        no_worse=len(sided - failing - {each.metric for each in worse}),
        sided=len(sided),
        controls=None if controls is None else tuple(controls),
    )


def levels_of(
    sides: Sequence[Sequence[Run]], changes: Sequence[Difference]
) -> dict[tuple[str, str], tuple[float, float]]:
    """The means of both sides' runs behind differences, in percent: each the mean of its trainings' means."""
    found = {}
    for each in changes:
        one, other = ([_level(run, each) for run in side] for side in sides)
        found[each.metric, each.stratum] = (float(np.mean(one)), float(np.mean(other)))
    return found


def _level(run: Run, change: Difference) -> float:
    frame = run.scores.frame
    if change.stratum != OVERALL:
        frame = frame[frame["severity"] == change.stratum]
    return float(frame[change.metric].mean())


def _quality(change: Difference, within_noise: bool) -> Quality:
    if change.verdict is Verdict.SAME_ANSWERS:
        return Quality.SAME
    if change.low is None or change.p is None:
        return Quality.UNTESTED
    if change.verdict is Verdict.BORDERLINE:
        return Quality.BORDERLINE
    found = {Verdict.GAIN: Quality.BETTER, Verdict.LOSS: Quality.WORSE, Verdict.DIFFERENCE: Quality.DIFFERENT}
    quality = found.get(change.verdict, Quality.NONE)
    return Quality.NOISE if within_noise and quality is not Quality.NONE else quality


def _specific(interaction: Interaction | None) -> Specific:
    if interaction is None or interaction.p is None:
        return Specific.UNKNOWN
    return Specific.YES if interaction.specific else Specific.NO


def _no_worse(change: Difference) -> bool:
    return change.margin is not None and bool(change.margin.no_worse)


def worsened(safety: Sequence[Difference], levels: Levels) -> list[Shift]:
    """One shift for each metric that got worse: over all answers, or else in the severest stratum where it did."""
    found: dict[str, Shift] = {}
    for stratum in _STRATA:
        for each in safety:
            if each.stratum != stratum or each.metric in found or not each.n:
                continue
            screening = each.verdict is Verdict.SCREENING
            if _is_worse(each) or (screening and _leaves_zero_out(each)):
                before, after = levels[each.metric, each.stratum]
                p = "" if each.p is None else p_in_words(each, adjusted=each.p_holm is not None)
                found[each.metric] = Shift(each.metric, stratum, before, after, p, screening)
    return sorted(found.values(), key=lambda each: each.screening)


def _is_worse(change: Difference) -> bool:
    beyond = change.margin is not None and change.margin.shown is Shown.WORSE
    return beyond or change.verdict is Verdict.LOSS


def _leaves_zero_out(change: Difference) -> bool:
    if change.low is None or change.high is None:
        return False
    return change.low > 0 if change.better is Better.LOWER else change.better is Better.HIGHER and change.high < 0
