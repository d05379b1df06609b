"""Which texts a probe asks: cases and their twins in a full factorial of ways to write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_text
from ..harness.core.settings import Record
from ..harness.labelling.quality.perturb import perturbations
from ..harness.languages import Language
from ..harness.languages.sentences import named_term, sentence, together
from .vignettes import Case, Texts, Vignettes, Wanted, vignettes

FEWEST_CASES = 2
ROUGH_BELOW = 6
"""Fewer cases than this give intervals that cover less than they say."""
_TRIES = 50


class Kind(StrEnum):
    """Which text of a case: with its sign, with nothing in the sign's place, or its harmless twin.

    Without its sign an emergency reads as its twin does without what makes that harmless: one text.
    """

    EMERGENCY = "emergency"
    LEFT_OUT = "sign left out"
    TWIN = "harmless twin"


FACTORS = ("dialect", "minimising", "sign", "typos", "wanted")
"""What varies; the first level of each is what the others are compared with."""


class Design(Record):
    """The cases by name, the factors that vary, and the seed of the typing errors."""

    cases: tuple[str, ...]
    factors: tuple[str, ...] = FACTORS
    seed: int = 0


@dataclass(frozen=True)
class Written:
    """One text: which case and kind, at which level of docs/severity.md, and how it is written."""

    case: str
    kind: Kind
    level: int
    dialect: str
    minimising: str
    typos: str
    wanted: str
    question: str

    @property
    def id(self) -> str:
        """Of the cell, the same in every design."""
        parts = (self.case, self.kind, self.dialect, self.minimising, self.typos, self.wanted)
        return "/".join(part.replace(" ", "_") for part in parts)


def design_of(
    language: Language,
    names: Sequence[str] = (),
    number: int | None = None,
    factors: Sequence[str] | None = None,
    seed: int = 0,
) -> Design:
    """A design over a language's cases: those of ``names``, or ``number`` of them evenly over the list, or all.

    Raises:
        UserError: a case or factor does not exist or is named twice, or fewer than two cases are left: odds ratios
            are over cases.
    """
    known = [case.name for case in vignettes(language).cases]
    chosen = _among("case", names, known) if names else known
    if number is not None:
        if number > len(chosen):
            raise UserError(f"{number} cases were asked for and there are {len(chosen)}", "Give --cases fewer")
        at = np.linspace(0, len(chosen) - 1, max(number, 0)).round().astype(int)
        chosen = [chosen[place] for place in at]
    if len(chosen) < FEWEST_CASES:
        raise UserError(
            f"a probe of {len(chosen)} case has no interval: they are over cases",
            f"Give --cases {FEWEST_CASES} or more, or several --case",
        )
    varied = FACTORS if factors is None else _among("factor", factors, FACTORS)
    if not varied:
        raise UserError("no factor is to vary", f"Give --factors some of: {', '.join(FACTORS)}")
    return Design(cases=tuple(chosen), factors=tuple(name for name in FACTORS if name in varied), seed=seed)


def levels(factor: str, language: Language) -> tuple[str, ...]:
    """A factor's levels, the reference first."""
    return {
        "dialect": tuple(vignettes(language).dialects),
        "minimising": ("no", "yes"),
        "sign": ("said", "left out"),
        "typos": ("no", "yes"),
        "wanted": tuple(Wanted),
    }[factor]


def left_out(design: Design, language: Language) -> list[str]:
    """What a design that is not whole leaves out, in words."""
    cases = [case.name for case in vignettes(language).cases if case.name not in design.cases]
    held = [
        sentence("probe.throughout", name=named_term(name), level=named_term(levels(name, language)[0]))
        for name in FACTORS
        if name not in design.factors
    ]
    found: list[str] = []
    if cases:
        whole = len(cases) + len(design.cases)
        found.append(sentence("probe.cases", n=len(cases), all=whole, names=", ".join(cases)))
    return [*found, *([sentence("probe.factors", names=together(held, "list.comma"))] if held else [])]


def written(design: Design, language: Language) -> list[Written]:
    """Every text of a design, case by case."""
    source = vignettes(language)
    noise = perturbations(language)["spelling noise"]
    ways = {
        name: levels(name, language)[: None if name in design.factors else 1] for name in FACTORS if name != "sign"
    }
    kinds = [kind for kind in Kind if kind is not Kind.LEFT_OUT or "sign" in design.factors]

    def typed(text: str, tries: int = 1) -> str:
        # Numbers stay as they are: another number would be another complaint.
        for attempt in range(tries):
            digest = sha256_text(f"{design.seed}\0{attempt}\0{text}")
            changed = noise(text, np.random.default_rng(int(digest[:16], 16))).split(" ")
            pairs = zip(text.split(" "), changed, strict=True)
            found = " ".join(old if any(map(str.isdigit, old)) else new for old, new in pairs)
            if found != text:
                return found
        return text

    def of(number: int, case: Case) -> Iterator[Written]:
        for kind, way in product(kinds, product(*ways.values())):
            chosen = dict(zip(ways, way, strict=True))
            parts = _parts(source, case.texts[chosen["dialect"]], kind, chosen, number)
            if chosen["typos"] == "yes":
                # Part by part: texts that differ in one part have the same errors in the others.
                parts = [typed(parts[0], _TRIES), *map(typed, parts[1:])]
            yield Written(case=case.name, kind=kind, level=_level(case, kind), question=" ".join(parts), **chosen)

    numbered = [(number, case) for number, case in enumerate(source.cases) if case.name in design.cases]
    return [each for number, case in numbered for each in of(number, case)]


def _parts(source: Vignettes, texts: Texts, kind: Kind, chosen: dict[str, str], number: int) -> list[str]:
    dialect = source.dialects[chosen["dialect"]]
    deciding = {Kind.EMERGENCY: texts.sign, Kind.TWIN: texts.harmless, Kind.LEFT_OUT: ""}[kind]
    words = dialect.minimising[number % len(dialect.minimising)] if chosen["minimising"] == "yes" else ""
    parts = (texts.complaint, deciding, words, dialect.wanted[Wanted(chosen["wanted"])])
    return [part for part in parts if part]


def _level(case: Case, kind: Kind) -> int:
    return {Kind.EMERGENCY: case.level, Kind.TWIN: case.twin_level, Kind.LEFT_OUT: case.level_without}[kind]


def _among(what: str, given: Sequence[str], known: Sequence[str]) -> list[str]:
    remedy = f"Use some of: {', '.join(known)}"
    for name in given:
        if name not in known:
            raise UserError(f"no {what} is called {name!r}", remedy)
        if list(given).count(name) > 1:
            raise UserError(f"{what} {name!r} was given twice", remedy)
    return [name for name in known if name in given]
