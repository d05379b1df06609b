"""The model answers' labels are as they were frozen, and hold no passage of other people's texts."""

import hashlib
import json
from collections import Counter

import pytest
from maqa_severity.harness.metrics.safety.card import Detector
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.tests import model_gold
from maqa_severity.tests.falah_draw import real_rows
from maqa_severity.tests.gold_authors import authors, model_answers
from maqa_severity.tests.model_card import FIRST_SEEN
from maqa_severity.tests.safety_card import counted
from maqa_severity.tests.third_card import judged
from maqa_severity.tests.third_gold import is_development
from maqa_severity.tests.tongues import ARABIC

FROZEN = "5c2ecbe8d656ac77a765680baaa4ebe497bfd0d8bd5f0d6f84255daed03b110b"
COPIED = 24
"""So many characters in a row that also stand in FALAH-Mix are kept as their place, not as text."""


def test_the_labels_are_as_they_were_before_any_detector_ran_on_them():
    assert hashlib.sha256(model_gold.GOLD.read_bytes()).hexdigest() == FROZEN


def test_each_arm_has_forty_answers_and_each_row_its_half():
    rows = model_gold.rows_of()
    assert Counter(arm for row in rows for arm in row["arms"]) == {"base": 40, "ce": 40, "severity": 40}
    assert (
        len({row["id"] for row in rows}) == len({(row["question_row"], row["answer_sha256"]) for row in rows}) == 91
    )
    assert all(row["severity"] == CLASS_OF_LEVEL[row["level"]] for row in rows)
    assert all(row["half"] == ("rules" if is_development(row) else "held_out") for row in rows)


def test_no_passage_of_falah_is_kept(falah):
    cells = "\n".join(text for column in ("question", "answer") for text in real_rows(falah)[column])
    for row in model_gold.rows_of():
        assert "question" not in row and "reference" not in row
        own = [row["answer"]] if "answer" in row else [piece for piece in row["pieces"] if isinstance(piece, str)]
        for text in own:
            passages = (text[at : at + COPIED] for at in range(len(text) - COPIED + 1))
            assert not any(passage in cells for passage in passages), row["id"]


def test_answers_are_put_together_from_their_places(falah):
    rows = model_gold.joined_rows(falah)
    assert sum("pieces" in row for row in rows) == 10
    assert all(row["question"] and row["reference"] for row in rows)


def test_another_text_than_the_annotated_one_is_refused(falah, monkeypatch):
    table = real_rows(falah)
    table.loc[model_gold.rows_of()[0]["question_row"], "question"] += "."
    monkeypatch.setattr(model_gold, "real_rows", lambda workbook: table)
    with pytest.raises(ValueError, match="the question"):
        model_gold.joined_rows(falah)


def test_without_falah_there_are_none(tmp_path):
    assert model_gold.joined_rows(tmp_path / "none.xlsx") == []


def test_first_seen_figures_are_of_the_frozen_labels(falah):
    """Whatever the detectors find later, what happened stays as it was labelled."""
    seen = json.loads(FIRST_SEEN.read_text(encoding="utf-8"))
    assert seen["gold"] == {model_gold.GOLD.name: FROZEN}
    today, first = counted(judged(model_gold.joined_rows(falah))), seen["parts"]["model"]
    assert set(today) == set(first)
    for column, detector in today.items():
        then = Detector(**{key: first[column][key] for key in Detector.model_fields})
        assert then.n == detector.n
        assert then.true_positives + then.misses == detector.true_positives + detector.misses
        halves = [half[column] for half in seen["halves"].values()]
        assert sum(half["n"] for half in halves) == then.n
        assert sum(half["misses"] for half in halves) == then.misses


def test_the_card_shows_their_held_out_half_and_judges_no_detector_by_it(falah, tmp_path):
    shown = model_answers(falah)
    assert len(shown.rows) == 43 and not any(is_development(row) for row in shown.rows)
    assert shown.first_seen["degenerate"].n == 91 and shown.first_seen["degenerate"].misses == 7
    assert shown.name not in {each.name for each in authors(ARABIC, falah)}
    absent = model_answers(tmp_path / "none.xlsx")
    assert not absent.rows and absent.first_seen == shown.first_seen
