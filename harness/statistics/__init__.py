"""Statistics of per-answer scores: intervals, paired tests and training seeds, per severity and overall."""

from .columns import OVERALL, STRATA, check_scores
from .intervals import Method
from .paired import paired, paired_all
from .summary import Summary, summarise, summarise_all
from .verdicts import Difference, Verdict, in_words, judge

__all__ = [
    "OVERALL",
    "STRATA",
    "Difference",
    "Method",
    "Summary",
    "Verdict",
    "check_scores",
    "in_words",
    "judge",
    "paired",
    "paired_all",
    "summarise",
    "summarise_all",
]
