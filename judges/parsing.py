"""A judge's reply, read without trusting it: checked by a schema, and every quotation by the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from ..harness.core.settings import first_problem
from ..harness.languages import Language
from ..harness.languages.text import Profile, words
from .rubric import Criterion

_Reply = TypeVar("_Reply", bound=BaseModel)


class UnreadableError(Exception):
    """A reply that is not what was asked for; the text says in what."""


class Verdict(StrEnum):
    """``unproven``: the judge says met, and what it quotes does not stand in the answer."""

    MET = "met"
    NOT_MET = "not_met"
    UNPROVEN = "unproven"


class Better(StrEnum):
    """Which answer of a pair a judge prefers; ``unproven`` as of a verdict."""

    FIRST = "first"
    SECOND = "second"
    SAME = "same"
    UNPROVEN = "unproven"


class _Lenient(BaseModel):
    # A judge that explains itself has said what was asked for all the same.
    model_config = ConfigDict(extra="ignore")


class _One(_Lenient):
    criterion: str
    met: StrictBool
    evidence: str | None = None


class _Verdicts(_Lenient):
    verdicts: tuple[_One, ...]


class _Level(_Lenient):
    level: StrictInt = Field(ge=0, le=5)
    evidence: str | None = None


class _Preference(_Lenient):
    better: Literal["first", "second", "same"]
    evidence: str | None = None


def read_verdicts(
    reply: str, criteria: Sequence[Criterion], answer: str, spoken: Language
) -> dict[str, tuple[Verdict, str]]:
    """The verdict and the quotation of each criterion, in their order.

    Raises:
        UnreadableError: no such object, or not exactly one verdict for each criterion.
    """
    found = _read(reply, _Verdicts, "verdicts").verdicts
    names = [each.criterion for each in found]
    asked = [each.id for each in criteria]
    if sorted(names) != sorted(asked):
        wrong = next((name for name in asked if names.count(name) != 1), "one that nobody asked for")
        raise UnreadableError(f"not exactly one verdict on {wrong}")
    by_name = {each.criterion: each for each in found}
    return {name: _proven(by_name[name], answer, spoken) for name in asked}


def read_preference(reply: str, first: str, second: str, spoken: Language) -> tuple[Better, str]:
    """Which of two answers is preferred, with a quotation from one of them.

    Raises:
        UnreadableError: no such object.
    """
    found = _read(reply, _Preference, "better")
    evidence = _storable(found.evidence)
    if found.better != "same" and not any(occurs(evidence, text, spoken) for text in (first, second)):
        return Better.UNPROVEN, evidence
    return Better(found.better), evidence


def read_level(reply: str, complaint: str, spoken: Language) -> tuple[int, str]:
    """A level of triage, 0 for none, with the words of the complaint that decide it; empty if these are not there.

    Raises:
        UnreadableError: no such object, or a level outside the scale.
    """
    found = _read(reply, _Level, "level")
    evidence = _storable(found.evidence)
    return found.level, evidence if occurs(evidence, complaint, spoken) else ""


def occurs(quote: str, text: str, spoken: Language) -> bool:
    """Whether the words of a quotation stand in a text one after the other, whatever their spelling variants."""
    sought, there = (" ".join(words(each, Profile.METRIC, spoken)) for each in (quote, text))
    return bool(sought) and f" {sought} " in f" {there} "


def _proven(one: _One, answer: str, spoken: Language) -> tuple[Verdict, str]:
    evidence = _storable(one.evidence)
    if not one.met:
        return Verdict.NOT_MET, evidence
    return (Verdict.MET if occurs(evidence, answer, spoken) else Verdict.UNPROVEN), evidence


def _storable(quote: str | None) -> str:
    """JSON can spell half a surrogate pair, which no file can hold."""
    return (quote or "").encode("utf-8", "replace").decode("utf-8")


def _read(reply: str, model: type[_Reply], key: str) -> _Reply:
    found = [each for each in _objects(reply) if key in each]
    if len(found) != 1:
        # Of two, one may be what the judged answer wants to be repeated.
        raise UnreadableError(f"{len(found) or 'no'} JSON objects with {key}")
    try:
        return model.model_validate(found[0])
    except ValidationError as error:
        at, problem, _ = first_problem(error)
        raise UnreadableError(f"{at}: {problem}") from None


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, outermost ones, from left to right."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    found = []
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands twice")
    return dict(pairs)
