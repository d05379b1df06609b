"""Sentences of the program in the reader's language: one key, one sentence in every language."""

from __future__ import annotations

from functools import cache

from ..core.errors import UserError
from ..core.files import read_json
from . import Language, codes, language

NAME = "messages.json"
_REMEDY = "Mend the file, or install the package again"
_ISOLATE, _END = "\u2068", "\u2069"


class Messages:
    """What the program says in one language.

    Names and numbers keep their own direction inside a sentence that is read from right to left: each stands
    between the marks of an isolate (Unicode standard annex 9).
    """

    def __init__(self, tongue: Language) -> None:
        """Raises:
        UserError: the language has no messages.
        """
        self.language = tongue
        path = tongue.folder / NAME
        if not path.is_file():
            raise UserError(
                f"{tongue.name} ({tongue.code}) has no {NAME}", f"Add it to {tongue.folder}, or choose English"
            )
        self._texts: dict[str, str] = read_json(path, _REMEDY)

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of a key with its values."""
        shown = {name: self._isolated(str(value)) for name, value in values.items()}
        return self._texts[key].format(**shown)

    def keys(self) -> list[str]:
        """All keys."""
        return list(self._texts)

    def _isolated(self, text: str) -> str:
        rtl = self.language.direction == "rtl"
        return f"{_ISOLATE}{text}{_END}" if rtl and text and not text.startswith(_ISOLATE) else text


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
    return tuple(code for code in codes() if (language(code).folder / NAME).is_file())
