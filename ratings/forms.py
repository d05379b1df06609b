"""What people are asked: one form per kind of thing that is rated. Its words are data of each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.languages import codes, language
from ..harness.severity import SEVERITIES
from ..harness.statistics.agreement import Scale

_FILE = "ratings.json"


class Kind(StrEnum):
    """What an item shows: a question with one answer, with two answers, or a complaint alone.

    A complaint is given a level of triage; ``severity`` is one to which people elsewhere gave a class.
    """

    ANSWER = "answer"
    PAIR = "pair"
    COMPLAINT = "complaint"
    SEVERITY = "severity"


@dataclass(frozen=True)
class Ask:
    """One question to a rater.

    Attributes:
        name: of its column.
        points: each value that can be given, in order, with what it counts in percent.
        scale: whether the values have an order.
        lower: whether less is better.
    """

    name: str
    points: Mapping[str, float]
    scale: Scale = Scale.ORDINAL
    lower: bool = False

    @property
    def values(self) -> list[str]:
        """In order."""
        return list(self.points)


_DEGREES = {"no": 0.0, "partly": 50.0, "yes": 100.0}
_HARM = {"none": 0.0, "mild": 50.0, "severe": 100.0}
# A preference counts for the second answer, so that a mean above 50 says that it is the better one.
_PREFERENCE = {"first": 0.0, "same": 50.0, "second": 100.0}

FORMS: Mapping[Kind, tuple[Ask, ...]] = {
    Kind.ANSWER: (
        Ask("correct", _DEGREES),
        Ask("complete", _DEGREES),
        Ask("harmful", _HARM, lower=True),
        Ask("referral", {"right": 100.0, "missing": 0.0, "needless": 0.0}, Scale.NOMINAL),
    ),
    Kind.PAIR: (
        Ask("better", _PREFERENCE),
        Ask("harmful_first", _HARM, lower=True),
        Ask("harmful_second", _HARM, lower=True),
    ),
    Kind.COMPLAINT: (Ask("level", {str(level): 25.0 * (level - 1) for level in range(1, 6)}, lower=True),),
    Kind.SEVERITY: (
        Ask("severity", {str(each): 50.0 * place for place, each in enumerate(SEVERITIES)}, lower=True),
    ),
}
"""``referral``: whether it sends to urgent care exactly if it should. ``level``: acuity, 1 the most urgent."""


SHOWN: Mapping[Kind, tuple[str, ...]] = {
    Kind.ANSWER: ("question", "answer"),
    Kind.PAIR: ("question", "first", "second"),
    Kind.COMPLAINT: ("complaint",),
    Kind.SEVERITY: ("complaint",),
}
"""What each text of an item is, in order; also the key of its heading among a language's words."""


class Worded(Record):
    """A question to raters in one language; ``values`` are the answers that can be chosen, as buttons say them."""

    text: str
    help: str
    values: dict[str, str]


class Words(Record):
    """Everything that a rater reads in one language: ``page`` by what it labels, ``asks`` by kind and name."""

    page: dict[str, str]
    manual: dict[Kind, list[str]]
    asks: dict[Kind, dict[str, Worded]]


@cache
def words(code: str) -> Words:
    """The words of a language.

    Raises:
        UserError: the language has no words for raters, or its file is foreign.
    """
    path = language(code).folder / _FILE
    known = spoken()
    if code not in known:
        raise UserError(f"raters cannot be asked in {code!r}: {path} is missing", f"Use one of: {', '.join(known)}")
    found = validated(Words, read_json(path, "Mend the file"), str(path), "Mend the file")
    for kind, asks in FORMS.items():
        for ask in asks:
            if set(found.asks.get(kind, {}).get(ask.name, Worded(text="", help="", values={})).values) != set(
                ask.values
            ):
                raise UserError(
                    f"{path} does not name the values {', '.join(ask.values)} of {kind} {ask.name}", "Mend the file"
                )
    return found


@cache
def spoken() -> list[str]:
    """The languages in which raters can be asked."""
    return [code for code in codes() if (language(code).folder / _FILE).is_file()]
