"""What a text asserts and denies, and which statements of two texts contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

REACH = 4
"""How many words away the context of a word, or the end of what a negation reaches, may stand."""
_SHORT, _FEW = 6, 3


class Sign(Enum):
    """What is said of a word."""

    ASSERTED = "asserted"
    DENIED = "denied"
    PROHIBITED = "prohibited"


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says of its content words, a column each, since most texts deny nothing and are asked no more.

    Attributes:
        stems, places: of each content word, and where among the text's words it stands.
        sentences: which sentence of the text it belongs to.
        turned: the words that are denied or prohibited, with their sign.
        first: those that a clause begins with.
        reached: those shortly after a negation of another word.
    """

    stems: tuple[str, ...]
    places: tuple[int, ...]
    sentences: tuple[int, ...]
    turned: dict[int, Sign]
    first: frozenset[int]
    reached: frozenset[int]

    def context(self, at: int) -> list[str]:
        """The content words near one."""
        place, sentence = self.places[at], self.sentences[at]
        near = range(max(0, at - REACH), min(len(self.places), at + REACH + 1))
        return [
            self.stems[other]
            for other in near
            if other != at and self.sentences[other] == sentence and abs(self.places[other] - place) <= REACH
        ]


def turned(denying: Said, asserting: Said) -> Iterator[tuple[int, int]]:
    """The places of what one text denies and the other asserts, in pairs."""
    brief = max(len(denying.stems), len(asserting.stems)) <= _SHORT or len(denying.stems) <= _FEW
    for one, sign in denying.turned.items():
        stem = denying.stems[one]
        others = [other for other, there in enumerate(asserting.stems) if alike(stem, there)]
        if not others or any(other in asserting.turned for other in others):
            continue
        context = denying.context(one)
        # "Not on an empty stomach" is no contrary of "do not take it on an empty stomach".
        if any(alike(word, asserting.stems[other]) for word in context for other in asserting.turned):
            continue
        for other in others:
            advised = sign is Sign.DENIED or other not in asserting.first
            # Two short answers to one question speak of one thing.
            near = (brief and not context) or any(
                alike(word, there) for word in context for there in asserting.context(other)
            )
            if advised and other not in asserting.reached and near:
                yield denying.places[one], asserting.places[other]
                break


def alike(one: str, other: str) -> bool:
    """Whether two stems are of one word: one may be longer by an ending."""
    return one == other or ((one.startswith(other) or other.startswith(one)) and abs(len(one) - len(other)) <= 2)
