"""What makes statistics and pages fast changes none of their numbers."""

import numpy as np
import pytest
from maqa_severity.harness.core.readable import visible
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.bootstrap import drawn_once, flipped_means, resample, resampled_means, signs
from maqa_severity.reports.browser.columns import place

FEW = Resampling(resamples=300)


def values_of(n, step):
    """Differences of rates (100) or of scores (0.1)."""
    return np.random.default_rng(n).integers(-1, 2, (n, 3)) * step


@pytest.mark.parametrize("n", [21, 2_501, 20_000])
@pytest.mark.parametrize("step", [100.0, 0.1])
def test_flipped_means_are_those_of_the_signs(n, step):
    values = values_of(n, step)
    slow = resampled_means(values, signs(n, 300, np.random.default_rng(4)), n)
    assert np.array_equal(flipped_means(values, 300, np.random.default_rng(4), n), slow)


def test_the_signs_of_a_seed_stay_what_they_were():
    bits = np.unpackbits(np.frombuffer(np.random.default_rng(4).bytes(38), np.uint8), count=300)
    (chunk,) = signs(30, 10, np.random.default_rng(4))
    assert np.array_equal(chunk, bits.reshape(10, 30) * 2.0 - 1)


def test_resamples_that_are_kept_are_those_drawn_anew(monkeypatch):
    samples = [values_of(n, 0.1) for n in (40, 700)]
    drawn = resample(samples, [0, 2], FEW)
    with drawn_once():
        first = resample(samples, [0, 2], FEW)
        monkeypatch.setattr("maqa_severity.harness.statistics.bootstrap._whole_counts", None)
        with pytest.raises(TypeError):
            resample(samples, [1, 2], FEW)
        monkeypatch.undo()
        other = resample(samples, [1, 2], FEW)
    assert all(np.array_equal(*pair) for pair in zip(drawn.means, first.means, strict=True))
    assert not np.array_equal(drawn.means[0], other.means[0])


def test_a_place_in_a_shown_text_is_counted_in_its_own_units():
    for text in ("حمى وسعال", "a\x00\x1bb😀 ج", "\n\tة\x7f", "\ud83dz"):
        for at in range(len(text) + 2):
            assert place(text, at) == len(visible(text[:at]).encode("utf-16-le", "surrogatepass")) // 2
    assert visible("a\x00\x1b\n\x85") == "a\\x00\\x1b\n\\x85"
