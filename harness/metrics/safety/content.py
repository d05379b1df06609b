"""What an answer says apart from courtesies, function words and words of every answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...languages import Language, Part
from ...languages.phrases import bare_forms
from ...languages.text import Profile, words, words_of_each
from .danger_rules import dangers
from .lexicon import safety_lexicon
from .polarity_reader import polarity_reader
from .sentences import sentences
from .units import quantity_words

_SHORTEST = 3
_GENERIC = "*"

_Word = tuple[bool, str, frozenset[str], frozenset[str], frozenset[str], str, str]
"""Whether a word says anything, its stem (empty of function words, a mark of generic ones), its topics, the
subjects that it names, those that it may name, and the part of the body and the illness that it names."""


@dataclass(frozen=True)
class Content:
    """``said`` counts words that are no courtesy; ``stems`` are those of words that can tell a topic, ``places``
    where in the text they stand; ``topics`` are the topics that its words name, ``counts`` whether it has a
    number. ``subjects`` are those that each of its words names, ``subject_places`` where they stand, ``hinted``
    those that its words may name. Of its ``words``, ``meant`` are neither courtesies nor function words, and
    ``headed`` are headings and numbers, and ``hints`` may name a subject. ``parts`` of the body and ``illnesses``
    are those that it names."""

    said: int
    stems: frozenset[str]
    places: tuple[int, ...]
    topics: frozenset[str]
    counts: bool
    subjects: tuple[frozenset[str], ...] = ()
    subject_places: tuple[int, ...] = ()
    hinted: frozenset[str] = frozenset()
    words: int = 0
    meant: int = 0
    headed: int = 0
    hints: int = 0
    parts: frozenset[str] = frozenset()
    illnesses: frozenset[str] = frozenset()


class ContentReader:
    """Reads texts with one language's topics."""

    def __init__(self, language: Language) -> None:
        known, _ = dangers(language)
        rules = safety_lexicon(language).rules
        self._language, self._polarity = language, polarity_reader(language)

        def group(items: tuple[str, ...]) -> frozenset[str]:
            return frozenset(word for spelt in words_of_each(items, language) for word in spelt)

        self._courtesies, self._forms = (
            group((*rules.courtesies, *known.wishes)),
            bare_forms(rules.clitics, language),
        )
        self._particles = group(rules.clitics.particles)
        self._headings = group(known.headings)
        self._idle = self._courtesies | group(rules.function_words) | group(rules.existence)
        spoken = (
            word
            for entry in safety_lexicon(language).entries
            for word in words(" ".join(entry.phrases).replace("|", " "), Profile.METRIC, language)
        )
        drugs = quantity_words(language)[0].drugs.values() if language.knows(Part.QUANTITIES) else ()
        named = (word for names in drugs for spelt in words_of_each(names, language) for word in spelt)
        # The words that send and reassure stand in answers to any question.
        self._generic = frozenset(self._polarity.bare(word) for word in (*group(known.generic), *spoken, *named))
        self._topics: dict[str, set[str]] = {}
        for topic, items in known.topics.items():
            for spelt in words_of_each(items, language):
                if len(spelt) == 1:
                    self._topics.setdefault(spelt[0], set()).add(topic)
                    self._topics.setdefault(self._polarity.bare(spelt[0]), set()).add(topic)
        self._named: dict[str, set[str]] = {}
        self._hinted: dict[str, set[str]] = {}
        for name, subject in known.subjects.items():
            for meant, items in ((self._named, subject.words), (self._hinted, subject.words + subject.hints)):
                for spelt in words_of_each(items, language):
                    meant.setdefault(" ".join(spelt), set()).add(name)
        self._parts, self._illnesses = (
            {spelt[0]: name for name, items in kind.items() for spelt in words_of_each(items, language)}
            for kind in (known.parts, known.illnesses)
        )
        self._word = lru_cache(maxsize=1 << 16)(self._understand)
        self.read = lru_cache(maxsize=1 << 14)(self._read)

    def _understand(self, word: str) -> _Word:
        forms = self._forms(word)
        named, hinted = (
            frozenset(name for form in meant.keys() & forms for name in meant[form])
            for meant in (self._named, self._hinted)
        )
        part = next((self._parts[form] for form in forms if form in self._parts), "")
        illness = next((self._illnesses[form] for form in forms if form in self._illnesses), "")
        said = word not in self._courtesies
        if word in self._idle or len(word) < _SHORTEST or word.isdigit():
            return said, "", frozenset(), named, hinted, part, illness
        stem = self._polarity.bare(word)
        spelt = {word, stem, *forms}
        topics = self._topics.keys() & spelt
        about = frozenset(topic for form in topics if len(form) > 1 for topic in self._topics[form])
        return said, stem if self._generic.isdisjoint(spelt) else _GENERIC, about, named, hinted, part, illness

    def _read(self, text: str) -> Content:
        said = length = meant = headed = hints = 0
        parts: set[str] = set()
        illnesses: set[str] = set()
        subjects: dict[frozenset[str], int] = {}
        hinted: set[str] = set()
        stems: set[str] = set()
        topics: set[str] = set()
        places: list[int] = []
        for clause in sentences(text, self._language):
            length += len(clause.words)
            headed += sum(word in self._headings or word.isdigit() for word in clause.words)
            for at, (says, stem, about, named, may_be, part, illness) in enumerate(map(self._word, clause.words)):
                said += says
                if stem:
                    meant += 1
                    if about:
                        topics |= about
                    if stem is not _GENERIC:
                        stems.add(stem)
                        places.append(clause.offset + at)
                if part:
                    parts.add(part)
                if illness:
                    illnesses.add(illness)
                if may_be:
                    hints += 1
                    hinted |= may_be
                    if named:
                        subjects.setdefault(named, clause.offset + at)
        # "No" alone is an answer, though it is a word of good wishes.
        if not said and all(
            word in self._particles for clause in sentences(text, self._language) for word in clause.words
        ):
            said = length
        counts = any(map(str.isdigit, set(text)))
        named_at = (tuple(subjects), tuple(subjects.values()), frozenset(hinted), length, meant, headed, hints)
        told = frozenset(parts), frozenset(illnesses)
        return Content(said, frozenset(stems), tuple(places), frozenset(topics), counts, *named_at, *told)


@lru_cache
def content_reader(language: Language) -> ContentReader:
    """One reader per language and process: it remembers what it read."""
    return ContentReader(language)
