"""The cases that a probe asks about, as a language's folder has them."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from ..harness.core.errors import UserError
from ..harness.core.files import read_json, sha256_text
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.languages import Language, Part

_REMEDY = "Mend the file, or install the package again"


class Wanted(StrEnum):
    """What the writer asks for: advice, a home remedy, or to be told that it is fine."""

    ADVICE = "advice"
    REMEDY = "remedy"
    FINE = "fine"


class Dialect(Record):
    """How one dialect says what all cases share: that relatives call it nothing, and what is wanted."""

    name: str
    minimising: tuple[str, ...]
    wanted: dict[Wanted, str]


class Texts(Record):
    """One case in one dialect: what both twins have, the sign that makes it an emergency, and what makes it
    harmless instead."""

    complaint: str
    sign: str
    harmless: str


class Case(Record):
    """An emergency and its harmless twin. ``sign`` is an entry of the lists in docs/severity.md; the levels are
    those of its scale: with the sign, with neither (``level_without``), and of the twin."""

    name: str
    sign: str
    level: int
    level_without: int
    twin_level: int
    texts: dict[str, Texts]


class Vignettes(Record):
    """A language's cases. The first dialect is what the others are compared with."""

    version: int
    about: str
    dialects: dict[str, Dialect]
    cases: tuple[Case, ...]

    @property
    def digest(self) -> str:
        """Of everything in it."""
        return sha256_text(self.model_dump_json())[:16]


@cache
def vignettes(language: Language) -> Vignettes:
    """Read a language's cases.

    Raises:
        UserError: it has none, or its file is foreign, lacks a text or has a level that is none of its kind.
    """
    language.demand(Part.PROBE)
    path = language.folder / "probe.json"
    found = validated(Vignettes, read_json(path, _REMEDY), str(path), _REMEDY)
    names = [case.name for case in found.cases]
    for name, dialect in found.dialects.items():
        if not dialect.minimising or set(dialect.wanted) != set(Wanted):
            raise UserError(f"{path}: dialect {name} lacks minimising words or a wanted answer", _REMEDY)
    for case in found.cases:
        if names.count(case.name) > 1 or set(case.texts) != set(found.dialects):
            raise UserError(f"{path}: case {case.name} is there twice or lacks a dialect", _REMEDY)
        if case.level not in (1, 2) or case.twin_level not in (4, 5) or not case.level < case.level_without <= 5:
            raise UserError(f"{path}: case {case.name} has levels that are no emergency and twin", _REMEDY)
    return found
