"""Every metric, declared once where it is defined: its group, what it needs, and what each of its columns means.

    @metric(Group.SIMILARITY, meaning={"my_score": "what it says of an answer"})
    @dataclass(frozen=True)
    class MyScore: ...

and one import line in the ``__init__`` of its room, whose order is the order of the columns everywhere. Tables,
files, pages, help and the lm-eval tasks are made from what is declared here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from ..core.registry import Registry
from ..languages import Language, Part
from ..languages.sentences import named_term, together
from ..languages.text import has_word
from ..scores.signatures import Better
from .base import Answers, HoldsEncoder, Metric, Scores

if TYPE_CHECKING:
    from .bertscore.encoder import EncoderAsked


class Group(StrEnum):
    """What a metric is read as, which says where its columns stand.

    - ``similarity``: how near an answer is to its reference; 0 wherever one of the two holds no word.
    - ``presence``: whether there is an answer at all. Like similarity it is scored inside lm-eval.
    - ``safety``: a finding about an answer.
    - ``part``: what another column is made of or did not see; in the files, in no table.
    - ``style``: what moves similarity without moving quality.
    """

    SIMILARITY = "similarity"
    PRESENCE = "presence"
    SAFETY = "safety"
    PART = "part"
    STYLE = "style"


class Need(StrEnum):
    """What of whoever asks for scores a metric cannot do without. What it needs of a language is a ``Part``."""

    QUESTIONS = "questions"
    SEVERITIES = "severities"
    ENCODER = "encoder"


WORDLESS = "wordless:0"
"""The part of a signature that says what a text without a word scores, where the version is another program's."""

IN_LM_EVAL = (Group.SIMILARITY, Group.PRESENCE)
"""The groups that the lm-eval tasks score. The others may not apply to an answer, which lm-eval cannot average."""


@dataclass(frozen=True)
class Declared:
    """One metric: ``make`` builds it from a language, and where it needs an encoder from what was asked of it."""

    make: Callable[..., Metric]
    group: Group
    needs: frozenset[Need | Part]
    columns: tuple[str, ...]

    def missing(self, language: Language) -> list[Part]:
        """What of its needs the language does not know."""
        return [part for part in Part if part in self.needs and not language.knows(part)]


@dataclass(frozen=True)
class Column:
    """One column of a metric.

    ``gate`` says what an answer does that it marks with 100 and that the safe score therefore counts 0; None for a
    column that is no gate.
    """

    name: str
    group: Group
    meaning: str
    better: Better
    gate: str | None
    metric: Declared


COLUMNS: Registry[Column] = Registry("metric")
"""Every column by its name, in order."""

_Metric = TypeVar("_Metric")


def metric(
    group: Group,
    *,
    meaning: Mapping[str, str],
    needs: Collection[Need | Part] = (),
    parts: Collection[str] = (),
    lower: Collection[str] = (),
    neither: Collection[str] = (),
    gates: Mapping[str, str] | None = None,
) -> Callable[[type[_Metric]], type[_Metric]]:
    """Declare a class as a metric. The decorated class is a ``Metric`` that is built with a ``Language``.

    Args:
        group: what its columns are read as.
        meaning: each column in a reader's words; of a finding what follows "an answer that ...".
        needs: without which it is left out.
        parts: the columns that are of the group ``part``.
        lower, neither: the columns of which less is better, or neither more nor less; more of the others is.
        gates: columns that make an unsafe answer count 0 in the safe score, each with what such an answer does.

    Raises:
        ValueError: at import, where a column is declared twice (names both places), or the declaration and the
            columns of the class do not agree.
    """

    def declare(cls: type[_Metric]) -> type[_Metric]:
        frame = sys._getframe(1)
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        columns: tuple[str, ...] = tuple(cls.columns)  # type: ignore[attr-defined]
        named = (*parts, *lower, *neither, *(gates or ()))
        if tuple(meaning) != columns or (unknown := sorted(set(named) - set(columns))):
            raise ValueError(f"{place}: {unknown if tuple(meaning) == columns else tuple(meaning)} for {columns}")
        declared = Declared(cast(Callable[..., Metric], cls), group, frozenset(needs), columns)
        for name in columns:
            own = Group.PART if name in parts else group
            way = Better.LOWER if name in lower else Better.NEITHER if name in neither else Better.HIGHER
            COLUMNS.add(name, Column(name, own, meaning[name], way, (gates or {}).get(name), declared), place)
        if group is Group.SIMILARITY:
            _score_words_only(cls, [name for name in columns if name not in parts])
        return cls

    return declare


def _score_words_only(cls: Any, columns: Collection[str]) -> None:
    """Let a metric score 0 wherever answer or reference holds no word, whatever it makes of marks and pictures."""
    score: Callable[[Any, Answers], dict[str, Scores]] = cls.score

    @wraps(score)
    def scored(self: Any, answers: Answers) -> dict[str, Scores]:
        found = score(self, answers)
        silent = np.array(
            [
                not (has_word(prediction, self.language) and has_word(reference, self.language))
                for prediction, reference in zip(answers.predictions, answers.references, strict=True)
            ]
        )
        return {
            name: np.where(silent, 0.0, values) if name in columns else values for name, values in found.items()
        }

    cls.score = scored


def declared() -> list[Declared]:
    """Every metric, in order."""
    return list(dict.fromkeys(column.metric for column in COLUMNS.things()))


def columns_of(*groups: Group) -> tuple[str, ...]:
    """The columns of these groups, in order."""
    return tuple(column.name for column in COLUMNS.things() if column.group in groups)


def task_columns() -> dict[str, bool]:
    """The columns that the lm-eval tasks score, in order, and of each whether more of it is better."""
    return {
        column.name: column.better is Better.HIGHER
        for column in COLUMNS.things()
        if column.metric.group in IN_LM_EVAL
    }


def gates() -> dict[str, str]:
    """The columns that hold 100 where an answer fails so that the safe score counts it 0, and what it then does."""
    return {column.name: column.gate for column in COLUMNS.things() if column.gate}


def gates_in_words() -> str:
    """What an answer does that the safe score counts 0, such as ``misses an emergency or degenerates``."""
    *others, last = (named_term(each) for each in gates().values())
    return together([together(others, "list.comma"), last], "list.or") if others else last


def left_out(language: Language) -> list[str]:
    """A sentence for everything that a language's folder lacks: which columns cannot be scored without it."""
    lacking: dict[str, list[str]] = {}
    for each in declared():
        if missing := each.missing(language):
            lacking.setdefault(" and no ".join(missing), []).extend(each.columns)
    return [f"{language.name} has no {needs}: {', '.join(columns)} left out" for needs, columns in lacking.items()]


_SHARED: dict[tuple[Callable[..., Metric], Language, EncoderAsked], Metric] = {}


def shared(make: Callable[..., Metric], language: Language, encoder: EncoderAsked) -> Metric:
    """The process's one metric of a kind, language and encoder, so that what it keeps serves every run."""
    key = (make, language, encoder)
    if key not in _SHARED:
        _SHARED[key] = make(language, encoder.model, encoder.layer, window=encoder.window)
    return _SHARED[key]


def release_encoders() -> None:
    """Take the encoders of shared metrics out of memory; what they made of references is kept, and the next use
    loads them again."""
    for metric in _SHARED.values():
        if isinstance(metric, HoldsEncoder):
            metric.release_encoder()
