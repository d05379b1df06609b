"""Safety metrics of two runs or arms: paired differences of their own family, each judged for being no worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from ..languages.sentences import Sentence, sentence, severity, together
from ..metrics.registry import Group, columns_of
from ..metrics.true_rates import TrueRate, detections, true_changes
from ..scores.signatures import Better, better
from ..severity import Severity
from ..statistics import OVERALL, Difference, Resampling, Verdict
from ..statistics.margins import Margin, Shown
from ..statistics.verdicts import points
from .groups import RunGroup
from .run import Run
from .screened import compare_screened


@dataclass(frozen=True)
class SafetyCompared:
    """``differences``: per safety metric those of the strata that it applies to. ``left_out`` says which metrics
    could not be compared, and why, a line each. ``true`` are the differences of the true rates behind them, where
    gold answers correct them. ``words`` is one sentence over all safety metrics; empty where there is none."""

    differences: list[Difference] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    true: list[TrueRate] = field(default_factory=list)
    words: str = ""


def compare_safety(
    first: RunGroup,
    second: RunGroup,
    changes: Sequence[Difference],
    resampling: Resampling,
    margins: Mapping[str, float | Margin],
    known: Mapping[str, str],
) -> SafetyCompared:
    """The safety metrics that all runs were scored by, besides those that are compared anyway.

    Args:
        changes: what is compared anyway; its safety metrics are in the words alone.
        margins: by metric, in percentage points.
        known: those for screening only, and why: they stand outside the family and the sentence's count.
    """
    but = {each.metric for each in changes}
    own = [each for each in changes if each.metric in columns_of(Group.SAFETY)]
    runs = [*first.runs.values(), *second.runs.values()]
    # As lists: pandas takes long over each of many texts.
    ids = [list(run.scores.frame["id"]) for run in runs]
    found: list[str] = []
    left_out: list[str] = []
    for metric in columns_of(Group.SAFETY):
        if metric in but or any(metric not in run.scores.metrics for run in runs):
            continue
        if better(runs[0].scores.signatures[metric]) is Better.NEITHER:
            continue
        if len({run.scores.signatures[metric] for run in runs}) > 1:
            left_out.append(sentence("safety.other_rules", metric=metric))
        elif len({_applies_to(run, each, metric) for run, each in zip(runs, ids, strict=True)}) > 1:
            left_out.append(sentence("safety.other_answers", metric=metric))
        else:
            found.append(metric)
    if not found:
        return SafetyCompared(left_out=left_out, words=safety_in_words(own, left_out))
    made = compare_screened(first.tables, second.tables, found, resampling, margins=margins, known=known)
    behind = detections(runs[0].language, runs[0].scores.signatures)
    changes = [each for each in made.differences if each.n]
    words = safety_in_words([*own, *changes], left_out)
    return SafetyCompared(changes, left_out, true_changes(changes, behind), words)


def safety_in_words(changes: Sequence[Difference], left_out: Sequence[str] = ()) -> str:
    """One sentence over all safety metrics: in how many the second side is shown to be no worse, for which it is
    not, and which it is found to be worse in.

    No worse is by the 95 % interval over all answers that a metric applies to. Where that holds for every metric it
    holds for all of them together at the same level (intersection-union; Berger 1982,
    doi 10.1080/00401706.1982.10487790); a count of some of them is of tests that each stand alone. Worse is what
    lies beyond the margin, or is found by Holm's p, in any severity: it takes a metric out of the count.

    Args:
        changes: of all strata, judged, each with a margin; those without, and without a better side, do not count.
            Those for screening only are named.
        left_out: metrics that could not be compared, each with ``: `` and why behind it.
    """
    sided = [each for each in changes if each.n and each.margin and each.margin.no_worse is not None]
    screened = list(dict.fromkeys(each.metric for each in changes if each.verdict is Verdict.SCREENING))
    strata: dict[str, dict[str, Difference]] = {}
    for each in sided:
        strata.setdefault(each.metric, {})[each.stratum] = each
    if not strata:
        return sentence("safety.no_verdict", metrics=", ".join(screened)) if screened else ""
    margins = sorted({each.margin.points for each in sided if each.margin})
    one = len(margins) == 1
    within = sentence("safety.points", points=points(margins[0])) if one else sentence("safety.margins")
    worse = {name: [each for each in own if _is_worse(own[each])] for name, own in strata.items()}
    here = [name for name in strata if not worse[name] and _no_worse(strata[name].get(OVERALL))]
    critical = {name: own[str(Severity.CRITICAL)] for name, own in strata.items() if Severity.CRITICAL in own}
    there = [name for name, each in critical.items() if not worse[name] and _no_worse(each)]
    parts = [sentence("safety.no_worse", within=within, count=_of(here, strata))]
    if critical:
        parts.append(sentence("safety.critical", count=_of(there, critical)))
    silent = [name for name in strata if not worse[name] and name not in here]
    found = [
        sentence("safety.where", metric=name, strata=together(map(severity, where), "list.comma"))
        for name, where in worse.items()
        if where
    ]
    for key, names in (
        ("safety.silent", silent),
        ("safety.worse", found),
        ("safety.screening", screened),
        ("safety.left_out", [line.partition(":")[0] for line in left_out]),
    ):
        if names:
            parts.append(sentence(key, metrics=together(names, "list.comma")))
    return sentence("safety.all", parts=together(parts))


def _of(some: Sequence[str], every: Mapping[str, Difference | dict[str, Difference]]) -> Sentence:
    if len(some) == len(every):
        return sentence("safety.every", n=len(every))
    return sentence("safety.some", n=len(some), all=len(every))


def _no_worse(change: Difference | None) -> bool:
    return change is not None and change.margin is not None and bool(change.margin.no_worse)


def _is_worse(change: Difference) -> bool:
    beyond = change.margin is not None and change.margin.shown is Shown.WORSE
    return beyond or change.verdict is Verdict.LOSS


def _applies_to(run: Run, ids: Sequence[str], metric: str) -> frozenset[str]:
    return frozenset(compress(ids, run.scores.frame[metric].notna().to_numpy()))
