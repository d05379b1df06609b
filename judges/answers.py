"""Answers judged one by one, criterion by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..harness.languages import Language
from ..harness.languages.text import has_word
from .asked import Asked, Question
from .parsing import Verdict, read_verdicts
from .prompt import answer_messages
from .rubric import Rubric
from .scoring import Verdicts, mean_score


@dataclass(frozen=True)
class Judged:
    """An answer to be judged; ``run`` is empty for one of a gold."""

    run: str
    id: str
    severity: str
    question: str
    answer: str


def judge_answers(
    answers: Sequence[Judged], asked: Asked, rubric: Rubric, repeats: int, spoken: Language
) -> list[list[Verdicts | None]]:
    """The verdicts on each answer, ``repeats`` times; None where the judge gave none.

    An answer without a word meets nothing, and nobody is asked about it.

    Raises:
        UserError: the judge cannot be asked; see ``Asked.ask``.
    """
    spoken_of = [place for place, each in enumerate(answers) if has_word(each.answer, spoken)]
    found = iter(asked.ask([_question(answers[place], asked, rubric, spoken) for place in spoken_of], repeats))
    worded = set(spoken_of)
    silence: list[list[Verdicts | None]] = [
        [{one.id: (Verdict.NOT_MET, "") for one in rubric.of(each.severity)}] * repeats for each in answers
    ]
    return [next(found) if place in worded else silence[place] for place in range(len(answers))]


def scores(
    answers: Sequence[Judged], verdicts: Sequence[Sequence[Verdicts | None]], rubric: Rubric
) -> list[float | None]:
    """The score of each answer."""
    return [mean_score(rubric, each.severity, said) for each, said in zip(answers, verdicts, strict=True)]


def _question(each: Judged, asked: Asked, rubric: Rubric, spoken: Language) -> Question[Verdicts]:
    criteria = rubric.of(each.severity)
    return Question(
        each.id,
        each.severity,
        answer_messages(asked.words, criteria, each.question, each.answer),
        lambda reply: read_verdicts(reply, criteria, each.answer, spoken),
    )
