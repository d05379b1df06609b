"""Sentences of the program in the reader's language: one key, one sentence in every language."""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from ..core.errors import UserError
from ..core.files import read_json
from . import Language, codes, language

NAME = "messages.json"
FOLDER = "messages"
VARIABLE = "MAQA_LANG"
USUAL = "en"
_REMEDY = "Mend the file, or install the package again"
_ISOLATE, _RUN, _END = "\u2068", "\u2066", "\u2069"
_SIGNS = "number.signs"
_WESTERN = "0123456789.,%"
_NUMBER = re.compile(r"[+−-]?\d[\d.,]* ?%?")

_chosen: ContextVar[str | None] = ContextVar("reader", default=None)


class Messages:
    """What the program says in one language.

    Names and numbers keep their own direction inside a sentence that is read from right to left: each stands
    between the marks of an isolate (Unicode standard annex 9). Numbers have the digits of the language.
    """

    def __init__(self, tongue: Language) -> None:
        """Raises:
        UserError: the language has no messages, or two of its files have one key.
        """
        self.language = tongue
        self._texts: dict[str, str] = {}
        for path in files(tongue):
            found: dict[str, str] = read_json(path, _REMEDY)
            if twice := sorted(self._texts.keys() & found.keys()):
                raise UserError(f"{path}: {twice[0]!r} is said in another file too", _REMEDY)
            self._texts |= found
        if not self._texts:
            raise UserError(
                f"{tongue.name} ({tongue.code}) has no {NAME}", f"Add it to {tongue.folder}, or choose English"
            )
        self._digits = str.maketrans(_WESTERN, self._texts.get(_SIGNS, _WESTERN))

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of a key with its values."""
        return self._texts[key].format(**{name: self.shown(str(value)) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def known(self) -> list[str]:
        """All keys."""
        return list(self._texts)

    def bare(self, key: str) -> str:
        """The sentence of a key with its places for values."""
        return self._texts[key]

    def shown(self, text: str) -> str:
        """A value as it stands in a sentence: a number in the language's digits, all in an isolate where the
        sentence runs from right to left."""
        number = _NUMBER.fullmatch(text)
        if number:
            text = text.translate(self._digits)
        if self.language.direction == "ltr" or not text or text.startswith((_ISOLATE, _RUN)):
            return text
        return f"{_RUN if number else _ISOLATE}{text}{_END}"


@cache
def messages(code: str) -> Messages:
    """What the program says in the language of a code.

    Raises:
        UserError: the language is unknown, or has no messages.
    """
    return Messages(language(code))


@cache
def spoken() -> tuple[str, ...]:
    """The codes of the languages that have messages."""
    return tuple(code for code in codes() if files(language(code)))


def files(tongue: Language) -> list[Path]:
    """The files of a language's sentences: ``messages.json``, and those in the folder ``messages``."""
    one = tongue.folder / NAME
    return [*([one] if one.is_file() else []), *sorted((tongue.folder / FOLDER).glob("*.json"))]


def choose(code: str | None) -> None:
    """Set the reader's language; None: that of the environment.

    Raises:
        UserError: there are no sentences in it.
    """
    _chosen.set(_known(code, "--lang") if code is not None else None)


def reader() -> str:
    """The code of the reader's language: the chosen one, else that of ``MAQA_LANG``, else English.

    Raises:
        UserError: the environment names a language without sentences.
    """
    return _chosen.get() or _known(os.environ.get(VARIABLE) or USUAL, VARIABLE)


def _known(code: str, where: str) -> str:
    if code not in spoken():
        raise UserError(f"{where}: unknown language {code!r}", f"Use one of: {', '.join(spoken())}")
    return code
