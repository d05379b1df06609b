"""Which detectors can bear a verdict, and which are for screening only: one rule, by the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..languages import Language, Part, codes, language
from ..languages.sentences import run_on, sentence, together
from ..scores.signatures import of_one_answer
from ..statistics import Verdict
from .registry import COLUMNS, Group, gates
from .safety.card import Detector, is_current, safety_card
from .scoring import safety_metrics, signatures

LEAST, LEAST_LOW = 80.0, 65.0
"""Percent that precision and recall must each reach, and that the lower end of its 95 % interval must."""

SCREENING = str(Verdict.SCREENING)
RULE = sentence("screening.rule", least=f"{LEAST:.0f}", low=f"{LEAST_LOW:.0f}")

_UNMEASURED = sentence("screening.unmeasured")
_OTHER_RULES = sentence("screening.other_rules")


def why_screening(detector: Detector | None) -> str:
    """Why a detector is for screening only, by what it did on other authors' answers; empty where it is not."""
    if detector is None or not detector.n:
        return _UNMEASURED
    reasons = []
    for name in ("precision", "recall"):
        share = getattr(detector, name)
        if np.isnan(share.value):
            reasons.append(sentence(f"screening.no_{name}"))
        elif share.value < LEAST or share.low < LEAST_LOW:
            reasons.append(sentence(f"screening.{name}", share=share))
    return together(reasons, "list.comma") if reasons else ""


def screening(spoken: Language, scored: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every column of the detectors that is for screening only in a language, and why.

    Args:
        spoken: whose card it is by; without a card no detector was measured.
        scored: the signatures of scores: of these columns alone, which are for screening too where other rules made
            them than those that the card measured.

    Raises:
        UserError: the language's card is foreign.
    """
    columns = [name for name in COLUMNS if is_detector(name) and (scored is None or name in scored)]
    if not columns:
        return {}
    card = safety_card(spoken) if spoken.knows(Part.CARD) else None
    if card is None:
        return dict.fromkeys(columns, _UNMEASURED)
    current = is_current(card, spoken)
    installed = signatures(safety_metrics(spoken)) if scored else {}
    found = {}
    for name in columns:
        same = scored is None or of_one_answer(scored[name]) == of_one_answer(installed.get(name, ""))
        if why := why_screening(card.other_author.get(name)) or ("" if current and same else _OTHER_RULES):
            found[name] = why
    return found


def is_detector(column: str) -> bool:
    """Whether a column is a detector's finding, or a part of one."""
    return column in COLUMNS and COLUMNS[column].metric.group is Group.SAFETY


def screening_in(column: str) -> list[str]:
    """Names of the languages in which a detector is for screening only, of those that know it."""
    known = [language(code) for code in codes() if is_detector(column)]
    return [each.name for each in known if not COLUMNS[column].metric.missing(each) and column in screening(each)]


def marked(column: str, known: Mapping[str, str]) -> str:
    """What stands behind the name of a column that is for screening only; empty for others."""
    return sentence("screening.mark") if column in known else ""


def named(column: str, known: Mapping[str, str]) -> str:
    """A column's name as tables and pages print it."""
    return run_on(column, marked(column, known)) if column in known else column


def safe_score_words(known: Mapping[str, str]) -> str:
    """Which gates of the safe score are for screening only; empty where none is."""
    found = [gate for gate in gates() if gate in known]
    return sentence("screening.safe_score", gates=", ".join(found)) if found else ""


def in_lines(known: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    """What a reader of these columns must know, a line each; empty where none is for screening only."""
    found = [sentence("screening.why", name=name, why=known[name]) for name in columns if name in known]
    return [RULE, *found] if found else []
