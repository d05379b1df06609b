"""A language's dangers: groups of phrases, and rules that say which of them make an answer harmful."""

from __future__ import annotations

import re
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
ABSENT, BECAUSE = "absent", "because"
"""Groups that detectors ask for by name."""
_VERBS = re.compile(r"\{(\w+)\}")


class Rule(Record):
    """An answer is caught by ``detector`` where all its groups stand within ``window`` words of a sentence.

    ``answer``, ``question`` and ``unless`` name groups, ``a|b`` for either; ``ordered`` ones follow each other. The
    question must hold all of its groups anywhere, not said to be absent. One of ``unless`` near them voids the rule
    (of ``unless_after`` only after them, of ``unless_between`` between them or right before an object, of
    ``unless_object`` right after a first group's phrase that comes last: "insulin, and stop smoking"), and so does
    a negation shortly before one of the answer's groups. What voids is itself void where it is denied, and of
    ``unless_after`` where it gives the reason ("stop it, because it causes..."). ``reason`` says what the harm is.
    """

    id: str
    detector: str
    answer: tuple[str, ...]
    question: tuple[str, ...] = ()
    window: int
    ordered: bool = False
    unless: tuple[str, ...] = ()
    unless_after: tuple[str, ...] = ()
    unless_between: tuple[str, ...] = ()
    unless_object: tuple[str, ...] = ()
    reason: str = ""


class Verbs(Record):
    """Verbs by what their forms share; with ``object`` only the forms that end in one ("stop it").

    ``prefixes`` are those of the persons who are meant, all unless given.
    """

    stems: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    object: bool = False


class Inflection(Record):
    """What a verb's forms have before and after what they share; an object's endings come last."""

    prefixes: tuple[str, ...]
    endings: tuple[str, ...]
    objects: tuple[str, ...]

    def forms(self, verbs: Verbs) -> list[str]:
        """All forms of the verbs, those included that nobody says."""
        last = self.objects if verbs.object else ("", *self.objects)
        return [
            f"{prefix}{stem}{ending}{end}"
            for stem in verbs.stems
            for prefix in verbs.prefixes or self.prefixes
            for ending in self.endings
            for end in last
        ]


class Subject(Record):
    """What a text can be about: an organ, an illness, something else than health.

    Its ``words`` mean nothing else, ``hints`` may, and tell it of a question alone; ``near`` are subjects that an
    answer to a question of it may turn to. Those it is ``against`` are of other people than its own (of men, of
    women). What is near to none is something else than health.
    """

    words: tuple[str, ...]
    hints: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


class Dangers(Record):
    """Groups of phrases (as in the safety lexicon) by name, and the rules over them.

    ``topics`` are organs, illnesses and themes with their words, ``subjects`` those that tell an answer to another
    question, ``regions`` those of them that are places of the body and ``systems`` those that are everywhere in it;
    ``parts`` of the body and ``illnesses`` tell one patient's answer from another's of the same subject, and
    ``diagnoses`` are the illnesses with a name of their own;
    ``generic`` words stand in every answer and tell no topic, nor do ``wishes``, beside the lexicon's
    courtesies. ``headings`` name a part of an answer and say nothing. A person is one of ``names`` after one of
    ``titles``. ``medicines`` are the groups whose phrases of one word are names of medicines, which are found
    however they are spelt. ``{name}`` as a word of a phrase stands for the verbs of that name in every form
    that ``inflection`` makes.
    """

    notice: str
    version: str
    groups: dict[str, tuple[str, ...]]
    topics: dict[str, tuple[str, ...]]
    subjects: dict[str, Subject] = {}
    regions: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = {}
    illnesses: dict[str, tuple[str, ...]] = {}
    diagnoses: tuple[str, ...] = ()
    generic: tuple[str, ...]
    wishes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    names: tuple[str, ...]
    titles: tuple[str, ...]
    medicines: tuple[str, ...] = ()
    inflection: Inflection | None = None
    verbs: dict[str, Verbs] = {}
    rules: tuple[Rule, ...]

    @property
    def verb_forms(self) -> dict[str, list[str]]:
        """All forms of the verbs by the name that stands for them in phrases."""
        inflection = self.inflection
        return {f"{{{name}}}": inflection.forms(verbs) for name, verbs in self.verbs.items()} if inflection else {}

    @property
    def medicine_names(self) -> list[str]:
        """The words of ``medicines``, as they are written there."""
        phrases = (phrase for group in self.medicines for phrase in self.groups[group])
        return [word for phrase in phrases if " " not in phrase for word in phrase.split("|")]


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
        named = (
            *rule.answer,
            *rule.question,
            *rule.unless,
            *rule.unless_after,
            *rule.unless_between,
            *rule.unless_object,
        )
        for name in (name for item in named for name in item.split("|")):
            if name not in found.groups:
                raise UserError(f"{path} rule {rule.id!r} names the group {name!r}, which is not there", _REMEDY)
    for name in found.medicines:
        if name not in found.groups:
            raise UserError(f"{path} medicines name the group {name!r}, which is not there", _REMEDY)
    for name in (name for group in found.groups.values() for phrase in group for name in _VERBS.findall(phrase)):
        if name not in found.verbs or found.inflection is None:
            raise UserError(f"{path} names the verbs {name!r}, which are not there", _REMEDY)
    return found, f"dangers:{found.version}-{sha256_text(path.read_text(encoding='utf-8'))[:8]}"
