"""What an answer says apart from courtesies, function words and words of every answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...languages import Language, Part
from ...languages.clitics import bare_forms
from ...languages.text import Profile, words, words_of_each
from .danger_rules import dangers
from .lexicon import safety_lexicon
from .polarity_reader import polarity_reader
from .sentences import sentences
from .units import quantity_words

_SHORTEST = 3
_GENERIC = "*"
_NOTHING: frozenset[str] = frozenset()
_SEVERAL = 2
_FIRST = 2

_Tells = tuple[frozenset[str], frozenset[str], str, str]
"""The subjects that a word names, those that it may name, the part of the body and the illness."""
_Word = tuple[bool, bool, str, frozenset[str], _Tells | None]
"""Whether a word says anything, whether it is a heading or a number, its stem (empty of function words, a mark of
generic ones), its topics, and what else it tells."""


@dataclass(frozen=True)
class Content:
    """``said`` counts words that are no courtesy; ``stems`` are those of words that can tell a topic, ``places``
    where in the text they stand; ``topics`` are the topics that its words name, ``counts`` whether it has a
    number. ``subjects`` are those that each of its words names, ``subject_places`` where they stand, ``hinted``
    those that its words may name. Of its ``words``, ``meant`` are neither courtesies nor function words, and
    ``headed`` are headings and numbers, and ``hints`` may name a subject. ``parts`` of the body and ``illnesses``
    are those that it names, ``fronted`` the illnesses among its first words."""

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
    fronted: frozenset[str] = frozenset()


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
        named_by: dict[str, set[str]] = {}
        hinted_by: dict[str, set[str]] = {}
        for name, subject in known.subjects.items():
            for meant, items in ((named_by, subject.words), (hinted_by, subject.words + subject.hints)):
                for spelt in words_of_each(items, language):
                    meant.setdefault(" ".join(spelt), set()).add(name)
        self._tells: dict[str, _Tells] = {}
        parts, illnesses = (
            {spelt[0]: name for name, items in kind.items() for spelt in words_of_each(items, language)}
            for kind in (known.parts, known.illnesses)
        )
        for form in {*named_by, *hinted_by, *parts, *illnesses}:
            subjects = frozenset(named_by.get(form, ())), frozenset(hinted_by.get(form, ()))
            self._tells[form] = (*subjects, parts.get(form, ""), illnesses.get(form, ""))
        self._word = lru_cache(maxsize=1 << 16)(self._understand)
        self.read = lru_cache(maxsize=1 << 14)(self._read)

    def _understand(self, word: str) -> _Word:
        forms = self._forms(word)
        tells = self._told(forms)
        number = word.isdigit()
        said, heads = word not in self._courtesies, number or word in self._headings
        if number or word in self._idle or len(word) < _SHORTEST:
            return said, heads, "", _NOTHING, tells
        stem = self._polarity.bare(word)
        spelt = {word, stem, *forms}
        topics = self._topics.keys() & spelt
        about = frozenset(topic for form in topics if len(form) > 1 for topic in self._topics[form])
        return said, heads, stem if self._generic.isdisjoint(spelt) else _GENERIC, about, tells

    def _told(self, forms: tuple[str, ...]) -> _Tells | None:
        """What the forms of a word tell together."""
        known = [self._tells[form] for form in forms if form in self._tells]
        if len(known) < _SEVERAL:
            return known[0] if known else None
        named, hinted, parts, illnesses = zip(*known, strict=True)
        return _NOTHING.union(*named), _NOTHING.union(*hinted), max(parts), max(illnesses)

    def _read(self, text: str) -> Content:
        said = length = meant = headed = hints = 0
        parts: set[str] = set()
        illnesses: set[str] = set()
        fronted: set[str] = set()
        subjects: dict[frozenset[str], int] = {}
        hinted: set[str] = set()
        stems: set[str] = set()
        topics: set[str] = set()
        places: list[int] = []
        for clause in sentences(text, self._language):
            length += len(clause.words)
            for at, (says, heads, stem, about, tells) in enumerate(map(self._word, clause.words)):
                said += says
                headed += heads
                if stem:
                    meant += 1
                    if about:
                        topics |= about
                    if stem is not _GENERIC:
                        stems.add(stem)
                        places.append(clause.offset + at)
                if tells is None:
                    continue
                named, may_be, part, illness = tells
                if part:
                    parts.add(part)
                if illness:
                    illnesses.add(illness)
                    if meant <= _FIRST:
                        fronted.add(illness)
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
        told = frozenset(parts), frozenset(illnesses), frozenset(fronted)
        return Content(said, frozenset(stems), tuple(places), frozenset(topics), counts, *named_at, *told)


@lru_cache
def content_reader(language: Language) -> ContentReader:
    """One reader per language and process: it remembers what it read."""
    return ContentReader(language)
