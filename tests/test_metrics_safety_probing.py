"""The detectors of text kinds on short answers that were written to try them, each kind beside harmless twins."""

import json
from pathlib import Path

import pytest
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.safety.levels import Level
from maqa_severity.harness.metrics.safety.triage import triage_reader
from maqa_severity.harness.metrics.scoring import safety_metrics
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.tongues import ARABIC

WORDINGS = json.loads((Path(__file__).parent / "data" / "probing_wordings.json").read_text(encoding="utf-8"))
TRIAGE = WORDINGS["triage"]
READ = triage_reader(ARABIC).read
METRICS = {column: metric for metric in safety_metrics(ARABIC) for column in metric.columns}


def marked(column, answers, references=None, questions=None):
    size = len(answers)
    asked = Answers(answers, references or [""] * size, questions or [""] * size, [Severity.NEUTRAL] * size)
    return [score == 100 for score in METRICS[column].score(asked)[column]]


def wrong(wanted, found, texts):
    """Shares of what is missed and of what is found wrongly, and the texts."""
    wanted, pairs = list(map(bool, wanted)), list(zip(wanted, found, texts, strict=True))
    missed = [text for wish, hit, text in pairs if wish and not hit]
    false = [text for wish, hit, text in pairs if hit and not wish]
    return len(missed) / sum(wanted), len(false) / max(1, sum(found)), missed, false


def test_nobody_who_is_talked_out_of_going_counts_as_sent():
    assert [text for text in TRIAGE["talked_out"] if READ(text).level is Level.EMERGENCY] == []
    unread = [text for text in TRIAGE["talked_out"] if Level.EMERGENCY not in READ(text).negated]
    assert len(TRIAGE["talked_out"]) >= 90
    assert len(unread) <= 0.03 * len(TRIAGE["talked_out"]), unread


def test_who_is_talked_out_of_a_doctor_is_told_from_who_is_told_not_to_put_one_off():
    talked_out, kept = TRIAGE["no_doctor"], TRIAGE["doctor_kept"]
    assert [
        text for text, found in zip(talked_out, marked("negated_referral", talked_out), strict=True) if not found
    ] == []
    assert [text for text, found in zip(kept, marked("negated_referral", kept), strict=True) if found] == []


def test_who_is_sent_without_the_word_emergency_is_sent():
    unsent = [text for text in TRIAGE["sent"] if READ(text).level is not Level.EMERGENCY]
    assert len(TRIAGE["sent"]) >= 100
    assert len(unsent) <= 0.02 * len(TRIAGE["sent"]), unsent


def test_who_shall_wait_for_days_or_is_told_a_story_is_sent_to_no_emergency():
    texts = [*TRIAGE["no_emergency"], *TRIAGE["doctor"]]
    assert [text for text in texts if READ(text).level is Level.EMERGENCY] == []
    assert [text for text in TRIAGE["doctor"] if READ(text).direct is not Level.DOCTOR] == []


def test_on_a_condition_is_less_than_now():
    assert [text for text in TRIAGE["conditional"] if READ(text).level is Level.EMERGENCY] == []
    unread = [text for text in TRIAGE["conditional"] if READ(text).conditional is not Level.EMERGENCY]
    assert len(unread) <= 1, unread


@pytest.mark.parametrize("column", ["empty_or_generic", "refusal"])
def test_each_kind_is_told_from_its_harmless_twin(column):
    texts, wanted = zip(*WORDINGS[column], strict=True)
    missed, false, *which = wrong(wanted, marked(column, texts), texts)
    assert len(texts) >= 70
    assert missed <= 0.08 and false <= 0.05, which


def test_another_language_is_told_from_dialects_and_marks_of_lists():
    texts, wanted = zip(*WORDINGS["wrong_language"], strict=True)
    found = [
        same or other
        for same, other in zip(marked("wrong_language", texts), marked("wrong_script", texts), strict=True)
    ]
    assert wrong(wanted, found, texts)[2:] == ([], [])


def test_loops_cut_words_and_leaks_are_told_from_lists_and_short_answers():
    questions, texts, wanted = zip(*WORDINGS["degenerate"], strict=True)
    assert wrong(wanted, marked("degenerate", texts, questions=questions), texts)[2:] == ([], [])


def test_contraries_turn_a_statement_round_and_double_negations_do_not():
    references, texts, wanted = zip(*WORDINGS["polarity_flip"], strict=True)
    missed, false, *which = wrong(wanted, marked("polarity_flip", texts, references), texts)
    assert len(texts) >= 120
    assert missed <= 0.03 and false <= 0.03, which


def test_another_patients_answer_is_told_from_one_in_other_words():
    questions, references, texts, wanted = zip(*WORDINGS["off_topic"], strict=True)
    missed, false, *which = wrong(wanted, marked("off_topic", texts, references, questions), texts)
    assert missed <= 0.15 and false <= 0.08, which


def test_what_contradicts_is_shown_in_both_texts():
    metric = METRICS["polarity_flip"]
    for answer, reference, rule in (
        ("لا يؤثر على الحمل", "يؤثر على الحمل", "denied"),
        ("هذا الورم خبيث", "هذا الورم حميد", "contrary"),
        ("نعم يمكن", "لا", "verdict"),
    ):
        found = metric.explain("polarity_flip", Answers([answer], [reference]), 0)
        assert rule in {each.rule for each in found}
        assert len({each.where for each in found}) == 2
