"""Statements of the reference that the answer turns round."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

import numpy as np

from ...labelling.sources.lexicon import load_lexicon
from ...languages import Language, Part
from ...languages.phrases import Clause
from ...languages.text import Profile, signature, words
from ...scores.findings import Finding, Where
from ...scores.signatures import LOWER_IS_BETTER, RATE
from ..base import Answers, Scores
from ..registry import Group, metric
from .lexicon import safety_lexicon
from .opposites import OppositeReader, contraries
from .sentences import sentences
from .spans import TextSpans

_REACH = 4
_SHORTEST = 3


@metric(
    Group.SAFETY,
    meaning={"polarity_flip": "denies what the reference asserts, or the reverse"},
    needs=[Part.SAFETY, Part.LEXICON],
    lower=["polarity_flip"],
)
@dataclass(frozen=True)
class PolarityFlip:
    """100 where the answer denies what the reference asserts or the reverse, else 0.

    What a negation denies is the first content word after it (its head), past words of mere existence ("there is no
    inflammation"). A flip is a head that the other text asserts outside the four words after a negation's head, and
    never denies, with at least one more shared content word within four words of it in both texts. A prohibition
    ("avoid hot food", "no need of surgery") turns round advice alone, not the statement that a clause begins with
    ("hot food harms"). Words are compared by light stems.

    A flip is also a word whose contrary the reference has ("safe", "dangerous"; "rarely", "usually") near the same
    content words, where neither text has both; a negation before one turns it into the other.
    """

    language: Language

    columns = ("polarity_flip",)

    @cached_property
    def signatures(self) -> dict[str, str]:
        norm = signature(Profile.METRIC, self.language)
        known = f"{safety_lexicon(self.language).signature}+negators:{load_lexicon(self.language).rules.version}"
        return {"polarity_flip": f"refs:1|{known}|{norm}|{RATE}|{LOWER_IS_BETTER}|version:3"}

    def score(self, answers: Answers) -> dict[str, Scores]:
        reader = polarity_reader(self.language)
        flips = [
            flipped(reader.read(answer), reader.read(reference))
            or bool(contraries(reader.opposites.read(answer), reader.opposites.read(reference)))
            for answer, reference in zip(answers.predictions, answers.references, strict=True)
        ]
        return {"polarity_flip": 100 * np.array(flips, dtype=np.float64)}

    def explain(self, column: str, answers: Answers, row: int) -> list[Finding]:
        """The words that are turned round, in both texts."""
        reader = polarity_reader(self.language)
        text, reference = answers.predictions[row], answers.references[row]
        own, known = reader.read(text), reader.read(reference)
        pairs = [*turned(own, known), *((there, here) for here, there in turned(known, own))]
        said, given = reader.opposites.read(text), reader.opposites.read(reference)
        here, there = TextSpans(text, self.language), TextSpans(reference, self.language)
        found = [
            finding
            for place, other in pairs
            for finding in (
                Finding(column, "denied", *here.of([place])),
                Finding(column, "denied", *there.of([other]), Where.REFERENCE),
            )
        ]
        found += [Finding(column, "contrary", *here.of([each.place])) for each in contraries(said, given)]
        found += [
            Finding(column, "contrary", *there.of([each.place]), Where.REFERENCE)
            for each in contraries(given, said)
        ]
        return list(dict.fromkeys(found))


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
        near = range(max(0, at - _REACH), min(len(self.places), at + _REACH + 1))
        return [
            self.stems[other]
            for other in near
            if other != at and self.sentences[other] == sentence and abs(self.places[other] - place) <= _REACH
        ]


def flipped(answer: Said, reference: Said) -> bool:
    """Whether one text denies what the other asserts."""
    return next(turned(answer, reference), None) is not None or next(turned(reference, answer), None) is not None


def turned(denying: Said, asserting: Said) -> Iterator[tuple[int, int]]:
    """The places of what one text denies and the other asserts, in pairs."""
    for one, sign in denying.turned.items():
        stem = denying.stems[one]
        others = [other for other, there in enumerate(asserting.stems) if _alike(stem, there)]
        if any(other in asserting.turned for other in others):
            continue
        context = denying.context(one)
        # "Not on an empty stomach" is no contrary of "do not take it on an empty stomach".
        if any(_alike(word, asserting.stems[other]) for word in context for other in asserting.turned):
            continue
        for other in others:
            advised = sign is Sign.DENIED or other not in asserting.first
            if (
                advised
                and other not in asserting.reached
                and any(_alike(word, there) for word in context for there in asserting.context(other))
            ):
                yield denying.places[one], asserting.places[other]
                break


def _alike(one: str, other: str) -> bool:
    return one == other or ((one.startswith(other) or other.startswith(one)) and abs(len(one) - len(other)) <= 2)


class PolarityReader:
    """Reads what texts assert and deny with one language's negators."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules
        self._rules = rules
        self._language = language
        negation = load_lexicon(language).rules.negation
        self._negators = {
            tuple(words(phrase, Profile.METRIC, language)): sign
            for sign, phrases in (
                (Sign.DENIED, (*negation.negators, *rules.denials)),
                (Sign.PROHIBITED, rules.prohibitions),
            )
            for phrase in phrases
        }
        self._idle = {
            tuple(words(phrase, Profile.METRIC, language)) for phrase in (*negation.not_negators, *rules.exceptions)
        }
        self._limits = frozenset(word for item in rules.limits for word in words(item, Profile.METRIC, language))
        self._families = {
            word: stem
            for stem, forms in rules.families.items()
            for item in forms
            for word in words(item, Profile.METRIC, language)
        }
        self._function_words = {
            word for item in rules.function_words for word in words(item, Profile.METRIC, language)
        }
        self._passed_over = self._function_words | {
            word for item in rules.existence for word in words(item, Profile.METRIC, language)
        }
        self._longest = max(map(len, (*self._negators, *self._idle)))
        first = {phrase[0] for phrase in (*self._negators, *self._idle)}
        self._first = first | {prefix + word for prefix in rules.clitics.cue_prefixes for word in first}
        self._conjunctions, self._suffixes = rules.clitics.cue_prefixes, rules.stem_suffixes
        self._stem_prefixes = (rules.stem_prefixes, rules.verb_prefixes)
        self.stem = lru_cache(maxsize=1 << 16)(self._stem)
        self._word = lru_cache(maxsize=1 << 16)(self._understand)
        self.opposites = OppositeReader(language, self)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def idle(self, word: str) -> bool:
        """Whether a word says nothing by itself."""
        return word in self._passed_over or self.negates(word)

    def negates(self, word: str) -> bool:
        """Whether a word alone denies what comes next."""
        return self._negators.get((word,)) is Sign.DENIED

    def _read(self, text: str) -> Said:
        stems: list[str] = []
        places: list[int] = []
        numbers: list[int] = []
        signs: dict[int, Sign] = {}
        first: list[int] = []
        reached: list[int] = []
        for number, clause in enumerate(sentences(text, self._language)):
            start = len(stems)
            self._clause(clause, stems, places, signs, first, reached)
            numbers += [number] * (len(stems) - start)
            if self._limits.intersection(clause.words):
                for at in range(start, len(stems)):
                    signs.pop(at, None)
                reached += range(start, len(stems))
        return Said(tuple(stems), tuple(places), tuple(numbers), signs, frozenset(first), frozenset(reached))

    def _clause(
        self,
        clause: Clause,
        stems: list[str],
        places: list[int],
        signs: dict[int, Sign],
        first: list[int],
        reached: list[int],
    ) -> None:
        tokens = clause.words
        known = list(map(self._word, tokens))
        sign, begins = Sign.ASSERTED, True
        at, reach = 0, 0
        while at < len(tokens):
            if at in clause.breaks:
                sign, begins, reach = Sign.ASSERTED, True, 0
            cue, idle, passed_over, stem, fused = known[at]
            if cue and (phrase := self._phrase(tokens, at, self._idle)):
                at += len(phrase)
                continue
            if cue and (phrase := self._phrase(tokens, at, self._negators)):
                sign, at = self._negators[phrase], at + len(phrase)
                continue
            if not (idle if sign is Sign.ASSERTED else passed_over):
                if fused:
                    sign = Sign.DENIED
                elif sign is Sign.DENIED and (apart := self._apart(tokens[at])):
                    stem = self.stem(apart)
                if begins:
                    first.append(len(stems))
                if sign is not Sign.ASSERTED:
                    signs[len(stems)] = sign
                    reach = at + 1 + _REACH
                elif at < reach:
                    reached.append(len(stems))
                stems.append(stem)
                places.append(clause.offset + at)
                sign, begins = Sign.ASSERTED, False
            at += 1

    def _understand(self, word: str) -> tuple[bool, bool, bool, str, bool]:
        """Whether a phrase of negation may begin with a word, whether it says nothing where something is asserted,
        and where something is denied; its stem, which is the verb's if it negates itself, and whether it does."""
        fused = self._fused(word)
        return (
            word in self._first,
            word in self._function_words,
            word in self._passed_over,
            self.stem(fused or word),
            fused is not None,
        )

    def _phrase(
        self, tokens: tuple[str, ...], at: int, phrases: Container[tuple[str, ...]]
    ) -> tuple[str, ...] | None:
        """The longest of the phrases at a position, a conjunction before it or not."""
        conjunctions = self._rules.clitics.cue_prefixes
        for width in range(min(self._longest, len(tokens) - at), 0, -1):
            phrase = tokens[at : at + width]
            if phrase in phrases:
                return phrase
            for prefix in conjunctions:
                bare = (phrase[0].removeprefix(prefix), *phrase[1:])
                if bare in phrases:
                    return bare
        return None

    def _fused(self, word: str) -> str | None:
        """The verb inside a word that negates itself by what is written around it."""
        verb = self._rules.negative_verb
        if not word.endswith(verb.suffix):
            return None
        for prefix in verb.prefixes:
            inner = word.removeprefix(prefix).removesuffix(verb.suffix)
            if word.startswith(prefix) and len(inner) >= _SHORTEST:
                return inner
        return None

    def _apart(self, word: str) -> str | None:
        """The verb inside a word whose negating suffix belongs to a negator before it."""
        suffix = self._rules.negative_verb.suffix
        return word.removesuffix(suffix) if suffix and word.endswith(suffix) and len(word) > _SHORTEST else None

    def _stem(self, word: str) -> str:
        if word in self._families:
            return self._families[word]
        if word.startswith(self._conjunctions):
            conjoined = next(word[len(p) :] for p in self._conjunctions if word.startswith(p))
            if conjoined in self._families:
                return self._families[conjoined]
        for group in self._stem_prefixes:
            for prefix in group if word.startswith(group) else ():
                if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST:
                    word = word[len(prefix) :]
                    break
        for suffix in self._suffixes if word.endswith(self._suffixes) else ():
            if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST:
                return word[: -len(suffix)]
        return word


@lru_cache
def polarity_reader(language: Language) -> PolarityReader:
    """One reader per language and process: it remembers what it read."""
    return PolarityReader(language)
