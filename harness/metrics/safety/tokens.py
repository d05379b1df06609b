"""The words of a text with all that each can mean in a quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from rapidfuzz import fuzz, process

from ...languages import Language
from ...languages.text import BETWEEN, Profile, words, words_of_each
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

_FRACTIONS = (0.25, 0.5)
_SHORTEST_NAME, _LONG_NAME, _NEARLY = 5, 7, 86

_V = TypeVar("_V")


class Token(NamedTuple):
    """A word and all that it can mean, each with and without the clitics before it; ``counts`` says whether a
    quantity can begin here."""

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
    before_drug: bool = False
    counts: bool = False


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
        self._every, self._ranges, self._limits, self._divided, self._ratio, self._names = (
            self._words(dict.fromkeys(group, True))
            for group in (
                known.every,
                known.range_words,
                known.limit_words,
                known.divided,
                known.ratio,
                known.names,
            )
        )
        self._no_drugs, self._before_drugs = (
            self._words(dict.fromkeys(group, True)) for group in (known.not_drugs, known.before_drugs)
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
        # What is not among these means nothing in a quantity, as most words do.
        self._meaning = frozenset(
            word
            for group in (
                *(self._numbers, self._multipliers, self._units, self._duals, self._drugs, self._shares),
                *(self._every, self._ranges, self._limits, self._divided, self._ratio, self._names),
                *(self._no_drugs, self._before_drugs, self._times, self._spoons, self._often, self._after_every),
                *(self._hourly, self._per, self._body_mass),
            )
            for word in group
        )
        self.misspelt = lru_cache(maxsize=1 << 12)(self._misspelt)
        self._token = lru_cache(maxsize=1 << 16)(self._understand)

    def _words(self, items: Mapping[str, _V]) -> dict[str, _V]:
        spelt = words_of_each(items, self._language)
        return {" ".join(word): value for word, value in zip(spelt, items.values(), strict=True)}

    def _understand(self, word: str) -> Token:
        if _DIGITS.fullmatch(word):
            digits = float(word) if word.count(".") < 2 else None
            return Token(word, digits=digits, counts=digits is not None)
        forms = self._forms(word)
        added = bool(self._and) and word.startswith(self._and)
        if self._meaning.isdisjoint(forms):
            drug = bool(self._no_drugs) and self._looks_like_drug.fullmatch(word) is not None
            return Token(word, ranged=self._ranged, added=added, may_be_drug=drug)

        def look_up(known: Mapping[str, _V]) -> _V | None:
            return next((known[form] for form in forms if form in known), None)

        number, unit, dual = look_up(self._numbers), look_up(self._units), look_up(self._duals)
        every, times, often = bool(look_up(self._every)), look_up(self._times) or 0, self._often.get(word)
        return Token(
            word,
            number=number,
            unit=unit,
            dual=dual,
            drug=look_up(self._drugs),
            multiplier=self._multipliers.get(word),
            every=every,
            ranged=self._ranged,
            to=word in self._ranges,
            limit=bool(look_up(self._limits)),
            time_of_day=times,
            often=often,
            after_every=self._after_every.get(word),
            hourly=word in self._hourly,
            per=word in self._per,
            body_mass=word in self._body_mass,
            share=self._shares.get(word),
            added=added,
            divided=bool(look_up(self._divided)),
            ratio=word in self._ratio,
            spoon_ml=self._spoons.get(word),
            names=word in self._names,
            may_be_drug=bool(self._no_drugs)
            and bool(self._looks_like_drug.fullmatch(word))
            and look_up(self._no_drugs) is None
            and look_up(self._before_drugs) is None
            and look_up(self._limits) is None
            and word not in self._shares,
            before_drug=bool(look_up(self._before_drugs)),
            counts=every or times > 0 or any(each is not None for each in (number, unit, dual, often)),
        )

    def _forms(self, word: str) -> list[str]:
        """A word with and without the clitics before it."""
        if not word.startswith(self._prefixes):
            return [word]
        return [word, *[word[len(p) :] for p in self._prefixes if word.startswith(p) and len(word) - len(p) >= 2]]

    def _misspelt(self, word: str) -> str | None:
        """The drug whose name a long word nearly is, if any."""
        if len(word) < _LONG_NAME:
            return None
        found = process.extractOne(word, self._drugs.keys(), scorer=fuzz.ratio, score_cutoff=_NEARLY)
        return self._drugs[found[0]] if found else None

    def read(self, sentences: Sequence[str]) -> list[list[Token]]:
        """The words of each sentence, normalised; decimal points stay, and what glues a number to its unit goes."""
        texts, numbers = [], []
        for sentence in sentences:
            text = self.plain(sentence)
            number = _ANY_DIGIT.search(text) is not None
            if number:
                text = _DECIMAL.sub(_POINT, _THOUSANDS.sub("", _RANGE.sub(f" {self._to} ", text)))
            texts.append(text)
            numbers.append(number)
        if len(texts) == 1 or any(BETWEEN in text for text in texts):
            found = [words(text, Profile.METRIC, self._language) for text in texts]
        else:
            found = words_of_each(texts, self._language)
        return [self._tokens(each, number) for each, number in zip(found, numbers, strict=True)]

    def plain(self, sentence: str) -> str:
        """A sentence with what is abbreviated written out; the very same where nothing is."""
        if not self._spelt:
            return sentence
        lower = sentence.lower()
        # One look for each costs less than one search for all.
        if any(written in lower for written in self._spelt_heads) and any(map(lower.__contains__, self._spelt)):
            return self._written.sub(lambda found: self._spelt[found.group().lower()], sentence)
        return sentence

    def _tokens(self, found: list[str], number: bool) -> list[Token]:
        if number:
            found = _GLUED.sub(" ", " ".join(found).replace(_POINT, ".")).split()
        passed_over, token = self._passed_over, self._token
        tokens = [token(word) for word in found if word not in passed_over]
        spelt = self._tens and sum(each.number is not None or each.digits is not None for each in tokens) > 1
        return self._compounded(tokens) if spelt else tokens

    def counts(self, word: str) -> bool:
        """Whether a quantity can begin with a word."""
        meant = not self._meaning.isdisjoint(self._forms(word)) or _DIGITS.fullmatch(word) is not None
        return meant and self._token(word).counts

    def _compounded(self, tokens: list[Token]) -> list[Token]:
        """Tens and the digit after them as one number."""
        found: list[Token] = []
        for token in tokens:
            last = found[-1].number if found else None
            if self._and:
                whole = found[-1].digits if found else None
                total = _added(last, token) if whole is None else None
                if whole is not None and token.added and token.number in _FRACTIONS:
                    found[-1] = found[-1]._replace(digits=whole + token.number)
                elif total is None:
                    found.append(token)
                else:
                    found[-1] = token._replace(number=total)
            elif last in self._tens and token.number is not None and 1 <= token.number <= 9:
                found[-1] = token._replace(number=last + token.number)
            else:
                found.append(token)
        return found


def _added(last: float | None, token: Token) -> float | None:
    """Units and tens, or hundreds and less, as one number; None if the words are two."""
    if last is None or token.number is None or not token.added:
        return None
    if token.number in _FRACTIONS and last >= 1:
        return last + token.number
    if token.number < 1:
        return None
    # "Thousand units", not a thousand and one.
    if token.unit is not None:
        return None
    tens = last < 10 and token.number % 10 == 0 and 20 <= token.number <= 90
    hundreds = last >= 100 and last % 100 == 0 and token.number < 100
    thousands = last >= 1000 and last % 1000 == 0 and token.number < 1000
    return last + token.number if tens or hundreds or thousands else None
