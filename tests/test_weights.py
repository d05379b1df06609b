"""Weight diagnostics: what they say of weights whose spread is known, and when they warn."""

from __future__ import annotations

import numpy as np
import pytest
from maqa_severity.harness.labelling.weights import diagnose
from maqa_severity.harness.severity import SCHEMES, Severity, Weights

PUBLISHED = np.array([[0.32, 0.32, 0.36], [0.37, 0.35, 0.28], [0.35, 0.36, 0.29]])


def of(probabilities, ranks=None, scheme=SCHEMES["balanced"]):
    probabilities = np.asarray(probabilities, dtype=float)
    ranks = probabilities.argmax(axis=1) if ranks is None else np.asarray(ranks)
    return diagnose(scheme.of(probabilities), ranks, scheme, "expert")


def test_constant_probabilities_trigger_the_warning_whatever_the_constant():
    for row in ([0.3, 0.4, 0.3], [0, 0, 1], [0.7, 0.2, 0.1]):
        for scheme in SCHEMES.values():
            found = of([row] * 50, scheme=scheme)
            assert found.flat
            assert found.cv == pytest.approx(0, abs=1e-12)
            assert found.effective_rows == pytest.approx(50)
            assert "plain cross-entropy" in found.warning


def test_the_published_vectors_are_flat_and_certain_labels_are_not():
    assert of(PUBLISHED).warning
    certain = of(np.eye(3)[[0, 1, 2] * 20])
    assert not certain.flat and certain.warning == ""


def test_flat_weights_keep_over_99_percent_of_the_rows_and_others_do_not():
    rng = np.random.default_rng(0)
    for sharpness in np.geomspace(0.05, 200, 40):
        found = of(rng.dirichlet([sharpness] * 3, 400))
        assert found.flat == (found.effective_rows / found.rows > 1 / 1.01)


def test_the_effective_sample_size_of_one_heavy_row_is_about_one():
    found = of([[0, 0, 1]] + [[1, 0, 0]] * 99, scheme=Weights(0.0, 0.0, 1.0))
    assert found.effective_rows == pytest.approx(1)
    assert found.mean == pytest.approx(0.01)


def test_means_per_severity_and_histogram_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([1, 1, 1], 500)
    ranks = rng.integers(0, 3, 500)
    found = of(probabilities, ranks)
    assert sum(found.histogram) == found.rows == 500
    shares = {severity: (ranks == severity.rank).mean() for severity in Severity}
    assert sum(shares[s] * mean for s, mean in found.mean_by_severity.items()) == pytest.approx(found.mean)


def test_rows_without_a_true_severity_stand_in_no_mean():
    found = of(np.eye(3), [-1, 1, -1])
    assert found.mean_by_severity == {Severity.NEUTRAL: 1.0}


def test_certain_labels_have_the_scheme_as_their_means():
    for scheme in SCHEMES.values():
        means = of(np.eye(3)[[0, 0, 1, 2]], scheme=scheme).mean_by_severity
        assert [means[s] for s in (Severity.NON_CRITICAL, Severity.NEUTRAL, Severity.CRITICAL)] == [
            scheme.alpha,
            scheme.beta,
            scheme.gamma,
        ]


def test_a_scheme_of_equal_weights_has_a_histogram_and_warns():
    found = of(np.eye(3), scheme=Weights(1.0, 1.0, 1.0))
    assert sum(found.histogram) == 3
    assert found.warning
