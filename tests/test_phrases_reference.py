"""The fast search for phrases finds what a plain one finds, in the same order."""

import json
from pathlib import Path

from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.triage.expressions import spelt_out
from maqa_severity.harness.languages.phrases import Patterns, clauses
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
