"""Conformal sets keep their promise class by class, reliability curves count right, and chance is called so."""

from __future__ import annotations

import numpy as np
import pytest
from maqa_severity.harness.labelling.quality.conformal import calibrate, conformal, set_names, sets, uniform_of
from maqa_severity.harness.labelling.quality.reliability import LABEL, plot_reliability, reliability
from maqa_severity.harness.labelling.quality.report_card import Rivals, report_card
from maqa_severity.harness.labelling.quality.rivals import rivals_of
from maqa_severity.harness.labelling.quality.standing import standing_words, usable
from maqa_severity.harness.labelling.quality.trust import in_words, trust_of


def drawn(rng, n, *, shares=(0.2, 0.5, 0.3), degrees=0):
    """Probabilities of a source that is right more often than not; ``degrees`` of sureness make ties."""
    truth = rng.choice(3, n, p=shares)
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[truth]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if degrees:
        found = np.round(found * degrees) + 0.1
        found /= found.sum(axis=1, keepdims=True)
    return found, truth.astype(np.int8)


@pytest.mark.parametrize("degrees", [0, 3])
def test_each_severity_is_held_in_the_promised_share_of_new_rows(degrees):
    rng = np.random.default_rng(5)
    held, asked = np.zeros(3), np.zeros(3)
    for _ in range(300):
        probabilities, truth = drawn(rng, 400, degrees=degrees)
        new, known = drawn(rng, 400, degrees=degrees)
        found = sets(new, calibrate(probabilities, truth, 95), rng.random(400))
        held += [found[known == rank, rank].sum() for rank in range(3)]
        asked += [(known == rank).sum() for rank in range(3)]
    # Exact up to one in the rows that calibrate, 80 of the rarest.
    assert (100 * held / asked >= 94.5).all()
    assert (100 * held / asked <= 96.5).all()


def test_the_card_measures_what_it_promises_over_200_halves():
    found = conformal(*drawn(np.random.default_rng(1), 800))
    assert [bar.rows > 100 for bar in found.bars] == [True] * 3
    assert all(93 <= share <= 97 for share in found.coverage)
    assert 1 < found.size < 3
    assert 0 < found.undecided < 100


def test_too_few_rows_leave_a_severity_in_every_set():
    probabilities, truth = drawn(np.random.default_rng(2), 60)
    keep = np.concatenate([np.flatnonzero(truth != 2), np.flatnonzero(truth == 2)[:10]])
    bars = calibrate(probabilities[keep], truth[keep], 95)
    assert bars[2].probability is None
    assert bars[2].rows == 10
    assert sets(probabilities, bars, np.zeros(60))[:, 2].all()
    assert conformal(probabilities[:1], truth[:1]).coverage == (None, None, None)


def test_a_bar_is_the_right_order_statistic():
    own = np.linspace(0.01, 0.99, 99)
    probabilities = np.column_stack([own, 1 - own, np.zeros(99)])
    bar = calibrate(probabilities, np.zeros(99, np.int8), 95)[0]
    # Of 100 rows with the new one 5 may be left out: those below the fifth of the 99.
    assert bar.probability == pytest.approx(0.05)
    assert bar.ties == pytest.approx(0.5)


def test_sets_read_the_most_severe_first_and_texts_draw_their_own_number():
    assert set_names(np.array([[True, False, True], [False, False, False], [False, True, False]])) == [
        "critical|non_critical",
        "",
        "neutral",
    ]
    first = uniform_of(["a", "b", "a"])
    assert first[0] == first[2] != first[1]
    assert ((first >= 0) & (first < 1)).all()


def test_reliability_counts_what_was_said_and_seen(tmp_path):
    probabilities = np.array([[0.72, 0.2, 0.08], [0.78, 0.2, 0.02], [0.1, 0.2, 0.7], [0.1, 0.7, 0.2]])
    truth = np.array([0, 1, 2, 0], dtype=np.int8)
    found = reliability(probabilities, truth, probabilities.argmax(axis=1).astype(np.int8))
    (label,) = found[LABEL]
    assert (label.rows, label.seen) == (4, 50)
    assert label.said == pytest.approx(100 * (0.72 + 0.78 + 0.7 + 0.7) / 4)
    critical = found["critical"]
    assert sum(each.rows for each in critical) == 4
    assert critical[-1].seen == 100
    card = report_card(probabilities, truth, source=("rules", "1", "0"), labels="gold", unknown=0)
    plot_reliability([card, card], tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")


def a_card(seed, *, knows, n=200, rivals=None):
    rng = np.random.default_rng(seed)
    probabilities, truth = drawn(rng, n)
    if not knows:
        truth = rng.permutation(truth)
    return report_card(
        probabilities, truth, source=("rules", "1", "0"), labels="gold g.csv", unknown=0, rivals=rivals
    )


def test_a_source_at_chance_is_called_not_usable_wherever_labels_are_named():
    chance, good = a_card(0, knows=False), a_card(0, knows=True)
    assert not usable(chance)
    assert "holds chance" in standing_words(chance)
    assert usable(good)
    assert standing_words(good).startswith("better than chance")
    source = {"name": "rules"}
    assert "not usable: quadratic kappa" in in_words(source, trust_of(chance))
    assert "usable" not in in_words(source, trust_of(good))


@pytest.mark.slow
@pytest.mark.weekly
def test_chance_is_called_usable_no_more_often_than_the_interval_allows():
    called = [usable(a_card(seed, knows=False, n=400)) for seed in range(200)]
    assert sum(called) <= 10


def test_the_ceiling_and_the_place_in_the_file_stand_beside_the_source():
    card = a_card(0, knows=True, rivals=Rivals(majority=50, position=0.9, ceiling=0.8))
    words = standing_words(card)
    assert "% of the ceiling 0.80" in words
    assert "a row's place in the file tells as much (kappa 0.90)" in words
    assert "trauma care asks at most 5 %" in words
    ordered = rivals_of(np.repeat([0, 1, 2], 40).astype(np.int8), None, ordered=True)
    assert ordered.position > 0.8
    assert ordered.majority == pytest.approx(100 / 3)
    assert ordered.ceiling is None
    both = np.column_stack([np.repeat([0, 1, 2], 40)] * 2)
    assert rivals_of(both[:, 0].astype(np.int8), both, ordered=False).ceiling == pytest.approx(1)
