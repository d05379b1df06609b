"""The triage of complaints: signs for the finder, and a decision for what it found."""

from __future__ import annotations

from collections.abc import Sequence

from ...languages import Language
from ...languages.text import Profile, normalise
from ...severity import CLASS_OF_LEVEL
from ..sources.findings import Finder, Reading
from ..sources.lexicon import Lexicon, Sign
from .decide import Decider, Decision
from .expressions import spelt_out
from .facts import FactReader, phrases_of_marks
from .scale import Discriminator, Triage


class Judge:
    """Reads complaints with the lexicon and the scale of a language, and decides their level."""

    def __init__(self, triage: Triage, lexicon: Lexicon, language: Language) -> None:
        self.finder = Finder(
            lexicon,
            language,
            signs=[_sign(each, triage, language) for each in triage.discriminators if each.expressions],
            marks=phrases_of_marks(triage, language),
        )
        self._facts = FactReader(triage, language, lexicon.rules.clitics)
        self.decider = Decider(triage)

    def decide(self, reading: Reading) -> Decision:
        """The level of what was read."""
        return self.decider.decide(self._facts.read(reading))


def _sign(one: Discriminator, triage: Triage, language: Language) -> Sign:
    expressions = [each for phrases in one.expressions.values() for each in phrases]
    return Sign(
        id=one.id,
        severity=CLASS_OF_LEVEL[one.level],
        red_flag=False,
        phrases=_once([phrase for each in expressions for phrase in spelt_out(each, triage.sets)], language),
        dialect=tuple(one.expressions),
        gloss=one.name["en"].lower(),
        reason=one.definition,
        condition=one.kind == "condition",
    )


def _once(phrases: Sequence[str], language: Language) -> tuple[str, ...]:
    """Phrases without repetition: what several dialects say alike would be found once for each of them."""
    alone: dict[str, str] = {}
    longer: dict[str, None] = {}
    for phrase in phrases:
        if " " in phrase:
            longer[phrase] = None
            continue
        for word in phrase.split("|"):
            alone.setdefault(normalise(word, Profile.METRIC, language), word)
    return (*(("|".join(alone.values()),) if alone else ()), *longer)
