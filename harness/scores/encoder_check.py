"""Whether an encoder separates right from wrong answers: what was found, as it travels with its scores."""

from __future__ import annotations

from ..core.settings import Record


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
            "a right answer from a fluent wrong one": self.right_over_wrong,
            "a right answer from a constant one": self.right_over_constant,
            "a fluent wrong answer from a constant one": self.wrong_over_constant,
        }
        return [name for name, ranked in pairs.items() if not ranked.holds]

    def __str__(self) -> str:
        if self.separates:
            verdict = "this encoder separates right answers from wrong ones"
        else:
            verdict = f"this encoder does not separate {' nor '.join(self.failed)}"
        return (
            f"{verdict}: of {self.questions} constructed questions a right answer scores above a fluent wrong one "
            f"in {self.right_over_wrong}, above a constant one in {self.right_over_constant}, and a fluent wrong "
            f"one above the constant in {self.wrong_over_constant}"
        )
