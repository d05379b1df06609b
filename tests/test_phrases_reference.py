"""The fast search for phrases finds what a plain one finds, in the same order."""

import json
import random
from pathlib import Path

from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.triage.expressions import spelt_out
from maqa_severity.harness.languages.clauses import clauses, clauses_of_each
from maqa_severity.harness.languages.phrases import Patterns
from maqa_severity.harness.languages.text import BETWEEN
from maqa_severity.tests import plain_reading
from maqa_severity.tests.tongues import ARABIC

GOLD = Path(__file__).parent / "data" / "triage_gold.jsonl"
RULES = RulesSource(ARABIC)


def test_a_plain_search_finds_the_same_phrases_in_the_same_order():
    phrases = [
        phrase
        for one in RULES.triage.discriminators
        for each in one.expressions.get("all", ())[:2]
        for phrase in spelt_out(each, RULES.triage.sets)
    ][:300]
    patterns = Patterns(RULES.lexicon.rules.clitics, ARABIC)
    for number, phrase in enumerate(phrases):
        patterns.add(phrase, number, cue=False)
    texts = [json.loads(line)["text"] for line in GOLD.read_text(encoding="utf-8").splitlines()]
    compared = 0
    for clause in (clause for text in texts for clause in clauses(text, ARABIC)):
        expected = plain_reading.phrases(patterns, clause)
        assert [(found.payload, found.positions) for found in patterns.find(clause)] == expected
        compared += len(expected)
    assert compared > 100


def test_sets_and_either_order_are_spelt_out():
    sets = {"pain": "ألم|وجع"}
    assert spelt_out("{pain} في البطن", sets) == ["ألم|وجع في البطن"]
    assert spelt_out("{pain}|مغص & بطن", sets) == ["ألم|وجع|مغص * بطن", "بطن * ألم|وجع|مغص"]
    assert spelt_out("أ && ب", sets) == ["أ * * ب", "ب * * أ"]


def test_a_batch_is_read_and_decided_as_each_of_its_complaints_alone():
    complaints = [json.loads(line)["text"] for line in GOLD.read_text(encoding="utf-8").splitlines()]
    draw = random.Random(7)
    odd = ("39.5", "3days", "B12", "😀", "é", "\u0301")
    words = [*(word for text in complaints for word in text.split()), *odd * 30]
    ends = ("، ", ". ", "؟", "\n", "-", " (", "…", "\ua4d2", " \ua4d2 ", " \ua4d0 ", "x\ua4d0", ",\ua4d1 ")
    marks = [" "] * 9 + list(ends)
    complaints += [
        "".join(word + draw.choice(marks) for word in draw.choices(words, k=length))
        for length in (1, 3, 12, 50) * 60
    ]
    complaints += ["", " ", "،", ".", ", .", "\ua4d2", "\u0301", "\ud800"]
    assert clauses_of_each(complaints, ARABIC) == [clauses(text, ARABIC) for text in complaints]
    # A text that has the mark between two itself takes the others of its batch out of the quick way.
    complaints = [text for text in complaints if BETWEEN not in text]
    assert clauses_of_each(complaints, ARABIC) == [clauses(text, ARABIC) for text in complaints]
    labels = RULES.labels(complaints)
    assert len(labels.discriminators) == len(complaints) and len(set(labels.discriminators)) > 100
    for at, text in enumerate(complaints):
        decision = RULES.explain(text).decision
        assert decision is not None
        assert (decision.level or 0, decision.as_json()) == (labels.levels[at], labels.discriminators[at])
        alone = RULES.labels([text]).probabilities[0]
        assert alone.tobytes() == labels.probabilities[at].tobytes()
    assert clauses_of_each([], ARABIC) == []


def test_a_phrase_that_is_added_later_is_found_though_its_words_are_known():
    patterns = Patterns(RULES.lexicon.rules.clitics, ARABIC)
    patterns.add("ألم", "pain", cue=False)
    said = clauses("ألم في الصدر والصدر يؤلمني", ARABIC)[0]
    assert [each.payload for each in patterns.find(said)] == ["pain"]
    patterns.add("ألم * صدر", "chest", cue=False)
    patterns.add("صدر صدر", "twice", cue=False)
    found = [(each.payload, each.positions) for each in patterns.find(said)]
    assert found == plain_reading.phrases(patterns, said)
    assert found == [("pain", (0,)), ("chest", (0, 2)), ("twice", (2, 3))]
