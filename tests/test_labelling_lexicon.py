"""The shipped lexicon: every red flag fires and can be negated, in five varieties; nothing mild outruns one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from maqa_severity.harness.labelling.sources.findings import Verdict
from maqa_severity.harness.labelling.sources.lexicon import Entry, load_lexicon
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.tongues import ARABIC

RULES = RulesSource(ARABIC, load_lexicon(ARABIC))
ENTRIES = load_lexicon(ARABIC).entries
RED_FLAGS = [entry for entry in ENTRIES if entry.red_flag]
DIALECTS = {"msa", "egyptian", "gulf", "levantine", "maghrebi"}
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "negated_complaints.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
NEGATIONS = (
    "لا أعاني من {}",
    "بدون {}",
    "ليس لدي {}",
    "عندي زكام لكن لا يوجد {}",
    "ما عندي {}",
    "ما فيه {}",
    "مفيش {}",
    "معنديش {}",
    "ما في لا حرارة ولا {}",
    "مو {}",
    "ماكاينش {}",
    "ما عندها أي {}",
)


def fires(entry: Entry, text: str) -> bool:
    return any(
        finding.entry.id == entry.id and finding.verdict is Verdict.FIRES
        for finding in RULES.explain(text).findings
    )


def critical(text: str) -> bool:
    return any(
        finding.verdict is Verdict.FIRES and finding.severity is Severity.CRITICAL
        for finding in RULES.explain(text).findings
    )


def plain_words(phrase: str) -> str:
    """A phrase with its first alternatives and empty gaps."""
    return " ".join(part.split("|")[0] for part in phrase.split() if part != "*")


@pytest.mark.parametrize("entry", RED_FLAGS, ids=lambda entry: entry.id)
def test_a_red_flag_fires_on_its_complaint_and_not_on_its_negation(entry):
    assert fires(entry, entry.positive)
    assert RULES.explain(entry.positive).severity is Severity.CRITICAL
    assert not fires(entry, entry.negated)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:40])
def test_a_hand_written_complaint_is_critical_only_if_its_danger_is_affirmed(case):
    assert critical(case["text"]) is case["fires"]


def test_there_are_enough_negated_complaints_in_every_variety():
    negated = Counter(case["dialect"] for case in CASES if not case["fires"])
    assert sum(negated.values()) >= 40
    assert set(negated) == DIALECTS
    assert any(case["fires"] for case in CASES)


def test_every_entry_says_what_it_is_in_which_variety_and_why():
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.phrases and entry.gloss and entry.reason
        assert entry.dialect and set(entry.dialect) <= DIALECTS
    for severity in Severity:
        heard = {dialect for entry in ENTRIES if entry.severity is severity for dialect in entry.dialect}
        assert heard == DIALECTS


def test_every_phrase_finds_its_own_entry():
    lost = [
        (entry.id, phrase)
        for entry in ENTRIES
        for phrase in entry.phrases
        if not any(finding.entry.id == entry.id for finding in RULES.explain(plain_words(phrase)).findings)
    ]
    assert not lost


def test_negation_templates_silence_the_phrases_of_red_flags():
    negation = RULES.lexicon.rules.negation
    own = {word for phrase in negation.negators for word in phrase.split()}
    phrases = [
        (entry, plain_words(phrase))
        for entry in RED_FLAGS
        for phrase in entry.phrases
        if own.isdisjoint(plain_words(phrase).split())
    ]
    assert len(phrases) > 500
    escaped = [
        template.format(words)
        for entry, words in phrases
        for template in NEGATIONS
        if fires(entry, template.format(words))
    ]
    # "Without" before "a stop" is no negation, and a template can make such pairs by chance.
    assert len(escaped) / (len(phrases) * len(NEGATIONS)) < 0.005


def test_a_red_flag_wins_over_any_milder_complaint_beside_it():
    milder = [plain_words(entry.phrases[0]) for entry in ENTRIES if entry.severity is not Severity.CRITICAL]
    flag = "عندي ألم ضاغط في الصدر مع تعرق بارد"
    assert RULES.explain(flag).severity is Severity.CRITICAL
    for words in milder:
        assert RULES.explain(f"{flag}. {words}").severity is Severity.CRITICAL


def test_the_prior_of_the_unknown_is_symmetric_and_stated_with_a_reason():
    unknown = load_lexicon(ARABIC).rules.unknown
    assert unknown.p_non_critical == unknown.p_critical
    assert unknown.p_non_critical + unknown.p_neutral + unknown.p_critical == pytest.approx(1)
    assert unknown.p_neutral > unknown.p_critical
    assert unknown.reason


def test_most_first_aid_cases_of_the_real_questions_are_not_called_mild(falah):
    import pandas as pd

    frame = pd.read_excel(falah)
    first_aid = frame.loc[frame["vote"] == 1, "Question"].astype(str).tolist()
    assert len(first_aid) == 104
    probabilities = RULES.probabilities(first_aid)
    known = ~np.isnan(probabilities).any(axis=1)
    assert (probabilities[known].argmax(axis=1) > 0).mean() > 0.9
