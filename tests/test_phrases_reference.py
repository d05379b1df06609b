"""The fast search for phrases finds what a plain one finds, in the same order."""

import json
from pathlib import Path

from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.triage.expressions import spelt_out
from maqa_severity.harness.languages.phrases import Patterns, clauses
from maqa_severity.harness.languages.text import Profile, words
from maqa_severity.tests.tongues import ARABIC

GOLD = Path(__file__).parent / "data" / "triage_gold.jsonl"
RULES = RulesSource(ARABIC)


def follow(elements, at, keys, position):
    """Positions of the elements from ``at`` on, the shortest gaps first; None if they do not match."""
    if at == len(elements):
        return ()
    if elements[at] == "*":
        tries = (follow(elements, at + 1, keys, position + skipped) for skipped in range(3))
        return next((found for found in tries if found is not None), None)
    if position >= len(keys) or not elements[at] & keys[position]:
        return None
    rest = follow(elements, at + 1, keys, position + 1)
    return None if rest is None else (position, *rest)


def test_a_plain_search_finds_the_same_phrases_in_the_same_order():
    phrases = [
        phrase
        for one in RULES.triage.discriminators
        for each in one.expressions.get("all", ())[:2]
        for phrase in spelt_out(each, RULES.triage.sets)
    ][:300]
    patterns = Patterns(RULES.lexicon.rules.clitics, ARABIC)
    plain = []
    for number, phrase in enumerate(phrases):
        patterns.add(phrase, number, cue=False)
        plain.append(
            [
                "*"
                if part == "*"
                else {word for one in part.split("|") for word in words(one, Profile.METRIC, ARABIC)}
                for part in phrase.split()
            ]
        )
    texts = [json.loads(line)["text"] for line in GOLD.read_text(encoding="utf-8").splitlines()]
    compared = 0
    for clause in (clause for text in texts for clause in clauses(text, ARABIC)):
        keys = [set(patterns._known[word].keys) for word in clause.words]
        expected = [
            (number, (start, *rest))
            for start in range(len(keys))
            for number, elements in enumerate(plain)
            if elements[0] & keys[start] and (rest := follow(elements, 1, keys, start + 1)) is not None
        ]
        assert [(found.payload, found.positions) for found in patterns.find(clause)] == expected
        compared += len(expected)
    assert compared > 100


def test_sets_and_either_order_are_spelt_out():
    sets = {"pain": "ألم|وجع"}
    assert spelt_out("{pain} في البطن", sets) == ["ألم|وجع في البطن"]
    assert spelt_out("{pain}|مغص & بطن", sets) == ["ألم|وجع|مغص * بطن", "بطن * ألم|وجع|مغص"]
    assert spelt_out("أ && ب", sets) == ["أ * * ب", "ب * * أ"]
