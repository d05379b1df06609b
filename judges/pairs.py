"""Two runs' answers to the same questions, compared in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..harness.core.errors import UserError
from ..harness.languages import Language
from .answers import Judged
from .asked import Asked, Question
from .parsing import Better, read_preference
from .prompt import pair_messages
from .rubric import Rubric
from .scoring import Preference, preference


@dataclass(frozen=True)
class Compared:
    """The preference between the answers of two runs to one question, one for each repeat."""

    first: Judged
    second: Judged
    repeats: tuple[Preference, ...]

    @property
    def points(self) -> float | None:
        """The mean over the repeats: 100 for the second run's answer; None without a word that counts."""
        known = [each.points for each in self.repeats if each.points is not None]
        return sum(known) / len(known) if known else None

    @property
    def flipped(self) -> bool:
        """Whether the order decided in any repeat."""
        return any(each.flipped for each in self.repeats)


def matched(first: Sequence[Judged], second: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    """The answers to the same questions.

    Raises:
        UserError: there are none, or other questions under one id.
    """
    others = {each.id: each for each in second}
    pairs = [(each, others[each.id]) for each in first if each.id in others]
    if not pairs:
        raise UserError("the runs have no question in common", "Evaluate them on the same data and rows")
    for one, two in pairs:
        if one.question != two.question:
            raise UserError(
                f"{one.run} and {two.run} ask different questions under the id {one.id}",
                "Evaluate both on the same data",
            )
    return pairs


def judge_pairs(
    pairs: Sequence[tuple[Judged, Judged]], asked: Asked, rubric: Rubric, repeats: int, spoken: Language
) -> list[Compared]:
    """The preference within each pair. Two equal answers are as good as each other, and nobody is asked.

    Raises:
        UserError: the judge cannot be asked; see ``Asked.ask``.
    """
    apart = [pair for pair in pairs if pair[0].answer != pair[1].answer]
    questions = [
        _question(*order, asked, rubric, spoken) for one, two in apart for order in ((one, two), (two, one))
    ]
    found = asked.ask(questions, repeats)
    said = {
        one.id: tuple(
            preference(forth, back) for forth, back in zip(found[2 * place], found[2 * place + 1], strict=True)
        )
        for place, (one, _) in enumerate(apart)
    }
    same = (preference(Better.SAME, Better.SAME),) * repeats
    return [Compared(one, two, said.get(one.id, same)) for one, two in pairs]


def _question(first: Judged, second: Judged, asked: Asked, rubric: Rubric, spoken: Language) -> Question[Better]:
    return Question(
        first.id,
        first.severity,
        pair_messages(asked.words, rubric.of(first.severity), first.question, first.answer, second.answer),
        lambda reply: read_preference(reply, first.answer, second.answer, spoken)[0],
    )
