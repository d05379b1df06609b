"""What holds for every source: nothing leaks, nothing is lost uncounted, order does not matter."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.data.card import Card
from maqa_severity.harness.data.dataset import SPLITS, Dataset
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.languages.text import Profile, normalise
from maqa_severity.tests.tongues import ARABIC

# Few words and marks, so that equal questions with other answers and duplicates of every kind are frequent.
WORD = st.sampled_from(["ا", "أ", "ب", "1", "١", ""])
MARK = st.sampled_from(["", " ", "؟", "َ", "ـ", '"\n'])
TEXT = st.tuples(WORD, MARK).map("".join)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
SEVERITY = st.sampled_from(["", "critical", "متوسط", "mild"])
ROWS = st.lists(st.tuples(TEXT, TEXT, SEVERITY), max_size=30).map(lambda rows: [*rows, ("سؤال", "جواب", "low")])


def run(
    rows: list[tuple[str, ...]], test: float = 0.3, validation: float = 0.2, seed: int = 0
) -> tuple[Dataset, Card]:
    folder = Path(tempfile.mkdtemp())
    with (folder / "s.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(["question", "answer", "severity"])
        writer.writerows(rows)
    options = PrepareOptions(ARABIC, test=Share(fraction=test), validation=Share(fraction=validation), seed=seed)
    return prepare(folder / "s.csv", folder / "d", options)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.floats(0, 0.6), st.floats(0, 0.39), st.integers())
def test_no_question_stands_in_two_splits_and_all_rows_are_counted(
    rows: list[tuple[str, str, str]], test: float, validation: float, seed: int
) -> None:
    dataset, card = run(rows, test, validation, seed)
    frames = {name: dataset.split(name) for name in SPLITS}
    questions = [
        {normalise(text, Profile.METRIC, ARABIC) for text in frame["question"]} for frame in frames.values()
    ]
    assert len(set().union(*questions)) == sum(map(len, questions))

    kept = pd.concat(frames.values())
    said = {
        (normalise(q, Profile.METRIC, ARABIC), normalise(a, Profile.METRIC, ARABIC))
        for q, a, _ in rows
        if normalise(q, Profile.METRIC, ARABIC) and normalise(a, Profile.METRIC, ARABIC)
    }
    assert {
        (normalise(q, Profile.METRIC, ARABIC), normalise(a, Profile.METRIC, ARABIC))
        for q, a in zip(kept["question"], kept["answer"], strict=True)
    } == said
    assert len(kept) == card.kept == len(said)
    assert card.read == len(rows) == card.kept + sum(card.dropped.values())
    assert card.dropped["no_question"] == sum(not normalise(q, Profile.METRIC, ARABIC) for q, _, _ in rows)
    written = {
        (q, a) for q, a, _ in rows if normalise(q, Profile.METRIC, ARABIC) and normalise(a, Profile.METRIC, ARABIC)
    }
    assert card.dropped["normalised_duplicate"] == len(written) - len(said)
    assert set(zip(kept["question"], kept["answer"], strict=True)) <= written
    assert kept["id"].is_unique

    assert (
        card.categories.sum().to_dict() == card.severities.sum().to_dict() == {n: len(f) for n, f in frames.items()}
    )
    assert len(frames["test"]) <= round(test * card.kept)
    assert len(frames["validation"]) <= round(validation * card.kept)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_dataset_does_not_depend_on_the_order_of_the_rows(
    rows: list[tuple[str, str, str]], randomness: random.Random
) -> None:
    shuffled = list(rows)
    randomness.shuffle(shuffled)
    (one, first), (two, second) = run(rows), run(shuffled)
    assert one.info.sha256 == two.info.sha256
    assert first.dropped == second.dropped


def plain(text):
    """Without control characters; a vertical tab and a page break become a line break."""
    breaks = text.replace("\x0b", "\n").replace("\x0c", "\n")
    return "".join(mark for mark in breaks if not (ord(mark) < 32 or ord(mark) == 127) or mark in "\t\n\r")


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_text_comes_back_unchanged_but_for_control_characters(question: str, answer: str) -> None:
    row = (f"ا{question}", f"{answer}ب", "")
    dataset, _ = run([row], test=1.0, validation=0.0)
    assert dataset.split("test")[["question", "answer"]].iloc[0].tolist() == [plain(text) for text in row[:2]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers())
def test_distinct_questions_give_splits_of_the_exact_size(test: int, validation: int, seed: int) -> None:
    rows = [(f"س {n}", "ج", ("critical", "mild", "")[n % 3]) for n in range(80)]
    dataset, _ = run(rows, test / 80, validation / 80, seed)
    counts = {name: dataset.info.counts[name]["rows"] for name in SPLITS}
    assert counts == {"train": 80 - test - validation, "validation": validation, "test": test}
