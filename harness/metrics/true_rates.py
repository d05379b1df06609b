"""The rates of what the safety detectors look for, behind the rates at which they mark answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..languages import Language, Part
from ..languages.sentences import sentence
from ..scores.signatures import of_one_answer
from ..statistics import Difference, Summary
from ..statistics.rogan_gladen import Detection, true_difference, true_rate
from .safety.card import is_current, safety_card
from .scoring import safety_metrics, signatures

WORDS = sentence("true.rates")


@dataclass(frozen=True)
class TrueRate:
    """One rate in percent, or a difference of two in points, with a 95 % interval; ``gold`` counts the annotated
    answers behind the correction."""

    metric: str
    stratum: str
    mean: float
    low: float
    high: float
    gold: int


def detections(language: Language, scored: Mapping[str, str]) -> dict[str, Detection]:
    """What each detector did on the annotated answers, by column: on those of other authors than the rules' first
    where there are any.

    Without a card there are none, nor of columns that were scored by other rules than those the card measured.

    Args:
        language: of the answers.
        scored: the signatures of their scores.
    """
    if not language.knows(Part.CARD) or not is_current(card := safety_card(language), language):
        return {}
    installed = signatures(safety_metrics(language))
    return {
        column: behind.detection
        for column in card.detectors
        if (behind := card.behind(column))
        and column in scored
        and of_one_answer(scored[column]) == of_one_answer(installed.get(column, ""))
    }


def true_rates(summaries: Iterable[Summary], known: Mapping[str, Detection]) -> list[TrueRate]:
    """The true rates behind summaries, of the detectors that tell events from other answers."""
    found = []
    for each in summaries:
        detection = known.get(each.metric)
        # Of clustered answers Wilson's interval and this one count as many as they are worth.
        counted = each.n if each.effective_n is None else each.effective_n
        if detection and counted > 0 and (made := true_rate(each.mean, counted, detection)):
            found.append(TrueRate(each.metric, each.stratum, *made, gold=detection.events + detection.others))
    return found


def true_changes(differences: Iterable[Difference], known: Mapping[str, Detection]) -> list[TrueRate]:
    """The differences of true rates behind differences of marked answers."""
    found = []
    for each in differences:
        detection = known.get(each.metric)
        if detection and each.n and (made := true_difference(each.mean, each.low, each.high, detection)):
            found.append(TrueRate(each.metric, each.stratum, *made, gold=detection.events + detection.others))
    return found
