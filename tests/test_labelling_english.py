"""The English lexicon: every red flag fires and can be negated; lists, time and others' cases count."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from maqa_severity.harness.labelling.sources.findings import Verdict
from maqa_severity.harness.labelling.sources.lexicon import Entry, load_lexicon
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import Severity

ENGLISH = language("en")
RULES = RulesSource(ENGLISH, load_lexicon(ENGLISH))
ENTRIES = load_lexicon(ENGLISH).entries
RED_FLAGS = [entry for entry in ENTRIES if entry.red_flag]
VARIETIES = {"british", "american", "indian", "nigerian", "non_native"}
DATA = Path(__file__).parent / "data" / "negated_complaints_en.jsonl"
CASES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
NEGATIONS = (
    "no {}",
    "without {}",
    "I don't have {}",
    "I don’t have {}",
    "I do not have {}",
    "he denies {}",
    "never had {}",
    "a cold but no {}",
    "there is no {}",
    "no sign of {}",
    "she doesn't have any {}",
    "no fever, cough or {}",
    "neither fever nor {}",
    "isn't {}",
    "I haven't had {}",
    "no longer {}",
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


def test_there_are_enough_entries_of_every_severity():
    counts = Counter(entry.severity for entry in ENTRIES)
    assert counts[Severity.CRITICAL] >= 150 and counts[Severity.NEUTRAL] >= 120
    assert counts[Severity.NON_CRITICAL] >= 100 and len(RED_FLAGS) >= 120


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
    assert sum(negated.values()) >= 50 and len(CASES) >= 60
    assert set(negated) == VARIETIES


def test_every_entry_says_what_it_is_in_which_variety_and_why():
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.phrases and entry.gloss and entry.reason
        assert entry.dialect and set(entry.dialect) <= VARIETIES


def test_every_phrase_finds_its_own_entry():
    lost = [
        (entry.id, phrase)
        for entry in ENTRIES
        for phrase in entry.phrases
        if not any(finding.entry.id == entry.id for finding in RULES.explain(plain_words(phrase)).findings)
    ]
    assert not lost


def test_negation_templates_silence_the_phrases_of_red_flags():
    own = {word for phrase in RULES.lexicon.rules.negation.negators for word in phrase.split()}
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
    # "No one" is no negation, and a template can make such pairs by chance.
    assert len(escaped) / (len(phrases) * len(NEGATIONS)) < 0.005


@pytest.mark.parametrize(
    "text",
    [
        "He denies chest pain, shortness of breath, or seizures.",
        "No chest pain, no fits, no vomiting of blood.",
        "no fever, chest pain or fits",
        "She has neither chest pain nor fits",
        "I'm not having any chest pain",
        "I’ve never passed out",
        "chest pain: none",
        "no nausea/chest pain",
    ],
)
def test_a_negated_list_fires_nothing(text):
    assert not critical(text)


@pytest.mark.parametrize(
    "text",
    [
        "no fever but chest pain",
        "no fever. chest pain",
        "no fever, chest pain since noon",
        "no relief from the chest pain",
        "not only a cold, also chest pain",
        "no fever, I have chest pain or something like it",
        "chest pain without any reason",
        "I don't know why I have chest pain",
        "I haven't slept because of chest pain",
        "CHEST PAIN!!",
    ],
)
def test_what_is_said_beside_a_negation_still_fires(text):
    assert critical(text)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("I have chest pain", Severity.CRITICAL),
        ("I had chest pain years ago", Severity.NEUTRAL),
        ("my dad had a stroke at 60", Severity.NEUTRAL),
        ("there is a family history of heart attack", Severity.NON_CRITICAL),
        ("family history of stroke and I have chest pain", Severity.CRITICAL),
        ("I had a stroke years ago, now I have chest pain", Severity.CRITICAL),
        ("how can I prevent a stroke", Severity.NON_CRITICAL),
        ("my father has chest pain", Severity.CRITICAL),
        ("my wife is having a stroke", Severity.CRITICAL),
    ],
)
def test_what_passed_and_what_happened_to_others_is_no_emergency_of_this_hour(text, severity):
    assert RULES.explain(text).severity is severity


@pytest.mark.parametrize("word", ["vomit", "vomits", "vomited", "vomiting"])
def test_a_word_matches_in_its_inflections(word):
    assert critical(f"he {word} blood")


def test_a_red_flag_wins_over_any_milder_complaint_beside_it():
    flag = "crushing chest pain and a cold sweat"
    for entry in ENTRIES:
        if entry.severity is not Severity.CRITICAL:
            assert RULES.explain(f"{flag}. {plain_words(entry.phrases[0])}").severity is Severity.CRITICAL


def test_the_cost_of_a_long_text_is_linear():
    def seconds(length: int) -> float:
        text = "no fever, chest pain, rash or cough and sore throat, " * (length // 53)
        start = time.thread_time()
        RULES.probabilities([text])
        return time.thread_time() - start

    seconds(2_000)
    assert min(seconds(100_000) for _ in range(2)) < 40 * min(seconds(10_000) for _ in range(3))


def test_what_nobody_knows_is_never_called_mild():
    explanation = RULES.explain("Where is the car park of the clinic?")
    assert explanation.unknown and explanation.severity is Severity.NEUTRAL


def test_most_rows_of_the_sample_get_their_severity_and_nothing_critical_is_called_mild():
    folder = Path(__file__).parents[1] / "tasks" / "sample" / "en"
    rows = [
        json.loads(line)
        for severity in Severity
        for line in (folder / f"{severity}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert Counter(row["severity"] for row in rows) == dict.fromkeys(map(str, Severity), 20)
    found = [RULES.explain(row["question"]) for row in rows]
    right = sum(each.severity == row["severity"] for each, row in zip(found, rows, strict=True))
    assert right >= 48
    assert not any(
        row["severity"] == "critical" and (each.unknown or each.severity is Severity.NON_CRITICAL)
        for each, row in zip(found, rows, strict=True)
    )
