"""The grammar's rows: what they contain, and that they stay clear of the hand-written test split."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import maqa_severity.tasks.sample as sample
import numpy as np
import pytest
from maqa_severity.tasks.sample.grammar import MAX_ANSWER_REPEATS, everyday_rows, medical_rows
from maqa_severity.tests.tongues import ARABIC
from rapidfuzz import fuzz, process

FOLDER = Path(sample.__file__).parent / ARABIC.code
SEVERITIES = ("critical", "neutral", "non_critical")
DIALECTS = {"msa", "egyptian", "gulf", "levantine", "maghrebi"}
CATEGORIES = {
    "Gynecology",
    "Urogenital",
    "Musculoskeletal",
    "Dermatology",
    "General medicine",
    "Esoteric",
    "Gastrointestinal",
    "STD",
    "Dentistry",
    "Pediatric",
    "Psychiatric and neurological",
    "Cardiovascular",
    "General surgery",
    "Ophthalmology",
    "ENT",
    "Tumors",
    "Endocrine",
    "Respiratory",
    "Plastic surgery",
    "Blood",
}
MEDICAL = (
    "طبيب|دكتور|حكيم|مستشفي|اسعاف|طواري|الم|الام|وجع|دوا|ادويه|علاج|مرض|مريض|عياده|جراحه|صيدليه|"
    "صداع|حمي|نزيف|التهاب|ورم|تحليل"
)
MEDICAL_WORD = re.compile(rf"[وف]?[بكل]?(?:ال|لل)?(?:{MEDICAL})(?:ي|ه|ها|ك|كم|نا|ات|ين)?")
RUN = 6
RATIO_BOUND = 80.0

Rows = list[dict[str, str]]


def fold(text: str) -> str:
    """Spelling variants, marks, punctuation and digits unified; deliberately not the package's own function."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    text = text.translate(str.maketrans("أإآٱىئؤة", "اااايي" + "وه", "ءـ"))
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    return " ".join(re.sub(r"[^\w\s]|_", " ", text).split())


def runs(text: str) -> set[str]:
    words = fold(text).split()
    return {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def leaks(generated: Rows, held_out: Rows) -> tuple[list[str], float]:
    """What of ``held_out`` occurs in ``generated``, a line per finding, and the highest ratio of two questions."""
    found = []
    for field in ("question", "answer"):
        known = {fold(row[field]) for row in generated}
        found += [f"identical {field}: {row['id']}" for row in held_out if fold(row[field]) in known]
    known_runs = {run for row in generated for field in ("question", "answer") for run in runs(row[field])}
    for row in held_out:
        shared = (runs(row["question"]) | runs(row["answer"])) & known_runs
        found += [f"shared run: {row['id']}: {run}" for run in sorted(shared)]
    scores = process.cdist(
        [fold(row["question"]) for row in held_out], [fold(row["question"]) for row in generated], scorer=fuzz.ratio
    )
    for row, best in zip(held_out, np.asarray(scores).max(axis=1), strict=True):
        if best >= RATIO_BOUND:
            found.append(f"similar question: {row['id']}: {best:.1f}")
    return found, float(np.max(scores))


@pytest.fixture(scope="module")
def medical() -> Rows:
    return medical_rows(ARABIC, 1000)


@pytest.fixture(scope="module")
def everyday() -> Rows:
    return everyday_rows(ARABIC, 2000)


@pytest.fixture(scope="module")
def held_out() -> Rows:
    lines = [line for name in SEVERITIES for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in lines if line.strip()]
    assert len(rows) == 300
    return rows


def test_same_seed_same_rows(medical: Rows, everyday: Rows) -> None:
    assert medical_rows(ARABIC, 1000) == medical
    assert everyday_rows(ARABIC, 2000) == everyday
    assert medical_rows(ARABIC, 20, seed=1) != medical_rows(ARABIC, 20, seed=2)
    assert everyday_rows(ARABIC, 20, seed=1) != everyday_rows(ARABIC, 20, seed=2)


def test_counts_keys_and_order(medical: Rows, everyday: Rows) -> None:
    assert Counter(row["severity"] for row in medical) == dict.fromkeys(SEVERITIES, 1000)
    assert len(everyday) == 2000
    assert list(medical[0]) == ["id", "question", "answer", "category", "severity", "dialect"]
    assert list(everyday[0]) == ["id", "question", "answer", "topic"]
    assert [row["id"] for row in medical] == [f"grammar-{number:05}" for number in range(1, 3001)]
    assert {row["severity"] for row in medical[:30]} == set(SEVERITIES)
    assert len({row["topic"] for row in everyday}) == 8


@pytest.mark.parametrize("seed", [0, 7])
def test_questions_are_distinct_and_complete(seed: int) -> None:
    for rows in (medical_rows(ARABIC, 1000, seed), everyday_rows(ARABIC, 2000, seed)):
        assert len({fold(row["question"]) for row in rows}) == len(rows)
        assert not [row for row in rows for text in row.values() if re.search(r"[{}]|  |،\.|\.\.|؟[^ ]", text)]
        assert all(row["question"].strip() == row["question"] and row["answer"] for row in rows)


def test_every_category_severity_and_dialect(medical: Rows) -> None:
    cells = Counter((row["category"], row["severity"]) for row in medical)
    assert set(cells) == {(category, severity) for category in CATEGORIES for severity in SEVERITIES}
    assert min(cells.values()) >= 40
    for severity in SEVERITIES:
        assert {row["dialect"] for row in medical if row["severity"] == severity} == DIALECTS
    assert min(Counter(row["dialect"] for row in medical).values()) >= 300


def test_answers_are_uneven_and_seldom_repeated(medical: Rows) -> None:
    assert max(Counter(fold(row["answer"]) for row in medical).values()) <= MAX_ANSWER_REPEATS == 15
    lengths = [len(row["answer"].split()) for row in medical]
    assert min(lengths) >= 2 and max(lengths) <= 45
    assert np.std(lengths) > 3
    of = {severity: {row["answer"] for row in medical if row["severity"] == severity} for severity in SEVERITIES}
    assert not of["critical"] & of["neutral"] and not of["neutral"] & of["non_critical"]


def test_everyday_part_is_not_medical(medical: Rows, everyday: Rows) -> None:
    def medical_words(rows: Rows) -> set[str]:
        texts = [fold(row["question"] + " " + row["answer"]) for row in rows]
        return {word for text in texts for word in text.split() if MEDICAL_WORD.fullmatch(word)}

    assert medical_words(everyday) == set()
    assert len(medical_words(medical)) > 20


@pytest.mark.parametrize("rows", [medical_rows, everyday_rows])
def test_asking_for_too_many_rows_fails(rows: object) -> None:
    with pytest.raises(ValueError, match="cannot produce"):
        rows(ARABIC, 200_000)  # type: ignore[operator]


def test_the_test_split_stays_separate(medical: Rows, everyday: Rows, held_out: Rows) -> None:
    for rows in (medical, everyday):
        found, highest = leaks(rows, held_out)
        assert found == []
        assert highest < RATIO_BOUND


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda row: row, {"identical question", "identical answer", "shared run", "similar question"}),
        (
            lambda row: {**row, "question": "سؤال آخر", "answer": row["answer"].replace("ة", "ه")},
            {"identical answer", "shared run"},
        ),
        (
            lambda row: {**row, "question": row["question"] + "!", "answer": "-"},
            {"identical question", "shared run", "similar question"},
        ),
        (
            lambda row: {**row, "question": "س", "answer": "قال " + " ".join(row["question"].split()[1:8])},
            {"shared run"},
        ),
        (
            lambda row: {**row, "question": row["question"].replace(" ", " و ", 1), "answer": "-"},
            {"shared run", "similar question"},
        ),
    ],
)
def test_the_check_reports_an_injected_row(change, expected, medical: Rows, held_out: Rows) -> None:  # type: ignore[no-untyped-def]
    found, _ = leaks([*medical[:50], change(held_out[0])], held_out)
    assert {line.split(":")[0] for line in found} == expected
    assert all(held_out[0]["id"] in line for line in found)
