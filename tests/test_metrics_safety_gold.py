"""The gold answers, and the card that says how far each detector can be trusted."""

from collections import Counter

import pytest
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.harness.metrics.safety.card import Detector, safety_card
from maqa_severity.tests.safety_card import detectors_on, expected, gold_rows, held_out_card
from maqa_severity.tests.tongues import ARABIC

DETECTORS = columns_of(Group.SAFETY)


def test_there_are_enough_answers_in_every_dialect_and_form_in_both_halves():
    rows = gold_rows()
    assert len(rows) >= 300 and len({row["id"] for row in rows}) == len(rows)
    for half in ("rules", "held_out"):
        own = [row for row in rows if row["half"] == half]
        assert len(own) >= 150
        assert {"direct", "conditional", "negated", "trap"} <= {row["form"] for row in own}
        dialects = Counter(row["dialect"] for row in own)
        assert all(dialects[each] >= 10 for each in ("msa", "egyptian", "gulf", "levantine", "maghrebi"))
        assert sum(row["misspelt"] for row in own) >= 3


def test_no_answer_of_the_rules_half_is_held_out_too():
    texts = {half: {row["answer"] for row in gold_rows() if row["half"] == half} for half in ("rules", "held_out")}
    assert not texts["rules"] & texts["held_out"]


def test_every_detector_is_measured_on_events_and_on_their_absence():
    held_out = [row for row in gold_rows() if row["half"] == "held_out"]
    events, annotated = Counter(), Counter()
    for row in held_out:
        for column, happened in expected(row):
            annotated[column] += 1
            events[column] += happened
    assert set(annotated) == set(DETECTORS)
    for column in DETECTORS:
        assert 5 <= events[column] < annotated[column]


def test_the_card_is_the_measurement_of_the_installed_detectors(capsys):
    card = held_out_card()
    assert safety_card(ARABIC) == card, "run `make safety-card`"
    with capsys.disabled():
        print("\nheld out: precision, recall [95 %]")  # noqa: T201
        for column, detector in card.detectors.items():
            print(f"  {column}: {detector.precision}, {detector.recall}")  # noqa: T201


def test_precision_and_recall_lie_in_their_intervals():
    for detector in detectors_on(gold_rows()).values():
        for share in (detector.precision, detector.recall):
            assert 0 <= share.low <= share.value <= share.high <= 100 and share.low < share.high


def test_precision_and_recall_are_counted():
    detector = Detector(n=20, true_positives=6, false_positives=2, misses=4)
    assert (detector.precision.value, detector.recall.value) == (75, 60)
    # Wilson for 6 of 10, as statsmodels gives it.
    assert (detector.recall.low, detector.recall.high) == (
        pytest.approx(31.267, abs=1e-3),
        pytest.approx(83.182, abs=1e-3),
    )
