"""The severity lexicon and its cues, read from the language's folder: entries, negation, time and intensity."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import model_validator

from ...core.settings import Record
from ...languages import Language, Part
from ...languages.clitics import Clitics
from ...languages.lexicon_files import read_lexicon_files
from ...severity import Severity

LEXICON = "severity_lexicon.jsonl"
RULES = "severity_rules.json"


class Entry(Record):
    """One finding: how patients say it, how severe it is and why.

    A phrase is words in order; ``*`` stands for zero to two words, ``a|b`` for either. ``positive`` is a complaint
    in which the entry fires, ``negated`` one in which it does not; every red flag has both.
    """

    id: str
    severity: Severity
    red_flag: bool
    phrases: tuple[str, ...]
    dialect: tuple[str, ...]
    gloss: str
    reason: str
    positive: str = ""
    negated: str = ""

    @model_validator(mode="after")
    def _red_flags_have_examples(self) -> Self:
        if self.red_flag and not (self.positive and self.negated):
            raise ValueError(f"the red flag {self.id} lacks a positive or a negated complaint")
        return self


class Sign(Entry):
    """How a discriminator of the triage scale is said; its id is the discriminator's.

    A ``condition`` is heard beside every longer phrase that holds its words.
    """

    condition: bool = False


class Unknown(Record):
    """The stated prior of a complaint in which nothing fired, and why it is what it is."""

    p_non_critical: float
    p_neutral: float
    p_critical: float
    reason: str


class Negation(Record):
    """Negators reach ``window`` words forward, up to a breaker, and over what a joiner ties to a negated finding.

    ``verbal`` negators negate their verb: they reach that far only over a ``carrier`` such as "have" or "feel",
    else ``verbal_window`` words. ``after`` negates the finding before it; ``not_negators`` look like negators and
    are none. A negation passes the commas of a list that one of ``list_joiners`` ends ("no fever, rash or cough").
    """

    window: int
    verbal: tuple[str, ...]
    verbal_window: int
    carriers: tuple[str, ...]
    joiners: tuple[str, ...]
    list_joiners: tuple[str, ...] = ()
    negators: tuple[str, ...]
    not_negators: tuple[str, ...]
    after: tuple[str, ...]
    breakers: tuple[str, ...]


class Modifier(Record):
    """A cue near a finding that moves its severity by ``shift`` ranks; red flags move only where it says so."""

    name: str
    shift: float
    red_flags: bool
    before: int
    after: int
    reason: str
    phrases: tuple[str, ...]


class Rules(Record):
    """The cues and numbers of the rules, apart from the entries.

    ``walls`` begin something new ("but", "now I have"): a modifier that lowers a severity does not reach over one.
    """

    version: str
    unknown: Unknown
    evidence: dict[str, float]
    clitics: Clitics
    negation: Negation
    modifiers: tuple[Modifier, ...]
    walls: tuple[str, ...] = ()


class Lexicon(Record):
    """Everything the rules know, with its version and the digest of both files."""

    version: str
    sha256: str
    rules: Rules
    entries: tuple[Entry, ...]


@cache
def load_lexicon(language: Language) -> Lexicon:
    """Read the lexicon of a language.

    Raises:
        UserError: the language has none, or a line of it is foreign; the message names the file and the line.
    """
    language.demand(Part.LEXICON)
    return read_lexicon(language.folder)


def read_lexicon(folder: Path) -> Lexicon:
    """Read the lexicon and the rules that lie in ``folder``.

    Raises:
        UserError: the language has none, or a line of it is foreign; the message names the file and the line.
    """
    files = read_lexicon_files(folder / RULES, folder / LEXICON, Rules, Entry)
    version = f"{files.version}+rules{files.rules.version}"
    return Lexicon(version=version, sha256=files.sha256, rules=files.rules, entries=files.entries)
