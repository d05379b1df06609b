"""Sentences that know themselves in every language of the pages: text in English, whoever asks, until a page says
them to its reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from .messages import USUAL, messages, spoken


class Sentence(str):
    """The English sentence; ``texts`` is the same by the codes of all languages that have messages."""

    texts: Mapping[str, str] = {}


def _kept(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, Sentence) else handler(value)


Words = Annotated[str, WrapValidator(_kept)]
"""A text of a record that stays a ``Sentence`` where it was one. A file holds the English alone."""


def made(tell: Callable[[str], str]) -> Sentence:
    """What ``tell`` says in the language of each code."""
    texts = {code: tell(code) for code in spoken()}
    found = Sentence(texts[USUAL])
    found.texts = texts
    return found


def sentence(key: str, **values: object) -> Sentence:
    """The sentence of a key of the messages; a value that is a ``Sentence`` is said in the same language."""
    return made(lambda code: _filled(code, key, values))


def told(text: object, code: str) -> str:
    """A text in the language of a code, where it has one; else as it is."""
    return text.texts[code] if isinstance(text, Sentence) else str(text)


def together(parts: Iterable[object], by: str = "list.separator") -> Sentence:
    """Parts in a row, with the message ``by`` between them."""
    parts = list(parts)
    return made(lambda code: messages(code).bare(by).join(told(each, code) for each in parts))


def run_on(*parts: object) -> Sentence:
    """Parts behind each other, with nothing between them."""
    return made(lambda code: "".join(told(each, code) for each in parts))


def changed(text: str, change: Callable[[str], str]) -> str:
    """A text after a change of its letters, in every language."""
    return made(lambda code: change(told(text, code))) if isinstance(text, Sentence) else change(text)


def severity(stratum: object) -> Sentence:
    """A severity's name, or that of all, inside a sentence."""
    return sentence(f"stratum.{stratum}")


def named_term(text: str) -> str:
    """A word of the program, such as a verdict or a heading, where the messages have it; else itself."""
    key = "term." + re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return sentence(key) if key in messages(USUAL) else text


def known_again(text: str, start: str | tuple[str, ...]) -> str:
    """The sentence that a file holds in English, by those messages whose keys begin with ``start``, or with one of
    them, or several behind each other; the text as it is where it is none of theirs.

    Of several that could be meant it is the one whose words, with those of its values, are most of the text.
    """
    return _again(text, start)[0]


@cache
def _again(text: str, start: str | tuple[str, ...]) -> tuple[str, int]:
    """The sentence, and how many of the text's signs are words of messages."""
    best: tuple[str, int] = (text, 0)
    separator = messages(USUAL).bare("list.separator")
    if separator in text:
        parts = [_again(part, start) for part in text.split(separator)]
        if any(words for _, words in parts):
            best = together(part for part, _ in parts), sum(words for _, words in parts)
    for key in messages(USUAL).known():
        if key.startswith(start) and (found := _pattern(messages(USUAL).bare(key)).fullmatch(text)):
            values = {name: _again(value, start) for name, value in found.groupdict().items()}
            words = len(text) - sum(len(found[name]) - own for name, (_, own) in values.items())
            if words > best[1]:
                best = sentence(key, **{name: value for name, (value, _) in values.items()}), words
    return best


@cache
def _pattern(bare: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(bare)), re.DOTALL)


def _filled(code: str, key: str, values: Mapping[str, object]) -> str:
    say = messages(code)
    shown = {
        name: told(value, code) if isinstance(value, Sentence) else say.shown(str(value))
        for name, value in values.items()
    }
    return say.bare(key).format(**shown)
