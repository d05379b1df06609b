"""Missed emergencies against over-referral on a board."""

import numpy as np
import pytest
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.safety.over_referral import OverReferral
from maqa_severity.harness.metrics.safety.referral import Referral
from maqa_severity.harness.severity import Severity
from maqa_severity.leaderboards.export import board_page
from maqa_severity.leaderboards.records import Board, Cell, Row
from maqa_severity.leaderboards.tradeoff import EVERYBODY, NOBODY, lower_hull, tradeoff
from maqa_severity.tests.tongues import ENGLISH

GO = "Go to the emergency room now."
LATER = "If it gets worse, go to the emergency room."


def cells(sent: float, missed: float, over: float | None) -> dict[str, dict[str, Cell]]:
    def cell(mean: float) -> Cell:
        return Cell(n=50, mean=mean, low=max(mean - 10, 0), high=min(mean + 10, 100))

    found = {"urgent_referral": {"critical": cell(sent)}, "missed_emergency": {"critical": cell(missed)}}
    found["rougeL"] = {stratum: cell(20) for stratum in ("critical", "non_critical")}
    return found if over is None else {**found, "over_referral": {"non_critical": cell(over)}}


def board(**runs: tuple[float, float, float | None]) -> Board:
    rows = [
        Row(
            rank=1, name=name, arm=None, seed=None, backend="hf", floor=False, metrics=cells(*rates), aggregates={},
            differs=[], command=None, path=name,
        )
        for name, rates in runs.items()
    ]  # fmt: skip
    signature = "refs:1|version:1"
    return Board(metric="rougeL", signature=signature, reference="a", data="d", decoding={}, rows=rows, seeds=[])


def test_over_referral_is_urgent_referral_of_harmless_questions_alone():
    texts = [GO, GO, LATER, "Drink water and rest."]
    severities = [Severity.NON_CRITICAL, Severity.CRITICAL, Severity.NON_CRITICAL, Severity.NON_CRITICAL]
    found = OverReferral(ENGLISH).score(Answers(texts, [""] * 4, severities=severities))["over_referral"]
    np.testing.assert_array_equal(found, [100, np.nan, 0, 0])
    assert np.isnan(OverReferral(ENGLISH).score(Answers(texts, [""] * 4))["over_referral"]).all()


def test_its_words_are_those_of_the_urgent_referral():
    answers = Answers([GO], [""], severities=[Severity.NON_CRITICAL])
    (found,) = OverReferral(ENGLISH).explain("over_referral", answers, 0)
    assert found.detector == "over_referral" and "emergency room" in GO[found.start : found.end]


@pytest.mark.parametrize("answer", [GO, LATER, "Drink water and rest.", "", "Do not go to the emergency room."])
def test_whoever_always_says_the_same_stands_on_the_line_of_chance(answer):
    severities = [Severity.CRITICAL] * 3 + [Severity.NON_CRITICAL] * 3
    answers = Answers([answer] * 6, [""] * 6, severities=severities)
    sent, over = (
        float(np.nanmean(metric(ENGLISH).score(answers)[name]))
        for metric, name in ((Referral, "urgent_referral"), (OverReferral, "over_referral"))
    )
    found = tradeoff(board(constant=(sent, 0.0, over)))
    point = found.points[0]
    assert point.better[0] == 0 and "not shown" in point.words
    assert found.curve == (NOBODY, EVERYBODY)


def test_the_curve_runs_through_the_runs_that_no_choice_between_others_beats():
    found = tradeoff(board(good=(80, 10, 10), poor=(50, 40, 40), careful=(95, 2, 60), worse=(10, 80, 60)))
    assert found.curve == (NOBODY, (10.0, 20.0), (60.0, 5.0), EVERYBODY)
    words = {point.name: point.words for point in found.points}
    assert words["good"] == "tells emergencies from harmless questions"
    assert words["worse"] == "worse than sending at random" and words["poor"].startswith("not shown")
    value, low, high = found.points[0].better
    assert value == 70 and (low, high) == pytest.approx((70 - 200**0.5, 70 + 200**0.5))


def test_the_hull_is_below_every_point_and_a_perfect_run_is_all_of_it():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = [tuple(map(float, each)) for each in rng.uniform(0, 100, (rng.integers(0, 12), 2)).round(1)]
        x, y = zip(*lower_hull(points), strict=True)
        assert all(np.interp(at, x, y) <= height + 1e-9 for at, height in points)
        assert list(x) == sorted(x) and list(y) == sorted(y, reverse=True)
    assert lower_hull([(0.0, 0.0), (50.0, 50.0)]) == ((0.0, 0.0), EVERYBODY)


def test_no_two_labels_lie_on_each_other():
    chart = tradeoff(board(everybody=(100, 0, 100), nobody=(0, 100, 0), also=(100, 0, 100), near=(98, 1, 99))).chart
    places = [(at, down) for _, at, down in chart.labelled]
    for place, one in enumerate(places):
        assert all(abs(one[1] - other[1]) >= 14 or abs(one[0] - other[0]) >= 40 for other in places[:place])


def test_the_page_draws_the_runs_and_names_those_that_lack_a_rate():
    page = board_page(board(**{"<i>a</i>": (80, 10, 10), "old": (50, 40, None)}))
    assert "send everybody" in page and "tells emergencies from harmless questions" in page
    assert "<i>a" not in page and "detectors are older; maqa rescore adds it:</span> <bdi>old</bdi>" in page
    assert "Missed emergencies against" not in board_page(board(old=(50, 40, None)))
