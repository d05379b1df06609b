"""A language's numbers, units and drugs."""

from __future__ import annotations

from functools import cache

from ...core.files import read_json, sha256_text
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part

FILE = "quantities.json"
_REMEDY = "Install the package again"


class Unit(Record):
    """A unit's words, its canonical dimension and factor, and its dual forms, which hold the number two."""

    dimension: str
    factor: float
    words: tuple[str, ...]
    dual: tuple[str, ...]


class QuantityWords(Record):
    """Everything that a language's numbers and units need.

    ``spelt`` says in words what is written with marks ("1/2") or in one word ("thrice"); ``passed_over`` may stand
    between a number and its unit; with ``compound_tens``, tens and a digit are one number ("twenty five").
    ``after_every`` and ``frequencies`` say how often a day ("every other day", "bd"); ``hourly`` makes the number
    before it an interval ("8 hourly"). "Every 4 to 6 hours" is a range with ``interval_ranges``, else
    the highest. ``body_mass``, after one of ``per`` or none, makes an amount one per kg.
    ``times_of_day`` number the times that are one ("in the morning", "before breakfast"). ``compound_and``, written
    before tens or units, adds them to what is before ("five-and-twenty"). An amount before ``divided`` is a day's.
    A word of ``ratio`` before ``every`` makes a share ("one of every five"). ``spoon_ml`` are sizes after a spoon.
    A number after one of ``names`` is a part of it ("omega 3"). ``not_drugs`` stand before amounts and name no
    drug; ``before_drugs`` (forms, verbs of taking) stand right before the name of one.
    """

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
    times_of_day: dict[str, int]
    drugs: dict[str, tuple[str, ...]]
    spelt: dict[str, str] = {}
    passed_over: tuple[str, ...] = ()
    compound_tens: bool = False
    interval_ranges: bool = False
    after_every: dict[str, float] = {}
    frequencies: dict[str, float] = {}
    hourly: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    body_mass: tuple[str, ...] = ()
    compound_and: str = ""
    divided: tuple[str, ...] = ()
    ratio: tuple[str, ...] = ()
    spoon_ml: dict[str, float] = {}
    names: tuple[str, ...] = ()
    not_drugs: tuple[str, ...] = ()
    before_drugs: tuple[str, ...] = ()


@cache
def quantity_words(language: Language) -> tuple[QuantityWords, str]:
    """A language's numbers and units, and the part of a metric's signature that names them.

    Raises:
        UserError: the file is missing or foreign.
    """
    language.demand(Part.QUANTITIES)
    path = language.folder / FILE
    found = validated(QuantityWords, read_json(path, _REMEDY), str(path), _REMEDY)
    return found, f"quantities:{found.version}-{sha256_text(path.read_text(encoding='utf-8'))[:8]}"
