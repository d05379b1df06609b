"""What an experiment shows of a published claim: shown, not shown, or why nothing can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..harness.languages.sentences import Sentence, named_term, sentence, severity, together
from ..harness.runs.claim import CONTROLS, named
from ..harness.severity import Severity
from ..harness.statistics import OVERALL
from ..harness.statistics.margins import Shown
from ..harness.statistics.verdicts import ALPHA, Verdict, points
from .evidence import Base, Change, Evidence, Pair, said_again
from .published_claims import Asked, Kind


class Standing(StrEnum):
    """What a finding says of a claim. ``figures only`` is for means without a test."""

    SHOWN = "shown"
    NOT_SHOWN = "not shown"
    AGAINST = "the contrary is found"
    UNSAID = "cannot be said"
    FIGURES = "figures only"
    NOT_TESTED = "not tested here"

    @property
    def said(self) -> str:
        """In every language."""
        return named_term(self.value)


@dataclass(frozen=True)
class Finding:
    """What one experiment says, and in which words."""

    standing: Standing
    words: str


def findings(asked: Asked, evidence: Evidence) -> list[Finding]:
    """What an experiment says of a claim; never empty."""
    apart = sentence("finding.nothing")
    if asked.first:
        apart = sentence("finding.not_compared", first=asked.first, second=asked.second)
    return list(_KINDS[asked.kind](asked, evidence)) or [Finding(Standing.NOT_TESTED, apart)]


def _pairs(asked: Asked, evidence: Evidence) -> list[tuple[Base, Pair]]:
    return [
        (base, pair)
        for base in evidence.arms.bases
        for pair in base.pairs
        if _is(pair.first, asked.first) and _is(pair.second, asked.second)
    ]


def _is(arm: str, asked: str) -> bool:
    """Whether an arm such as ``severity balanced`` is asked for, by its whole name or without its scheme."""
    return named(arm, asked)


def _pair(asked: Asked, evidence: Evidence) -> list[Finding]:
    """The difference of two arms over all answers; where they were not compared, their means."""
    found = [_of_pair(base, pair, OVERALL) for base, pair in _pairs(asked, evidence)]
    return [each for each in found if each] or _means(asked, evidence)


def _of_pair(base: Base, pair: Pair, stratum: str) -> Finding | None:
    change = pair.change(stratum)
    if change is None or change.mean is None:
        return None
    words = sentence(
        "finding.pair",
        base=base.base,
        second=pair.second,
        first=pair.first,
        found=_in_words(change),
        trainings=said_again(pair.trainings),
    )
    if min(pair.trained) < 2:
        return Finding(Standing.UNSAID, sentence("finding.single", words=words))
    return Finding(_standing(change), words)


def _standing(change: Change) -> Standing:
    known = {Verdict.GAIN: Standing.SHOWN, Verdict.LOSS: Standing.AGAINST}
    return known.get(Verdict(change.verdict), Standing.NOT_SHOWN)


def _in_words(change: Change) -> Sentence:
    size = "" if change.mean is None else points(change.mean, "+")
    if change.low is not None and change.high is not None:
        size += f" [{points(change.low, '+')}, {points(change.high, '+')}]"
    return sentence(
        "finding.change",
        metric=change.metric,
        where=sentence("finding.all_answers") if change.stratum == OVERALL else severity(change.stratum),
        n=change.n,
        size=size if change.p is None else sentence("finding.p", size=size, p=f"{change.p:.2g}"),
        verdict=named_term(change.verdict),
    )


def _means(asked: Asked, evidence: Evidence) -> list[Finding]:
    """Means of two arms on the board, where both stand there."""
    board = evidence.board
    means: dict[str, tuple[float, int]] = {}
    for arm in (asked.first, asked.second):
        seeds = [row for row in board.seeds if _is(row.arm, arm) and OVERALL in row.cells]
        rows = [row for row in board.rows if row.arm and _is(row.arm, arm)]
        cells = [cell for row in rows if (cell := row.cell(board.metric, OVERALL))]
        if len(seeds) == 1:
            means[arm] = seeds[0].cells[OVERALL].mean, len(seeds[0].runs)
        elif not seeds and len(cells) == 1:
            means[arm] = cells[0].mean, 1
    if len(means) < 2 or len(evidence.models) > 1:
        return []
    (first, _), (second, runs) = means[asked.first], means[asked.second]
    words = sentence(
        "finding.means",
        base=evidence.models[0],
        metric=board.metric,
        first=asked.first,
        one=f"{first:.2f}",
        second=asked.second,
        other=f"{second:.2f}",
        trained=sentence("finding.mean_of", n=runs) if runs > 1 else "",
        size=points(second - first, "+"),
    )
    return [Finding(Standing.FIGURES, words)]


def _claim(asked: Asked, evidence: Evidence) -> list[Finding]:
    """The gate: better than the plain arm and than every weighted control."""
    found = []
    for base in evidence.arms.bases:
        for claim in base.claims:
            controlled = any(named(leg.against, control) for leg in claim.legs for control in CONTROLS)
            standing = Standing.NOT_SHOWN
            if claim.holds is None or not controlled:
                standing = Standing.UNSAID
            elif claim.holds:
                standing = Standing.SHOWN
            words = sentence("finding.of", base=base.base, words=said_again(claim.words))
            found.append(Finding(standing, words))
    return found


def _over_models(asked: Asked, evidence: Evidence) -> list[Finding]:
    bases = [base.base for base in evidence.arms.bases]
    if len(bases) < 2:
        alone = sentence("finding.one_base", base=bases[0]) if bases else sentence("finding.no_base")
        return [Finding(Standing.NOT_TESTED, alone)]
    found = []
    for each in evidence.arms.over_models:
        if _is(each.first, asked.first) and _is(each.second, asked.second):
            p, mean = each.found.get("p"), each.found.get("mean", 0.0)
            told = p is not None and p < ALPHA
            standing = Standing.NOT_SHOWN if not told else Standing.SHOWN if mean > 0 else Standing.AGAINST
            found.append(Finding(standing, sentence("finding.bases", n=len(bases), words=each.words)))
    return found


def _critical(asked: Asked, evidence: Evidence) -> list[Finding]:
    """The difference in critical cases, and whether it is larger there than in non-critical ones."""
    found = []
    for base, pair in _pairs(asked, evidence):
        own = _of_pair(base, pair, str(Severity.CRITICAL))
        if own is None:
            continue
        whether = next((each for each in pair.interactions if each.metric == pair.metric), None)
        standing = own.standing
        if standing is Standing.SHOWN and not (whether and whether.specific):
            standing = Standing.NOT_SHOWN
        mark = pair.labels.marks.get(str(Severity.CRITICAL), "")
        parts = [own.words, said_again(whether.words) if whether else ""]
        parts += [sentence("finding.critical", mark=said_again(mark))] if mark else []
        found.append(Finding(standing, together(filter(None, parts))))
    return found


def _safety(asked: Asked, evidence: Evidence) -> list[Finding]:
    """Whether a safety metric gains, none is worse and all are shown to be no worse.

    What is for screening only decides nothing.
    """
    found = []
    for base, pair in _pairs(asked, evidence):
        if not pair.safety.words:
            continue
        judged = [each for each in pair.safety.differences if each.margin and each.verdict != Verdict.SCREENING]
        overall = [each for each in judged if each.stratum == OVERALL]
        gains = [each.metric for each in overall if each.verdict == Verdict.GAIN]
        parts: list[str] = [
            sentence(
                "finding.safety",
                base=base.base,
                second=pair.second,
                first=pair.first,
                words=said_again(pair.safety.words),
            )
        ]
        parts += [sentence("finding.better", metrics=", ".join(gains))] if gains else []
        words = together(parts)
        found.append(Finding(_safety_standing(pair, judged, overall, bool(gains)), words))
    return found


def _safety_standing(pair: Pair, judged: Sequence[Change], overall: Sequence[Change], gains: bool) -> Standing:
    if min(pair.trained) < 2 or not overall:
        return Standing.UNSAID
    if any(each.verdict == Verdict.LOSS or (each.margin and each.margin.shown == Shown.WORSE) for each in judged):
        return Standing.AGAINST
    no_worse = all(each.margin and each.margin.no_worse for each in overall)
    return Standing.SHOWN if gains and no_worse else Standing.NOT_SHOWN


def _labels(asked: Asked, evidence: Evidence) -> list[Finding]:
    """How right the labels are that the arms were weighted by."""
    lines = [line for line in evidence.board.labels if line.startswith("severities: ")]
    return [
        Finding(Standing.FIGURES if "checked against people" in line else Standing.NOT_TESTED, said_again(line))
        for line in lines
    ]


def _people(asked: Asked, evidence: Evidence) -> list[Finding]:
    """Whether people's ratings stand beside the metric, and what its encoder tells apart."""
    board = evidence.board
    rated = bool(board.people) and "never" not in board.people
    lines = [said_again(line) for line in (board.people, board.encoder) if line]
    return [Finding(Standing.FIGURES if rated else Standing.NOT_TESTED, together(lines))] if lines else []


_KINDS: dict[Kind, Callable[[Asked, Evidence], Sequence[Finding]]] = {
    Kind.PAIR: _pair,
    Kind.CLAIM: _claim,
    Kind.OVER_MODELS: _over_models,
    Kind.CRITICAL: _critical,
    Kind.SAFETY: _safety,
    Kind.LABELS: _labels,
    Kind.PEOPLE: _people,
}
