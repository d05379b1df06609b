"""Thoughts that a model writes before its answer: where they end, and the answer without them."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""What opens and what ends thoughts in the models of the hub; upper and lower case count alike."""

THINKING_ARGUMENTS = ("think_end_token", "enable_thinking", "chat_template_args")
"""Model arguments that are obeyed here: lm-eval would ask for a mark even where ``MARKS`` has it."""

CHANNEL_TOKENS = frozenset({"<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>"})
"""Tokens of the last of these formats, in which thoughts and answer are turns in channels of their own."""

_TURN = re.compile(r"<\|(?:end|return)\|>(?:<\|start\|>assistant)?")
_UNSEEN = re.compile(r"^[\s\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]+")
_QUOTED = re.compile(r"""[`'"«“‘(]$""")


@dataclass(frozen=True)
class Thoughts:
    """A text taken apart. ``ended`` says whether the thoughts ended; where they did not, there is no answer."""

    thoughts: str
    answer: str
    ended: bool = True


def split_thoughts(text: str, prompt: str = "", think_end: str = "", *, whole: bool = True) -> Thoughts:
    """Cut the thoughts at the beginning of a text off.

    Thoughts begin the text with one of ``MARKS``, or the prompt's last words opened them, and end at the first mark
    that closes them; where nothing closes them, all of the text is thoughts. A closing mark that no mark before it
    opened ends thoughts that the server's template opened, unless it stands in the middle of a line like a word, or
    in quotation marks: such a text is an answer that mentions it. A text without thoughts is not changed.

    Args:
        text: what the model wrote.
        prompt: what it was asked; its end may have opened the thoughts, or closed them already.
        think_end: the mark that, by the user's word, ends this model's thoughts; the first one counts.
        whole: False if the text was cut at the limit or is still being written. Without ``think_end`` in it, where
            one is given, it is thoughts so far.
    """
    closed = any(prompt.rstrip().casefold().endswith(close.casefold()) for _, close in MARKS)
    if think_end and not closed:
        thoughts, mark, rest = text.partition(think_end)
        if mark:
            return _then(_plain(thoughts), rest)
    close = _opened_by(prompt)
    if close or (close := _opens(text)):
        found = re.search(re.escape(close), text, re.IGNORECASE)
        if not found:
            return Thoughts(_plain(text), "", ended=False)
        return _then(_plain(text[: found.start()]), text[found.end() :])
    if think_end and not closed and not whole:
        return Thoughts(text.strip(), "", ended=False)
    if not closed and (end := _template_opened(text)):
        return _then(text[: end.start()].strip(), text[end.end() :])
    return Thoughts("", text)


def opened(prompt: str, think_end: str = "") -> bool:
    """Whether the model is known beforehand to begin with thoughts."""
    return bool(think_end or _opened_by(prompt))


def _opened_by(prompt: str) -> str:
    asked = prompt.rstrip().casefold()
    return next((close for begin, close in MARKS if asked.endswith(begin.casefold())), "")


def _opens(text: str) -> str:
    """The mark that closes what the text begins with; empty where it does not begin with thoughts."""
    start = _visible(text).removeprefix("<|start|>assistant").casefold()
    for begin, close in MARKS:
        if _begin(begin, start):
            return close
        # An answer of the final channel at once, or the end of thoughts that were empty.
        if start.startswith(close.casefold()):
            return close
    return ""


def _template_opened(text: str) -> re.Match[str] | None:
    for begin, close in MARKS:
        found = re.search(re.escape(close), text, re.IGNORECASE)
        if not found or begin.casefold() in text[: found.start()].casefold():
            continue
        before, after = text[: found.start()], text[found.end() :]
        line, rest = before.rpartition("\n")[2], after.partition("\n")[0]
        word = line.strip() and rest.strip() and line[-1:].isspace() and not rest[:1].isalnum()
        if not word and not _QUOTED.search(line):
            return found
    return None


def _then(thoughts: str, rest: str) -> Thoughts:
    """The thoughts, and what follows them, which may begin with more."""
    rest = rest.lstrip()
    if not _opens(rest):
        return Thoughts(thoughts, _without_turn(rest) if "<|" in rest else rest)
    more = split_thoughts(rest)
    return Thoughts(f"{thoughts}\n{more.thoughts}".strip(), more.answer, more.ended)


def _plain(thoughts: str) -> str:
    """Thoughts without the marks around them."""
    text = _TURN.sub("", _visible(thoughts).removeprefix("<|start|>assistant")).strip()
    for begin, _ in MARKS:
        if length := _begin(begin, text.casefold()):
            return text[length:].strip()
    return text


def _begin(mark: str, text: str) -> int:
    """How long the mark is with which a text begins, attributes of a tag included; 0 where it begins otherwise."""
    if text.startswith(mark.casefold()):
        return len(mark)
    if mark.startswith("<") and mark[1:-1].isalpha() and (tag := re.match(rf"{mark[:-1]}\s[^<>]*>", text)):
        return tag.end()
    return 0


def _visible(text: str) -> str:
    """A text without white space and marks of direction or order at its start, which no reader sees."""
    return _UNSEEN.sub("", text).rstrip()


def _without_turn(answer: str) -> str:
    end = _TURN.search(answer)
    return answer[: end.start()] if end else answer
