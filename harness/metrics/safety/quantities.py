"""Amounts, frequencies and plain numbers in a text, in canonical units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ...languages import Language
from .tokens import Token, TokenReader
from .units import Unit

FREQUENCY = "per_day"
COUNTED = frozenset({"tablets", "drops", "spoons", "puffs", "ampoules"})
"""Dimensions whose unit alone means one of it."""
_PER_BODY = {name: f"{name}_per_kg" for name in ("mass_mg", "volume_ml", "international_units")}
AMOUNTS = COUNTED | _PER_BODY.keys() | set(_PER_BODY.values())
"""Dimensions of what is taken at once, by the body's kilogram or not."""

_MARKS = r"[\s\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]{0,8}"
_ENUMERATION = re.compile(rf"(?:^|(?<=[\n\u060C\u061B:!])|(?<=[^\d]\.)){_MARKS}\d{{1,2}}\s*[.)\u2013-](?=\s|\D)")
_SENTENCE = re.compile(r"[\n!?\u061F;\u061B]+|(?<!\d)\.+|\.+(?!\d)")


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


class QuantityReader:
    """Finds quantities with one language's words."""

    def __init__(self, language: Language) -> None:
        self._tokens = TokenReader(language).read
        self.read = lru_cache(maxsize=1 << 15)(self._read)

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

    def _quantities(self, tokens: list[Token]) -> list[tuple[int, Quantity]]:
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

    def _scan(self, tokens: list[Token]) -> Iterator[tuple[int, Quantity]]:
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


def _carried(tokens: list[Token]) -> list[str | None]:
    """The drug named last at each position."""
    last: str | None = None
    return [last := token.drug or last for token in tokens]


def _interval(tokens: list[Token], at: int) -> tuple[Quantity | None, int]:
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


def _amount(tokens: list[Token], at: int, alone: bool = False) -> tuple[Quantity | None, int]:
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
    unit: Unit, numbers: tuple[float, ...], values: tuple[float, ...], tokens: list[Token], end: int
) -> Quantity:
    low, high = numbers[0] * unit.factor, numbers[-1] * unit.factor
    if unit.dimension == "times" and (share := _share(tokens, end)):
        return Quantity(FREQUENCY, low * share, high * share, values)
    by_body = unit.dimension in _PER_BODY and _names_body_mass(tokens, end)
    return Quantity(_PER_BODY[unit.dimension] if by_body else unit.dimension, low, high, values)


def _names_body_mass(tokens: list[Token], at: int) -> bool:
    """Whether "per kg" or "kg" stands at a position."""
    at += at < len(tokens) and tokens[at].per
    return at < len(tokens) and tokens[at].body_mass


def _share(tokens: list[Token], at: int) -> float | None:
    """How often a day what comes next says: 1 for "a day", 1/7 for "a week"; None if it says nothing."""
    return next((token.share for token in tokens[at : at + 4] if token.share), None)


def _number(tokens: list[Token], at: int) -> tuple[float | None, int]:
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
