"""What the detectors read fast they read as the plain way does: gold answers, real ones and random texts."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.safety import triage
from maqa_severity.harness.metrics.safety.danger_reader import DangerReader
from maqa_severity.harness.metrics.safety.lexicon import Kind
from maqa_severity.harness.metrics.safety.polarity_reader import polarity_reader
from maqa_severity.harness.metrics.safety.quantities import QuantityReader
from maqa_severity.harness.metrics.safety.sentences import sentences
from maqa_severity.harness.metrics.safety.statements import Sign, turned
from maqa_severity.harness.metrics.safety.tokens import TokenReader
from maqa_severity.tests import plain_reading
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.tongues import ARABIC, ENGLISH

DATA = Path(__file__).parent / "data"
GOLD = {ARABIC.code: "gold_answers.jsonl", ENGLISH.code: "gold_answers_en.jsonl"}
NUMBERS = ("5", "10", "1/2", "0.5", "½", "²", "٣", "٥٠٠", "12,5", "1-2", "q8h", "b.i.d.", "B12", "COVID-19")
ODD = (*NUMBERS, "1)", "2-", "3.", "mg", "ml", "😀", "é", "\ua4d2", "\ua4d0", "\u0301", "\u200f", "")
MARKS = [" "] * 12 + [", ", "، ", ". ", "؟ ", "\n", "; ", "؛ ", "… ", "-", "/", ":", " (", ") ", "!", "."]


@cache
def texts(language: Language) -> tuple[tuple[str, str], ...]:
    """Pairs of texts: answer and reference, or nearly one text."""
    rows = [json.loads(line) for line in (DATA / GOLD[language.code]).read_text(encoding="utf-8").splitlines()]
    pairs = [(row["answer"], row.get("reference") or row.get("question") or "") for row in rows[:250]]
    if language is ARABIC and FALAH.exists():
        answers = pd.read_excel(FALAH)["Answer"].astype(str).tolist()[:250]
        pairs += list(zip(answers[1:], answers, strict=False))
    draw = random.Random(3)
    files = ("safety_lexicon.jsonl", "dangers.json", "quantities.json", "safety_rules.json")
    known = " ".join((language.folder / name).read_text(encoding="utf-8") for name in files)
    words = [*re.findall(r"[^\W_]+", known), *ODD * 5]
    for _ in range(250):
        text = "".join(word + draw.choice(MARKS) for word in draw.choices(words, k=draw.choice([1, 5, 20, 60])))
        other = " ".join(word if draw.random() > 0.3 else draw.choice(words) for word in text.split(" "))
        pairs.append((text, other))
    return tuple(pairs)


@pytest.fixture(params=[ARABIC, ENGLISH], ids=lambda language: language.code)
def language(request) -> Language:
    return request.param


def test_the_index_finds_every_phrase_and_no_other(language):
    found = 0
    for patterns in (triage.TriageReader(language)._patterns, DangerReader(language)._of_answers):
        for text, _ in texts(language)[::5]:
            for clause in sentences(text, language):
                fast = Counter((repr(each.payload), each.positions) for each in patterns.find(clause))
                plain = Counter((repr(one), places) for one, places in plain_reading.phrases(patterns, clause))
                assert fast == plain
                found += len(fast)
    assert found > 300


def test_a_word_that_means_nothing_in_a_quantity_is_known_without_looking_it_up(language):
    fast, plain = TokenReader(language), TokenReader(language)
    words = {word for pair in texts(language) for text in pair for word in re.findall(r"\w+", text)}
    plain._meaning = frozenset(form for word in words for form in plain._forms(word))
    for word in words:
        assert fast._understand(word) == plain._understand(word)
        assert fast.counts(word) == plain._understand(word).counts
    assert sum(fast.counts(word) for word in words) > 20


def test_quantities_are_those_of_reading_every_sentence_by_itself(language, monkeypatch):
    fast, plain = QuantityReader(language), QuantityReader(language)
    tokens = TokenReader(language)
    monkeypatch.setattr(plain, "_can_hold", lambda text: True)
    monkeypatch.setattr(plain, "_tokens", lambda parts: [tokens.read([part])[0] for part in parts])
    found = [(fast.read(text), plain.read(text)) for pair in texts(language) for text in pair]
    assert all(one == other for one, other in found)
    assert 50 < sum(bool(one) for one, _ in found) < len(found) - 50


def test_what_is_turned_round_is_that_of_statements_one_by_one(language):
    reader = polarity_reader(language)
    found = 0
    for answer, reference in texts(language):
        said, given = reader.read(answer), reader.read(reference)
        plain, other = plain_reading.statements(reader, answer), plain_reading.statements(reader, reference)
        assert list(zip(said.stems, said.places, strict=True)) == [(each.stem, each.place) for each in plain]
        signs = {place: each.sign for place, each in enumerate(plain) if each.sign is not Sign.ASSERTED}
        assert said.turned == signs
        assert said.first == {place for place, each in enumerate(plain) if each.first}
        assert said.reached == {place for place, each in enumerate(plain) if each.reached}
        pairs = list(turned(said, given)), list(turned(given, said))
        assert pairs == (list(plain_reading.turned(plain, other)), list(plain_reading.turned(other, plain)))
        found += len(pairs[0]) + len(pairs[1])
    assert found > 20


def test_clauses_without_a_destination_or_reassurance_tell_nothing(language, monkeypatch):
    fast = triage.TriageReader(language)
    read = [(fast.read(text), fast.actions(text), fast.reassurances(text)) for text, _ in texts(language)]
    monkeypatch.setattr(triage, "_TELLING", frozenset(Kind))
    plain = triage.TriageReader(language)
    assert read == [
        (plain.read(text), plain.actions(text), plain.reassurances(text)) for text, _ in texts(language)
    ]
    assert sum(bool(actions) for _, actions, _ in read) > 50


def test_what_is_found_stands_in_one_order_in_every_process():
    script = (
        "import json, sys\n"
        "from maqa_severity.harness.languages import language\n"
        "from maqa_severity.harness.metrics.safety.triage import triage_reader\n"
        "reader = triage_reader(language('ar'))\n"
        "rows = open(sys.argv[1], encoding='utf-8').readlines()\n"
        "sys.stdout.write(repr([reader.actions(json.loads(row)['answer']) for row in rows]))\n"
    )
    command = [sys.executable, "-c", script, str(DATA / GOLD["ar"])]
    told = []
    for seed in ("1", "2"):
        hashing = os.environ | {"PYTHONHASHSEED": seed}
        told.append(subprocess.run(command, check=True, capture_output=True, text=True, env=hashing).stdout)
    assert told[0] == told[1] and "doctor" in told[0]
