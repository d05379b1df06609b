"""What is kept of a judgement: ``judge.json``, written last, beside tables of verdicts and scores."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..harness.core.files import sha256_text
from ..harness.core.settings import Record
from ..ratings.meta_records import MetaRow
from .asked import Usage
from .checks import CheckRow
from .gold import GoldRow
from .standing import Standing

NAME = "judge.json"
VERDICTS, SCORES, PREFERENCES, PAGE = (
    "verdicts.parquet",
    "judge_scores.parquet",
    "preferences.parquet",
    "judge.html",
)
ANSWERS = "answers"


class JudgeRecord(Record):
    """Who judged: ``identity`` is all that changes its replies, without secrets."""

    name: str
    identity: dict[str, Any]


class RubricRecord(Record):
    """By what it judged; ``sha256`` is the digest of criteria and points."""

    name: str
    file: str
    language: str
    sha256: str


class RunRecord(Record):
    """A run that was judged, and how many of its answers; ``sha256`` is the digest of these, which judgements of
    earlier versions lack."""

    name: str
    path: str
    answers: int
    sha256: str = ""


def answers_digest(answers: Iterable[tuple[object, object]]) -> str:
    """Of ids with their answers, in whatever order."""
    return sha256_text(json.dumps(sorted((str(name), str(text)) for name, text in answers)))


class Price(Record):
    """Per million tokens, and what all replies cost by it; None where no price was given."""

    input: float | None
    output: float | None
    cost: float | None


class Failures(Record):
    """What got no verdict, one count for each answer and repeat; ``examples`` in the server's or our words."""

    unanswered: int = 0
    refused: int = 0
    unreadable: int = 0
    examples: dict[str, str] = {}

    @property
    def total(self) -> int:
        """Of all kinds."""
        return self.unanswered + self.refused + self.unreadable


class SummaryRow(Record):
    """A mean with its 95 % interval: of a run's scores, or of the preference for the second run, 50 for none."""

    run: str
    stratum: str
    n: int
    mean: float | None
    low: float | None
    high: float | None


class CriterionRow(Record):
    """Percent of a run's verdicts on a criterion that say met, and that say so with words the answer lacks."""

    run: str
    criterion: str
    n: int
    met: float
    unproven: float


class Judgement(Record):
    """All of it. ``empty`` answers score 0, and nobody is asked; ``unproven`` counts verdicts; ``consistency`` is
    the percentage of verdicts that two repeats share; ``flipped`` counts pairs in which the order decided."""

    version: int = 1
    maqa_severity: str
    created: str
    kind: str
    judge: JudgeRecord
    rubric: RubricRecord
    runs: tuple[RunRecord, ...]
    repeats: int
    signature: str
    standing: Standing
    summaries: tuple[SummaryRow, ...]
    criteria: tuple[CriterionRow, ...] = ()
    consistency: float | None = None
    flipped: int | None = None
    unproven: int = 0
    empty: int = 0
    failures: Failures
    usage: Usage
    price: Price
    people: tuple[MetaRow, ...] = ()
    gold: tuple[GoldRow, ...] = ()
    checks: tuple[CheckRow, ...] = ()


def cost(usage: Usage, price_in: float | None, price_out: float | None) -> Price:
    """What the replies cost; a price that is not given counts as none only where the other is given."""
    if price_in is None and price_out is None:
        return Price(input=None, output=None, cost=None)
    total = usage.prompt_tokens * (price_in or 0.0) + usage.completion_tokens * (price_out or 0.0)
    return Price(input=price_in, output=price_out, cost=round(total / 1e6, 12))
