"""How far each safety detector can be trusted: ``make safety-card``.

Runs the detectors on the gold answers (``data/gold_answers.md`` says how they are annotated), prints precision and
recall with Wilson intervals, and writes those of held-out answers by author and dialect beside the first-seen ones.
Texts of real answers are read from FALAH-Mix; where it is not at hand their figures stay as long as the rules do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.safety.card import (
    CARD,
    AuthorFigures,
    Detector,
    SafetyCard,
    is_current,
    known_dangers,
    pooled,
    safety_card,
)
from maqa_severity.harness.metrics.safety.levels import Level, Reading
from maqa_severity.harness.metrics.safety.lexicon import safety_lexicon
from maqa_severity.harness.metrics.safety.over_referral import OverReferral
from maqa_severity.harness.metrics.safety.reassurance import reassures_dangerously
from maqa_severity.harness.metrics.safety.referral import triage_events
from maqa_severity.harness.metrics.safety.units import quantity_words
from maqa_severity.harness.metrics.scoring import safety_metrics
from maqa_severity.harness.metrics.screening import SCREENING, screening
from maqa_severity.harness.severity import Severity, parse_severity
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.gold_authors import GOLD, THIRD_REAL, authors, gold_digest, gold_rows, model_answers
from maqa_severity.tests.tongues import ARABIC
from rich.console import Console

DANGERS = (
    "stops_vital_medicine",
    "harmful_remedy",
    "contraindication_ignored",
    "delay_advice",
    "invented_contact",
    "off_topic",
    "empty_or_generic",
    "refusal",
)
AGAINST_TEXTS = ("dose_conflict", "unsupported_numbers", "polarity_flip", "degenerate", *DANGERS)
_LEVELS = {"doctor": Level.DOCTOR, "emergency": Level.EMERGENCY}


def expected(row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The events that were annotated in a gold answer: column and whether it happened."""
    labels = row["labels"]
    if "direct" in labels:
        conditional, negated = (labels[key] and _LEVELS[labels[key]] for key in ("conditional", "negated"))
        reading = Reading(
            direct=_LEVELS.get(labels["direct"], Level.SELF_CARE),
            conditional=conditional,
            negated=frozenset([negated] if negated else []),
            reassuring=labels.get("reassurance", False),
        )
        severity = parse_severity(row["severity"])
        yield from triage_events(reading, severity).items()
        # It reads the answer alone: each counts as if its question were harmless.
        yield "over_referral", reading.level is Level.EMERGENCY
        if severity is Severity.CRITICAL and "reassurance" in labels:
            yield "dangerous_reassurance", reassures_dangerously(reading)
    yield from ((column, labels[column]) for column in AGAINST_TEXTS if column in labels)


def found(rows: list[dict[str, Any]], language: Language) -> list[dict[str, bool]]:
    """What the detectors say of each row. A detector that does not apply says no."""
    answers = Answers(
        predictions=[row["answer"] for row in rows],
        references=[row["reference"] or "" for row in rows],
        questions=[row["question"] or "" for row in rows],
        severities=[parse_severity(row["severity"] or "neutral") for row in rows],
    )
    scores = {name: values for metric in safety_metrics(language) for name, values in metric.score(answers).items()}
    harmless = replace(answers, severities=[Severity.NON_CRITICAL] * len(rows))
    scores |= OverReferral(language).score(harmless)
    return [{name: bool(values[at] == 100) for name, values in scores.items()} for at in range(len(rows))]


Outcome = tuple[dict[str, Any], str, bool, bool]


def outcomes(rows: list[dict[str, Any]], language: Language = ARABIC) -> Iterator[Outcome]:
    """Row, column, whether it happened, whether it was found: for every annotated column of every row."""
    for row, detected in zip(rows, found(rows, language), strict=True):
        yield from ((row, column, happened, detected[column]) for column, happened in expected(row))


def counted(judged: Iterable[Outcome]) -> dict[str, Detector]:
    """Counts per column."""
    counts: dict[str, list[int]] = {}
    for _, column, happened, detected in judged:
        count = counts.setdefault(column, [0, 0, 0, 0])
        count[0] += 1
        count[1] += happened and detected
        count[2] += detected and not happened
        count[3] += happened and not detected
    return {
        column: Detector(n=n, true_positives=hits, false_positives=false, misses=misses)
        for column, (n, hits, false, misses) in counts.items()
    }


def detectors_on(rows: list[dict[str, Any]], language: Language = ARABIC) -> dict[str, Detector]:
    """Counts over rows, per column that was annotated in any of them."""
    return counted(outcomes(rows, language))


def held_out_card(language: Language = ARABIC, workbook: Path = FALAH) -> SafetyCard:
    """What ships with the language, measured by the rules that are installed."""
    everybody = authors(language, workbook)
    judged = {each.name: list(outcomes(each.rows, language)) for each in everybody}
    figures = {
        each.name: AuthorFigures(
            unseen=each.unseen,
            answers=len(each.rows),
            detectors=counted(judged[each.name]),
            first_seen=each.first_seen,
        )
        for each in everybody
    }
    if THIRD_REAL in figures and not workbook.is_file():
        figures[THIRD_REAL] = kept(safety_card(language), language) or figures[THIRD_REAL]
    # Of the real answers nobody annotated the dialect.
    annotated = [each.name for each in everybody if each.unseen and each.name != THIRD_REAL]
    dialects: dict[str, list[Outcome]] = {}
    for outcome in (outcome for name in annotated for outcome in judged[name] if outcome[0]["dialect"]):
        dialects.setdefault(outcome[0]["dialect"], []).append(outcome)
    return SafetyCard(
        gold_sha256=gold_digest(language),
        lexicon=safety_lexicon(language).signature,
        quantities=quantity_words(language)[1],
        dangers=known_dangers(language),
        answers=sum(each.answers for each in figures.values()),
        detectors=pooled(each.detectors for each in figures.values()),
        other_author=pooled(each.detectors for each in figures.values() if each.unseen),
        authors=figures,
        dialects={name: counted(dialects[name]) for name in sorted(dialects)},
    )


def kept(earlier: SafetyCard, language: Language) -> AuthorFigures | None:
    """The real answers' figures of an earlier card, unless other rules or labels than today's made them."""
    same = is_current(earlier, language) and earlier.gold_sha256 == gold_digest(language)
    return earlier.authors.get(THIRD_REAL) if same else None


def printed(part: str, detectors: dict[str, Detector]) -> str:
    lines = [part, "  detector | n | events | precision [95 %] | recall [95 %]"]
    for column, detector in detectors.items():
        events = detector.true_positives + detector.misses
        lines.append(f"  {column} | {detector.n} | {events} | {detector.precision} | {detector.recall}")
    return "\n".join(lines)


def main() -> int:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for language in GOLD:
        console.print(language.name)
        rules = detectors_on([row for row in gold_rows(language) if row["half"] == "rules"], language)
        card = held_out_card(language)
        write_json(language.folder / CARD, card.model_dump())
        parts = {
            "rules (development)": rules,
            "held out": card.detectors,
            "held out, other authors": card.other_author,
        }
        for name, author in card.authors.items():
            parts |= {f"{name}, first seen": author.first_seen, f"{name}, held out": author.detectors}
        if language is ARABIC:
            beside = model_answers()
            parts[f"{beside.name}, not in the card, first seen"] = beside.first_seen
            parts[f"{beside.name}, not in the card, held out"] = detectors_on(beside.rows, language)
        for part, detectors in parts.items():
            if detectors:
                console.print(printed(part, detectors))
        for column, why in screening(language).items():
            console.print(f"  {SCREENING}: {column}: {why}")
    if not FALAH.is_file():
        console.print(f"{THIRD_REAL}; model answers: not measured again, FALAH-Mix is not at {FALAH}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
