"""Texts that go on where BERTScore's encoder stops reading: counted per answer, said in one sentence."""

from __future__ import annotations

from ..languages.sentences import Sentence, sentence
from ..scores.table import ScoreTable

ANSWER_BEYOND = "beyond_encoder"
REFERENCE_BEYOND = "reference_beyond_encoder"


def beyond_encoder(scores: ScoreTable) -> str | None:
    """How many answers and references BERTScore compared in part only; None where it read all or was left out."""
    if ANSWER_BEYOND not in scores.metrics or REFERENCE_BEYOND not in scores.metrics:
        return None
    answers, references = (int((scores.frame[name] > 0).sum()) for name in (ANSWER_BEYOND, REFERENCE_BEYOND))
    if not answers + references:
        return None
    parts = dict(part.partition(":")[::2] for part in scores.signatures[ANSWER_BEYOND].split("|"))
    return sentence(
        "beyond",
        answers=_counted(answers, "answer"),
        references=_counted(references, "reference"),
        most=parts["max"],
    )


def _counted(count: int, noun: str) -> Sentence:
    return sentence(f"beyond.{noun}{'' if count == 1 else 's'}", n=f"{count:,}")
