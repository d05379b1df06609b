"""Statistics of per-answer scores: intervals, paired tests and training seeds, per severity and overall."""

from .columns import OVERALL, STRATA
from .intervals import Method
from .summary import Summary, summarise, summarise_all

__all__ = ["OVERALL", "STRATA", "Method", "Summary", "summarise", "summarise_all"]
