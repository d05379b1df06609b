"""What a judge is sent. Texts that are judged are data: escaped, and fenced by marks that they cannot hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ..harness.core.files import sha256_text
from .rubric import Criterion
from .words import Words

VERSION = 1
"""Rises with every change of what stands in a request beyond the words of the language."""

Message = dict[str, str]

_FORM = '{"verdicts": [{"criterion": "<id>", "met": true, "evidence": "<quote>"}, ...]}'
_PAIR_FORM = '{"better": "first" | "second" | "same", "evidence": "<quote>"}'


def answer_messages(words: Words, criteria: Sequence[Criterion], question: str, answer: str) -> list[Message]:
    """Instructions, and one answer to be checked against criteria. Their points are not told."""
    return _messages(words, words.answer, criteria, _FORM, {"question": question, "answer": answer})


def pair_messages(
    words: Words, criteria: Sequence[Criterion], question: str, first: str, second: str
) -> list[Message]:
    """Instructions, and two answers to be compared."""
    texts = {"question": question, "first": first, "second": second}
    return _messages(words, words.pair, criteria, _PAIR_FORM, texts)


def again(words: Words, messages: Sequence[Message], attempt: int) -> list[Message]:
    """The same, after ``attempt`` replies that could not be read. What these said is not repeated."""
    if not attempt:
        return list(messages)
    *others, last = messages
    return [*others, {"role": last["role"], "content": f"{last['content']}\n\n{words.again} {attempt + 1}."}]


def fenced(texts: Mapping[str, str]) -> str:
    """Texts as JSON in one line, between marks named by their digest.

    No text can end the fence: line breaks and quotation marks are escaped, and so are angle brackets, without which
    there is neither a mark nor a special token of a chat template.
    """
    data = json.dumps(dict(texts), ensure_ascii=False)
    for character in "<>\u0085\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    mark = f"data {sha256_text(data)[:16]}"
    return f"<{mark}>\n{data}\n</{mark}>"


def _messages(
    words: Words, told: Sequence[str], criteria: Sequence[Criterion], form: str, texts: Mapping[str, str]
) -> list[Message]:
    lines = [*told, "", words.criteria, *(f"- {each.id}: {each.text}" for each in criteria)]
    system = "\n".join([*lines, "", words.format, form, "", words.data])
    return [{"role": "system", "content": system}, {"role": "user", "content": fenced(texts)}]
