"""Whether an encoder ranks a right answer above a fluent wrong one, and both above a constant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...languages.sentences import sentence
from ...scores.encoder_check import EncoderCheck, Ranked
from ...scores.signatures import of_one_answer
from ...scores.table import ScoreTable
from ...statistics.intervals import wilson
from ..base import Metric, Scores
from ..references import with_one_reference
from .constructed import Constructed, Wrong, construct
from .metric import COLUMN, BertScore

QUESTIONS = 64
"""How many questions are constructed: half of Wilson's interval is then at most 12 points wide, and the encoder
reads 65 texts more than the answers, whose references it has read already."""

NEVER = sentence("encoder.never")


def check_encoder(
    metric: BertScore, references: Sequence[str], categories: Sequence[str | None] | None = None
) -> EncoderCheck | None:
    """Construct answers from references and see how BERTScore ranks them. The same references give the same check.

    Args:
        metric: with its encoder and layer.
        references: of any number of questions; up to ``QUESTIONS`` different ones of four words or more are taken.
        categories: of the same questions; a wrong answer is one to another question of its category.

    Returns:
        None where fewer than two references can be taken.

    Raises:
        UserError: the encoder cannot be loaded.
    """
    constructed = construct(references, categories, metric.language, QUESTIONS)
    return _checked(metric, constructed) if len(constructed) > 1 else None


def check_of(
    metrics: Sequence[Metric], references: Sequence[str], categories: Sequence[str | None] | None = None
) -> EncoderCheck | None:
    """``check_encoder`` of the BERTScore among ``metrics``; None where it was left out."""
    metric = next((each for each in map(with_one_reference, metrics) if isinstance(each, BertScore)), None)
    return check_encoder(metric, references, categories) if metric else None


def encoder_words(scores: ScoreTable) -> str:
    """What is known of the encoder behind a table's BERTScore, in one sentence; empty where there is none."""
    if COLUMN not in scores.metrics:
        return ""
    check = scores.encoder_check
    if check is None or of_one_answer(scores.signatures[COLUMN]) != of_one_answer(check.signature):
        return NEVER
    return str(check)


# All runs of an experiment have the same references.
@lru_cache(maxsize=32)
def _checked(metric: BertScore, constructed: Constructed) -> EncoderCheck:
    wrong = dict(constructed.wrong)
    right, other, constant = (
        metric.similarity(list(zip(answers, constructed.references, strict=True)))
        for answers in (constructed.right, wrong[Wrong.OTHER], wrong[Wrong.CONSTANT])
    )
    return EncoderCheck(
        signature=metric.signatures[COLUMN],
        language=metric.language.code,
        questions=len(constructed),
        same_category=constructed.same_category,
        right_over_wrong=_ranked(right, other),
        right_over_constant=_ranked(right, constant),
        wrong_over_constant=_ranked(other, constant),
    )


def _ranked(above: Scores, below: Scores) -> Ranked:
    events = (above > below).sum() + (above == below).sum() / 2
    low, high = wilson(np.array(events), len(above))
    return Ranked(share=100 * float(events) / len(above), low=float(low), high=float(high))
