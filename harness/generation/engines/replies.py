"""What a server of ``/v1/completions`` replies, read without trusting its shape."""

from __future__ import annotations

import http
import json
from dataclasses import dataclass
from typing import Any

from ...core.secrets import redact

_LONGEST_WORDS = 300
_FILTER = "content_filter"
_STOPPED_BY = ("stop_reason", "matched_stop", "stopping_word")
"""Where vLLM, SGLang and llama.cpp say which stop string it was."""


@dataclass(frozen=True)
class Reply:
    """The one choice of a reply. ``limited`` says that the limit of tokens cut the text, ``filtered`` that the
    server's content filter did; ``stop`` is the stop string that ended it, where the server says which."""

    text: str
    limited: bool
    filtered: bool
    stop: str
    prompt_tokens: int
    tokens: int


class MalformedError(Exception):
    """A reply that holds no answer; the text says in what it is wrong."""


class FilteredError(Exception):
    """A content filter left nothing of the answer; the text holds the server's words."""


def read_reply(body: bytes) -> Reply:
    """Take a reply apart.

    Raises:
        MalformedError: it is no JSON, has no choice, or its text is no text.
        FilteredError: a content filter left no text.
    """
    return _read_choice(*_first_choice(body))


def _first_choice(body: bytes) -> tuple[dict[str, Any], Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError(f"no JSON: {words_of(body)}" if body.strip() else "nothing") from None
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise MalformedError(f"{_kind(content)} instead of an object")
    choices = content.get("choices")
    if not isinstance(choices, list) or not choices:
        said = f": {words_of(body)}" if {"error", "message", "detail"} & set(content) else ""
        raise MalformedError(f"`choices` is {_kind(choices)}{said}")
    if not isinstance(choices[0], dict):
        raise MalformedError(f"`choices[0]` is {_kind(choices[0])}")
    return choices[0], content.get("usage")


def _text_of(content: Any) -> Any:
    """A message's content as one text: some servers give it in parts, and null where there is none."""
    if content is None:
        return ""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content


def read_chat_reply(body: bytes) -> Reply:
    """Take a reply of ``/v1/chat/completions`` apart. A message without text, as of a model that only thought
    or that refuses in the field for that, is read as what it has: its tokens count all the same.

    Raises:
        MalformedError: it is no JSON, has no choice, or no message in it.
        FilteredError: a content filter left no text.
    """
    choice, usage = _first_choice(body)
    message = choice.get("message")
    if not isinstance(message, dict):
        plain = ", as /v1/completions answers" if "text" in choice else ""
        raise MalformedError(f"`choices[0].message` is {_kind(message)}{plain}")
    text = _text_of(message.get("content"))
    if not text and isinstance(message.get("refusal"), str):
        text = message["refusal"]
    return _read_choice({**choice, "text": text}, usage)


def words_of(body: bytes) -> str:
    """The words in which a server explains itself, in one line of bounded length and without secrets."""
    text = body[: 100 * _LONGEST_WORDS].decode("utf-8", "replace")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = text
    found = _message(content)
    return one_line(found if isinstance(found, str) else text)


def one_line(text: str) -> str:
    """A text of others as it may stand in a line of ours: short, without secrets, unable to steer a terminal."""
    line = "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(redact(text).split()))
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"


def status_words(status: int, body: bytes) -> str:
    """A status with the server's words, or with its own name where there are none."""
    phrase = http.HTTPStatus(status).phrase if status in http.HTTPStatus._value2member_map_ else ""
    return f"{status} {words_of(body) or phrase}".strip()


def _read_choice(choice: dict[str, Any], usage: Any) -> Reply:
    reason = choice.get("finish_reason")
    text = choice.get("text")
    filtered = reason == _FILTER
    if filtered and (text is None or (isinstance(text, str) and not text.strip())):
        raise FilteredError(_filter_words(choice))
    if not isinstance(text, str):
        chat = ", as /v1/chat/completions answers" if "message" in choice and "text" not in choice else ""
        raise MalformedError(f"`choices[0].text` is {_kind(text)}{chat}")
    stop = next((found for key in _STOPPED_BY if isinstance(found := choice.get(key), str)), "")
    counts = usage if isinstance(usage, dict) else {}
    return Reply(
        # JSON can carry half a surrogate pair, which no file can.
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        limited=reason == "length",
        filtered=filtered,
        stop=stop,
        prompt_tokens=_count(counts.get("prompt_tokens")),
        tokens=_count(counts.get("completion_tokens")),
    )


def _count(value: Any) -> int:
    """A number of tokens; 0 for whatever is none."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(value) if whole and not isinstance(value, bool) and 0 < value < 2**53 else 0


def _filter_words(choice: dict[str, Any]) -> str:
    details = choice.get("content_filter_results") or choice.get("content_filter_result")
    more = f": {words_of(json.dumps(details, ensure_ascii=False).encode())}" if details else ""
    return f"{_FILTER}{more}"


def _message(content: Any) -> Any:
    """The text in an error, wherever the common servers put it."""
    for key in ("error", "message", "detail"):
        if isinstance(content, dict) and key in content:
            content = content[key]
    return content


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "missing or null"}
    return "an empty list" if value == [] else names.get(type(value), "a number")
