"""Amounts, frequencies and plain numbers in a text, in canonical units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from ...languages import Language
from ...text import Profile, normalise, words
from .lexicon import safety_lexicon
from .units import Unit, quantity_words

FREQUENCY = "per_day"
COUNTED = frozenset({"tablets", "drops", "spoons", "puffs", "ampoules"})
"""Dimensions whose unit alone means one of it."""
_PER_BODY = {name: f"{name}_per_kg" for name in ("mass_mg", "volume_ml", "international_units")}
AMOUNTS = COUNTED | _PER_BODY.keys() | set(_PER_BODY.values())
"""Dimensions of what is taken at once, by the body's kilogram or not."""

# A decimal point would be lost in normalisation.
_POINT = "\u06a1"
_DECIMAL = re.compile(r"(?<=\d)[.,\u066B\u060C](?=\d)")
_THOUSANDS = re.compile(r"(?<=\d)[,\u066C](?=\d{3}(?!\d))")
_RANGE = re.compile(r"(?<=\d)\s*[-\u2013\u2014]\s*(?=\d)")
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_ANY_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\d+(?:\.\d+)*")
_MARKS = r"[\s\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]{0,8}"
_ENUMERATION = re.compile(rf"(?:^|(?<=[\n\u060C\u061B:!])|(?<=[^\d]\.)){_MARKS}\d{{1,2}}\s*[.)\u2013-](?=\s|\D)")
_SENTENCE = re.compile(r"[\n!?\u061F;\u061B]+|(?<!\d)\.+|\.+(?!\d)")


_V = TypeVar("_V")


@dataclass(frozen=True)
class Quantity:
    """``low`` to ``high`` in the unit of ``dimension`` (empty for a plain number), of ``drug`` if one is named.

    ``values`` are the numbers as they stand in the text; none where it names none ("a tablet daily"). ``limit``
    marks a highest amount, which is no dose.
    """

    dimension: str
    low: float
    high: float
    values: tuple[float, ...]
    drug: str | None = None
    limit: bool = False

    def overlaps(self, other: Quantity) -> bool:
        """Whether both are of one dimension and share an amount, rounding apart."""
        slack = 1.01
        return (
            self.dimension == other.dimension and self.low <= other.high * slack and other.low <= self.high * slack
        )


@dataclass(frozen=True)
class _Token:
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
    time_of_day: bool = False
    share: float | None = None
    often: float | None = None
    after_every: float | None = None
    hourly: bool = False
    per: bool = False
    body_mass: bool = False

    @property
    def counts(self) -> bool:
        """Whether a quantity can begin here."""
        named = (self.digits, self.number, self.unit, self.dual, self.often)
        return self.every or self.time_of_day or any(each is not None for each in named)


class QuantityReader:
    """Finds quantities with one language's words."""

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
        self._every, self._ranges, self._limits, self._times = (
            self._words(dict.fromkeys(group, True))
            for group in (known.every, known.range_words, known.limit_words, known.times_of_day)
        )
        self._often, self._after_every = self._words(known.frequencies), self._words(known.after_every)
        self._hourly, self._per, self._body_mass, self._passed_over = (
            self._words(dict.fromkeys(group, True))
            for group in (known.hourly, known.per, known.body_mass, known.passed_over)
        )
        self._spelt = {text.lower(): f" {word} " for text, word in known.spelt.items()}
        written = "|".join(re.escape(text) for text in sorted(self._spelt, key=len, reverse=True))
        self._written = re.compile(rf"(?<![\w/.])(?:{written})(?![\w/])", re.IGNORECASE)
        self._ranged = known.interval_ranges
        self._tens = frozenset(range(20, 100, 10)) if known.compound_tens else frozenset()
        self._token = lru_cache(maxsize=1 << 16)(self._understand)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _words(self, items: Mapping[str, _V]) -> dict[str, _V]:
        return {normalise(word, Profile.METRIC, self._language): value for word, value in items.items()}

    def _understand(self, word: str) -> _Token:
        if _DIGITS.fullmatch(word):
            return _Token(word, digits=float(word) if word.count(".") < 2 else None)
        bare = [word[len(p) :] for p in self._prefixes if word.startswith(p) and len(word) - len(p) >= 2]
        forms = [word, *bare]

        def look_up(known: Mapping[str, _V]) -> _V | None:
            return next((known[form] for form in forms if form in known), None)

        return _Token(
            word,
            number=look_up(self._numbers),
            unit=look_up(self._units),
            dual=look_up(self._duals),
            drug=look_up(self._drugs),
            multiplier=self._multipliers.get(word),
            every=bool(look_up(self._every)),
            ranged=self._ranged,
            to=word in self._ranges,
            limit=word in self._limits,
            time_of_day=bool(look_up(self._times)),
            often=self._often.get(word),
            after_every=self._after_every.get(word),
            hourly=word in self._hourly,
            per=word in self._per,
            body_mass=word in self._body_mass,
            share=self._shares.get(word),
        )

    def _read(self, text: str) -> tuple[Quantity, ...]:
        """The quantities of a text; each belongs to the drug named last before it, else to the next one."""
        found: list[Quantity] = []
        last: str | None = None
        for sentence in _SENTENCE.split(_ENUMERATION.sub(" ", text)):
            tokens = self._tokens(sentence)
            before = _carried(tokens)
            after = _carried(tokens[::-1])[::-1]
            if any(token.counts for token in tokens):
                for at, quantity in self._quantities(tokens):
                    limit = any(token.limit for token in tokens[max(0, at - 3) : at])
                    found.append(replace(quantity, drug=before[at] or after[at] or last, limit=limit))
            last = (before[-1] if before else None) or last
        return tuple(found)

    def _tokens(self, sentence: str) -> list[_Token]:
        text = (
            self._written.sub(lambda found: self._spelt[found.group().lower()], sentence)
            if self._spelt
            else sentence
        )
        if _ANY_DIGIT.search(text):
            text = _DECIMAL.sub(_POINT, _THOUSANDS.sub("", _RANGE.sub(f" {self._to} ", text)))
            text = " ".join(words(text, Profile.METRIC, self._language)).replace(_POINT, ".")
            found = _GLUED.sub(" ", text).split()
        else:
            found = words(text, Profile.METRIC, self._language)
        tokens = [self._token(word) for word in found if word not in self._passed_over]
        return self._compounded(tokens) if self._tens else tokens

    def _compounded(self, tokens: list[_Token]) -> list[_Token]:
        """Tens and the digit after them as one number."""
        found: list[_Token] = []
        for token in tokens:
            last = found[-1].number if found else None
            if last in self._tens and token.number is not None and 1 <= token.number <= 9:
                found[-1] = replace(token, number=last + token.number)
            else:
                found.append(token)
        return found

    def _quantities(self, tokens: list[_Token]) -> list[tuple[int, Quantity]]:
        found = list(self._scan(tokens))
        if any(quantity.dimension == FREQUENCY for _, quantity in found):
            return found
        daily = [
            (at, Quantity(FREQUENCY, share, share, ()))
            for at, quantity in found
            if quantity.dimension in AMOUNTS and (share := _share(tokens, at + 1))
        ]
        times = {token.text for token in tokens if token.time_of_day}
        if len(times) > 1:
            daily.append((len(tokens) - 1, Quantity(FREQUENCY, len(times), len(times), ())))
        return found + daily

    def _scan(self, tokens: list[_Token]) -> Iterator[tuple[int, Quantity]]:
        at = 0
        while at < len(tokens):
            start = at
            quantity: Quantity | None = None
            if often := tokens[at].often:
                quantity, at = Quantity(FREQUENCY, often, often, ()), at + 1
            elif tokens[at].every:
                quantity, at = _interval(tokens, at)
            if quantity is None:
                quantity, at = _amount(tokens, start)
            if quantity is None:
                at = start + 1
            else:
                yield start, quantity


def _carried(tokens: list[_Token]) -> list[str | None]:
    """The drug named last at each position."""
    last: str | None = None
    return [last := token.drug or last for token in tokens]


def _interval(tokens: list[_Token], at: int) -> tuple[Quantity | None, int]:
    """ "every 8 hours" as a frequency per day."""
    if at + 1 < len(tokens) and (often := tokens[at + 1].after_every):
        unit = tokens[at + 2].unit if at + 2 < len(tokens) else None
        if unit is None or unit.dimension not in ("hours", "days"):
            return Quantity(FREQUENCY, often, often, ()), at + 2
        often *= 24 if unit.dimension == "hours" else 1 / unit.factor
        return Quantity(FREQUENCY, often, often, ()), at + 3
    quantity, end = _amount(tokens, at + 1, alone=True)
    if quantity is None or quantity.dimension not in ("hours", "days"):
        return None, at
    hours = 24 if quantity.dimension == "days" else 1
    if not quantity.low:
        return None, at
    often = 24 / (quantity.low * hours)
    seldom = 24 / (quantity.high * hours) if tokens[at].ranged else often
    return Quantity(FREQUENCY, seldom, often, quantity.values), end


def _amount(tokens: list[_Token], at: int, alone: bool = False) -> tuple[Quantity | None, int]:
    """A quantity that begins at a position, and the position after it; ``alone``: a unit needs no number."""
    if at >= len(tokens):
        return None, at
    first = tokens[at]
    if first.dual:
        return _made(first.dual, (2.0,), (2.0,), tokens, at + 1), at + 1
    low, end = _number(tokens, at)
    if low is None:
        if first.unit and (alone or first.unit.dimension in COUNTED):
            return _made(first.unit, (1.0,), (), tokens, at + 1), at + 1
        share = _share(tokens, at + 1) if first.unit and first.unit.dimension == "times" else None
        return (Quantity(FREQUENCY, share, share, ()), at + 1) if share else (None, at)
    numbers: tuple[float, ...] = (low,)
    middle = end + (end < len(tokens) and tokens[end].unit is not None)
    if middle < len(tokens) and tokens[middle].to:
        high, stop = _number(tokens, middle + 1)
        if high is not None and high > low:
            numbers, end = (low, high), stop
    spelt = first.digits is None
    values = () if spelt and numbers == (1,) else numbers
    if end < len(tokens) and tokens[end].hourly and all(numbers):
        return Quantity(FREQUENCY, 24 / numbers[-1], 24 / numbers[0], values), end + 1
    if end < len(tokens) and (unit := tokens[end].unit):
        return _made(unit, numbers, values, tokens, end + 1), end + 1
    # Spelt numbers without a unit are mostly other words.
    return (None, at) if spelt else (Quantity("", numbers[0], numbers[-1], values), end)


def _made(
    unit: Unit, numbers: tuple[float, ...], values: tuple[float, ...], tokens: list[_Token], end: int
) -> Quantity:
    low, high = numbers[0] * unit.factor, numbers[-1] * unit.factor
    if unit.dimension == "times" and (share := _share(tokens, end)):
        return Quantity(FREQUENCY, low * share, high * share, values)
    by_body = unit.dimension in _PER_BODY and _names_body_mass(tokens, end)
    return Quantity(_PER_BODY[unit.dimension] if by_body else unit.dimension, low, high, values)


def _names_body_mass(tokens: list[_Token], at: int) -> bool:
    """Whether "per kg" or "kg" stands at a position."""
    at += at < len(tokens) and tokens[at].per
    return at < len(tokens) and tokens[at].body_mass


def _share(tokens: list[_Token], at: int) -> float | None:
    """How often a day what comes next says: 1 for "a day", 1/7 for "a week"; None if it says nothing."""
    return next((token.share for token in tokens[at : at + 4] if token.share), None)


def _number(tokens: list[_Token], at: int) -> tuple[float | None, int]:
    """A number and the position after it."""
    if at >= len(tokens):
        return None, at
    value = tokens[at].number if tokens[at].digits is None else tokens[at].digits
    if value is not None and at + 1 < len(tokens) and (factor := tokens[at + 1].multiplier):
        return value * factor, at + 2
    return value, at + 1


@lru_cache
def quantity_reader(language: Language) -> QuantityReader:
    """One reader per language and process: it remembers what it read."""
    return QuantityReader(language)
