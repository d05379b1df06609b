"""The coding manual's short form in a language: how a person, or a model, labels by the levels of triage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ...core.errors import UserError
from ...core.files import read_json, sha256_text
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, codes, language
from .scale import Discriminator, load_triage

FILE = "manual.json"


class LevelWords(Record):
    """A level's name, and what should follow."""

    name: str
    follows: str


class Manual(Record):
    """The short form. ``version`` rises with every change; ``format`` and ``data`` are told to models alone."""

    version: int
    title: str
    task: tuple[str, ...]
    levels: dict[Literal["1", "2", "3", "4", "5"], LevelWords]
    table: str
    steps: tuple[str, ...]
    signs: str
    # A pydantic field cannot be called as Python's keyword is.
    not_: str
    search: str
    format: str
    data: str


@dataclass(frozen=True)
class Signs:
    """The discriminators of one level, each as a name and what more is said of it."""

    level: int
    named: tuple[tuple[str, str], ...]


@cache
def load_manual(tongue: Language) -> Manual:
    """The short form in a language.

    Raises:
        UserError: it has none, or its file is foreign.
    """
    path = tongue.folder / FILE
    if not path.is_file():
        have = [code for code in codes() if (language(code).folder / FILE).is_file()]
        raise UserError(f"{tongue.name} ({tongue.code}) has no {path}", f"Add it, or use one of {', '.join(have)}")
    content = read_json(path, "Mend the file")
    if isinstance(content, dict) and "not" in content:
        content["not_"] = content.pop("not")
    return validated(Manual, content, str(path), "Mend the file")


def signs(tongue: Language) -> list[Signs]:
    """The discriminators of the language's triage scale by level; none where it has no scale."""
    triage = load_triage(tongue)
    told = [each for each in triage.discriminators if each.kind != "condition"] if triage else []
    return [
        Signs(level, tuple(_said(each, tongue) for each in told if each.level == level))
        for level in sorted({each.level for each in told})
    ]


def instructions(tongue: Language, form: str) -> str:
    """What a model is told before it sees a complaint; ``form`` is the shape of its reply."""
    manual = load_manual(tongue)
    lines = [*manual.task, ""]
    lines += [f"{level}: {each.name} - {each.follows}" for level, each in manual.levels.items()]
    lines += ["", manual.table, *(f"{number}. {step}" for number, step in enumerate(manual.steps))]
    lines += [f"{manual.signs} {each.level}: {_listed(each.named)}" for each in signs(tongue) if each.level < 4]
    return "\n".join([*lines, "", manual.format, form, "", manual.data])


def identity(tongue: Language, form: str) -> str:
    """Digest of all that a model is told."""
    return sha256_text(instructions(tongue, form))


def _said(each: Discriminator, tongue: Language) -> tuple[str, str]:
    # Definitions are written in English alone; elsewhere an example shows what is meant.
    examples = "; ".join(each.examples)
    more = each.definition if tongue.code == "en" else examples
    counter = "; ".join(each.counter_examples)
    return each.name.get(
        tongue.code, each.id
    ), f"{more} ({load_manual(tongue).not_} {counter})" if counter else more


def _listed(named: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name} ({more})" if more else name for name, more in named)
