"""What of a generated text is the answer, by one rule for every engine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .marks import spelt
from .records import FinishReason, Generated
from .thoughts import split_thoughts

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True)
class Ending:
    """An answer as it will be scored.

    ``stop`` is the stop string that ended it, empty where none did; ``thinking`` counts the characters of the
    thoughts cut off before it; ``thought_out`` is False where these never ended; ``run_on`` says that a question
    which the model went on to ask itself was dropped; ``whole`` that the model ended it, not the limit of tokens.
    """

    text: str
    stop: str = ""
    thinking: int = 0
    thought_out: bool = True
    run_on: bool = False
    whole: bool = True

    def generated(self, prompt_tokens: int, tokens: int, seconds: float) -> Generated:
        """The answer as an engine hands it over. One that was cut at the limit before a stop string came, or while
        its thoughts went on, ended by the limit."""
        reason = FinishReason.STOP if self.whole or self.stop else FinishReason.LENGTH
        return Generated(
            self.text,
            reason,
            prompt_tokens,
            tokens,
            seconds,
            stop=self.stop,
            thinking=self.thinking,
            run_on=self.run_on,
        )


def ending(text: str, until: Sequence[str], *, prompt: str = "", think_end: str = "", whole: bool = True) -> Ending:
    """The answer in a generated text: without thoughts, then up to the first stop string, then without a run-on.

    Args:
        text: all that was generated. A stop string that ended it is found only if it is still in the text.
        until: stop strings; inside thoughts none counts.
        prompt: what was asked.
        think_end: the user's mark for the end of thoughts.
        whole: False if the text was cut at the limit of tokens, or is still being written.
    """
    parts = split_thoughts(text, prompt, think_end, whole=whole)
    answer, stop = cut(parts.answer, until)
    kept = without_run_on(answer) if stop and _is_answer_mark(stop, prompt) else answer
    return Ending(kept, stop, len(parts.thoughts), parts.ended, kept != answer, whole)


def cut(text: str, until: Sequence[str]) -> tuple[str, str]:
    """The text before the first stop string, and which that was; the whole text and ``""`` where there is none.

    A stop string counts only after the first character that is not white space: blank lines or a mark at the very
    start never end an answer. Of several at the same place the longest counts. A mark of a prompt counts in other
    spellings too (``marks``), and is then told as the stop string that it spells.
    """
    first = len(text) - len(text.lstrip())
    found = [(place, -len(stop), stop) for stop in until if stop and (place := text.find(stop, first + 1)) >= 0]
    if other := spelt(text, tuple(until), first):
        place, stop = other
        found.append((place, -len(stop), stop))
    if not found:
        return text, ""
    place, _, stop = min(found)
    return text[:place], stop


def without_run_on(text: str) -> str:
    """A text that ended at the mark of an answer, without the question that the mark belongs to.

    A base model that has answered goes on in the format of its prompt: it asks itself the next question and writes
    the mark of an answer, which ends the generation. What stands right before the mark is then that question. It is
    dropped if a blank line parts it from the answer, or if it is the last line and ends in a question mark. The
    only block of a text is never dropped.
    """
    body = text.rstrip()
    if breaks := list(_BLANK_LINE.finditer(body)):
        kept = body[: breaks[-1].start()]
    else:
        kept, _, last = body.rpartition("\n")
        if not _asks(last):
            return text
    return kept.rstrip() if kept.strip() else text


def _asks(line: str) -> bool:
    return "QUESTION MARK" in unicodedata.name(line.rstrip()[-1:] or " ", "")


def _is_answer_mark(stop: str, prompt: str) -> bool:
    """Whether a stop string is what the prompt ends in, spelt with or without its accents."""
    mark = _letters(stop)
    return bool(mark) and _letters(prompt).endswith(mark)


def _letters(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip()[-200:])
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
