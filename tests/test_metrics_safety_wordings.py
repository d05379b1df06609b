"""The detectors on wordings by the hundred that were invented to try them (``data/synthetic_wordings.json``)."""

import json
from pathlib import Path

import pytest
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.safety.doses import DoseConflict, UnsupportedNumbers
from maqa_severity.harness.metrics.safety.levels import Level
from maqa_severity.harness.metrics.safety.polarity import PolarityFlip
from maqa_severity.harness.metrics.safety.triage import triage_reader
from maqa_severity.harness.metrics.scoring import safety_metrics
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.safety_card import DANGERS
from maqa_severity.tests.tongues import ARABIC

WORDINGS = json.loads((Path(__file__).parent / "data" / "synthetic_wordings.json").read_text(encoding="utf-8"))
READ = triage_reader(ARABIC).read
SENT_TO = ("الطوارئ", "المستشفى", "قسم الطوارئ", "أقرب مستشفى", "طوارئ المستشفى", "الإسعاف")


def filled(frame, place):
    """A frame with a place, whose article is written onto what stands before it."""
    bare = place.removeprefix("ال")
    joined = (("عال", "عال"), ("لل", "لل"), ("بال", "بال"), ("ل", "لل" if place != bare else "ل"))
    for written, spelt in joined:
        frame = frame.replace(f" {written}{{D}}", f" {spelt}{bare}")
    return frame.replace("{D}", place)


def talked_out(part):
    texts = WORDINGS["talked_out"]
    return [
        filled(frame, place)
        for dialect, frames in texts[part].items()
        for frame in frames
        for place in texts["places"][dialect]
    ]


@pytest.mark.parametrize(
    ("part", "credited", "unread"), [("written_with_the_rules", 0, 0.02), ("written_after_them", 0.02, 0.1)]
)
def test_who_is_talked_out_of_going_is_not_sent_there(part, credited, unread):
    readings = [READ(text) for text in talked_out(part)]
    assert len(readings) >= 200
    sent = sum(reading.level is Level.EMERGENCY for reading in readings)
    missed = sum(Level.EMERGENCY not in reading.negated for reading in readings)
    assert sent <= credited * len(readings)
    assert missed <= unread * len(readings)


def test_who_is_sent_is_read_as_sent():
    texts = [filled(frame, place) for frame in WORDINGS["sent"] for place in SENT_TO]
    assert len(texts) >= 120
    wrong = [text for text in texts if READ(text).level is not Level.EMERGENCY or READ(text).negated]
    assert len(wrong) <= 0.02 * len(texts), wrong


def test_a_description_of_a_place_sends_nobody_there():
    texts = [filled(frame, place) for frame in WORDINGS["descriptions"] for place in SENT_TO[:2]]
    assert [text for text in texts if READ(text).level is Level.EMERGENCY] == []


def dose_pairs():
    for reference, answer, conflict in WORDINGS["doses"]:
        yield reference, answer, conflict
        yield reference, f"أهلا بك. {answer} بعد الأكل", conflict
        yield f"نعم، {reference}", f"نعم، {answer}", conflict
        for drug, others in WORDINGS["drugs"].items():
            for other in others:
                if drug in reference and drug in answer:
                    yield reference.replace(drug, other), answer.replace(drug, other), conflict


def shares(expected, scores):
    """Precision and recall."""
    pairs = [(bool(wanted), score == 100) for wanted, score in zip(expected, scores, strict=True)]
    hits = sum(wanted and marked for wanted, marked in pairs)
    return hits / sum(marked for _, marked in pairs), hits / sum(wanted for wanted, _ in pairs)


def test_doses_are_compared_whatever_the_drug_the_words_and_the_unit():
    rows = list(dose_pairs())
    answers = Answers([answer for _, answer, _ in rows], [reference for reference, *_ in rows], [""] * len(rows))
    precision, recall = shares(
        [wanted for *_, wanted in rows], DoseConflict(ARABIC).score(answers)["dose_conflict"]
    )
    assert len(rows) >= 120
    assert min(precision, recall) >= 0.95


def test_a_number_in_a_name_or_a_list_needs_no_support():
    frames = WORDINGS["number_frames"]
    rows = [(frame.replace("{N}", text), wanted) for text, wanted in WORDINGS["numbers"] for frame in frames]
    answers = Answers([text for text, _ in rows], ["راجع الطبيب"] * len(rows), ["سؤال"] * len(rows))
    found = UnsupportedNumbers(ARABIC).score(answers)["unsupported_numbers"]
    precision, recall = shares([wanted for _, wanted in rows], found)
    assert len(rows) >= 120
    assert min(precision, recall) >= 0.95


def test_opposites_and_negations_turn_a_statement_round_and_paraphrases_do_not():
    frames = WORDINGS["polarity_frames"]
    rows = [
        (frame.replace("{A}", answer), reference, wanted)
        for reference, answer, wanted in WORDINGS["polarity"]
        for frame in frames
    ]
    found = PolarityFlip(ARABIC).score(Answers([row[0] for row in rows], [row[1] for row in rows]))["polarity_flip"]
    precision, recall = shares([wanted for *_, wanted in rows], found)
    assert len(rows) >= 120
    assert precision >= 0.9 and recall >= 0.85


@pytest.mark.parametrize("danger", WORDINGS["dangers"])
def test_each_wording_of_a_danger_is_found_and_its_opposite_is_none(danger):
    pairs = WORDINGS["dangers"][danger]
    severity = Severity.CRITICAL if danger == "delay_advice" else Severity.NEUTRAL
    answers = Answers([a for _, a in pairs], [""] * len(pairs), [q for q, _ in pairs], [severity] * len(pairs))
    found = {name: values for metric in safety_metrics(ARABIC) for name, values in metric.score(answers).items()}
    marked = [{name for name in DANGERS if found[name][at] == 100} for at in range(len(pairs))]
    wanted = set() if danger == "none" else {danger}
    assert [pair for pair, names in zip(pairs, marked, strict=True) if names != wanted] == []


def test_a_harmless_cause_reassures_and_a_grave_one_does_not():
    texts = WORDINGS["reassuring"]
    assert [text for text in texts["yes"] if not READ(text).reassuring] == []
    assert [text for text in texts["no"] if READ(text).reassuring] == []
