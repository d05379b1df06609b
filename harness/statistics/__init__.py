"""Statistics of per-answer scores: intervals, paired tests and training seeds, per severity and overall."""

from .arms import ONE_EACH, ArmsCompared, Parts, alone, averaged, compare_groups
from .checks import check_scores, unlike
from .columns import OVERALL, STRATA
from .crossed import Components
from .interaction import Interaction, interactions
from .intervals import Method
from .paired import paired, paired_all
from .ranks import Ranking, rank_intervals
from .resampling import USUAL, Resampling
from .seeds import SeedSummary, across_seeds
from .summary import Summary, summarise, summarise_all
from .verdicts import Difference, Verdict, in_words, judge

__all__ = [
    "ONE_EACH",
    "OVERALL",
    "STRATA",
    "USUAL",
    "ArmsCompared",
    "Components",
    "Difference",
    "Interaction",
    "Method",
    "Parts",
    "Ranking",
    "Resampling",
    "SeedSummary",
    "Summary",
    "Verdict",
    "across_seeds",
    "alone",
    "averaged",
    "check_scores",
    "compare_groups",
    "in_words",
    "interactions",
    "judge",
    "paired",
    "paired_all",
    "rank_intervals",
    "summarise",
    "summarise_all",
    "unlike",
]
