"""What belongs to a language, read from its folder: a second language is a second folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from ..core.settings import Record
from ..errors import UserError
from ..files import read_json

_FOLDER = Path(__file__).parent

DEFAULT = "ar"
"""The language of whoever names none, and of runs from before runs said it."""


class Normalisation(Record):
    """Character maps of the two profiles; ``metric`` is applied on top of ``surface``."""

    version: int
    remove: str
    surface: dict[str, str]
    metric: dict[str, str]


class Language(Record):
    """One language's prompt, stop strings, script and normalisation.

    ``prompt`` holds ``{question}`` once; ``letters`` is the inside of a regular-expression character class.
    ``referral`` is an answer that only sends the asker to a doctor. ``folder`` holds the language's lexicons.
    """

    code: str
    name: str
    direction: Literal["rtl", "ltr"]
    prompt: str
    stop: tuple[str, ...]
    referral: str
    letters: str
    severity_names: dict[str, str]
    normalisation: Normalisation

    def __hash__(self) -> int:
        """By the code: a language is read once, and asked for with every text."""
        return hash(self.code)

    @property
    def folder(self) -> Path:
        """The folder of this language's data files."""
        return _FOLDER / self.code

    def ask(self, question: str) -> str:
        """The prompt of training and evaluation alike; the answer follows it after one space."""
        return self.prompt.replace("{question}", question.strip())


@cache
def language(code: str) -> Language:
    """Load a language by its code.

    Raises:
        UserError: there is no such language here.
    """
    known = sorted(path.parent.name for path in _FOLDER.glob("*/language.json"))
    if code not in known:
        raise UserError(f"unknown language {code!r}", f"Use one of: {', '.join(known)}")
    return Language.model_validate(read_json(_FOLDER / code / "language.json", "Install the package again"))
