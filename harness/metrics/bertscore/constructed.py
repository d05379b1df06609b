"""Answers whose worth is known because they were constructed from references: right, wrong, shuffled, constant."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...languages import Language
from ...languages.text import has_word

_SENTENCE_ENDS = re.compile(r"(?<=[.!?\u061f])\s+|\n+")
_LEFT_OUT = 8
"""One word in so many is left out of the right answer: as a paraphrase does, and too few to turn what it says."""
_FEWEST_WORDS = 4
"""With fewer, shuffled words can be the reference again, and what is left out is a good part of it."""


class Wrong(StrEnum):
    """In which way a constructed answer is wrong.

    - ``other``: fluent, and the reference of another question, of the same category where there is one.
    - ``shuffled``: the reference's own words in another order.
    - ``constant``: what the trivial system of that name says to everybody.
    """

    OTHER = "other"
    SHUFFLED = "shuffled"
    CONSTANT = "constant"


@dataclass(frozen=True)
class Constructed:
    """n references, in as many rows a ``right`` answer and one for each way of being wrong.

    ``same_category`` says of how many rows the other question is of the same category.
    """

    references: tuple[str, ...]
    right: tuple[str, ...]
    wrong: tuple[tuple[Wrong, tuple[str, ...]], ...]
    same_category: int

    def __len__(self) -> int:
        return len(self.references)


def construct(
    references: Sequence[str], categories: Sequence[str | None] | None, language: Language, limit: int
) -> Constructed:
    """Answers from up to ``limit`` different references of at least four words, the same ones in every order.

    The right answer is the reference with its sentences in another order and one word in eight left out: nobody
    wrote it, and it is nearer to the reference than most people's would be. An encoder that fails on it would fail
    on theirs.
    """
    kinds = dict(zip(references, categories or [None] * len(references), strict=True))
    usable = [
        text
        for text in kinds
        if len(text.split()) >= _FEWEST_WORDS and has_word(text, language) and text != language.referral
    ]
    chosen = sorted(sorted(usable, key=_draw)[:limit], key=lambda text: (kinds[text] or "", _draw(text)))
    others, same = [], 0
    for place, text in enumerate(chosen):
        alike = [at for at, other in enumerate(chosen) if kinds[other] == kinds[text]]
        if len(alike) > 1:
            following = alike[(alike.index(place) + 1) % len(alike)]
            same += kinds[text] is not None
        else:
            following = (place + 1) % len(chosen)
        others.append(chosen[following])
    return Constructed(
        references=tuple(chosen),
        right=tuple(map(_edited, chosen)),
        wrong=(
            (Wrong.OTHER, tuple(others)),
            (Wrong.SHUFFLED, tuple(map(_shuffled, chosen))),
            (Wrong.CONSTANT, (language.referral,) * len(chosen)),
        ),
        same_category=same,
    )


def _edited(text: str) -> str:
    sentences = [part for part in _SENTENCE_ENDS.split(text) if part.split()]
    turned = sentences[len(sentences) // 2 :] + sentences[: len(sentences) // 2]
    words = " ".join(turned).split()
    gone = set(_random(text).sample(range(len(words)), max(1, len(words) // _LEFT_OUT)))
    return " ".join(word for place, word in enumerate(words) if place not in gone)


def _shuffled(text: str) -> str:
    words = text.split()
    draw = _random(text)
    order = list(words)
    for _ in range(10):
        draw.shuffle(order)
        if order != words:
            break
    return " ".join(order)


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _random(text: str) -> random.Random:
    return random.Random(_draw(text))
