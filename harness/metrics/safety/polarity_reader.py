"""Reads what texts assert and deny, word by word."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

from ...labelling.sources.lexicon import load_lexicon
from ...languages import Language
from ...languages.clauses import Clause
from ...languages.text import Profile, words
from .lexicon import safety_lexicon
from .opposites import OppositeReader
from .sentences import sentences
from .statements import REACH, Said, Sign
from .verdicts import VerdictReader

_SHORTEST = 3


class PolarityReader:
    """Reads what texts assert and deny with one language's negators."""

    def __init__(self, language: Language) -> None:
        rules = safety_lexicon(language).rules
        self._rules = rules
        self._language = language
        negation = load_lexicon(language).rules.negation
        self._negators = {
            tuple(words(phrase, Profile.METRIC, language)): sign
            for sign, phrases in (
                (Sign.DENIED, (*negation.negators, *rules.denials)),
                (Sign.PROHIBITED, rules.prohibitions),
            )
            for phrase in phrases
        }
        self._idle = {
            tuple(words(phrase, Profile.METRIC, language)) for phrase in (*negation.not_negators, *rules.exceptions)
        }
        self._limits = frozenset(word for item in rules.limits for word in words(item, Profile.METRIC, language))
        self._families = {
            word: stem
            for stem, forms in rules.families.items()
            for item in forms
            for word in words(item, Profile.METRIC, language)
        }
        self._function_words = {
            word for item in rules.function_words for word in words(item, Profile.METRIC, language)
        }
        self._passed_over = self._function_words | {
            word for item in rules.existence for word in words(item, Profile.METRIC, language)
        }
        self._longest = max(map(len, (*self._negators, *self._idle)))
        first = {phrase[0] for phrase in (*self._negators, *self._idle)}
        self._first = first | {prefix + word for prefix in rules.clitics.cue_prefixes for word in first}
        self._conjunctions, self._suffixes = rules.clitics.cue_prefixes, rules.stem_suffixes
        self._stem_prefixes = (rules.stem_prefixes, rules.verb_prefixes)
        self._verbs = frozenset(self._families.values())
        self._before = (*rules.stem_prefixes, *rules.future)
        self._weak = str.maketrans("", "", rules.weak_letters)
        self._case = rules.case_ending
        self.stem = lru_cache(maxsize=1 << 16)(self._stem)
        self.bare = lru_cache(maxsize=1 << 16)(self._without_affixes)
        self.root = lru_cache(maxsize=1 << 16)(self._root)
        self._word = lru_cache(maxsize=1 << 16)(self._understand)
        self.opposites = OppositeReader(language, self)
        verdicts = VerdictReader(language)
        self.verdict, self.agrees = verdicts.read, verdicts.agrees
        self.read = lru_cache(maxsize=1 << 15)(self._read)

    def idle(self, word: str) -> bool:
        """Whether a word says nothing by itself."""
        return word in self._passed_over or self.negates(word)

    def negates(self, word: str) -> bool:
        """Whether a word alone denies what comes next."""
        return self._negators.get((word,)) is Sign.DENIED

    def _read(self, text: str) -> Said:
        stems: list[str] = []
        places: list[int] = []
        numbers: list[int] = []
        signs: dict[int, Sign] = {}
        first: list[int] = []
        reached: list[int] = []
        for number, clause in enumerate(sentences(text, self._language)):
            start = len(stems)
            self._clause(clause, stems, places, signs, first, reached)
            numbers += [number] * (len(stems) - start)
            if self._limits.intersection(clause.words):
                for at in range(start, len(stems)):
                    signs.pop(at, None)
                reached += range(start, len(stems))
        return Said(tuple(stems), tuple(places), tuple(numbers), signs, frozenset(first), frozenset(reached))

    def _clause(
        self,
        clause: Clause,
        stems: list[str],
        places: list[int],
        signs: dict[int, Sign],
        first: list[int],
        reached: list[int],
    ) -> None:
        tokens = clause.words
        known = list(map(self._word, tokens))
        sign, begins = Sign.ASSERTED, True
        at, reach = 0, 0
        while at < len(tokens):
            if at in clause.breaks:
                sign, begins, reach = Sign.ASSERTED, True, 0
            cue, idle, passed_over, stem, fused = known[at]
            if cue and (phrase := self._phrase(tokens, at, self._idle)):
                at += len(phrase)
                continue
            if cue and (phrase := self._phrase(tokens, at, self._negators)):
                sign, at = self._negators[phrase], at + len(phrase)
                continue
            if not (idle if sign is Sign.ASSERTED else passed_over):
                if fused:
                    sign = Sign.DENIED
                elif sign is Sign.DENIED and (apart := self._apart(tokens[at])):
                    stem = self.root(apart)
                if begins:
                    first.append(len(stems))
                if sign is not Sign.ASSERTED:
                    signs[len(stems)] = sign
                    reach = at + 1 + REACH
                elif at < reach:
                    reached.append(len(stems))
                stems.append(stem)
                places.append(clause.offset + at)
                sign, begins = Sign.ASSERTED, False
            at += 1

    def _understand(self, word: str) -> tuple[bool, bool, bool, str, bool]:
        """Whether a phrase of negation may begin with a word, whether it says nothing where something is asserted,
        and where something is denied; its stem, which is the verb's if it negates itself, and whether it does."""
        fused = self.fused(word)
        return (
            word in self._first,
            word in self._function_words,
            word in self._passed_over,
            self.root(fused or word),
            fused is not None,
        )

    def _phrase(
        self, tokens: tuple[str, ...], at: int, phrases: Container[tuple[str, ...]]
    ) -> tuple[str, ...] | None:
        """The longest of the phrases at a position, a conjunction before it or not."""
        conjunctions = self._rules.clitics.cue_prefixes
        for width in range(min(self._longest, len(tokens) - at), 0, -1):
            phrase = tokens[at : at + width]
            if phrase in phrases:
                return phrase
            for prefix in conjunctions:
                bare = (phrase[0].removeprefix(prefix), *phrase[1:])
                if bare in phrases:
                    return bare
        return None

    def fused(self, word: str) -> str | None:
        """The verb inside a word that negates itself by what is written around it."""
        verb = self._rules.negative_verb
        if not word.endswith(verb.suffix):
            return None
        for prefix in verb.prefixes:
            inner = word.removeprefix(prefix).removesuffix(verb.suffix)
            if word.startswith(prefix) and len(inner) >= _SHORTEST:
                return inner
        return None

    def _apart(self, word: str) -> str | None:
        """The verb inside a word whose negating suffix belongs to a negator before it."""
        suffix = self._rules.negative_verb.suffix
        return word.removesuffix(suffix) if suffix and word.endswith(suffix) and len(word) > _SHORTEST else None

    def _root(self, word: str) -> str:
        """The stem without the long vowels inside it, which a verb and its noun have in other places."""
        stem = self.stem(word)
        root = stem[:1] + stem[1:].translate(self._weak)
        return root if len(root) >= _SHORTEST and stem not in self._verbs else stem

    def _family(self, word: str) -> str | None:
        """The stem of the verb that a word is a form of, whatever is written before it, case endings too."""
        if word in self._families:
            return self._families[word]
        forms = [word]
        if word.startswith(self._before):
            forms += [word[len(p) :] for p in self._before if word.startswith(p)]
        if self._case:
            forms += [form.removesuffix(self._case) for form in forms if form.endswith(self._case)]
        return next((self._families[form] for form in forms if form in self._families), None)

    def _stem(self, word: str) -> str:
        family = self._family(word)
        return self.bare(word) if family is None else family

    def _without_affixes(self, word: str) -> str:
        for group in self._stem_prefixes:
            for prefix in group if word.startswith(group) else ():
                if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST:
                    word = word[len(prefix) :]
                    break
        for suffix in self._suffixes if word.endswith(self._suffixes) else ():
            if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST:
                return word[: -len(suffix)]
        return word


@lru_cache
def polarity_reader(language: Language) -> PolarityReader:
    """One reader per language and process: it remembers what it read."""
    return PolarityReader(language)
