"""The tests of a declared analysis: Holm over exactly these, gates between them, and a level spent over looks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import isnan

from ..core.settings import Record
from ..languages.messages import messages
from ..languages.sentences import known_again, made, run_on, sentence, severity, together, told
from ..scores.signatures import Better
from ..statistics import Difference, Verdict, in_words
from ..statistics.significance import holm
from ..statistics.spending import Spending, level_at, repeated_p
from ..statistics.verdicts import ALPHA, judged_at, p_in_words, points
from .analysis import Analysis, Contrast
from .claim import Claim, named
from .comparison import Comparison

Pairs = Mapping[tuple[str, str], Comparison]
"""Comparisons of one model by the names of their arms, the subtracted one first."""
EXPLORATORY = "exploratory"
UNDECLARED = sentence("page.undeclared")


class DeclaredLeg(Record):
    """One difference of a test: the arm minus the one it is set ``against``, with the trainings of both."""

    against: str
    trainings: tuple[int, int]
    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None

    def __str__(self) -> str:
        if self.mean is None:
            return sentence("declared.no_answers", against=self.against)
        interval = ""
        if self.low is not None and self.high is not None:
            interval = f" [{points(self.low, '+')}, {points(self.high, '+')}]"
        return f"{self.against} ({points(self.mean, '+')}{interval})"


class DeclaredTest(Record):
    """One declared test. ``p`` is of this look's data, the largest of its legs'; ``p_adjusted`` is over looks, the
    ``family`` of Holm and the gate before it; absent where ``note`` says why nothing was tested. ``no_worse`` is
    what it shows against a declared margin, in words."""

    role: str
    metric: str
    stratum: str
    model: str
    arm: str
    legs: list[DeclaredLeg]
    p: float | None
    p_adjusted: float | None
    p_words: str
    family: int
    verdict: str
    note: str = ""
    no_worse: str = ""

    @property
    def holds(self) -> bool:
        """Whether the arm is found to be better; different where no side is better."""
        return self.verdict in (Verdict.GAIN, Verdict.DIFFERENCE)

    def __str__(self) -> str:
        where = together(filter(None, (self.metric, severity(self.stratum), self.model)), "list.comma")
        adjusted = sentence("declared.adjusted", p=self.p_words)
        found = sentence(
            "declared.test",
            where=where,
            arm=self.arm,
            against=together(map(str, self.legs), "list.comma"),
            verdict=sentence(f"term.{self.verdict.replace(' ', '_')}"),
            told=adjusted if self.p_adjusted is not None else known_again(self.note, "declared.note."),
        )
        return together([found, known_again(self.no_worse, "page.")]) if self.no_worse else found


class Declared(Record):
    """A declared analysis and what came of its tests at one look; ``level`` is what this look has for one test."""

    sha256: str
    look: int
    level: float
    analysis: Analysis
    tests: list[DeclaredTest]

    @property
    def heading(self) -> str:
        """Which analysis it is, and which look."""
        looks = self.analysis.looks
        if not looks:
            return sentence("declared.heading", sha256=self.sha256)
        return sentence(
            "declared.heading_looks",
            sha256=self.sha256,
            look=self.look,
            looks=len(looks.at),
            spending=looks.spending,
            level=f"{self.level:.2g}",
        )

    @property
    def lines(self) -> list[str]:
        """The tests, a line each, as terminal, board and report say them."""
        return [run_on(sentence(f"declared.{test.role}"), str(test)) for test in self.tests]

    @property
    def rules(self) -> str:
        """How the tests were judged, and what the rest is."""
        return run_on(
            sentence("declared.holm", n=max((test.family for test in self.tests), default=0)),
            sentence("declared.gate") if self.analysis.secondary else "",
            sentence("declared.spread") if self.analysis.looks else "",
            sentence("declared.margin") if any(test.no_worse for test in self.tests) else "",
            sentence("declared.rest"),
        )

    def claim_words(self, claim: Claim, base: str) -> str:
        """A claim about an arm of a base, headed as exploratory if it is not among the tests."""
        legs = [leg.against for leg in claim.legs]
        among = any(
            (test.role, test.metric, test.stratum, test.model) == ("primary", claim.metric, claim.stratum, base)
            and named(claim.arm, test.arm)
            and all(any(named(leg, each.against) for each in test.legs) for leg in legs)
            for test in self.tests
        )
        return str(claim) if among else run_on(sentence("declared.exploratory"), str(claim))


@dataclasses.dataclass(frozen=True)
class _Raw:
    """A test before it is judged, with the differences that it is of and p by them."""

    role: str
    metric: str
    stratum: str
    model: str
    contrast: Contrast
    legs: list[tuple[Comparison, Difference]]
    p: float | None
    note: str


def judge_declared(
    analysis: Analysis, look: int, models: Mapping[str, Pairs], contrasts: Sequence[Contrast], of_arms: bool = True
) -> tuple[Declared, dict[str, dict[tuple[str, str], Comparison]]]:
    """Judge the declared tests, and the same comparisons with their differences judged so.

    A contrast with several arms is an intersection-union test (Berger 1982,
    doi 10.1080/00401706.1982.10487790): its p is the largest of its legs', 1 if one is no gain. Holm's adjustment
    is over contrasts, models and strata of the primary metric; the secondary metrics are one family behind a gate
    that opens if all primary tests hold (serial gatekeeping: Westfall and Krishen 2001,
    doi 10.1016/S0378-3758(01)00077-5), at the whole level, and no p of theirs is below that of the gate. With
    several looks each p is first made the level at which this look would find it.

    Args:
        look: from 1.
        models: by name, every pair that a contrast needs with every declared metric; the name may be empty.
        contrasts: with the names of the pairs.
        of_arms: whether arms are claimed of, of which one training says nothing.
    """
    fractions, spending = _looks(analysis)
    judged: list[tuple[_Raw, float | None, int, Verdict]] = []
    gate = 0.0
    for role, metrics in (("primary", [analysis.primary]), ("secondary", analysis.secondary)):
        raw = list(_tests(analysis, role, metrics, models, contrasts, of_arms))
        tested = [test for test in raw if test.p is not None]
        adjusted = iter(
            holm([repeated_p(p, spending, fractions, look) for p in (test.p for test in tested) if p is not None])
        )
        family = len(tested)
        closed = role == "secondary" and not all(_holds(verdict) for *_, verdict in judged)
        for test in raw:
            p = None if test.p is None else max(next(adjusted), gate)
            if closed:
                shut = dataclasses.replace(test, note=sentence("declared.note.shut"))
                judged.append((shut, None, family, Verdict.NOT_TESTED))
            else:
                judged.append((test, p, family, _verdict(test, p, family)))
        gate = max((p for _, p, *_ in judged if p is not None), default=0.0)
    level = level_at(spending, fractions, look, ALPHA) if len(fractions) > 1 else ALPHA
    tests = [_record(test, p, family, verdict) for test, p, family, verdict in judged]
    declared = Declared(sha256=analysis.sha256, look=look, level=level, analysis=analysis, tests=tests)
    return declared, _rejudged(models, judged, level, (spending, fractions, look))


def _looks(analysis: Analysis) -> tuple[tuple[float, ...], Spending]:
    looks = analysis.looks
    return (tuple(looks.at), looks.spending) if looks else ((1.0,), Spending.OBRIEN_FLEMING)


def _tests(
    analysis: Analysis,
    role: str,
    metrics: Sequence[str],
    models: Mapping[str, Pairs],
    contrasts: Sequence[Contrast],
    of_arms: bool,
) -> Iterator[_Raw]:
    for metric in metrics:
        for model, pairs in models.items():
            for contrast in contrasts:
                for stratum in analysis.strata:
                    made = [pairs[other, contrast.arm] for other in contrast.against]
                    legs = [(each, each.difference(metric, stratum)) for each in made]
                    yield _Raw(role, metric, stratum, model, contrast, legs, *_p_of(legs, of_arms))


def _p_of(legs: Sequence[tuple[Comparison, Difference]], of_arms: bool) -> tuple[float | None, str]:
    """The p of a test, and why there is none."""
    if of_arms and any(min(compared.trained) < 2 for compared, _ in legs):
        return None, sentence("declared.note.training")
    changes = [change for _, change in legs]
    if few := [change for change in changes if not change.can_be_tested]:
        return None, sentence("declared.note.few", n=few[0].n)
    if len(changes) == 1:
        return changes[0].p, ""
    return max(change.p or 0.0 if _rises(change) else 1.0 for change in changes), ""


def _rises(change: Difference) -> bool:
    """Whether the arm is better in the mean; of a metric without a better side always."""
    return change.better is Better.NEITHER or (change.mean > 0) == (change.better is Better.HIGHER)


def _decisive(test: _Raw) -> Difference:
    """The leg that the p of a test is of."""
    changes = [change for _, change in test.legs]
    return max(changes, key=lambda change: (not _rises(change), change.p or 0.0))


def _verdict(test: _Raw, p: float | None, family: int) -> Verdict:
    change = _decisive(test)
    if p is None:
        return Verdict.UNTESTABLE if change.n > 1 and "training" not in test.note else Verdict.NOT_TESTED
    if change.verdict is Verdict.SAME_ANSWERS:
        return Verdict.SAME_ANSWERS
    if len(test.legs) > 1 and not _rises(change):
        return Verdict.NO_EVIDENCE
    return judged_at(change, p, family).verdict


def _holds(verdict: Verdict) -> bool:
    return verdict in (Verdict.GAIN, Verdict.DIFFERENCE)


def _record(test: _Raw, p: float | None, family: int, verdict: Verdict) -> DeclaredTest:
    legs = [
        DeclaredLeg(
            against=other,
            trainings=compared.trained,
            n=change.n,
            mean=None if isnan(change.mean) else change.mean,
            low=change.low,
            high=change.high,
            p=change.p,
        )
        for other, (compared, change) in zip(test.contrast.against, test.legs, strict=True)
    ]
    words = p_in_words(dataclasses.replace(_decisive(test), p_holm=p), adjusted=True)
    return DeclaredTest(
        role=test.role,
        metric=test.metric,
        stratum=test.stratum,
        model=test.model,
        arm=test.contrast.arm,
        legs=legs,
        p=test.p,
        p_adjusted=p,
        p_words=words,
        family=family,
        verdict=verdict,
        note=test.note,
        no_worse=_no_worse(test, p, verdict),
    )


def _no_worse(test: _Raw, p: float | None, verdict: Verdict) -> str:
    """What a test shows against its margin, by the leg that shows least; empty without a margin or a test."""
    shown = [change.margin for _, change in test.legs if change.margin and change.margin.no_worse is not None]
    if p is None or len(shown) < len(test.legs):
        return ""
    holds = verdict is Verdict.GAIN or all(each.no_worse for each in shown)
    return sentence(f"page.{'' if holds else 'not_shown_'}no_worse", points=points(shown[0].points))


def _told_apart(words: str, before: str, parts: str, code: str) -> str:
    """The words on a metric in one language, with the declared differences apart from the exploratory rest."""
    separator = messages(code).bare("list.separator")
    subject, _, behind = told(words, code).partition(told(before, code))
    begun = separator + told(sentence("declared.exploratory"), code) if behind else ""
    return subject + told(parts, code) + begun + behind.removeprefix(separator)


def _rejudged(
    models: Mapping[str, Pairs],
    judged: Sequence[tuple[_Raw, float | None, int, Verdict]],
    level: float,
    looks: tuple[Spending, tuple[float, ...], int],
) -> dict[str, dict[tuple[str, str], Comparison]]:
    """The comparisons with every declared difference judged as its test was, each leg by its own p."""
    found: dict[str, dict[tuple[str, str], Comparison]] = {}
    for model, pairs in models.items():
        found[model] = {}
        for (first, second), compared in pairs.items():
            own: dict[tuple[str, str], Difference] = {}
            for test, p, family, verdict in judged:
                if test.model != model or test.contrast.arm != second or first not in test.contrast.against:
                    continue
                change = compared.difference(test.metric, test.stratum)
                own[test.metric, test.stratum] = _leg(change, test, p, family, verdict, level, looks)
            found[model][first, second] = marked(compared, own)
    return found


def _leg(
    change: Difference,
    test: _Raw,
    p: float | None,
    family: int,
    verdict: Verdict,
    level: float,
    looks: tuple[Spending, tuple[float, ...], int],
) -> Difference:
    if p is None or change.p is None or verdict is Verdict.SAME_ANSWERS:
        return dataclasses.replace(change, p_holm=None, family=0, detectable=None, verdict=verdict)
    if len(test.legs) == 1:
        return dataclasses.replace(judged_at(change, p, family, level), verdict=verdict)
    spending, fractions, look = looks
    own = repeated_p(change.p, spending, fractions, look)
    whole = repeated_p(test.p or 1.0, spending, fractions, look)
    # A leg has the level of its test: what Holm made of the largest p it makes of every other.
    factor = p / whole if p < 1 and whole else float(family)
    return judged_at(change, min(1.0, own * factor), family, level)


def marked(compared: Comparison, own: Mapping[tuple[str, str], Difference]) -> Comparison:
    """A comparison with its declared differences, by metric and stratum, and words that tell them from the rest."""
    words = {}
    changed = [own.get((each.metric, each.stratum), each) for each in compared.differences]
    for metric, whole in compared.words.items():
        before, after = (
            [each for each in part if each.metric == metric] for part in (compared.differences, changed)
        )
        if any(each.verdict is Verdict.SAME_ANSWERS for each in before):
            words[metric] = whole
            continue
        parts = [
            run_on(sentence(f"declared.{name}"), in_words(part))
            for name, part in (
                ("declared", [each for each in after if (metric, each.stratum) in own]),
                (EXPLORATORY, [each for each in after if (metric, each.stratum) not in own]),
            )
            if part and in_words(part)
        ]
        words[metric] = made(partial(_told_apart, whole, in_words(before), together(parts)))
    return dataclasses.replace(compared, differences=changed, words=words, declared=sorted(own))
