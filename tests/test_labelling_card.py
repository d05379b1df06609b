"""The report card: its measures agree with references, and gold files are joined by id or refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.quality.gold import read_gold
from maqa_severity.harness.labelling.quality.report_card import assigned_ranks, report_card
from maqa_severity.tests.tongues import ARABIC
from sklearn.metrics import brier_score_loss, cohen_kappa_score, confusion_matrix, f1_score


def card(probabilities, truth):
    return report_card(
        np.asarray(probabilities, dtype=float),
        np.asarray(truth, dtype=np.int8),
        source=("rules", "1", "0"),
        labels="column",
        unknown=0,
    )


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 400)
    probabilities = rng.dirichlet([1, 1, 1], 400) + 0.5 * np.eye(3)[truth]
    return probabilities / probabilities.sum(axis=1, keepdims=True), truth


def test_f1_kappa_confusion_and_brier_are_those_of_scikit_learn(noisy):
    probabilities, truth = noisy
    found, assigned = card(probabilities, truth), probabilities.argmax(axis=1)
    value = {name: measure.value for name, measure in found.measures.items()}
    assert value["macro_f1"] == pytest.approx(100 * f1_score(truth, assigned, average="macro"))
    assert value["quadratic_kappa"] == pytest.approx(cohen_kappa_score(truth, assigned, weights="quadratic"))
    assert value["accuracy"] == pytest.approx(100 * (truth == assigned).mean())
    assert found.confusion == confusion_matrix(truth, assigned).tolist()
    assert value["brier"] == pytest.approx(
        brier_score_loss(truth, probabilities, labels=[0, 1, 2], scale_by_half=False)
    )


def test_triage_rates_are_counts_of_the_confusion_matrix(noisy):
    found = card(*noisy)
    table = np.array(found.confusion)
    value = {name: measure.value for name, measure in found.measures.items()}
    assert value["critical_recall"] == pytest.approx(100 * table[2, 2] / table[2].sum())
    assert value["severe_under_triage"] == pytest.approx(100 * table[2, 0] / table[2].sum())
    assert value["critical_under_triage"] == pytest.approx(100 - value["critical_recall"])
    assert value["other_over_triage"] == pytest.approx(100 * table[:2, 2].sum() / table[:2].sum())
    assert value["under_triage"] == pytest.approx(100 * np.tril(table, -1).sum() / table.sum())
    assert value["over_triage"] == pytest.approx(100 * np.triu(table, 1).sum() / table.sum())
    assert value["under_triage"] + value["over_triage"] + value["accuracy"] == pytest.approx(100)


def test_calibration_and_ranked_probability_score_by_hand():
    found = card([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.25, 0.65]], [0, 2, 2]).measures
    assert found["ece"].value == pytest.approx(100 * (abs(2 * 0.8 - 1) + abs(0.65 - 1)) / 3)
    # Per row: the mean over both cut points of (cumulative probability - cumulative truth) squared.
    rows = [(0.2**2 + 0.1**2) / 2, (0.8**2 + 0.9**2) / 2, (0.1**2 + 0.35**2) / 2]
    assert found["rps"].value == pytest.approx(np.mean(rows))


def test_a_perfect_source_is_perfect_and_a_constant_one_has_no_kappa():
    perfect = card(np.eye(3)[[0, 1, 2] * 10], [0, 1, 2] * 10).measures
    assert {name: m.value for name, m in perfect.items()} == pytest.approx(
        {"accuracy": 100, "critical_recall": 100, "macro_f1": 100, "quadratic_kappa": 1}
        | dict.fromkeys(("under_triage", "over_triage", "critical_under_triage", "severe_under_triage"), 0)
        | dict.fromkeys(("other_over_triage", "ece", "brier", "rps"), 0)
    )
    constant = card([[1, 0, 0]] * 5, [0] * 5).measures
    assert constant["quadratic_kappa"].value is None
    assert constant["critical_recall"].value is None


@given(st.data())
def test_every_interval_holds_its_value_and_every_share_is_a_percentage(data):
    n = data.draw(st.integers(1, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    found = card(rng.dirichlet([0.5, 0.5, 0.5], n), rng.integers(0, 3, n))
    for name, measure in found.measures.items():
        if measure.value is None:
            continue
        if measure.unit == "%":
            assert 0 <= measure.value <= 100
        # Resampling only ever spreads a calibration error, so its interval may lie above the value.
        if name != "ece":
            assert measure.low - 1e-9 <= measure.value <= measure.high + 1e-9
    assert np.sum(found.confusion) == n
    assert found.selective[-1].accuracy == pytest.approx(found.measures["accuracy"].value)


def test_intervals_narrow_with_more_rows(noisy):
    probabilities, truth = noisy
    few, many = card(probabilities[:50], truth[:50]).measures, card(probabilities, truth).measures
    for name in few:
        assert many[name].high - many[name].low < few[name].high - few[name].low


def test_surer_rows_come_first_and_equally_sure_rows_do_not_depend_on_their_order():
    sure, unsure = [0.9, 0.05, 0.05], [0.4, 0.3, 0.3]
    truth = [0] * 50 + [1] * 50
    found = card([sure] * 50 + [unsure] * 50, truth).selective
    assert [point.accuracy for point in found[:5]] == pytest.approx([100] * 5)
    assert found[-1].accuracy == pytest.approx(50)
    flat = [point.accuracy for point in card([unsure] * 100, truth).selective]
    assert flat == pytest.approx([50] * 10)


def test_a_tie_goes_to_the_more_severe():
    assert assigned_ranks(np.array([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0, 0.5]])).tolist() == [1, 2, 2]


def test_gold_is_read_in_every_spelling(tmp_path):
    path = tmp_path / "gold.jsonl"
    rows = [("a", "critical"), ("b", "حرج"), ("c", "غير حرج"), ("d", "Moderate")]
    path.write_text("\n".join(json.dumps({"id": i, "severity": s}) for i, s in rows), encoding="utf-8")
    assert read_gold(path, ARABIC) == {"a": 2, "b": 2, "c": 0, "d": 1}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("id,severity\na,purple\n", r"gold\.csv row 2 \(id a\): unknown severity 'purple'"),
        ("id,severity\na,\n", r"row 2 \(id a\)"),
        ("id,severity\na,critical\na,neutral\n", r"row 3 has the id 'a' a second time"),
        ("id,severity\n,critical\n", r"row 2 has no id"),
        ("id,colour\na,bright\n", r"no column of severities; it has .id., .colour."),
        ("number_of_nobody,severity\na,critical\n", r"no id and no question"),
        ("id,severity\n", r"has no rows|is empty"),
    ],
)
def test_a_bad_gold_file_is_one_line_that_names_the_place(tmp_path, content, named):
    path = tmp_path / "gold.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_gold(path, ARABIC)


def test_a_missing_gold_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_gold(tmp_path / "gold.csv", ARABIC)
