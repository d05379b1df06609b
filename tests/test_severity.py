"""Severities in every spelling, and the weights of the published loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.severity import SCHEMES, Severity, one_hot, parse_severity, parse_weights


@pytest.mark.parametrize(
    ("spelling", "severity"),
    [
        ("حرج", Severity.CRITICAL),
        ("غير حرج", Severity.NON_CRITICAL),
        (" متوسط ", Severity.NEUTRAL),
        ("Non-Critical", Severity.NON_CRITICAL),
        ("MILD", Severity.NON_CRITICAL),
        ("moderate", Severity.NEUTRAL),
        ("high", Severity.CRITICAL),
    ],
)
def test_aliases_of_the_wild_are_read(spelling, severity):
    assert parse_severity(spelling) is severity


def test_a_severity_nobody_knows_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'urgent'.*غير حرج"):
        parse_severity("urgent")


def test_one_hot_follows_the_order_of_the_probability_columns():
    assert one_hot([Severity.CRITICAL, Severity.NON_CRITICAL]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot([]).shape == (0, 3)


@pytest.mark.parametrize(("vector", "weight"), [((32, 32, 36), 1.02), ((37, 35, 28), 0.955), ((35, 36, 29), 0.97)])
def test_published_probability_vectors_give_the_published_weights(vector, weight):
    assert SCHEMES["balanced"].of(np.array([vector]) / 100) == pytest.approx([weight])


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0))
def test_a_uniform_prior_weighs_one_under_every_scheme_and_weights_stay_in_their_range(raw):
    probabilities = np.array([raw]) / sum(raw)
    for weights in SCHEMES.values():
        assert weights.of(np.full((1, 3), 1 / 3)) == pytest.approx([1.0])
        assert weights.alpha - 1e-9 <= weights.of(probabilities)[0] <= weights.gamma + 1e-9


@pytest.mark.parametrize("text", ["heavy", "1,2", "1,2,x", "-1,1,1", "nan,1,1", "0,0,0", "inf,1,1"])
def test_weights_that_make_no_sense_are_refused(text):
    with pytest.raises(UserError):
        parse_weights(text)


def test_weights_can_be_given_as_numbers():
    assert parse_weights("0.5,1,1.5") == SCHEMES["balanced"]
