"""What belongs together is found when data is prepared, kept in one split, and known to every run."""

import json
import random

import pytest
from maqa_severity.harness import languages
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.columns import Role
from maqa_severity.harness.data.dataset import SPLITS, open_dataset
from maqa_severity.harness.data.near_duplicates import alike, near_duplicates
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.tasks.documents import load_documents

WORDS = ["fever", "headache", "insulin", "tablet", "pregnant", "swelling", "yesterday", "doctor", "ankle", "cough"]


def question(rng, words=25):
    return " ".join("".join(rng.sample(word, len(word))) for word in rng.choices(WORDS, k=words))


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def prepared(tmp_path, rows, **options):
    source = written(tmp_path / "source.jsonl", rows)
    usual = {"test": Share(fraction=0.3), "validation": Share(fraction=0.2)}
    return prepare(source, tmp_path / "out", PrepareOptions(languages.language("en"), **{**usual, **options}))[0]


def splits_of(dataset):
    """By cluster, in which splits it stands."""
    found = {}
    for split in SPLITS:
        for name in dataset.split(split)["cluster"].dropna():
            found.setdefault(name, set()).add(split)
    return found


def cases(count=30, of=4):
    rng = random.Random(0)
    return [
        {"question": question(rng), "answer": f"answer {case} {row}", "case_id": f"case {case}"}
        for case in range(count)
        for row in range(of)
    ]


def test_a_case_stands_in_one_split(tmp_path):
    dataset = prepared(tmp_path, cases())
    found = splits_of(dataset)
    assert len(found) == 30
    assert all(len(splits) == 1 for splits in found.values())
    assert set().union(*found.values()) == set(SPLITS)
    assert dataset.info.clusters == {
        "method": "column", "column": "case_id", "without": 0, "clusters": 30, "rows": 120, "largest": 4
    }  # fmt: skip


def test_a_paraphrase_stands_in_the_split_of_its_question(tmp_path):
    rng = random.Random(1)
    rows = []
    for number in range(60):
        asked = question(rng)
        rows.append({"question": asked, "answer": f"answer {number}"})
        rows.append({"question": f"Please, {asked}?", "answer": f"another {number}"})
    dataset = prepared(tmp_path, rows)
    found = splits_of(dataset)
    assert len(found) == 60
    assert all(len(splits) == 1 for splits in found.values())
    about = dataset.info.clusters
    assert (about["method"], about["clusters"], about["rows"]) == ("near-duplicates", 60, 120)


def test_a_row_without_a_value_is_a_cluster_of_its_own_and_counted(tmp_path):
    rows = cases()
    for row in rows[:8]:
        row["case_id"] = " "
    dataset = prepared(tmp_path, rows)
    assert dataset.info.clusters["without"] == 8
    assert dataset.info.clusters["clusters"] == 28
    assert sum(dataset.split(split)["cluster"].isna().sum() for split in SPLITS) == 8


def test_an_id_that_joins_nothing_is_taken_for_clusters_only_where_it_is_named(tmp_path):
    rows = [{**row, "case_id": str(number)} for number, row in enumerate(cases())]
    assert prepared(tmp_path, rows).info.clusters["method"] == "near-duplicates"
    named = prepared(tmp_path, rows, columns={Role.CLUSTER: "case_id"}, overwrite=True)
    assert named.info.clusters["method"] == "column"
    assert named.info.clusters["clusters"] == 0


def test_one_cluster_of_everything_is_refused(tmp_path):
    with pytest.raises(UserError, match="puts all 20 rows in one cluster"):
        prepared(tmp_path, cases(1, 20))
    with pytest.raises(UserError, match="no column 'case'"):
        prepared(tmp_path, cases(), columns={Role.CLUSTER: "case"})


def test_the_same_question_belongs_together_whatever_the_column_says(tmp_path):
    rows = cases()
    rows[0]["question"] = rows[119]["question"]
    dataset = prepared(tmp_path, rows)
    assert dataset.info.clusters["clusters"] == 29
    assert dataset.info.clusters["largest"] == 8


def test_no_order_of_the_rows_changes_a_cluster(tmp_path):
    rows = cases() + [{**row, "question": row["question"] + " now", "answer": "x"} for row in cases()[:40]]
    rows = [{key: row[key] for key in ("question", "answer")} for row in rows]
    once = prepared(tmp_path, rows)
    before = {split: once.split(split) for split in SPLITS}
    again = prepared(tmp_path, random.Random(2).sample(rows, len(rows)), overwrite=True)
    assert all(again.split(split).equals(before[split]) for split in SPLITS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("is ibuprofen safe in pregnancy", "is paracetamol safe in pregnancy"),
        ("what should a patient with type 1 diabetes eat", "what should a patient with type 2 diabetes eat"),
        ("is so much aspirin safe for a child of 81 months", "is so much aspirin safe for a child of 82 months"),
        ("my left knee hurts when i climb the stairs", "my right knee hurts when i climb the stairs"),
        ("fever", "fevers"),
        ("", "a"),
    ],
)  # fmt: skip
def test_short_questions_that_differ_stay_apart(first, second):
    assert not alike(first, second)


def test_near_duplicates_are_found_among_many():
    rng = random.Random(3)
    texts = [question(rng) for _ in range(3000)]
    for place in range(0, 600, 2):
        words = texts[place].split()
        words[rng.randrange(len(words))] = "again"
        texts[place + 1] = " ".join(words)
    found = {tuple(pair) for pair in near_duplicates(len(texts), lambda places: [texts[each] for each in places])}
    planted = {(place, place + 1) for place in range(0, 600, 2)}
    assert len(found & planted) >= 290
    assert not found - planted


def test_texts_without_letters_enough_are_no_trouble():
    texts = ["", "a", "ab", "abc", "", "x" * 300, "x" * 301]
    assert near_duplicates(len(texts), lambda places: [texts[each] for each in places]).tolist() == [[0, 4], [5, 6]]


def test_of_falah_mix_only_questions_that_repeat_each_other_are_joined(tmp_path, falah):
    """Read through by eye: 38 consultations that both of its sources hold, one without the little words."""
    dataset, card = prepare(falah, tmp_path / "out", PrepareOptions(languages.language("ar")))
    about = open_dataset(dataset.folder).info.clusters
    assert (about["clusters"], about["rows"]) == (38, 78), card.clusters
    assert all(len(splits) == 1 for splits in splits_of(dataset).values())


def test_the_cluster_travels_to_the_questions_that_are_asked(tmp_path):
    rows = [{**row, "severity": "critical"} for row in cases()]
    rows[0]["case_id"] = rows[1]["case_id"] = ""
    dataset = prepared(tmp_path, rows, test=Share(fraction=1.0), validation=Share(fraction=0.0))
    asked = load_documents("critical", data=str(dataset.folder), bertscore_model="none")["test"]
    assert dict(zip(asked["id"], asked["cluster"], strict=True)) == {
        row.id: row.cluster if isinstance(row.cluster, str) else None for row in dataset.split("test").itertuples()
    }
    assert list(asked["cluster"]).count(None) == 2
