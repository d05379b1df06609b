"""The third author's gold answers are as they were frozen, and hold none of other people's texts."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from maqa_severity.harness.metrics.safety.card import Detector
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.tests import third_gold
from maqa_severity.tests.falah_draw import ALTERED, ANSWERS, SWAPPED, digest, drawn, real_rows, swapped
from maqa_severity.tests.safety_card import counted
from maqa_severity.tests.third_card import TODAY, judged
from maqa_severity.tests.third_card import figures as figures_of

DATA = Path(__file__).parent / "data"
FROZEN = {
    "falah_answers_gold.jsonl": "bf91e08a0ca0bc5df05cc7c4ac3e053bdc0db3f703d176f89ce0435fcb5623de",
    "gold_answers_third.jsonl": "e208a208bf7e1d787119d5ac8fa46d367137a1e902fbf8bde0889a8e2f234dda",
}


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def test_the_labels_are_as_they_were_before_any_detector_ran_on_them():
    assert {name: hashlib.sha256((DATA / name).read_bytes()).hexdigest() for name in FROZEN} == FROZEN


def test_real_answers_are_kept_as_digests():
    real = rows("falah_answers_gold.jsonl")
    assert Counter("answer" in row or "question" in row for row in real) == {False: len(real)}
    references = [row["id"] for row in real if row["reference"]]
    assert len(references) == ALTERED and all(name.endswith("-altered") for name in references)


def test_every_answer_has_its_own_id_and_a_level_of_its_class():
    everything = [*rows("falah_answers_gold.jsonl"), *rows("gold_answers_third.jsonl")]
    assert len({row["id"] for row in everything}) == len(everything) == ANSWERS + ALTERED + SWAPPED + 200
    assert all(row["severity"] == CLASS_OF_LEVEL[row["level"]] for row in everything)
    assert {(row["author"], row["half"]) for row in everything} == {("third", "held_out")}


def test_the_real_answers_are_those_of_the_draw(falah):
    table = real_rows(falah)
    real = rows("falah_answers_gold.jsonl")
    for row in real:
        assert digest(table.question[row["question_row"]]) == row["question_sha256"], row["id"]
        assert digest(table.answer[row["answer_row"]]) == row["answer_sha256"], row["id"]
        assert "reference_row" not in row or digest(table.answer[row["reference_row"]]) == row["reference_sha256"]
    own = [row for row in real if "-" not in row["id"].removeprefix("falah-")]
    assert [row["question_row"] for row in own] == drawn(len(table))
    pairs = [(row["question_row"], row["answer_row"]) for row in real if "reference_row" in row]
    assert pairs == sorted(swapped(list(table.category)))


def test_first_seen_figures_are_of_the_frozen_labels():
    record = json.loads((DATA / "first_seen_third.json").read_text(encoding="utf-8"))
    assert record["gold"] == FROZEN
    for name, columns in record["parts"].items():
        for column, figures in columns.items():
            detector = Detector(**{key: figures[key] for key in Detector.model_fields})
            for share in ("precision", "recall"):
                value = getattr(detector, share).value
                assert figures[share]["value"] == value or value != value, (name, column)
    whole = {"n": 0, "misses": 0}
    for half in record["halves"].values():
        whole = {key: whole[key] + half["off_topic"][key] for key in whole}
    assert whole == {
        key: sum(part["off_topic"][key] for part in record["parts"].values() if "off_topic" in part)
        for key in whole
    }


def test_first_seen_figures_count_the_events_that_are_annotated():
    """Whatever the detectors find later, what happened stays as it was labelled."""
    record = json.loads((DATA / "first_seen_third.json").read_text(encoding="utf-8"))["parts"]["written"]
    for column, detector in counted(judged(third_gold.rows_of(third_gold.WRITTEN))).items():
        assert record[column]["n"] == detector.n
        assert (
            record[column]["true_positives"] + record[column]["misses"] == detector.true_positives + detector.misses
        )


def test_the_figures_of_today_are_those_of_the_installed_rules():
    """If this fails, rules have changed: run ``python tests/third_card.py --today``."""
    today = json.loads(TODAY.read_text(encoding="utf-8"))
    assert today["gold"] == FROZEN
    seen = figures_of(judged(third_gold.rows_of(third_gold.WRITTEN)))
    assert today["parts"]["written"] == json.loads(json.dumps(clean(seen)))


def clean(value):
    """As JSON keeps it: what is not a number is null."""
    if isinstance(value, dict):
        return {key: clean(each) for key, each in value.items()}
    return None if isinstance(value, float) and value != value else value


def test_real_answers_are_absent_without_their_texts(tmp_path):
    assert list(third_gold.parts(tmp_path / "none.xlsx")) == ["written"]


def test_another_text_than_the_annotated_one_is_refused(falah, monkeypatch):
    table = real_rows(falah)
    table.loc[0, "answer"] += "."
    monkeypatch.setattr(third_gold, "real_rows", lambda workbook: table)
    with pytest.raises(ValueError, match="falah-0000: the answer"):
        third_gold.joined_rows(falah)


def test_every_annotated_row_belongs_to_one_part(falah):
    kinds = third_gold.parts(falah)
    assert {kind: len(rows) for kind, rows in kinds.items()} == {
        "written": 200,
        "real": ANSWERS,
        "real, altered reference": ALTERED,
        "real, other answer": SWAPPED,
    }
    assert all(row["answer"] is not None and row["question"] for rows in kinds.values() for row in rows)
