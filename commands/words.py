"""What commands print, in the reader's language."""

from __future__ import annotations

from ..harness.languages.messages import USUAL, messages, reader
from ..harness.languages.sentences import named_term, sentence, severity, told


def say(key: str, **values: object) -> str:
    """The sentence of a key; values that are sentences are said in the same language."""
    return told(sentence(key, **values), reader())


def heading(key: str) -> str:
    """The words of a key as they stand, line breaks and all."""
    return messages(reader()).bare(key)


def ours(text: object) -> str:
    """A text of the program, where it knows it in the reader's language; else as it is."""
    return told(text, reader())


def term(word: object) -> str:
    """A word of the program, such as a verdict; a severity as tables write it."""
    return stratum(word) if f"stratum.{word}" in messages(USUAL) else ours(named_term(str(word)))


def stratum(name: object) -> str:
    """A severity's name, or that of all."""
    return ours(severity(name))
