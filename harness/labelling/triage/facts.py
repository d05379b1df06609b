"""What a complaint says, sorted for a decision: signs and what is said of them, values, time, who asks."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field

from ...languages import Language
from ...languages.clitics import Clitics
from ...languages.text import Profile, normalise, words
from ..sources.findings import Finding, Reading, Verdict
from ..sources.lexicon import Sign as SignEntry
from .scale import Discriminator, Triage
from .times import Duration, TimeReader, Told
from .vitals import Measured, VitalReader

_NEAR = 4
"""Words around a sign in which a word such as "sudden" is said of it."""
_MONTH, _YEAR = 30.0, 365.0
_GONE = frozenset({"resolved", "somebody_else", "prevention"})
"""Modifiers of the lexicon that say a finding is not there now, or not in the person that is asked about."""


# Of the module: an enumeration's members cost more to look up, and every finding is asked.
_FIRES, _NEGATED = Verdict.FIRES, Verdict.NEGATED
_STRENGTHS = frozenset({"severe", "slight"})
_SAID_NEAR = ("sudden", "severe", "slight")
_WHOLE_TEXT = frozenset({"question", "person", "sudden", "unbearable", "worse"})
"""Marks that are said of the whole text; those of ``_SAID_NEAR`` are said of the signs around them."""
_AGE_MARKS = {"infant": ("under_1_year", "child"), "small_child": ("child",), "elder": ("from_40", "from_65")}
"""What words such as "baby" tell where no age is said."""
_LONGER = {"days_over_1": 1.5, "days_over_3": 3.01, "days_over_10": 10.0}
_TODAY = 0.5
"""Days of a word such as "yesterday": beside a sign it counts, and not the years that are told elsewhere."""
Places = dict[str, list[tuple[int, int]]]
"""Marks by name: the clause and the word of each."""


@dataclass(slots=True)
class _Around:
    """What is said around signs: durations that count, by clause, and the marks of ``_SAID_NEAR``.

    ``plain`` is what is said of a sign that has none of them beside it, once it is asked for.
    """

    durations: list[list[Duration]]
    marks: list[tuple[str, list[tuple[int, int]]]]
    plain: set[str] | None = None


@dataclass(slots=True)
class Sign:
    """A discriminator that the words of a complaint name, and what is said of it."""

    discriminator: Discriminator
    words: str
    said: set[str]


@dataclass(slots=True)
class Facts:
    """All that a decision is made from.

    ``context`` holds the names of ``scale.CONTEXT`` that are true, ``words`` counts the words of the text.
    """

    signs: dict[str, list[Sign]] = field(default_factory=dict)
    values: list[tuple[Measured, str]] = field(default_factory=list)
    context: set[str] = field(default_factory=set)
    past: bool = False
    now: bool = False
    denied: bool = False
    knowledge: bool = False
    topic: bool = False
    complains: bool = False
    symptomless: bool = False
    hypothetical: bool = False
    words: int = 0


class FactReader:
    """Turns a reading of a complaint into facts."""

    def __init__(self, triage: Triage, language: Language, clitics: Clitics) -> None:
        self._times = TimeReader(triage.times, triage.numbers, language, clitics.cue_prefixes)
        self._vitals = VitalReader(triage, self._times, language, clitics)
        self._scale = triage
        self._by_id = {each.id: each for each in triage.discriminators}
        self._of_sign = {each.id: [each] for each in triage.discriminators}
        self._of_entry: dict[str, list[Discriminator]] = defaultdict(list)
        for each in triage.discriminators:
            for entry in each.entries:
                self._of_entry[entry].append(each)
        self._ignored = frozenset(normalise(word, Profile.METRIC, language) for word in triage.ignored)
        self._marks = single_words(triage, language, clitics)
        self._not_after = {
            name: frozenset(words(" ".join(before), Profile.METRIC, language))
            for name, before in triage.not_after.items()
        }
        self._heard = frozenset().union(self._times.heard, self._vitals.heard, self._marks)

    def read(self, reading: Reading) -> Facts:
        """The facts of a complaint."""
        facts = Facts(words=sum([len(clause.words) for clause in reading.clauses]))
        # The words of each clause that any reader knows, looked for once.
        heard = self._heard
        places = [[at for at, word in enumerate(clause.words) if word in heard] for clause in reading.clauses]
        told = [self._times.read(clause.words, near) for clause, near in zip(reading.clauses, places, strict=True)]
        marks = self._marked(reading, places)
        self._context(facts, told, marks)
        around = self._around(told, marks)
        for finding in reading.findings:
            verdict = finding.verdict
            if verdict is _NEGATED:
                facts.denied = True
            elif verdict is _FIRES and finding.words not in self._ignored:
                self._finding(facts, finding, around)
        for clause, near in zip(reading.clauses, places, strict=True):
            for measured in self._vitals.read(clause.words, near) if near else ():
                facts.values.append((measured, " ".join(clause.words[measured.start : measured.end])))
                if measured.value < measured.vital.normal_below:
                    for name in measured.vital.cancels:
                        facts.signs.pop(name, None)
        return facts

    def _marked(self, reading: Reading, places: list[list[int]]) -> Places:
        marks, names_of, not_after = reading.marks, self._marks, self._not_after
        for number, near in enumerate(places):
            said = reading.clauses[number].words
            for at in near:
                for name in names_of.get(said[at], ()):
                    if not at or name not in not_after or said[at - 1] not in not_after[name]:
                        marks.setdefault(name, []).append((number, at))
        return marks

    def _around(self, told: list[Told], marks: Places) -> _Around:
        limit = self._scale.times.chronic_days
        # What was years ago tells nothing of what is now.
        durations = [
            [each for each in one.durations if not each.over or each.days < limit] if one.durations else []
            for one in told
        ]
        for number, at in marks.get("today", ()):
            insort(durations[number], Duration(at, _TODAY, over=False), key=lambda each: each.at)
        return _Around(durations, [(name, marks[name]) for name in _SAID_NEAR if name in marks])

    def _context(self, facts: Facts, told: list[Told], marks: Places) -> None:
        context = facts.context
        context.update([name for name in marks if name in _WHOLE_TEXT])
        facts.knowledge = "knowledge" in marks
        facts.topic = "topic" in marks or "body" in marks
        facts.complains = "complaint" in marks
        facts.symptomless = "no_symptoms" in marks
        facts.past = "over" in marks
        facts.now = "recent" in marks or "today" in marks
        facts.hypothetical = "dead" in marks
        age = month = None
        durations = []
        for one in told:
            age = one.age if age is None else age
            month = one.month if month is None else month
            durations += one.durations
        if age is not None:
            context.update(_of_age(age))
        else:
            for name, meant in _AGE_MARKS.items():
                if name in marks:
                    context.update(meant)
        if month is not None:
            context.update(name for name, first in (("month_5_on", 5), ("month_6_on", 6)) if month >= first)
        limit = self._scale.times
        longest = 0.0
        if durations:
            longest = max([each.days for each in durations if not each.over], default=0.0)
        if facts.now or (durations and min([each.days for each in durations]) <= limit.acute_days):
            context.add("acute")
        if "long" in marks or longest >= limit.chronic_days:
            context.add("chronic")
        if longest:
            context.update([name for name, days in _LONGER.items() if longest >= days])

    def _finding(self, facts: Facts, finding: Finding, around: _Around) -> None:
        name = finding.entry.id
        if type(finding.entry) is SignEntry:
            discriminators = self._of_sign[name]
        elif name in self._of_entry:
            discriminators = self._of_entry[name]
        else:
            discriminators = self._of_entry[name] = [self._default(finding)]
        if finding.modifiers:
            gone = _GONE.intersection(finding.modifiers)
            # "For a long time" holds the words of "long ago"; what was a danger some days ago is none that is over.
            if gone and not (gone == {"resolved"} and self._still(facts, finding, discriminators, around)):
                facts.past = True
                if "prevention" in gone:
                    facts.knowledge = True
                # A diabetes of old is still there, and so is a pregnancy.
                discriminators = [each for each in discriminators if each.kind == "condition"]
        said = self._said(facts, finding, around)
        signs = facts.signs
        for each in discriminators:
            sign = Sign(each, finding.words, said)
            if each.id in signs:
                signs[each.id].append(sign)
            else:
                signs[each.id] = [sign]

    def _still(self, facts: Facts, finding: Finding, named: list[Discriminator], around: _Around) -> bool:
        if "chronic" in finding.modifiers:
            return True
        limit = self._scale.times.chronic_days
        near = [each.days for durations in around.durations for each in durations]
        return not facts.past and bool(near) and max(near) < limit and any(each.level <= 2 for each in named)

    def _default(self, finding: Finding) -> Discriminator:
        kind = "red_flag" if finding.entry.red_flag else str(finding.entry.severity)
        return self._by_id[self._scale.defaults[kind]]

    def _said(self, facts: Facts, finding: Finding, around: _Around) -> set[str]:
        if not (finding.modifiers or around.marks or around.durations[finding.clause]):
            # Nothing is said of it but what is said of the whole text: most findings.
            if around.plain is None:
                around.plain = self._with_time(facts, set(), self._time(facts, finding, around))
            return around.plain
        said = set(_STRENGTHS.intersection(finding.modifiers)) if finding.modifiers else set()
        first, last = (finding.clause, finding.start - _NEAR), (finding.clause, finding.end + _NEAR)
        for name, places in around.marks:
            if any(first <= place <= last for place in places):
                said.add(name)
        return self._with_time(facts, said, self._time(facts, finding, around))

    @staticmethod
    def _with_time(facts: Facts, said: set[str], time: str) -> set[str]:
        if "worse" in facts.context:
            said.add("worse")
            time = "acute" if "acute" in facts.context else time
        if time:
            said.add(time)
        if "sudden" in said and "chronic" not in said:
            said.add("acute")
        return said

    def _time(self, facts: Facts, finding: Finding, around: _Around) -> str:
        """``acute``, ``chronic`` or neither: by the nearest duration of the clause, else by the whole text."""
        if "chronic" in finding.modifiers:
            return "chronic"
        near = around.durations[finding.clause]
        if near:
            limit = self._scale.times
            days = near[0].days if len(near) == 1 else _nearest(near, finding)
            if days <= limit.acute_days:
                return "acute"
            return "chronic" if days >= limit.chronic_days else ""
        if "acute" in facts.context:
            return "acute"
        return "chronic" if "chronic" in facts.context else ""


def _nearest(durations: list[Duration], finding: Finding) -> float:
    """The days of that of several durations, in order, which stands next to a finding."""
    after = bisect_left(durations, finding.start, key=lambda each: each.at)
    beside = durations[max(0, after - 1) : after + 2]
    return min(beside, key=lambda each: min(abs(each.at - finding.start), abs(each.at - finding.end))).days


_BELOW = (("under_3_months", 3 * _MONTH), ("under_1_year", _YEAR), ("child", 12 * _YEAR))
_FROM = (("from_40", 40 * _YEAR), ("from_65", 65 * _YEAR))


def _of_age(days: float) -> list[str]:
    """What follows from an age in days."""
    below = [name for name, limit in _BELOW if days < limit]
    return ["person", *below, *[name for name, limit in _FROM if days >= limit]]


_OF_THINGS = ("topic", "body", "complaint")
"""Marks that are nouns: they stand with articles, prepositions and endings too."""


def single_words(triage: Triage, language: Language, clitics: Clitics) -> dict[str, tuple[str, ...]]:
    """The marks of single words, in all forms that they are written in: a look-up instead of a search."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    nobodys = frozenset(words(" ".join(triage.not_possessive), Profile.METRIC, language))
    written = {alone: before for before, alone in language.before_suffix.items()}
    for name, phrases in triage.marks.items():
        prefixes = ("", *(clitics.prefixes if name in _OF_THINGS else clitics.cue_prefixes))
        for phrase in phrases:
            parts = words(phrase, Profile.METRIC, language)
            if len(parts) != 1 or {"*", "|"} & set(phrase):
                continue
            stem = parts[0]
            for prefix in prefixes:
                found[prefix + stem][name] = None
            if name != "body":
                continue
            stem = stem[:-1] + written.get(stem[-1], stem[-1])
            for ending in triage.possessive:
                marked = ("body",) if stem + ending in nobodys else ("body", "person")
                for prefix in prefixes:
                    found[prefix + stem + ending].update(dict.fromkeys(marked))
    return {word: tuple(names) for word, names in found.items()}


def phrases_of_marks(triage: Triage, language: Language) -> dict[str, list[str]]:
    """The marks of several words, by name."""
    return {
        name: [
            phrase
            for phrase in phrases
            if len(words(phrase, Profile.METRIC, language)) > 1 or {"*", "|"} & set(phrase)
        ]
        for name, phrases in triage.marks.items()
    }
