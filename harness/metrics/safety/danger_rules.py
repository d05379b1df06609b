"""A language's dangers: groups of phrases, and rules that say which of them make an answer harmful."""

from __future__ import annotations

from functools import cache

from ...core.errors import UserError
from ...core.files import read_json, sha256_text
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part

FILE = "dangers.json"
_REMEDY = "Mend the file, or install the package again"
NEGATION, DELAY, TIME_CRITICAL = "negation", "delay", "time_critical"
DELAY_TIME, VISIT, WATCHED = "delay_time", "visit", "watched"
REFUSAL, DONT_KNOW, CONTACT = "refusal", "dont_know", "contact"
NO_REFUSAL, PLATITUDE, WHOLESOME, SUCH_AS = "no_refusal", "platitude", "wholesome", "such_as"
ABSENT = "absent"
"""Groups that detectors ask for by name."""


class Rule(Record):
    """An answer is caught by ``detector`` where all its groups stand within ``window`` words of a sentence.

    ``answer``, ``question`` and ``unless`` name groups, ``a|b`` for either. The question must hold all of its
    groups anywhere, not said to be absent; one of ``unless`` near them voids the rule, and so does a negation
    shortly before the first of the answer's groups. ``reason`` says what the harm is.
    """

    id: str
    detector: str
    answer: tuple[str, ...]
    question: tuple[str, ...] = ()
    window: int
    unless: tuple[str, ...] = ()
    reason: str = ""


class Subject(Record):
    """What a text can be about: an organ, an illness, something else than health.

    Its ``words`` mean nothing else, ``hints`` may, and tell it of a question alone; ``near`` are subjects that an
    answer to a question of it may turn to.
    """

    words: tuple[str, ...]
    hints: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


class Dangers(Record):
    """Groups of phrases (as in the safety lexicon) by name, and the rules over them.

    ``topics`` are organs, illnesses and themes with their words, ``subjects`` those that tell an answer to another
    question; ``generic`` words stand in every answer and tell no topic, nor do ``wishes``, beside the lexicon's
    courtesies. ``headings`` name a part of an answer and say nothing. A person is one of ``names`` after one of
    ``titles``.
    """

    notice: str
    version: str
    groups: dict[str, tuple[str, ...]]
    topics: dict[str, tuple[str, ...]]
    subjects: dict[str, Subject] = {}
    generic: tuple[str, ...]
    wishes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    names: tuple[str, ...]
    titles: tuple[str, ...]
    rules: tuple[Rule, ...]


@cache
def dangers(language: Language) -> tuple[Dangers, str]:
    """A language's dangers, and the part of a metric's signature that names them.

    Raises:
        UserError: the file is missing or foreign, or a rule names a group that is not there.
    """
    language.demand(Part.DANGERS)
    path = language.folder / FILE
    found = validated(Dangers, read_json(path, _REMEDY), str(path), _REMEDY)
    for rule in found.rules:
        for name in (name for item in (*rule.answer, *rule.question, *rule.unless) for name in item.split("|")):
            if name not in found.groups:
                raise UserError(f"{path} rule {rule.id!r} names the group {name!r}, which is not there", _REMEDY)
    return found, f"dangers:{found.version}-{sha256_text(path.read_text(encoding='utf-8'))[:8]}"
