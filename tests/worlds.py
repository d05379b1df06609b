"""Simulated score tables whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics.verdicts import ALPHA
from scipy import special

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

BERTSCORE_MEAN = 45 + 55 * 6 / 16
ROUGE_MEAN = 100 * 1.2 / 7.2


def bertscore_like(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Between 45 and 100, mean 65.6, standard deviation 6.5, slightly skewed, as BERTScore F1 of answers is."""
    return 45 + 55 * rng.beta(6, 10, shape)


def rouge_like(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Most scores low, a long tail: mean 16.7, skewness 1.2."""
    return 100 * rng.beta(1.2, 6, shape)


def table(
    sizes: Mapping[Severity, int], values: np.ndarray, signature: str = "version:1", prefix: str = "m"
) -> ScoreTable:
    """A score table of one column per column of ``values`` (n, k), severities in the order of ``sizes``."""
    severities = [str(severity) for severity, n in sizes.items() for _ in range(n)]
    keys = pd.DataFrame({"id": [f"row-{row:06d}" for row in range(len(severities))], "severity": severities})
    names = [f"{prefix}{column}" for column in range(values.shape[1])]
    frame = pd.concat([keys, pd.DataFrame(values, columns=names)], axis=1)
    return ScoreTable(frame, dict.fromkeys(names, signature))


def welch_power_pct(deviation_here: float, deviation_there: float, here: int, there: int, effect: float) -> float:
    """The power to tell two changes apart between two checkpoints, at 5 %, by the noncentral t of Welch's test.

    Args:
        deviation_here, deviation_there: standard deviations of the paired differences in each severity, in points.
        here, there: questions of each, two at least.
        effect: the true difference of the changes, in points.
    """
    one, other = deviation_here**2 / here, deviation_there**2 / there
    if not one + other:
        return 100.0 * (effect != 0)
    freedom = (one + other) ** 2 / (one**2 / (here - 1) + other**2 / (there - 1))
    shift = abs(effect) / (one + other) ** 0.5
    return 100 * float(1 - special.nctdtr(freedom, shift, special.stdtrit(freedom, 1 - ALPHA / 2)))
