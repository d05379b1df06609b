"""What a complaint says, sorted for a decision: signs and what is said of them, values, time, who asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...languages import Language
from ...languages.phrases import Clitics
from ...languages.text import Profile, normalise, words
from ..sources.findings import Finding, Reading, Verdict
from .scale import Discriminator, Triage
from .times import TimeReader, Told
from .vitals import Measured, VitalReader

_NEAR = 4
"""Words around a sign in which a word such as "sudden" is said of it."""
_MONTH, _YEAR = 30.0, 365.0
_GONE = frozenset({"resolved", "somebody_else", "prevention"})
"""Modifiers of the lexicon that say a finding is not there now, or not in the person that is asked about."""


@dataclass
class Sign:
    """A discriminator that the words of a complaint name, and what is said of it."""

    discriminator: Discriminator
    words: str
    said: set[str]


@dataclass
class Facts:
    """All that a decision is made from. ``context`` holds the names of ``scale.CONTEXT`` that are true."""

    signs: dict[str, list[Sign]] = field(default_factory=lambda: defaultdict(list))
    values: list[tuple[Measured, str]] = field(default_factory=list)
    context: set[str] = field(default_factory=set)
    past: bool = False
    denied: bool = False
    knowledge: bool = False
    topic: bool = False
    complains: bool = False
    symptomless: bool = False
    hypothetical: bool = False


class FactReader:
    """Turns a reading of a complaint into facts."""

    def __init__(self, triage: Triage, language: Language, clitics: Clitics) -> None:
        self._times = TimeReader(triage.times, triage.numbers, language, clitics.cue_prefixes)
        self._vitals = VitalReader(triage.vitals, triage.times, self._times, language)
        self._scale = triage
        self._by_id = {each.id: each for each in triage.discriminators}
        self._of_entry: dict[str, list[Discriminator]] = defaultdict(list)
        for each in triage.discriminators:
            for entry in each.entries:
                self._of_entry[entry].append(each)
        self._ignored = frozenset(normalise(word, Profile.METRIC, language) for word in triage.ignored)
        self._marks = single_words(triage, language, clitics)

    def read(self, reading: Reading) -> Facts:
        """The facts of a complaint."""
        facts = Facts()
        told = [self._times.read(clause.words) for clause in reading.clauses]
        marks = self._marked(reading)
        self._context(facts, told, marks)
        for finding in reading.findings:
            self._finding(facts, finding, told, marks)
        for clause in reading.clauses:
            for measured in self._vitals.read(clause.words):
                facts.values.append((measured, " ".join(clause.words[measured.start : measured.end])))
                if measured.value < measured.vital.normal_below:
                    for name in measured.vital.cancels:
                        facts.signs.pop(name, None)
        return facts

    def _marked(self, reading: Reading) -> dict[str, list[tuple[int, int]]]:
        marks = {name: list(places) for name, places in reading.marks.items()}
        for number, clause in enumerate(reading.clauses):
            for at, word in enumerate(clause.words):
                for name in self._marks.get(word, ()):
                    marks.setdefault(name, []).append((number, at))
        return marks

    def _context(self, facts: Facts, told: list[Told], marks: Mapping[str, list[tuple[int, int]]]) -> None:
        context = facts.context
        context.update(name for name in ("question", "person", "sudden", "unbearable", "worse") if name in marks)
        facts.knowledge = "knowledge" in marks
        facts.topic = "topic" in marks or "body" in marks
        facts.complains = "complaint" in marks
        facts.symptomless = "no_symptoms" in marks
        facts.past = "over" in marks
        facts.hypothetical = "dead" in marks
        age = next((each.age for each in told if each.age is not None), None)
        month = next((each.month for each in told if each.month is not None), None)
        if age is not None:
            context.add("person")
            context.update(
                name
                for name, holds in (
                    ("under_3_months", age < 3 * _MONTH),
                    ("under_1_year", age < _YEAR),
                    ("child", age < 12 * _YEAR),
                    ("from_40", age >= 40 * _YEAR),
                    ("from_65", age >= 65 * _YEAR),
                )
                if holds
            )
        if "infant" in marks:
            context.update(("under_1_year", "child") if age is None else ())
        if "small_child" in marks and age is None:
            context.add("child")
        if "elder" in marks and age is None:
            context.update(("from_40", "from_65"))
        if month is not None:
            context.update(name for name, first in (("month_5_on", 5), ("month_6_on", 6)) if month >= first)
        since = [each.days for clause in told for each in clause.durations if not each.over]
        ago = [each.days for clause in told for each in clause.durations if each.over]
        limit = self._scale.times
        if "recent" in marks or any(days <= limit.acute_days for days in (*since, *ago)):
            context.add("acute")
        if "long" in marks or any(days >= limit.chronic_days for days in since):
            context.add("chronic")
        context.update(
            name
            for name, first in (("days_over_1", 1.5), ("days_over_3", 3))
            if any(days >= first for days in since)
        )

    def _finding(
        self, facts: Facts, finding: Finding, told: list[Told], marks: Mapping[str, list[tuple[int, int]]]
    ) -> None:
        if finding.verdict is Verdict.NEGATED:
            facts.denied = True
            return
        if finding.verdict is Verdict.COVERED:
            return
        if finding.words in self._ignored:
            return
        name = finding.entry.id
        known = self._by_id.get(name)
        discriminators = [known] if known else self._of_entry.get(name) or [self._default(finding)]
        gone = _GONE.intersection(finding.modifiers)
        # "For a long time" holds the words of "long ago".
        if gone and not (gone == {"resolved"} and "chronic" in finding.modifiers):
            facts.past = True
            if "prevention" in finding.modifiers:
                facts.knowledge = True
            # A diabetes of old is still there, and so is a pregnancy.
            discriminators = [each for each in discriminators if each.kind == "condition"]
        said = self._said(facts, finding, told, marks)
        for each in discriminators:
            facts.signs[each.id].append(Sign(each, finding.words, said))

    def _default(self, finding: Finding) -> Discriminator:
        kind = "red_flag" if finding.entry.red_flag else str(finding.entry.severity)
        return self._by_id[self._scale.defaults[kind]]

    def _said(
        self, facts: Facts, finding: Finding, told: list[Told], marks: Mapping[str, list[tuple[int, int]]]
    ) -> set[str]:
        said = {name for name in finding.modifiers if name in ("severe", "slight")}
        for name in ("sudden", "severe", "slight"):
            if any(
                clause == finding.clause and finding.start - _NEAR <= at <= finding.end + _NEAR
                for clause, at in marks.get(name, ())
            ):
                said.add(name)
        if "worse" in facts.context:
            said.add("worse")
        time = self._time(facts, finding, told)
        if "worse" in said and "acute" in facts.context:
            time = "acute"
        if time:
            said.add(time)
        if "sudden" in said and "chronic" not in said:
            said.add("acute")
        return said

    def _time(self, facts: Facts, finding: Finding, told: list[Told]) -> str:
        """``acute``, ``chronic`` or neither: by the nearest duration of the clause, else by the whole text."""
        if "chronic" in finding.modifiers:
            return "chronic"
        limit = self._scale.times
        # What was years ago tells nothing of what is now.
        near = [each for each in told[finding.clause].durations if not each.over or each.days < limit.chronic_days]
        if near:
            days = min(near, key=lambda each: min(abs(each.at - finding.start), abs(each.at - finding.end))).days
            if days <= limit.acute_days:
                return "acute"
            return "chronic" if days >= limit.chronic_days else ""
        if "acute" in facts.context:
            return "acute"
        return "chronic" if "chronic" in facts.context else ""


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
