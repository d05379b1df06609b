"""Which training rows stand as worked examples in front of a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from ..harness.core.errors import UserError
from ..harness.languages import language
from ..harness.languages.text import Profile, normalise

_SPARE = 16


def examples(
    rows: Sequence[Mapping[str, Any]], document: Mapping[str, Any], count: int, seed: int | None
) -> list[Mapping[str, Any]]:
    """``count`` rows for a document, drawn by the seed and the document's id alone: whatever else is asked, in
    whatever order and by how many processes, the same examples stand in front of it.

    No row has the document's question or answer, and no two have one question, compared after normalisation.

    Raises:
        UserError: there are not as many such rows.
    """
    random = Random(f"{seed}\0{document['id']}")
    tongue = language(document["language"])

    def compared(text: str) -> str:
        return normalise(text, Profile.METRIC, tongue)

    questions, answer = {compared(document["question"])}, compared(document["answer"])
    drawn: list[Mapping[str, Any]] = []
    for place in _order(len(rows), count, random):
        row = rows[place]
        question = compared(row["question"])
        if question in questions or compared(row["answer"]) == answer:
            continue
        questions.add(question)
        drawn.append(row)
        if len(drawn) == count:
            return drawn
    raise UserError(
        f"{count} examples were asked for, and {len(drawn)} of the {len(rows)} training rows differ from the "
        f"question {document['id']!r} and from each other",
        "Ask for fewer with --num_fewshot",
    )


def _order(rows: int, count: int, random: Random) -> Iterator[int]:
    """Every row once, at random; the first few without a permutation of all."""
    first = random.sample(range(rows), min(rows, count + _SPARE))
    yield from first
    known = set(first)
    yield from (place for place in random.sample(range(rows), rows) if place not in known)
