"""Rows that a dataset must not hold: without question or answer, or said twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..core.errors import UserError
from ..languages import Language
from ..languages.text import Profile, normalise
from .columns import Role
from .digests import Digests, as_array, changes, digest, sort_keys
from .labels import LabelReader, Probabilities, Ranks, Where
from .layouts import answers_of, question_of
from .markup import without_markup
from .personal import Personal
from .sources.base import Batch


class Reason(StrEnum):
    """Why a row was dropped."""

    NO_QUESTION = "no_question"
    NO_ANSWER = "no_answer"
    EXACT_DUPLICATE = "exact_duplicate"
    NORMALISED_DUPLICATE = "normalised_duplicate"


@dataclass
class Counts:
    """What was changed in the rows of a source, in rows and in references; ``personal`` looks for personal data."""

    personal: Personal | None = None
    markup: int = 0
    several: int = 0
    empty_references: int = 0
    repeated_references: int = 0

    def sentences(self) -> list[str]:
        """What to say of it."""
        found = []
        if self.markup:
            found.append(f"tags or entities of web pages were taken out of {self.markup:,} rows")
        if self.several:
            found.append(
                f"{self.several:,} questions have several answers: all are kept, scores compare with the first "
                "unless --references says best or mean"
            )
        if self.empty_references:
            found.append(f"{self.empty_references:,} references without a word were dropped")
        if self.repeated_references:
            found.append(
                f"{self.repeated_references:,} references were dropped that repeat one of the same question"
            )
        return found


@dataclass(frozen=True)
class Rows:
    """n rows with a question and an answer, and what is compared of them.

    ``texts`` has the columns ``id``, ``category``, ``cluster`` (null if none is given), ``question``, ``answer``,
    and ``references``: all answers as a JSON list, null where there is one alone.
    ``numbers``: rows of the source file. ``group``: digest of the normalised question. ``pair``: of normalised
    question and answer. ``exact``: of question and answer as written. ``row``: of all that the row holds.
    ``words``: lengths of question and answer in words, shape (n, 2).
    """

    texts: pa.Table
    numbers: npt.NDArray[np.int64]
    ranks: Ranks
    probabilities: Probabilities
    group: Digests
    pair: Digests
    exact: Digests
    row: Digests
    words: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, places: npt.NDArray[np.int64]) -> Rows:
        """The rows at the given places, in their order."""
        arrays = {name: value[places] for name, value in vars(self).items() if name != "texts"}
        return Rows(texts=self.texts.take(pa.array(places)), **arrays)


def join(parts: list[Rows]) -> Rows:
    """Rows of all parts, one after the other."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0]) if name != "texts"
    }
    return Rows(texts=pa.concat_tables([part.texts for part in parts]).combine_chunks(), **arrays)


def clean_batch(
    batch: Batch,
    roles: Mapping[Role, int],
    labels: LabelReader,
    where: Where,
    language: Language,
    counts: Counts | None = None,
) -> tuple[Rows, dict[Reason, int]]:
    """Rows of a batch that have a question and an answer, and how many have none.

    A text without a letter or digit is none. Tags and entities of web pages are taken out, and a cell that lists
    several answers is the first of them, all of them its references; ``counts`` is told. A text that is other
    JSON stays.
    ``roles`` gives the place of each role's column in the batch,
    ``where`` names a row of the file.

    Raises:
        UserError: a row that is kept has an unknown severity or probabilities that are none, or a row holds a list
            or record that is no question or answer.
    """
    texts_of, listed = _texts(batch, roles, where, language, counts or Counts())
    questions, answers = texts_of[Role.QUESTION], texts_of[Role.ANSWER]
    plain = [
        [normalise(text or "", Profile.METRIC, language) for text in column.to_pylist()]
        for column in (questions, answers)
    ]
    asked = np.array([bool(text) for text in plain[0]], dtype=bool)
    answered = np.array([bool(text) for text in plain[1]], dtype=bool)
    kept = np.flatnonzero(asked & answered)
    dropped = {Reason.NO_QUESTION: int((~asked).sum()), Reason.NO_ANSWER: int((asked & ~answered).sum())}

    places = pa.array(kept)
    columns = {role: texts_of.get(role, batch.columns[place]).take(places) for role, place in roles.items()}
    numbers = batch.numbers[kept]
    texts = pa.table(
        {str(role): _trimmed(columns.get(role), len(kept)) for role in (Role.ID, Role.CATEGORY, Role.CLUSTER)}
        | {str(role): columns[role] for role in (Role.QUESTION, Role.ANSWER)}
        | {"references": pa.array([listed.get(int(row)) for row in kept], pa.large_string())}
    )
    ranks, probabilities = labels.read(columns, len(kept), lambda row: where(int(numbers[row])))
    raw = [[text.encode() for text in columns[role].to_pylist()] for role in (Role.QUESTION, Role.ANSWER)]
    normalised = [[texts[place] for place in kept] for texts in plain]
    keys = [[text.encode() for text in column] for column in normalised]
    rest = zip(texts["id"].to_pylist(), texts["category"].to_pylist(), ranks, probabilities, strict=True)
    whole = [repr((identity, category, int(rank), p.tolist())).encode() for identity, category, rank, p in rest]
    more = [listed.get(int(row), "") for row in kept]
    whole = [about + others.encode() for about, others in zip(whole, more, strict=True)]
    rows = Rows(
        texts=texts,
        numbers=numbers,
        ranks=ranks,
        probabilities=probabilities,
        group=as_array(digest(question) for question in keys[0]),
        pair=as_array(digest(*pair) for pair in zip(*keys, strict=True)),
        exact=as_array(digest(*pair) for pair in zip(*raw, strict=True)),
        row=as_array(digest(*parts) for parts in zip(*raw, whole, strict=True)),
        words=np.array([[text.count(" ") + 1 for text in column] for column in normalised], dtype=np.int32).T,
    )
    return rows, dropped


def _texts(
    batch: Batch, roles: Mapping[Role, int], where: Where, language: Language, counts: Counts
) -> tuple[dict[Role, pa.Array], dict[int, str]]:
    """Questions and answers without markup, and by row the answers of those that have several, as JSON."""
    questions = batch.columns[roles[Role.QUESTION]].to_pylist()
    answers = batch.columns[roles[Role.ANSWER]].to_pylist()
    nested = [batch.nested.get(roles[role], {}) for role in (Role.QUESTION, Role.ANSWER)]
    listed: dict[int, str] = {}
    for row, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        try:
            question = question_of(question, nested=row in nested[0])
            found = answers_of(answer, nested=row in nested[1])
        except ValueError as error:
            raise UserError(
                f"{where(int(batch.numbers[row]))} holds {error} where text is expected",
                "Store a text, a list of texts, or a dialogue of role and content",
            ) from None
        told = [answer] if found is None else found
        plain = [without_markup(text) for text in (question or "", *(text or "" for text in told))]
        counts.markup += plain != [question or "", *(text or "" for text in told)]
        if counts.personal is not None:
            plain = counts.personal.read(plain)
        questions[row] = plain[0] if question is not None else None
        if found is None:
            answers[row] = plain[1] if answer is not None else None
            continue
        keys = {text: normalise(text, Profile.METRIC, language) for text in plain[1:]}
        filled = [text for text in plain[1:] if keys[text]]
        distinct = list({keys[text]: text for text in reversed(filled)}.values())[::-1]
        counts.empty_references += len(plain) - 1 - len(filled) if filled else 0
        counts.repeated_references += len(filled) - len(distinct)
        answers[row] = distinct[0] if distinct else None
        if len(distinct) > 1:
            counts.several += 1
            listed[row] = json.dumps(distinct, ensure_ascii=False)
    texts = {
        Role.QUESTION: pa.array(questions, pa.large_string()),
        Role.ANSWER: pa.array(answers, pa.large_string()),
    }
    return texts, listed


def without_duplicates(rows: Rows) -> tuple[npt.NDArray[np.int64], dict[Reason, int]]:
    """Places of the rows to keep, one for each normalised pair, and how many duplicates there are.

    Which row of several stays does not depend on their order: the more severe (any label before none), then the
    one with the smallest digest.
    """
    order = np.lexsort((*sort_keys(rows.row), -rows.ranks.astype(np.int64), *sort_keys(rows.pair)))
    first = changes(rows.pair[order])
    by_text = np.lexsort((*sort_keys(rows.exact), *sort_keys(rows.pair)))
    texts = int((changes(rows.pair[by_text]) | changes(rows.exact[by_text])).sum())
    kept: npt.NDArray[np.int64] = np.sort(order[first])
    return kept, {Reason.EXACT_DUPLICATE: len(rows) - texts, Reason.NORMALISED_DUPLICATE: texts - len(kept)}


def _trimmed(names: pa.Array | None, rows: int) -> pa.Array:
    """Names without outer white space; an empty one is null, so that an empty cell is the same in every format."""
    if names is None:
        return pa.nulls(rows, pa.large_string())
    trimmed = pc.utf8_trim_whitespace(names)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
