"""What belongs to a language, read from its folder: a second language is a second folder."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from ..core.errors import UserError
from ..core.files import read_json
from ..core.records import validated
from ..core.settings import Record

_FOLDER = Path(__file__).parent

DEFAULT = "ar"
"""The language of whoever names none, and of runs from before runs said it."""


class Part(StrEnum):
    """What a language may know beyond its ``language.json``: a part is the files of its name."""

    LEXICON = "severity lexicon"
    SAFETY = "safety lexicon"
    QUANTITIES = "quantities"
    DANGERS = "dangers"
    CARD = "safety card"
    STRESS = "stress test"
    PROBE = "probe"
    TRIAGE = "triage scale"


_FILES = {
    Part.LEXICON: ("severity_lexicon.jsonl", "severity_rules.json"),
    Part.SAFETY: ("safety_lexicon.jsonl", "safety_rules.json"),
    Part.QUANTITIES: ("quantities.json",),
    Part.DANGERS: ("dangers.json",),
    Part.CARD: ("safety_card.json",),
    Part.STRESS: ("stress.json",),
    Part.PROBE: ("probe.json", "stress.json"),
    Part.TRIAGE: ("triage.json",),
}


class Normalisation(Record):
    """Character maps of the two profiles; ``metric`` is applied on top of ``surface``."""

    version: int
    remove: str
    surface: dict[str, str]
    metric: dict[str, str]


class Style(StrEnum):
    """How a prompt is put: as a text that the model goes on with, or as a turn in its chat template."""

    PLAIN = "plain"
    CHAT = "chat"


class Stop(Record):
    """What ends an answer, besides the model's own end token, by the style of its prompt.

    ``plain`` are the marks of the prompt's format, spelt in every way that models use; a chat template has end
    tokens of its own.
    """

    plain: tuple[str, ...]
    chat: tuple[str, ...]

    def of(self, style: Style) -> tuple[str, ...]:
        """The stop strings of a style."""
        return self.chat if style is Style.CHAT else self.plain


class Language(Record):
    """One language's prompt, stop strings, script and normalisation.

    ``prompt`` holds ``{question}`` once; ``letters`` is the inside of a regular-expression character class.
    ``before_suffix`` says how an ending is spelt before a suffix, and how without one.
    ``referral`` is an answer that only sends the asker to a doctor. ``folder`` holds the language's lexicons.
    ``system`` is the system instruction of those who are trained in a chat template; empty: none.
    ``joining`` are marks that tie what they stand between into one expression ("follow-up"): no clause ends there.
    """

    code: str
    name: str
    direction: Literal["rtl", "ltr"]
    prompt: str
    stop: Stop
    referral: str
    letters: str
    severity_names: dict[Literal["critical", "neutral", "non_critical"], str]
    system: str = ""
    joining: str = ""
    before_suffix: dict[str, str] = {}
    normalisation: Normalisation

    def __hash__(self) -> int:
        """By the code: a language is read once, and asked for with every text."""
        return hash(self.code)

    @property
    def folder(self) -> Path:
        """The folder of this language's data files."""
        return _FOLDER / self.code

    def knows(self, part: Part) -> bool:
        """Whether the files of a part are there. What needs a part that is not is left out, and said to be."""
        return all((self.folder / name).is_file() for name in _FILES[part])

    def demand(self, part: Part) -> None:
        """Raises:
        UserError: the language lacks the part.
        """
        if not self.knows(part):
            raise UserError(
                f"{self.name} ({self.code}) has no {part}",
                f"Add {' and '.join(_FILES[part])} to {self.folder}, or do without it",
            )

    def ask(self, question: str) -> str:
        """The prompt of training and evaluation alike; the answer follows it after one space."""
        return self.prompt.replace("{question}", question.strip())


@cache
def language(code: str) -> Language:
    """Load a language by its code.

    Raises:
        UserError: there is no such language here, or its file is foreign.
    """
    known = codes()
    if code not in known:
        raise UserError(f"unknown language {code!r}", f"Use one of: {', '.join(known)}")
    path, remedy = _FOLDER / code / "language.json", "Mend the file, or install the package again"
    return validated(Language, read_json(path, remedy), str(path), remedy)


@cache
def codes() -> tuple[str, ...]:
    """The codes of the languages that are here, which are the names of their folders."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/language.json")))
