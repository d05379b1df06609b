"""Severity by a lexicon: transparent, needs no training, and says so when it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...languages import Language
from ...severity import SEVERITIES, Severity
from .base import Probabilities
from .findings import Finder, Finding, Verdict
from .lexicon import Lexicon, load_lexicon


@dataclass(frozen=True)
class Explanation:
    """What the rules saw in a complaint and what they make of it; ``unknown`` if nothing fired."""

    findings: tuple[Finding, ...]
    probabilities: npt.NDArray[np.float64]
    unknown: bool

    @property
    def severity(self) -> Severity:
        """The most probable severity."""
        return next(severity for severity in SEVERITIES if severity.rank == int(self.probabilities.argmax()))


class RulesSource:
    """Rules over the lexicon: per severity the strongest evidence that fires is added to the prior's logarithm."""

    name = "rules"
    keeps_expert_labels = False

    def __init__(self, language: Language, lexicon: Lexicon | None = None) -> None:
        self.language = language
        self.lexicon = lexicon or load_lexicon(language)

    @property
    def version(self) -> str:
        """Version of the entries and of the cues."""
        return self.lexicon.version

    @property
    def sha256(self) -> str:
        """Digest of the lexicon and the cues."""
        return self.lexicon.sha256

    @cached_property
    def prior(self) -> npt.NDArray[np.float64]:
        """The stated prior of an unknown complaint, shape (3,)."""
        unknown = self.lexicon.rules.unknown
        return np.array([unknown.p_non_critical, unknown.p_neutral, unknown.p_critical])

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.lexicon, self.language)

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        """Probabilities of shape (n, 3); NaN where no entry fires."""
        result = np.full((len(questions), 3), np.nan)
        for row, question in enumerate(questions):
            evidence = self._evidence(self._finder.find(question))
            if evidence is not None:
                result[row] = _posterior(self.prior, evidence)
        return result

    def red_flags(self, questions: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Where a red flag stands, shape (n,)."""
        return np.array(
            [any(f.red_flag for f in self._finder.find(question)) for question in questions], dtype=bool
        )

    def explain(self, question: str) -> Explanation:
        """Every finding of a complaint, negated and covered ones too, and the probabilities that follow."""
        findings = self._finder.find(question)
        evidence = self._evidence(findings)
        probabilities = self.prior if evidence is None else _posterior(self.prior, evidence)
        return Explanation(tuple(findings), probabilities, evidence is None)

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
