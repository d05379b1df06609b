"""The triage of complaints: signs for the finder, and a decision for what it found."""

from __future__ import annotations

from ...languages import Language
from ...severity import CLASS_OF_LEVEL
from ..sources.findings import Finder, Reading
from ..sources.lexicon import Lexicon, Sign
from .decide import Decider, Decision
from .facts import FactReader, phrases_of_marks
from .scale import Discriminator, Triage


class Judge:
    """Reads complaints with the lexicon and the scale of a language, and decides their level."""

    def __init__(self, triage: Triage, lexicon: Lexicon, language: Language) -> None:
        self.finder = Finder(
            lexicon,
            language,
            signs=[_sign(each) for each in triage.discriminators if each.expressions],
            marks=phrases_of_marks(triage, language),
        )
        self._facts = FactReader(triage, language, lexicon.rules.clitics)
        self.decider = Decider(triage)

    def decide(self, reading: Reading) -> Decision:
        """The level of what was read."""
        return self.decider.decide(self._facts.read(reading))


def _sign(one: Discriminator) -> Sign:
    return Sign(
        id=one.id,
        severity=CLASS_OF_LEVEL[one.level],
        red_flag=False,
        phrases=tuple(phrase for phrases in one.expressions.values() for phrase in phrases),
        dialect=tuple(one.expressions),
        gloss=one.name["en"].lower(),
        reason=one.definition,
    )
