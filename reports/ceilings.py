"""What the safety detectors say of the references: the ceiling that no answer can be asked to pass."""

from __future__ import annotations

from ..harness.metrics.base import Answers
from ..harness.metrics.scoring import safety_metrics, score_table
from ..harness.runs.rescoring import answers_of
from ..harness.runs.run import Saved
from ..harness.scores.table import ScoreTable


def reference_ceilings(saved: Saved) -> ScoreTable:
    """The safety scores that the references get as if they were the answers, row by row.

    References lack referrals too, and a detector misses some that are there. What it says of them bounds what its
    rate on a model can mean. Dose conflicts and polarity flips are 0 by construction.
    """
    answers = answers_of(saved)
    references = Answers(answers.references, answers.references, answers.questions, answers.severities)
    return score_table(list(saved.answers["id"]), references, safety_metrics(saved.language), explain=False)
