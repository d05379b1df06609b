"""Amounts, frequencies and plain numbers in a text, in canonical units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from ...files import read_json, sha256_text
from ...languages import language
from ...text import Profile, normalise, words
from .lexicon import safety_lexicon, validated

FILE = "quantities.json"

FREQUENCY = "per_day"
AMOUNTS = frozenset(
    {"mass_mg", "volume_ml", "international_units", "tablets", "drops", "spoons", "puffs", "ampoules"}
)
"""Dimensions of what is taken at once."""
COUNTED = frozenset({"tablets", "drops", "spoons", "puffs", "ampoules"})
"""Dimensions whose unit alone means one of it."""

# A decimal point would be lost in normalisation.
_POINT = "\u06a1"
_DECIMAL = re.compile(r"(?<=\d)[.,\u066B\u060C](?=\d)")
_THOUSANDS = re.compile(r"(?<=\d)[,\u066C](?=\d{3}(?!\d))")
_RANGE = re.compile(r"(?<=\d)\s*[-\u2013\u2014]\s*(?=\d)")
_GLUED = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_DIGITS = re.compile(r"\d+(?:\.\d+)*")
_ENUMERATION = re.compile(r"(?:^|(?<=[\n.\u060C\u061B:!]))\s*\d{1,2}\s*[.)\u2013-](?=\s|\D)")
_SENTENCE = re.compile(r"[\n!?\u061F;\u061B]+|(?<!\d)\.+|\.+(?!\d)")


_V = TypeVar("_V")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unit(_Record):
    """A unit's words, its canonical dimension and factor, and its dual forms, which hold the number two."""

    dimension: str
    factor: float
    words: tuple[str, ...]
    dual: tuple[str, ...]


class QuantityWords(_Record):
    """Everything that a language's numbers and units need."""

    version: str
    range_words: tuple[str, ...]
    limit_words: tuple[str, ...]
    every: tuple[str, ...]
    half: dict[str, float]
    numbers: dict[str, float]
    multipliers: dict[str, float]
    units: tuple[Unit, ...]
    per_day: tuple[str, ...]
    per_week: tuple[str, ...]
    times_of_day: tuple[str, ...]
    drugs: dict[str, tuple[str, ...]]


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


@cache
def quantity_words(code: str = "ar") -> tuple[QuantityWords, str]:
    """A language's numbers and units, and the part of a metric's signature that names them.

    Raises:
        UserError: the file is missing or foreign.
    """
    path = language(code).folder / FILE
    found = validated(QuantityWords, read_json(path, "Install the package again"), str(path))
    return found, f"quantities:{found.version}-{sha256_text(path.read_text(encoding='utf-8'))[:8]}"


class QuantityReader:
    """Finds quantities with one language's words."""

    def __init__(self, code: str = "ar") -> None:
        known, _ = quantity_words(code)
        self._code = code
        self._prefixes = safety_lexicon(code).rules.clitics.prefixes
        self._to = known.range_words[0]
        self._numbers = self._mapping(known.numbers)
        self._halves = self._mapping(known.half)
        self._multipliers = self._mapping(known.multipliers)
        self._units = {word: unit for unit in known.units for word in self._words(unit.words)}
        self._duals = {word: unit for unit in known.units for word in self._words(unit.dual)}
        self._drugs = {word: drug for drug, names in known.drugs.items() for word in self._words(names)}
        self._ranges, self._limits, self._every, self._day, self._week, self._times = (
            frozenset(self._words(group))
            for group in (
                known.range_words, known.limit_words, known.every,
                known.per_day, known.per_week, known.times_of_day,
            )
        )  # fmt: skip
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _words(self, items: Sequence[str]) -> list[str]:
        return [normalise(item, Profile.METRIC, self._code) for item in items]

    def _mapping(self, items: dict[str, float]) -> dict[str, float]:
        return {normalise(word, Profile.METRIC, self._code): value for word, value in items.items()}

    def _read(self, text: str) -> tuple[Quantity, ...]:
        """The quantities of a text; each belongs to the drug named last before it, else to the next one."""
        found: list[Quantity] = []
        last: str | None = None
        for sentence in _SENTENCE.split(_ENUMERATION.sub(" ", text)):
            tokens = self._tokens(sentence)
            drugs = [self._look_up(self._drugs, token) for token in tokens]
            for at, quantity in self._quantities(tokens):
                before = next((drug for drug in reversed(drugs[: at + 1]) if drug), None)
                after = next((drug for drug in drugs[at:] if drug), None)
                limit = not self._limits.isdisjoint(tokens[max(0, at - 3) : at])
                found.append(replace(quantity, drug=before or after or last, limit=limit))
            last = next((drug for drug in reversed(drugs) if drug), last)
        return tuple(found)

    def _tokens(self, sentence: str) -> list[str]:
        text = _DECIMAL.sub(_POINT, _THOUSANDS.sub("", _RANGE.sub(f" {self._to} ", sentence)))
        spread = " ".join(words(text, Profile.METRIC, self._code)).replace(_POINT, ".")
        return _GLUED.sub(" ", spread).split()

    def _quantities(self, tokens: list[str]) -> list[tuple[int, Quantity]]:
        found = list(self._scan(tokens))
        has_frequency = any(quantity.dimension == FREQUENCY for _, quantity in found)
        times = {token for token in tokens if self._is(token, self._times)}
        if has_frequency:
            return found
        daily = [
            (at, Quantity(FREQUENCY, share, share, ()))
            for at, quantity in found
            if quantity.dimension in AMOUNTS and (share := self._share(tokens, at + 1))
        ]
        if len(times) > 1:
            daily.append((len(tokens) - 1, Quantity(FREQUENCY, len(times), len(times), ())))
        return found + daily

    def _scan(self, tokens: list[str]) -> Iterator[tuple[int, Quantity]]:
        at = 0
        while at < len(tokens):
            start = at
            quantity: Quantity | None = None
            if self._is(tokens[at], self._every):
                quantity, at = self._interval(tokens, at)
            if quantity is None:
                quantity, at = self._amount(tokens, start)
            if quantity is None:
                at = start + 1
            else:
                yield start, quantity

    def _interval(self, tokens: list[str], at: int) -> tuple[Quantity | None, int]:
        """ "every 8 hours" as a frequency per day."""
        quantity, end = self._amount(tokens, at + 1, alone=True)
        if quantity is None or quantity.dimension not in ("hours", "days"):
            return None, at
        hours = quantity.low * (24 if quantity.dimension == "days" else 1)
        return (Quantity(FREQUENCY, 24 / hours, 24 / hours, quantity.values), end) if hours else (None, at)

    def _amount(self, tokens: list[str], at: int, alone: bool = False) -> tuple[Quantity | None, int]:
        """A quantity that begins at a position, and the position after it; ``alone``: a unit needs no number."""
        if at >= len(tokens):
            return None, at
        if dual := self._look_up(self._duals, tokens[at]):
            return self._made(dual, (2.0,), (2.0,), tokens, at + 1)
        low, end, spelt = self._number(tokens, at)
        if low is None:
            unit = self._look_up(self._units, tokens[at])
            if unit and (alone or unit.dimension in COUNTED):
                return self._made(unit, (1.0,), (), tokens, at + 1)
            if unit and unit.dimension == "times":
                share = self._share(tokens, at + 1)
                return (Quantity(FREQUENCY, share, share, ()), at + 1) if share else (None, at)
            return None, at
        numbers = [low]
        middle = end + (end < len(tokens) and tokens[end] in self._units)
        if middle < len(tokens) and tokens[middle] in self._ranges:
            high, stop, _ = self._number(tokens, middle + 1)
            if high is not None and high > low:
                numbers, end = [low, high], stop
        values = () if spelt and numbers == [1] else tuple(numbers)
        unit = self._look_up(self._units, tokens[end]) if end < len(tokens) else None
        if unit:
            return self._made(unit, tuple(numbers), values, tokens, end + 1)
        # Spelt numbers without a unit are mostly other words.
        return (None, at) if spelt else (Quantity("", numbers[0], numbers[-1], values), end)

    def _made(
        self, unit: Unit, numbers: tuple[float, ...], values: tuple[float, ...], tokens: list[str], end: int
    ) -> tuple[Quantity, int]:
        low, high = numbers[0] * unit.factor, numbers[-1] * unit.factor
        if unit.dimension == "times" and (share := self._share(tokens, end)):
            return Quantity(FREQUENCY, low * share, high * share, values), end
        return Quantity(unit.dimension, low, high, values), end

    def _share(self, tokens: list[str], at: int) -> float | None:
        """How often a day what comes next says: 1 for "a day", 1/7 for "a week"; None if it says nothing."""
        for token in tokens[at : at + 4]:
            if self._is(token, self._week):
                return 1 / 7
            if token in self._day:
                return 1.0
        return None

    def _number(self, tokens: list[str], at: int) -> tuple[float | None, int, bool]:
        """A number, the position after it, and whether it is spelt out."""
        if at >= len(tokens):
            return None, at, False
        token = tokens[at]
        spelt = not _DIGITS.fullmatch(token)
        if not spelt:
            value = float(token) if token.count(".") < 2 else None
        elif (value := self._look_up(self._halves, token)) is None:
            value = self._look_up(self._numbers, token)
        if value is None:
            return None, at, spelt
        end = at + 1
        if end < len(tokens) and tokens[end] in self._multipliers:
            value, end = value * self._multipliers[tokens[end]], end + 1
        return value, end, spelt

    def _is(self, token: str, known: frozenset[str]) -> bool:
        return any(form in known for form in self._bare(token))

    def _look_up(self, known: dict[str, _V], token: str) -> _V | None:
        return next((known[form] for form in self._bare(token) if form in known), None)

    def _bare(self, token: str) -> Iterator[str]:
        """A word with and without what may be written before it."""
        yield token
        for prefix in self._prefixes:
            if token.startswith(prefix) and len(token) - len(prefix) >= 2:
                yield token[len(prefix) :]


@lru_cache
def quantity_reader(code: str = "ar") -> QuantityReader:
    """One reader per language and process: it remembers what it read."""
    return QuantityReader(code)
