"""Whether a source is usable, by its card, in one sentence."""

from __future__ import annotations

from ...languages.sentences import sentence
from .report_card import ReportCard

TRAUMA_UNDER_TRIAGE = 5.0
"""Percent of severe cases that trauma systems may under-triage (American College of Surgeons, Resources for Optimal
Care of the Injured Patient, 2014)."""


def usable(card: ReportCard) -> bool:
    """Whether the source is surely better than chance, by quadratic kappa."""
    low = card.measures["quadratic_kappa"].low
    return low is not None and low > 0


def standing_words(card: ReportCard) -> str:
    """The verdict on a source, in one sentence."""
    kappa = card.measures["quadratic_kappa"]
    if kappa.value is None or kappa.low is None:
        return sentence("standing.never")
    measured = f"quadratic kappa {kappa.value:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]"
    if not usable(card):
        ends = {"low": f"{kappa.low:.2f}", "high": f"{kappa.high:.2f}"}
        return sentence("standing.chance", kappa=f"{kappa.value:.2f}", **ends)
    return f"better than chance: {measured}{_of_ceiling(card)}{_of_position(card)}{_missed(card)}"


def _of_ceiling(card: ReportCard) -> str:
    ceiling = card.rivals.ceiling if card.rivals else None
    if ceiling is None:
        return ", of a ceiling that is not known (no complaint with two annotators)"
    kappa = card.measures["quadratic_kappa"].value or 0.0
    return f", {100 * kappa / ceiling:.0f} % of the ceiling {ceiling:.2f}" if ceiling else ", the ceiling is 0"


def _of_position(card: ReportCard) -> str:
    position = card.rivals.position if card.rivals else None
    low = card.measures["quadratic_kappa"].low or 0.0
    if position is None or low > position:
        return ""
    return f"; a row's place in the file tells as much (kappa {position:.2f})"


def _missed(card: ReportCard) -> str:
    missed = card.measures.get("critical_under_triage")
    if missed is None or missed.value is None:
        return ""
    share = f"{missed.value:.0f} % [{missed.low:.0f}, {missed.high:.0f}]"
    return (
        f"; {share} of critical complaints are ranked lower, of which trauma care asks at most "
        f"{TRAUMA_UNDER_TRIAGE:.0f} %"
    )
