"""The lines of a store: one answer each, with a checksum."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from ...core.files import atomic
from ..records import FinishReason, Generated, Prompt

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """One line of a store: what ``Generated`` says, and how many lines of its chunk come after it.

    Lines of earlier versions lack ``stop``, ``thinking``, ``error`` and ``run_on``.
    """

    key: str
    id: str
    severity: str
    sample: int
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    tokens: int
    seconds: float
    remaining: int = 0
    stop: str = ""
    thinking: int = 0
    error: str = ""
    run_on: bool = False

    @classmethod
    def of(cls, prompt: Prompt, generated: Generated, remaining: int) -> Self:
        """The line for a prompt's answer."""
        return cls(prompt.key, prompt.id, prompt.severity, prompt.sample, **vars(generated), remaining=remaining)

    @property
    def refused(self) -> bool:
        """Whether it is the words of a server that would not answer."""
        return self.finish_reason is FinishReason.ERROR

    def line(self) -> str:
        """The answer as JSON with a checksum of everything before it."""
        return canonical({**vars(self), "check": _check(vars(self))}) + "\n"


@dataclass(frozen=True)
class Content:
    """What a file of answers holds.

    ``answers`` are the sound ones of whole chunks, ``damaged`` the others with their line numbers; ``torn`` says
    that the last chunk had not arrived whole.
    """

    answers: list[Answer]
    damaged: list[tuple[int, bytes]]
    torn: bool


def canonical(value: Any) -> str:
    """JSON without white space or choice of order: equal values give equal texts."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """Hex digest of a JSON value; the order of keys does not matter."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> Content:
    """Read a file of answers; one that does not exist is empty."""
    if not path.exists():
        return Content([], [], torn=False)
    *lines, rest = path.read_bytes().split(b"\n")
    answers: list[Answer] = []
    damaged: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, start=1):
        answer = _parse(line)
        if answer is None:
            damaged.append((number, line))
        else:
            answers.append(answer)
    torn = bool(rest)
    # A damaged last line is no torn chunk: only that answer is missing.
    if not damaged or damaged[-1][0] < len(lines):
        while answers and answers[-1].remaining:
            answers.pop()
            torn = True
    return Content(answers, damaged, torn)


def rewrite(path: Path, answers: Iterable[Answer]) -> None:
    """Replace a file of answers atomically; each line becomes a chunk of its own."""
    with atomic(path) as temporary:
        temporary.write_text("".join(replace(answer, remaining=0).line() for answer in answers), encoding="utf-8")


def union(parts: Iterable[Iterable[Answer]]) -> dict[str, Answer]:
    """All answers by key, whatever the order of the parts and however often one occurs.

    An answer wins over a refusal. Where two parts answer the same key with different texts, the text that sorts
    first wins, and a warning says so.
    """
    answers: dict[str, Answer] = {}
    conflicts = 0
    for part in parts:
        for answer in part:
            known = answers.setdefault(answer.key, answer)
            conflicts += known.text != answer.text and not (known.refused or answer.refused)
            answers[answer.key] = min(known, answer, key=lambda one: (one.refused, one.text, canonical(vars(one))))
    if conflicts:
        log.warning("%d answers differ between parts of the store that claim the same identity", conflicts)
    return answers


def _check(record: dict[str, Any]) -> str:
    return digest(record)[:16]


def _parse(line: bytes) -> Answer | None:
    try:
        record = json.loads(line)
        if record.pop("check") != _check(record):
            return None
        return Answer(**{**record, "finish_reason": FinishReason(record["finish_reason"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
