"""The triage scale of a language, read from its ``triage.json``: discriminators, values, time and who is meant."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ...core.files import read_json, sha256_file
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part
from .expressions import spelt_out

FILE = "triage.json"
_REMEDY = "Mend the file, or install the package again"

Kind = Literal["sign", "symptom", "illness", "everyday", "condition"]
"""``sign`` decides by itself; ``symptom`` is a complaint that time and strength may raise; ``illness`` is known and
counts only while nobody merely asks about it; ``everyday`` needs no visit; ``condition`` (pregnant, diabetic) has
no level of its own."""


class Discriminator(Record):
    """One thing that tells levels apart, how patients say it, and which published scales have it there.

    ``entries`` names the entries of the severity lexicon that say it too. A combination is atoms with spaces
    between, such as ``headache:sudden:-chronic !child fever|vomiting``: ids of discriminators or of ``CONTEXT``;
    after colons what must be said of a sign, or with ``-`` must not; ``!`` before what must not be there.
    ``scales`` is empty where the level is this project's own. ``chronic``, ``slight``, ``acute`` and ``severe`` are
    the levels if that is said of it; ``unless`` is a combination where its own words do not count.
    Expressions by variety are phrases, in which ``expressions.spelt_out`` reads sets and either order; those of
    ``all`` are of words from every variety.
    """

    id: str
    name: dict[str, str]
    level: int = Field(ge=1, le=5)
    kind: Kind = "sign"
    scales: tuple[str, ...] = ()
    definition: str
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    expressions: dict[str, tuple[str, ...]] = {}
    entries: tuple[str, ...] = ()
    combinations: tuple[str, ...] = ()
    unless: str = ""
    chronic: int | None = None
    slight: int | None = None
    acute: int | None = None
    severe: int | None = None


class Band(Record):
    """A range of a value and its level, if all of ``when`` (a combination) is there too."""

    at_least: float = float("-inf")
    below: float = float("inf")
    level: int = Field(ge=1, le=5)
    when: str = ""


class Vital(Record):
    """A measured value: the words before its number, what is plausible, and bands, the most urgent deciding.

    A value below ``small`` is multiplied by ``factor`` (glucose in mmol/L, pressure in cmHg). A ``paired`` one has
    two numbers, and ``second`` are the bands of the other. A value below ``normal_below`` takes away the signs that
    are named in ``cancels``: a temperature of 36.5 is no fever.
    """

    id: str
    name: dict[str, str]
    scales: tuple[str, ...] = ()
    words: tuple[str, ...]
    lowest: float
    highest: float
    small: float = 0
    factor: float = 1
    decimal: bool = False
    paired: bool = False
    bands: tuple[Band, ...]
    second: tuple[Band, ...] = ()
    normal_below: float = float("-inf")
    cancels: tuple[str, ...] = ()


class Times(Record):
    """Words of time: ``units`` and ``duals`` in days; what stands before or after a duration says what it is."""

    units: dict[str, float]
    duals: dict[str, float] = {}
    plurals: tuple[str, ...]
    several: tuple[str, ...]
    half: tuple[str, ...]
    since: tuple[str, ...]
    ago: tuple[str, ...]
    not_since: tuple[str, ...]
    skipped: tuple[str, ...]
    age: tuple[str, ...]
    old: tuple[str, ...]
    people: tuple[str, ...]
    has: tuple[str, ...]
    months: dict[str, int]
    months_alone: dict[str, int] = {}
    pregnant: tuple[str, ...] = ()
    pregnancy_month: tuple[str, ...]
    pregnancy_week: tuple[str, ...]
    ratio: tuple[str, ...]
    acute_days: float
    chronic_days: float


class Confidence(Record):
    """How sure a label is by what decided it, and how the rest is shared out over the other two classes.

    Stated, not fitted: what they are worth is measured against people's labels.
    """

    value: float
    sign: float
    combination: float
    symptom: float
    illness: float
    everyday: float
    information: float
    vague: float
    agreement: float
    doubt: float
    rest: dict[str, dict[str, float]]


class Triage(Record):
    """Everything that the triage of a language knows; ``sha256`` is the digest of its file.

    ``marks`` are words and phrases by what they tell of the text. Those called ``body`` also tell of a person if
    one of the endings ``possessive`` follows, unless that makes one of ``not_possessive`` ("cutaneous").
    ``ignored`` are words that only look like a sign. ``sets`` are words that expressions name together. A mark of
    one word does not count after one of its ``not_after``: "a sudden movement" is no sudden pain.
    """

    version: str
    sha256: str = ""
    confidence: Confidence
    discriminators: tuple[Discriminator, ...]
    vitals: tuple[Vital, ...]
    times: Times
    marks: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...] = ()
    possessive: tuple[str, ...] = ()
    not_possessive: tuple[str, ...] = ()
    numbers: dict[str, float]
    defaults: dict[str, str]
    sets: dict[str, str] = {}
    not_after: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _ids_are_known(self) -> Self:
        ids = [each.id for each in self.discriminators]
        if twice := {each for each in ids if ids.count(each) > 1}:
            raise ValueError(f"two discriminators are called {sorted(twice)[0]}")
        known = {*ids, *CONTEXT}
        combinations = [each for one in self.discriminators for each in one.combinations]
        combinations += [each.unless for each in self.discriminators]
        combinations += [band.when for vital in self.vitals for band in (*vital.bands, *vital.second)]
        for name in (name for each in combinations for atom in each.split() for name in alternatives(atom)):
            if name not in known:
                raise ValueError(f"a combination names {name}, which is no discriminator")
        for expression in (
            each for one in self.discriminators for phrases in one.expressions.values() for each in phrases
        ):
            try:
                spelt_out(expression, self.sets)
            except KeyError as error:
                raise ValueError(f"the expression {expression!r} names {error}, which is no set") from None
        if foreign := set(self.defaults.values()) - set(ids):
            raise ValueError(f"the defaults name {sorted(foreign)[0]}, which is no discriminator")
        return self


CONTEXT = (
    "under_3_months",
    "under_1_year",
    "child",
    "from_40",
    "from_65",
    "month_5_on",
    "month_6_on",
    "sudden",
    "unbearable",
    "severe",
    "worse",
    "acute",
    "chronic",
    "question",
    "person",
    "days_over_10",
    "days_over_3",
    "days_over_1",
)
"""What the reader finds besides discriminators, and combinations may name."""


def alternatives(atom: str) -> list[str]:
    """The ids of an atom, without what must be said of them."""
    return [each.split(":")[0] for each in atom.removeprefix("!").split("|")]


@cache
def load_triage(language: Language) -> Triage | None:
    """The triage scale of a language, or nothing if it has none.

    Raises:
        UserError: its file is foreign.
    """
    return read_triage(language.folder / FILE) if language.knows(Part.TRIAGE) else None


def read_triage(path: Path) -> Triage:
    """Read a scale from its file.

    Raises:
        UserError: it is missing or foreign; the message names the key.
    """
    triage = validated(Triage, read_json(path, _REMEDY), str(path), _REMEDY)
    return triage.model_copy(update={"sha256": sha256_file(path)})
