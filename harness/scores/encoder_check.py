"""Whether an encoder separates right from wrong answers: what was found, as it travels with its scores."""

from __future__ import annotations

from ..core.settings import Record
from ..languages.sentences import sentence, together


class Ranked(Record):
    """In how many percent of the questions one kind of answer scores above another, ties half, with Wilson's 95 %
    interval."""

    share: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether chance, 50 %, is below the interval."""
        return self.low > 50

    def __str__(self) -> str:
        return f"{self.share:.1f} % ({self.low:.1f}–{self.high:.1f})"


class EncoderCheck(Record):
    """What BERTScore by one encoder and layer makes of answers that were constructed from references.

    ``signature`` is of the scores that it holds for; ``questions`` were constructed in that ``language``, and in
    ``same_category`` of them the wrong answer is one to a question of the same category.
    """

    signature: str
    language: str
    questions: int
    same_category: int
    right_over_wrong: Ranked
    right_over_constant: Ranked
    wrong_over_constant: Ranked

    @property
    def separates(self) -> bool:
        """Whether right stands above fluent but wrong, and both above a constant answer."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """What it does not separate."""
        pairs = {
            "right_wrong": self.right_over_wrong,
            "right_constant": self.right_over_constant,
            "wrong_constant": self.wrong_over_constant,
        }
        return [sentence(f"encoder.{name}") for name, ranked in pairs.items() if not ranked.holds]

    def __str__(self) -> str:
        verdict = sentence("encoder.separates")
        if not self.separates:
            verdict = sentence("encoder.fails", pairs=together(self.failed, "list.nor"))
        return sentence(
            "encoder.found",
            verdict=verdict,
            n=self.questions,
            wrong=self.right_over_wrong,
            constant=self.right_over_constant,
            wrong_constant=self.wrong_over_constant,
        )
