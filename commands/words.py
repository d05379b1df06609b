"""What commands print, in the reader's language."""

from __future__ import annotations

# Imports stand inside, since `--help` waits for none of them.


def say(key: str, **values: object) -> str:
    """The sentence of a key; values that are sentences are said in the same language."""
    from ..harness.languages.sentences import sentence

    return ours(sentence(key, **values))


def heading(key: str) -> str:
    """The words of a key as they stand, line breaks and all."""
    from ..harness.languages.messages import messages, reader

    return messages(reader()).bare(key)


def ours(text: object) -> str:
    """A text of the program, where it knows it in the reader's language; else as it is."""
    from ..harness.languages.messages import reader
    from ..harness.languages.sentences import told

    return told(text, reader())


def term(word: object) -> str:
    """A word of the program, such as a verdict; a severity as tables write it."""
    from ..harness.languages.messages import USUAL, messages
    from ..harness.languages.sentences import named_term

    return stratum(word) if f"stratum.{word}" in messages(USUAL) else ours(named_term(str(word)))


def stratum(name: object) -> str:
    """A severity's name, or that of all."""
    from ..harness.languages.sentences import severity

    return ours(severity(name))
