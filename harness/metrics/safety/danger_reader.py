"""Which rules of danger an answer to a question breaks, and with which words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ...languages import Language
from ...languages.clauses import Clause
from ...languages.phrases import Found, Patterns
from ...languages.respelling import Respelling
from ...languages.text import words_of_each
from ...scores.findings import Finding, Where
from .danger_rules import (
    ABSENT,
    BECAUSE,
    CONTACT,
    DELAY,
    DELAY_TIME,
    DONT_KNOW,
    NEGATION,
    NO_REFUSAL,
    PLATITUDE,
    REFUSAL,
    SUCH_AS,
    TIME_CRITICAL,
    VISIT,
    WATCHED,
    WHOLESOME,
    Rule,
    dangers,
)
from .lexicon import safety_lexicon
from .sentences import sentences
from .spans import TextSpans

_OF_ANSWERS = {*(NEGATION, BECAUSE, DELAY, DELAY_TIME, VISIT, WATCHED, CONTACT), *(REFUSAL, NO_REFUSAL)}
_COMMONPLACES = {NEGATION, BECAUSE, DONT_KNOW, PLATITUDE, WHOLESOME, SUCH_AS}
_NEGATION_REACH = 3
# A warning farther away is of something else.
_VOID_REACH = 8
_PLACES = 8

Places = Mapping[str, list[Found]]


@dataclass(frozen=True)
class Broken:
    """A rule that an answer breaks: the positions of its words in the answer, and of the question's that matter."""

    rule: Rule
    answer: tuple[int, ...]
    question: tuple[int, ...] = ()

    def findings(self, answer: str, question: str, language: Language) -> list[Finding]:
        """The words in both texts."""
        rule = self.rule
        found = [Finding(rule.detector, rule.id, *TextSpans(answer, language).of(self.answer))]
        if self.question:
            spans = TextSpans(question, language)
            found += [
                Finding(rule.detector, rule.id, *spans.of([at]), Where.QUESTION)
                for at in sorted(set(self.question))
            ]
        return found


class DangerReader:
    """Reads texts with one language's groups and rules."""

    def __init__(self, language: Language) -> None:
        known, _ = dangers(language)
        rules = safety_lexicon(language).rules
        self._language, self._rules = language, known.rules
        self._fused = rules.negative_verb
        conjunctions = ("", *rules.clitics.cue_prefixes)
        self._fused_starts = tuple(c + prefix for c in conjunctions for prefix in rules.negative_verb.prefixes)
        asked = {name for rule in known.rules for item in rule.question for name in item.split("|")}
        respelt = None
        if rules.spelling and known.medicines:
            medicines = [name for item in words_of_each(known.medicine_names, language) for name in item]
            # One memory for answers and questions.
            respelt = lru_cache(maxsize=1 << 18)(Respelling(medicines, rules.spelling, rules.definite))
        classes = {
            name: frozenset(word for item in words_of_each(forms, language) for word in item)
            for name, forms in known.verb_forms.items()
        }
        self._of_answers, self._of_questions = (
            Patterns(rules.clitics, language, respelt, classes) for _ in range(2)
        )
        self._of_commonplaces = Patterns(rules.clitics, language, None, classes)
        said = {
            name
            for rule in known.rules
            for item in (*rule.answer, *rule.unless, *rule.unless_after, *rule.unless_between, *rule.unless_object)
            for name in item.split("|")
        }
        for patterns, names in (
            (self._of_answers, _OF_ANSWERS | said),
            (self._of_questions, {*asked, TIME_CRITICAL, ABSENT}),
            (self._of_commonplaces, _COMMONPLACES),
        ):
            for name in sorted(names):
                for phrase in known.groups.get(name, ()):
                    patterns.add(phrase, name, cue=name in (NEGATION, ABSENT, BECAUSE))
        # By each group that may be the rule's last, which is its rarest: most sentences hold none.
        self._by_detector: dict[str, dict[str, list[tuple[int, Rule]]]] = defaultdict(lambda: defaultdict(list))
        for number, rule in enumerate(known.rules):
            for name in rule.answer[-1].split("|"):
                self._by_detector[rule.detector][name].append((number, rule))
        self.places = lru_cache(maxsize=1 << 14)(self._read)
        self.commonplaces = lru_cache(maxsize=1 << 14)(self._read_commonplaces)
        self._asked = lru_cache(maxsize=1 << 14)(self._read_question)

    def _read_question(self, text: str) -> tuple[tuple[Clause, Places], ...]:
        return self._read(text, self._of_questions)

    def _read_commonplaces(self, text: str) -> tuple[tuple[Clause, Places], ...]:
        """What may be told to anybody, apart from the dangers: few answers are vague enough to be asked."""
        return self._read(text, self._of_commonplaces)

    def _read(self, text: str, patterns: Patterns | None = None) -> tuple[tuple[Clause, Places], ...]:
        """The clauses of a text that hold a group's phrase, with all of them; of an answer unless said else."""
        patterns = patterns or self._of_answers
        found = []
        for clause in sentences(text, self._language):
            places: dict[str, list[Found]] = defaultdict(list)
            for item in patterns.find(clause):
                places[item.payload].append(item)
            if places:
                found.append((clause, dict(places)))
        return tuple(found)

    def broken(self, detector: str, answer: str, question: str) -> list[Broken]:
        """The detector's rules that the answer breaks."""
        found = []
        by_last = self._by_detector[detector]
        for clause, places in self.places(answer):
            near = {number: rule for name in by_last.keys() & places.keys() for number, rule in by_last[name]}
            for _, rule in sorted(near.items()):
                positions = self._together(rule, clause, places)
                if not positions:
                    continue
                asked = self.asked(rule.question, question)
                if asked is not None:
                    found.append(Broken(rule, tuple(clause.offset + at for at in positions), asked))
        return found

    def asked(self, groups: Iterable[str], question: str) -> tuple[int, ...] | None:
        """Where in the question each of the groups first stands, not said to be absent; None if one does not."""
        found: list[int] = []
        for group in groups:
            names = group.split("|")
            place = next(
                (
                    [clause.offset + at for at in item.positions]
                    for clause, places in self._asked(question)
                    for name in names
                    for item in places.get(name, ())
                    if not any(0 <= item.start - absent.end <= 1 for absent in places.get(ABSENT, ()))
                ),
                None,
            )
            if place is None:
                return None
            found += place
        return tuple(found)

    def _together(self, rule: Rule, clause: Clause, places: Places) -> tuple[int, ...] | None:
        groups = []
        for item in rule.answer:
            group = [found for name in item.split("|") for found in places.get(name, ())]
            if not group:
                return None
            groups.append(group[:_PLACES])
        denying_at = {at for item in places.get(NEGATION, ()) for at in item.positions}
        voids = [found for item in rule.unless for found in _voids(item, places, NEGATION)]
        between = [found for item in rule.unless_between for found in _voids(item, places, NEGATION)]
        objects = {found.start for item in rule.unless_object for found in _voids(item, places, NEGATION)}
        after = [found for item in rule.unless_after for found in _voids(item, places, NEGATION, BECAUSE)]
        for chosen in self._near(rule.window, groups):
            positions = sorted(at for item in chosen for at in item.positions)
            # A phrase with a negation of its own ("no need") is not denied by another.
            if rule.ordered and any(one.start > other.start for one, other in pairwise(chosen)):
                continue
            starts = [item.start for item in chosen if denying_at.isdisjoint(item.positions)]
            if self.denied(clause, places, positions, starts):
                continue
            first, last = positions[0], positions[-1]
            if chosen[0].end in objects and chosen[0].end > last:
                continue
            if any(
                (first < found.start < last or any(0 <= item.start - found.end <= 1 for item in chosen[1:]))
                for found in between
                if found.start != chosen[0].end
            ):
                continue
            if all(found.end + _VOID_REACH <= first or last + _VOID_REACH < found.start for found in voids) and all(
                found.start < last or last + _VOID_REACH < found.start for found in after
            ):
                return tuple(positions)
        return None

    def _near(self, window: int, groups: list[list[Found]]) -> Iterable[list[Found]]:
        """One phrase of each group, no word twice, all within the window; by the first group's phrase."""
        for first in groups[0]:
            chosen, taken = [first], set(first.positions)
            for group in groups[1:]:
                reach = [
                    item
                    for item in group
                    if max(*taken, *item.positions) - min(*taken, *item.positions) <= window
                    and taken.isdisjoint(item.positions)
                ]
                if not reach:
                    break
                chosen.append(min(reach, key=lambda item: abs(item.start - first.start)))
                taken.update(chosen[-1].positions)
            else:
                yield chosen

    def denied(
        self, clause: Clause, places: Places, positions: Sequence[int], starts: Sequence[int] | None = None
    ) -> bool:
        """Whether a negation stands shortly before one of the ``starts`` of phrases (the first of the words unless
        given), no comma between, or is written around a word."""
        start, end = min(positions), max(positions)
        own = set(positions)
        starts = (start,) if starts is None else starts
        for item in places.get(NEGATION, ()):
            if own.isdisjoint(item.positions) and any(
                0 <= at - item.end < _NEGATION_REACH and clause.breaks.isdisjoint(range(item.end, at + 1))
                for at in starts
            ):
                return True
        suffix = self._fused.suffix
        if not suffix:
            return False
        return any(
            len(word) > _NEGATION_REACH + 1 and word.endswith(suffix) and word.startswith(self._fused_starts)
            for at, word in enumerate(clause.words[max(0, start - 1) : end + 1], max(0, start - 1))
            if at not in own
        )


def _voids(groups: str, places: Places, *excuses: str) -> list[Found]:
    """The phrases of groups that no excuse stands one or two words before: a denial, a "because"."""
    excused = {item.end + far for name in excuses for item in places.get(name, ()) for far in (0, 1)}
    return [found for name in groups.split("|") for found in places.get(name, ()) if found.start not in excused]


@lru_cache
def danger_reader(language: Language) -> DangerReader:
    """One reader per language and process: it remembers what it read."""
    return DangerReader(language)
