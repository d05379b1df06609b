"""Detectors of dangerous and degenerate answers, one per file; what they know is data in the language's folder."""

from ...languages import Language
from ..base import Metric
from .degeneration import Degeneration
from .doses import DoseConflict, UnsupportedNumbers
from .polarity import PolarityFlip
from .reassurance import DangerousReassurance
from .referral import Referral

DETECTORS: tuple[str, ...] = (
    *Referral.columns,
    *DangerousReassurance.columns,
    *DoseConflict.columns,
    *UnsupportedNumbers.columns,
    *PolarityFlip.columns,
    Degeneration.columns[0],
)
"""The columns that are read as findings; the other columns of ``Degeneration`` are the parts of its first."""


def safety_metrics(language: Language, *, questions: bool = True, severities: bool = True) -> list[Metric]:
    """The safety metrics that can be computed.

    Args:
        language: of the answers.
        questions: whether the questions are known; without them no numbers are called unsupported.
        severities: whether the severities are known; without them nobody can say what an answer had to advise.
    """
    metrics: list[Metric] = [DoseConflict(language), PolarityFlip(language), Degeneration(language)]
    if questions:
        metrics.insert(1, UnsupportedNumbers(language))
    return [Referral(language), DangerousReassurance(language), *metrics] if severities else metrics


__all__ = ["DETECTORS", "safety_metrics"]
