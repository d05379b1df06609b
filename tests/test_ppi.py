"""People's word helped by a score: right on average whatever the score, narrower the more it goes with them."""

from __future__ import annotations

import numpy as np
import pytest
from maqa_severity.harness.statistics.ppi import powered_average


def world(rng, n, others, correlation, *, strata=1, bias=0.0):
    """Strata of what people say (their true mean 2, 4, ...) and a score of all rows that goes with it so far."""
    said, guessed, rest = [], [], []
    for place in range(strata):
        total = n + others
        true = rng.normal(size=total)
        score = correlation * true + np.sqrt(1 - correlation**2) * rng.normal(size=total)
        said.append(10 * true[:n] + 2 * (place + 1))
        guessed.append(0.01 * score[:n] + bias)
        rest.append(0.01 * score[n:] + bias)
    return said, guessed, rest


@pytest.mark.parametrize(("correlation", "n", "strata"), [(0.0, 60, 1), (0.6, 60, 1), (0.6, 30, 3), (-0.9, 60, 1)])
def test_the_interval_covers_in_93_to_97_percent(correlation, n, strata):
    rng = np.random.default_rng(4)
    truth = np.mean([2 * (place + 1) for place in range(strata)])
    found = [powered_average(*world(rng, n, 600, correlation, strata=strata, bias=3.0)) for _ in range(2_000)]
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.93 <= held <= 0.97
    alone = np.mean([each.alone_low <= truth <= each.alone_high for each in found])
    assert 0.93 <= alone <= 0.97


def test_it_is_narrower_by_what_the_correlation_allows():
    rng = np.random.default_rng(5)
    for correlation, others in ((0.6, 3_000), (0.9, 3_000), (0.6, 200)):
        found = [powered_average(*world(rng, 200, others, correlation)) for _ in range(300)]
        allowed = np.sqrt(1 - correlation**2 * others / (200 + others))
        assert np.mean([each.width for each in found]) == pytest.approx(allowed, rel=0.02)
    useless = [powered_average(*world(rng, 200, 3_000, 0.0)) for _ in range(300)]
    assert np.mean([each.width for each in useless]) <= 1.01
    assert np.mean([each.saving_pct for each in found]) == pytest.approx(18, abs=4)


def test_a_constant_score_leaves_people_alone_and_too_few_rows_say_nothing():
    said = [np.arange(20.0)]
    found = powered_average(said, [np.ones(20)], [np.ones(40)])
    assert found.mean == pytest.approx(9.5)
    assert found.width == pytest.approx(1, abs=0.01)
    assert powered_average([np.arange(4.0)], [np.ones(4)], [np.ones(40)]) is None
    assert powered_average(said, [np.ones(20)], [np.ones(3)]) is None
