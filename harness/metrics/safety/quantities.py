"""Amounts, frequencies and plain numbers in a text, in canonical units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...languages import Language
from .sentences import sentences
from .tokens import Token, TokenReader
from .units import Unit

FREQUENCY = "per_day"
COUNTED = frozenset({"tablets", "drops", "spoons", "puffs", "ampoules"})
"""Dimensions whose unit alone means one of it."""
_MILLIGRAMS = 40
_PER_BODY = {name: f"{name}_per_kg" for name in ("mass_mg", "volume_ml", "international_units")}
AMOUNTS = COUNTED | _PER_BODY.keys() | set(_PER_BODY.values())
"""Dimensions of what is taken at once, by the body's kilogram or not."""
BODY_MASS = "body_kg"
_LARGEST_NAME = 100
_SELDOM = 0.01
_MONTHLY = 0.04
_MOST_TIMES = 12
_TENS = range(20, 100)
_HUNDRED = 100

_MARKS = r"[\s\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]{0,8}"
_ENUMERATION = re.compile(rf"(?:^|(?<=[\n\u060C\u061B:!])|(?<=[^\d]\.)){_MARKS}\d{{1,2}}\s*[.)\u2013-](?=\s|\D)")
# In one line: "1- ... 2- ...".
_LISTED = re.compile(r"(?<![\d.,])[(]?(\d{1,2})\s*[.)/\u2013-](?=\s|[^\W\d])")
_LATIN_NAME = re.compile(r"(?<![\w-])(?!q\d)[A-Za-z]{1,6}-?\d{1,3}(?:[A-Za-z]+\d?)?(?!\w|\.\d)")
_ANY_DIGIT = re.compile(r"\d")
_NUMERAL = re.compile(r"\d[\d.,\u066B\u066C]*")
_ASCII = {ord(str(digit)) - 48 + base: str(digit) for base in (0x30, 0x660, 0x6F0) for digit in range(10)} | {
    0x66B: ".",
    0x66C: ",",
}
UNKNOWN = "?"
_SENTENCE = re.compile(r"[\n!?\u061F;\u061B]+|(?<!\d)\.+|\.+(?!\d)")


@dataclass(frozen=True)
class Quantity:
    """``low`` to ``high`` in the unit of ``dimension`` (empty for a plain number), of ``drug`` if one is named.

    ``values`` are the numbers as they stand in the text; none where it names none ("a tablet daily"). ``limit``
    marks a highest amount, which is no dose; ``strength`` a plain number right after a drug; ``total`` an amount
    that is divided over the day; ``milli`` one of which "milli" does not say whether grams or litres. ``span`` is
    where in the text it stands, at most its sentence.
    """

    dimension: str
    low: float
    high: float
    values: tuple[float, ...]
    drug: str | None = None
    limit: bool = False
    strength: bool = False
    total: bool = False
    milli: bool = False
    span: tuple[int, int] = (0, 0)

    @property
    def seldom(self) -> bool:
        """Whether it is a frequency of once a month or less, of which four weeks are one."""
        return self.dimension == FREQUENCY and self.low < _MONTHLY

    def overlaps(self, other: Quantity) -> bool:
        """Whether both are of one dimension and share an amount, rounding apart."""
        slack = 1.1 if self.seldom else 1.01
        return (
            self.dimension == other.dimension and self.low <= other.high * slack and other.low <= self.high * slack
        )


class QuantityReader:
    """Finds quantities with one language's words."""

    def __init__(self, language: Language) -> None:
        reader = TokenReader(language)
        self._language = language
        self._tokens, self._misspelt = reader.read, reader.misspelt
        self._plain, self._counts = reader.plain, lru_cache(maxsize=1 << 16)(reader.counts)
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def _read(self, text: str) -> tuple[Quantity, ...]:
        """The quantities of a text; each belongs to the drug named last before it, else to the next one."""
        found: list[Quantity] = []
        last: str | None = None
        times: set[int] = set()
        if not self._can_hold(text):
            return ()
        parts = list(_sentences(_without_names(text)))
        for (start, sentence), tokens in zip(parts, self._tokens([each for _, each in parts]), strict=True):
            span = (start, start + len(sentence))
            if not any(token.counts for token in tokens):
                last = next((token.drug for token in reversed(tokens) if token.drug), None) or last
            else:
                before = self._carried(tokens)
                after = _named(tokens[::-1])[::-1]
                for at, quantity in self._quantities(tokens):
                    limit = any(token.limit for token in tokens[max(0, at - 4) : at])
                    found.append(
                        Quantity(
                            dimension=quantity.dimension,
                            low=quantity.low,
                            high=quantity.high,
                            values=quantity.values,
                            drug=before[at] or after[at] or last,
                            limit=limit,
                            strength=not quantity.dimension
                            and any(token.drug for token in tokens[max(0, at - 2) : at]),
                            total=quantity.dimension in AMOUNTS
                            and any(token.divided for token in tokens[at + 1 : at + 8]),
                            milli=quantity.milli,
                            span=span,
                        )
                    )
                    if quantity.dimension in AMOUNTS:
                        times.update(token.time_of_day for token in tokens if token.time_of_day)
                last = before[-1] or last
        if len(times) == 1 and not any(quantity.dimension == FREQUENCY for quantity in found):
            # An amount at one time of the day is taken once a day.
            dose = next(quantity for quantity in found if quantity.dimension in AMOUNTS)
            found.append(Quantity(FREQUENCY, 1.0, 1.0, (), drug=dose.drug, limit=dose.limit, span=dose.span))
        return tuple(found)

    def _can_hold(self, text: str) -> bool:
        """Whether a text has a digit, an abbreviation or a word with which a quantity can begin."""
        if _ANY_DIGIT.search(text) or self._plain(text) is not text:
            return True
        return any(any(map(self._counts, clause.words)) for clause in sentences(text, self._language))

    def _carried(self, tokens: list[Token]) -> list[str | None]:
        """The drug named last at each position; one that no list holds has a mark before its name."""
        last: str | None = None
        found = []
        for at, token in enumerate(tokens):
            name = token.drug
            if name is None and token.may_be_drug and (_dosed(tokens, at) or _prescribed(tokens, at)):
                name = self._misspelt(token.text) or UNKNOWN + token.text
            last = name or last
            found.append(last)
        return found

    def _quantities(self, tokens: list[Token]) -> list[tuple[int, Quantity]]:
        found = list(self._scan(tokens))
        if any(quantity.dimension == FREQUENCY for _, quantity in found):
            return found
        daily = [
            (at, Quantity(FREQUENCY, share, share, ()))
            for at, quantity in found
            if quantity.dimension in AMOUNTS and (share := _share(tokens, at + 1))
        ]
        times = {token.time_of_day for token in tokens if token.time_of_day}
        if len(times) > 1:
            daily.append((len(tokens) - 1, Quantity(FREQUENCY, len(times), len(times), ())))
        return found + daily

    def _scan(self, tokens: list[Token]) -> Iterator[tuple[int, Quantity]]:
        at = 0
        while at < len(tokens):
            start = at
            quantity: Quantity | None = None
            if often := tokens[at].often:
                repeated = any(
                    token.unit and token.unit.dimension == "times" for token in tokens[max(0, at - 2) : at]
                )
                repeated = repeated or (at > 0 and tokens[at - 1].dual is not None)
                # "One dose" alone is the only one; "one dose a day" is none.
                repeated = repeated or (often < _SELDOM and _repeats(tokens[at + 1 : at + 4]))
                quantity, at = None if repeated else Quantity(FREQUENCY, often, often, ()), at + 1
                if quantity:
                    yield start, quantity
                continue
            elif tokens[at].every and at and tokens[at - 1].ratio:
                share, end = _number(tokens, at + 1)
                if share is not None:
                    quantity, at = Quantity("", share, share, (share,)), end
            elif tokens[at].every:
                quantity, at = _interval(tokens, at)
            if quantity is None:
                quantity, at = _amount(tokens, start)
            if quantity is None:
                at = start + 1
            else:
                yield start, quantity


def _repeats(tokens: list[Token]) -> bool:
    return any(token.share or token.every or token.often or token.time_of_day for token in tokens)


def _named(tokens: list[Token]) -> list[str | None]:
    last: str | None = None
    return [last := token.drug or last for token in tokens]


def _dosed(tokens: list[Token], at: int) -> bool:
    """Whether a measured amount stands right after a word that means nothing else."""
    if tokens[at].counts or at + 1 == len(tokens) or not tokens[at + 1].counts:
        return False
    value, end = _number(tokens, at + 1)
    unit = tokens[end].unit if value is not None and end < len(tokens) else None
    return unit is not None and (unit.dimension in _PER_BODY or unit.dimension == "milli")


def _prescribed(tokens: list[Token], at: int) -> bool:
    """Whether a word that names a medicine's form or its taking stands right before, and a quantity soon after."""
    if at == 0 or tokens[at].counts or not tokens[at - 1].before_drug:
        return False
    return any(token.counts for token in tokens[at + 1 : at + 4])


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Where each sentence begins, and the sentence."""
    start = 0
    for end in _SENTENCE.finditer(text):
        yield start, text[start : end.start()]
        start = end.end()
    yield start, text[start:]


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _without_names(text: str) -> str:
    """The text with blanks for the numbers of lists and for names that hold a number ("B12"); places stay."""
    if not _ANY_DIGIT.search(text):
        return text
    listed = [int(found.group(1)) for found in _LISTED.finditer(text)]
    if len(listed) > 1 and listed[:2] == [1, 2]:
        text = _LISTED.sub(_blank, text)
    return _LATIN_NAME.sub(_blank, _ENUMERATION.sub(_blank, text))


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
        # "For a week", "for a month" and "after an hour" name a length without a number, "a day" mostly none.
        long = first.unit is not None and first.unit.dimension == "days" and first.unit.factor > 1
        hour = first.unit is not None and first.unit.dimension == "hours"
        if first.unit and (alone or long or hour or first.unit.dimension in COUNTED):
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
        if unit.dimension == "times" and low > _MOST_TIMES and not spelt:
            # What is taken so often is a strength, and what follows says "once".
            return Quantity("", numbers[0], numbers[-1], values), end
        return _made(unit, numbers, values, tokens, end + 1), end + 1
    if end < len(tokens) and tokens[end].body_mass:
        return Quantity(BODY_MASS, numbers[0], numbers[-1], values), end + 1
    if not spelt and at and tokens[at - 1].names and low < _LARGEST_NAME:
        return None, at
    # Spelt numbers without a unit are mostly other words, tens ("after forty") and compounds are not.
    if spelt and int(low) not in _TENS and (low < _HUNDRED or low % _HUNDRED == 0):
        return None, at
    return Quantity("", numbers[0], numbers[-1], values), end


def _made(
    unit: Unit, numbers: tuple[float, ...], values: tuple[float, ...], tokens: list[Token], end: int
) -> Quantity:
    milli = unit.dimension == "milli"
    if milli:
        # "Milli" alone is a gram's thousandth in tablets and a litre's in syrups, which the size tells apart.
        unit = unit.model_copy(update={"dimension": "mass_mg" if numbers[-1] >= _MILLIGRAMS else "volume_ml"})
    if unit.dimension == "spoons" and end < len(tokens) and (size := tokens[end].spoon_ml):
        return Quantity("volume_ml", numbers[0] * size, numbers[-1] * size, values)
    low, high = numbers[0] * unit.factor, numbers[-1] * unit.factor
    if unit.dimension == "times" and (share := _share(tokens, end)):
        return Quantity(FREQUENCY, low * share, high * share, values)
    by_body = unit.dimension in _PER_BODY and _names_body_mass(tokens, end)
    dimension = _PER_BODY[unit.dimension] if by_body else unit.dimension
    return Quantity(dimension, low, high, values, milli=milli and not by_body)


def _names_body_mass(tokens: list[Token], at: int) -> bool:
    """Whether "per kg" or "kg" stands at a position, or after the name of what is weighed ("of it per kg")."""
    if at < len(tokens) and tokens[at].ratio:
        at += 2
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


def number_span(text: str, quantity: Quantity) -> tuple[int, int]:
    """The digits of a quantity in its text; its sentence where it is written in words."""
    start, end = quantity.span
    for found in _NUMERAL.finditer(text, start, end):
        digits = found.group().translate(_ASCII).strip(".,")
        for plain in (digits.replace(",", ""), digits.replace(",", ".")):
            try:
                if float(plain) in quantity.values:
                    return found.start(), found.start() + len(found.group().rstrip(".,\u066b\u066c"))
            except ValueError:
                continue
    return start, end
