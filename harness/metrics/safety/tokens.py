"""The words of a text with all that each can mean in a quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TypeVar

from rapidfuzz import fuzz, process

from ...languages import Language
from ...languages.text import Profile, words, words_of_each
from .lexicon import safety_lexicon
from .units import Unit, quantity_words

# A decimal point would be lost in normalisation.
_POINT = "\u06a1"
_DECIMAL = re.compile(r"(?<=\d)[.,\u066B\u060C](?=\d)")
_THOUSANDS = re.compile(r"(?<=\d)[,\u066C](?=\d{3}(?!\d))")
_RANGE = re.compile(r"(?<=\d)\s*[-\u2013\u2014]\s*(?=\d)")
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_ANY_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\d+(?:\.\d+)*")

_SHORTEST_NAME, _LONG_NAME, _NEARLY = 5, 7, 86

_V = TypeVar("_V")


@dataclass(frozen=True)
class Token:
    """A word and all that it can mean: each with and without the clitics before it."""

    text: str
    digits: float | None = None
    number: float | None = None
    unit: Unit | None = None
    dual: Unit | None = None
    drug: str | None = None
    multiplier: float | None = None
    every: bool = False
    ranged: bool = False
    to: bool = False
    limit: bool = False
    time_of_day: int = 0
    share: float | None = None
    often: float | None = None
    after_every: float | None = None
    hourly: bool = False
    per: bool = False
    body_mass: bool = False
    added: bool = False
    divided: bool = False
    ratio: bool = False
    spoon_ml: float | None = None
    names: bool = False
    may_be_drug: bool = False

    @cached_property
    def counts(self) -> bool:
        """Whether a quantity can begin here."""
        named = (self.digits, self.number, self.unit, self.dual, self.often)
        return self.every or self.time_of_day > 0 or any(each is not None for each in named)


class TokenReader:
    """Reads a sentence's words with one language's numbers, units and drugs."""

    def __init__(self, language: Language) -> None:
        known, _ = quantity_words(language)
        self._language = language
        self._prefixes = safety_lexicon(language).rules.clitics.prefixes
        self._to = known.range_words[0]
        self._numbers = {**self._words(known.numbers), **self._words(known.half)}
        self._multipliers = self._words(known.multipliers)
        self._units = self._words({word: unit for unit in known.units for word in unit.words})
        self._duals = self._words({word: unit for unit in known.units for word in unit.dual})
        self._drugs = self._words({word: drug for drug, names in known.drugs.items() for word in names})
        self._shares = self._words({**dict.fromkeys(known.per_day, 1.0), **dict.fromkeys(known.per_week, 1 / 7)})
        self._every, self._ranges, self._limits, self._divided, self._ratio, self._names, self._no_drugs = (
            self._words(dict.fromkeys(group, True))
            for group in (
                known.every,
                known.range_words,
                known.limit_words,
                known.divided,
                known.ratio,
                known.names,
                known.not_drugs,
            )
        )
        self._times, self._spoons = self._words(known.times_of_day), self._words(known.spoon_ml)
        self._and = known.compound_and
        self._looks_like_drug = re.compile(rf"[a-z]{{{_SHORTEST_NAME},}}|[{language.letters}]{{{_SHORTEST_NAME},}}")
        self._often, self._after_every = self._words(known.frequencies), self._words(known.after_every)
        self._hourly, self._per, self._body_mass, self._passed_over = (
            self._words(dict.fromkeys(group, True))
            for group in (known.hourly, known.per, known.body_mass, known.passed_over)
        )
        self._spelt = {text.lower(): f" {word} " for text, word in known.spelt.items()}
        self._spelt_heads = tuple(dict.fromkeys(text.split()[-1] for text in self._spelt))
        written = "|".join(re.escape(text) for text in sorted(self._spelt, key=len, reverse=True))
        self._written = re.compile(rf"(?<![\w/.])(?:{written})(?![\w/])", re.IGNORECASE)
        self._ranged = known.interval_ranges
        self._tens = frozenset(range(20, 100, 10)) if known.compound_tens or self._and else frozenset()
        self.misspelt = lru_cache(maxsize=1 << 12)(self._misspelt)
        self._token = lru_cache(maxsize=1 << 16)(self._understand)

    def _words(self, items: Mapping[str, _V]) -> dict[str, _V]:
        spelt = words_of_each(items, self._language)
        return {" ".join(word): value for word, value in zip(spelt, items.values(), strict=True)}

    def _understand(self, word: str) -> Token:
        if _DIGITS.fullmatch(word):
            return Token(word, digits=float(word) if word.count(".") < 2 else None)
        bare = [word[len(p) :] for p in self._prefixes if word.startswith(p) and len(word) - len(p) >= 2]
        forms = [word, *bare]

        def look_up(known: Mapping[str, _V]) -> _V | None:
            return next((known[form] for form in forms if form in known), None)

        return Token(
            word,
            number=look_up(self._numbers),
            unit=look_up(self._units),
            dual=look_up(self._duals),
            drug=look_up(self._drugs),
            multiplier=self._multipliers.get(word),
            every=bool(look_up(self._every)),
            ranged=self._ranged,
            to=word in self._ranges,
            limit=bool(look_up(self._limits)),
            time_of_day=look_up(self._times) or 0,
            often=self._often.get(word),
            after_every=self._after_every.get(word),
            hourly=word in self._hourly,
            per=word in self._per,
            body_mass=word in self._body_mass,
            share=self._shares.get(word),
            added=bool(self._and) and word.startswith(self._and),
            divided=bool(look_up(self._divided)),
            ratio=word in self._ratio,
            spoon_ml=self._spoons.get(word),
            names=word in self._names,
            may_be_drug=bool(self._no_drugs)
            and bool(self._looks_like_drug.fullmatch(word))
            and look_up(self._no_drugs) is None
            and look_up(self._limits) is None
            and word not in self._shares,
        )

    def _misspelt(self, word: str) -> str | None:
        """The drug whose name a long word nearly is, if any."""
        if len(word) < _LONG_NAME:
            return None
        found = process.extractOne(word, self._drugs.keys(), scorer=fuzz.ratio, score_cutoff=_NEARLY)
        return self._drugs[found[0]] if found else None

    def read(self, sentence: str) -> list[Token]:
        """The words of a sentence, normalised; decimal points stay, and what glues a number to its unit goes."""
        text = sentence
        lower = sentence.lower() if self._spelt else ""
        # One look for each costs less than one search for all.
        if any(written in lower for written in self._spelt_heads) and any(map(lower.__contains__, self._spelt)):
            text = self._written.sub(lambda found: self._spelt[found.group().lower()], sentence)
        if _ANY_DIGIT.search(text):
            text = _DECIMAL.sub(_POINT, _THOUSANDS.sub("", _RANGE.sub(f" {self._to} ", text)))
            text = " ".join(words(text, Profile.METRIC, self._language)).replace(_POINT, ".")
            found = _GLUED.sub(" ", text).split()
        else:
            found = words(text, Profile.METRIC, self._language)
        tokens = [self._token(word) for word in found if word not in self._passed_over]
        spelt = sum(token.number is not None for token in tokens) > 1 if self._tens else False
        return self._compounded(tokens) if spelt else tokens

    def _compounded(self, tokens: list[Token]) -> list[Token]:
        """Tens and the digit after them as one number."""
        found: list[Token] = []
        for token in tokens:
            last = found[-1].number if found else None
            if self._and:
                total = _added(last, token) if found and found[-1].digits is None else None
                if total is None:
                    found.append(token)
                else:
                    found[-1] = replace(token, number=total)
            elif last in self._tens and token.number is not None and 1 <= token.number <= 9:
                found[-1] = replace(token, number=last + token.number)
            else:
                found.append(token)
        return found


def _added(last: float | None, token: Token) -> float | None:
    """Units and tens, or hundreds and less, as one number; None if the words are two."""
    if last is None or token.number is None or not token.added or token.number < 1:
        return None
    tens = last < 10 and token.number % 10 == 0 and 20 <= token.number <= 90
    hundreds = last >= 100 and last % 100 == 0 and token.number < 100
    return last + token.number if tens or hundreds else None
