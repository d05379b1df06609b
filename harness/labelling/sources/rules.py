"""Severity by a lexicon: transparent, needs no training, and says so when it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...core.files import sha256_text
from ...languages import Language
from ...severity import SEVERITIES, Severity
from ..triage.decide import Decision
from ..triage.judge import Judge
from ..triage.scale import Triage, load_triage
from .base import NO_SCALE, Labels, Probabilities
from .findings import Finder, Finding, Verdict
from .lexicon import Lexicon, load_lexicon


@dataclass(frozen=True)
class Explanation:
    """What the rules saw in a complaint and what they make of it; ``unknown`` if nothing fired.

    ``decision`` is that of the triage scale, None where the language has none.
    """

    findings: tuple[Finding, ...]
    probabilities: npt.NDArray[np.float64]
    unknown: bool
    decision: Decision | None = None

    @property
    def severity(self) -> Severity:
        """The most probable severity."""
        return next(severity for severity in SEVERITIES if severity.rank == int(self.probabilities.argmax()))


class RulesSource:
    """The triage scale of the language over its lexicon; the lexicon alone where there is no scale.

    With a scale a complaint's level decides, and its class has the confidence of what decided. Without one the
    strongest evidence per severity is added to the prior's logarithm.

    Args:
        lexicon: a lexicon to use instead of the language's; it is read without a scale.
    """

    name = "rules"
    keeps_expert_labels = False

    def __init__(self, language: Language, lexicon: Lexicon | None = None) -> None:
        self.language = language
        self.lexicon = lexicon or load_lexicon(language)
        self.triage: Triage | None = None if lexicon else load_triage(language)

    @property
    def version(self) -> str:
        """Version of the entries, of the cues and of the scale."""
        return self.lexicon.version + (f"+triage{self.triage.version}" if self.triage else "")

    @property
    def sha256(self) -> str:
        """Digest of the lexicon, the cues and the scale."""
        return sha256_text(self.lexicon.sha256 + self.triage.sha256) if self.triage else self.lexicon.sha256

    @cached_property
    def prior(self) -> npt.NDArray[np.float64]:
        """The stated prior of an unknown complaint, shape (3,)."""
        unknown = self.lexicon.rules.unknown
        return np.array([unknown.p_non_critical, unknown.p_neutral, unknown.p_critical])

    @cached_property
    def _judge(self) -> Judge | None:
        return Judge(self.triage, self.lexicon, self.language) if self.triage else None

    @cached_property
    def _finder(self) -> Finder:
        return self._judge.finder if self._judge else Finder(self.lexicon, self.language)

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Probabilities of shape (n, 3); NaN where nothing fires."""
        return self.reasons(questions)[0]

    @property
    def scale(self) -> str:
        """The triage scale with its version and digest, ``none`` if the language has none."""
        return f"triage {self.triage.version} {self.triage.sha256[:12]}" if self.triage else NO_SCALE

    def labels(self, questions: Sequence[str]) -> Labels:
        """Probabilities with levels and discriminators; level 0 and an empty text where nothing fires."""
        judge = self._judge
        if not judge:
            return Labels(self.reasons(questions)[0], np.zeros(len(questions), np.int8), [""] * len(questions))
        # One after the other: the collector of garbage would look through all decisions that are kept.
        levels, confidences, discriminators = [], [], []
        for decision in map(judge.decide, self._finder.read_each(questions)):
            levels.append(decision.level or 0)
            confidences.append(decision.confidence)
            discriminators.append(decision.as_json())
        probabilities = judge.decider.shares(levels, confidences)
        return Labels(probabilities, np.array(levels, dtype=np.int8), discriminators)

    def reasons(self, questions: Sequence[str]) -> tuple[Probabilities, list[Decision]]:
        """Probabilities of shape (n, 3) with the decision for each complaint; no decisions without a scale."""
        finder, judge = self._finder, self._judge
        if judge:
            decisions = list(map(judge.decide, finder.read_each(questions)))
            return judge.decider.probabilities(decisions), decisions
        result = np.full((len(questions), 3), np.nan)
        for row, question in enumerate(questions):
            if (evidence := self._evidence(finder.find(question))) is not None:
                result[row] = _posterior(self.prior, evidence)
        return result, []

    def red_flags(self, questions: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Where a red flag stands (with a scale: where the level is critical), shape (n,)."""
        if self._judge:
            return np.array([each.severity is Severity.CRITICAL for each in self.reasons(questions)[1]], dtype=bool)
        return np.array(
            [any(f.red_flag for f in self._finder.find(question)) for question in questions], dtype=bool
        )

    def explain(self, question: str) -> Explanation:
        """Every finding of a complaint, negated and covered ones too, and the probabilities that follow."""
        reading = self._finder.read(question)
        findings = tuple(reading.findings)
        if self._judge:
            decision = self._judge.decide(reading)
            unknown = decision.level is None
            probabilities = self.prior if unknown else self._judge.decider.probabilities([decision])[0]
            return Explanation(findings, probabilities, unknown, decision)
        evidence = self._evidence(findings)
        probabilities = self.prior if evidence is None else _posterior(self.prior, evidence)
        return Explanation(findings, probabilities, evidence is None)

    def _evidence(self, findings: Sequence[Finding]) -> npt.NDArray[np.float64] | None:
        strengths = self.lexicon.rules.evidence
        evidence = np.zeros(3)
        fired = [finding for finding in findings if finding.verdict is Verdict.FIRES]
        for finding in fired:
            strength = strengths["red_flag" if finding.red_flag else str(finding.severity)]
            rank = finding.severity.rank
            evidence[rank] = max(evidence[rank], strength)
        return evidence if fired else None


def _posterior(prior: npt.NDArray[np.float64], evidence: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    odds = prior * np.exp(evidence)
    posterior: npt.NDArray[np.float64] = odds / odds.sum()
    return posterior
