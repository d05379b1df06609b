"""How many answers of two runs are the same text: all of them where a cache was shared or a model taken twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..languages.sentences import Sentence, sentence, together
from .run import Saved


@dataclass(frozen=True)
class Alike:
    """Of ``n`` questions that both runs answered, ``same`` got the same answer."""

    first: str
    second: str
    n: int
    same: int

    @property
    def identical(self) -> bool:
        """Whether no answer tells the runs apart."""
        return self.n > 0 and self.same == self.n

    @property
    def share_pct(self) -> float:
        """Share of the same answers; NaN without a shared question."""
        return 100 * self.same / self.n if self.n else float("nan")

    def __str__(self) -> str:
        if self.identical:
            return _all_same(self.n, [self.first, self.second])
        return sentence("alike.some", same=self.same, n=self.n, first=self.first, second=self.second)


def as_expected(runs: Sequence[Saved]) -> bool:
    """Whether runs of equal answers are what they should be: one trivial system, asked several times."""
    return len({run.floor for run in runs}) == 1 and runs[0].floor is not None


def alike(first: Saved, second: Saved) -> Alike:
    """Compare the answers of two runs to the questions that both were asked."""
    one, other = (
        dict(zip(run.answers["id"].tolist(), run.answers["prediction"].tolist(), strict=True))
        for run in (first, second)
    )
    shared = one.keys() & other.keys()
    return Alike(first.name, second.name, len(shared), sum(one[row] == other[row] for row in shared))


def same_answers(runs: Sequence[Saved]) -> list[str]:
    """A line for each group of ``identical_runs``."""
    return [_all_same(len(group[0].answers), [run.name for run in group]) for group in identical_runs(runs)]


def _all_same(n: int, names: Sequence[str]) -> Sentence:
    return sentence("alike.all", n=n, names=together(names, "list.and"))


def identical_runs(runs: Sequence[Saved]) -> list[list[Saved]]:
    """The groups of runs, two or more, that gave the same answer to every one of the same questions.

    A trivial system that was asked several times is no such group: it has to give the same answers.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Saved]] = {}
    for run in runs:
        answers = tuple(sorted(zip(run.answers["id"], run.answers["prediction"], strict=True)))
        groups.setdefault(answers, []).append(run)
    return [group for group in groups.values() if len(group) > 1 and not as_expected(group)]
