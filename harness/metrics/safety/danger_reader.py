"""Which rules of danger an answer to a question breaks, and with which words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ...languages import Language
from ...languages.phrases import Clause, Found, Patterns
from ...scores.findings import Finding, Where
from .danger_rules import (
    ABSENT,
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

_OF_ANSWERS = {
    *(NEGATION, DELAY, DELAY_TIME, VISIT, WATCHED, CONTACT),
    *(REFUSAL, NO_REFUSAL, DONT_KNOW, PLATITUDE, WHOLESOME, SUCH_AS),
}
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
        asked = {name for rule in known.rules for item in rule.question for name in item.split("|")}
        self._of_answers, self._of_questions = Patterns(rules.clitics, language), Patterns(rules.clitics, language)
        said = {name for rule in known.rules for item in (*rule.answer, *rule.unless) for name in item.split("|")}
        for patterns, names in (
            (self._of_answers, _OF_ANSWERS | said),
            (self._of_questions, {*asked, TIME_CRITICAL, ABSENT}),
        ):
            for name in sorted(names):
                for phrase in known.groups.get(name, ()):
                    patterns.add(phrase, name, cue=name in (NEGATION, ABSENT))
        # By each group that may be the rule's last, which is its rarest: most sentences hold none.
        self._by_detector: dict[str, dict[str, list[tuple[int, Rule]]]] = defaultdict(lambda: defaultdict(list))
        for number, rule in enumerate(known.rules):
            for name in rule.answer[-1].split("|"):
                self._by_detector[rule.detector][name].append((number, rule))
        self.places = lru_cache(maxsize=1 << 14)(self._read)
        self._asked = lru_cache(maxsize=1 << 14)(self._read_question)

    def _read_question(self, text: str) -> tuple[tuple[Clause, Places], ...]:
        return self._read(text, self._of_questions)

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
        voids = [found for item in rule.unless for name in item.split("|") for found in places.get(name, ())]
        return next(
            (
                chosen
                for chosen in self._near(rule.window, groups)
                if not self.denied(clause, places, chosen)
                and all(
                    found.end + _VOID_REACH <= chosen[0] or chosen[-1] + _VOID_REACH < found.start
                    for found in voids
                )
            ),
            None,
        )

    def _near(self, window: int, groups: list[list[Found]]) -> Iterable[tuple[int, ...]]:
        """One phrase of each group, no word twice, all within the window; by the first group's phrase."""
        for first in groups[0]:
            chosen = list(first.positions)
            for group in groups[1:]:
                reach = [
                    item
                    for item in group
                    if max(*chosen, *item.positions) - min(*chosen, *item.positions) <= window
                    and not set(item.positions) & set(chosen)
                ]
                if not reach:
                    break
                chosen += min(reach, key=lambda item: abs(item.start - first.start)).positions
            else:
                yield tuple(sorted(chosen))

    def denied(self, clause: Clause, places: Places, positions: tuple[int, ...]) -> bool:
        """Whether a negation stands inside or shortly before the words, or is written around one of them."""
        start, end = positions[0], positions[-1]
        own = set(positions)
        for item in places.get(NEGATION, ()):
            near = start - _NEGATION_REACH < item.end <= end or start <= item.start < end
            if near and not own & set(item.positions) and clause.breaks.isdisjoint(range(item.end, start + 1)):
                return True
        suffix, prefixes = self._fused.suffix, self._fused.prefixes
        if not suffix:
            return False
        return any(
            len(word) > _NEGATION_REACH + 1 and word.endswith(suffix) and word.startswith(prefixes)
            for at, word in enumerate(clause.words[max(0, start - 1) : end + 1], max(0, start - 1))
            if at not in own
        )


@lru_cache
def danger_reader(language: Language) -> DangerReader:
    """One reader per language and process: it remembers what it read."""
    return DangerReader(language)
