"""Bracket and p of paired differences: they agree in every world of small strata, and it covers the truth."""

import numpy as np
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import Difference, Resampling, paired
from maqa_severity.harness.statistics.flips import ENUMERATED, Flips, every_flip
from maqa_severity.harness.statistics.inversion import sign_flip_test
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.worlds import ROUGE_MEAN, bertscore_like, rouge_like, table

SIZES = (8, 12, 34, 112)
ZEROS = 0.5


def rouge_with_zeros(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """ROUGE-like scores of which half are 0, as where answer and reference share no word."""
    return np.where(rng.random(shape) < ZEROS, 0.0, rouge_like(rng, shape))


def contradictions(worlds: int, seed: int = 0) -> tuple[int, int]:
    """In how many worlds of three strata of 3 to 12 a bracket excludes 0 though p is not below 0.05, or the
    reverse, and how many worlds there were."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(worlds, bool)
    at_once = min(50, worlds)
    for start in range(0, worlds, at_once):
        sizes = dict(zip(Severity, rng.integers(3, 13, 3), strict=True))
        n = sum(sizes.values())
        before = rouge_with_zeros(rng, (n, at_once))
        gain = rng.choice([0.0, 8.0, 20.0], at_once)
        after = np.where(rng.random((n, at_once)) < 0.3, before, rouge_with_zeros(rng, (n, at_once)) + gain)
        # Scores with few digits tie often.
        before, after = np.round(before), np.round(after)
        for each in _changes(before, after, sizes, Resampling(seed=start, resamples=1000)):
            excludes = each.low is not None and (each.low > 0 or each.high < 0)
            if each.low is None:
                excludes = each.p < 0.05
            wrong[start + int(each.metric[1:])] |= excludes != (each.p < 0.05)
    return int(wrong.sum()), worlds


def _changes(
    before: np.ndarray, after: np.ndarray, sizes: dict[Severity, int], resampling: Resampling
) -> list[Difference]:
    names = [f"m{world}" for world in range(before.shape[1])]
    return paired(table(sizes, before), table(sizes, after), *names, resampling=resampling)


def _scores(kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, float]:
    """Scores of two systems, and the true difference."""
    if kind == "BERTScore-like, gain 2":
        hardness = bertscore_like(rng, shape)
        return hardness + rng.normal(0, 4, shape), hardness + rng.normal(2, 4, shape), 2.0
    if kind == "ROUGE-like with zeros, no gain":
        return rouge_with_zeros(rng, shape), rouge_with_zeros(rng, shape), 0.0
    if kind == "ROUGE-like with zeros, a gain of 20 in one answer of five":
        before = rouge_with_zeros(rng, shape)
        gain = 20.0 * (rng.random(shape) < 0.2)
        return before, 0.7 * before + 0.3 * rouge_with_zeros(rng, shape) + gain, 4.0
    if kind == "ROUGE-like, zeros in the first alone":
        return rouge_with_zeros(rng, shape), rouge_like(rng, shape), ROUGE_MEAN * ZEROS
    unchanged = {"half": 0.5, "three of four": 0.75}[kind.split(": ")[1]]
    rises = np.where(rng.random(shape) < unchanged, 0.0, 0.8 * rouge_like(rng, shape))
    return np.full(shape, 10.0), 10.0 + rises, 0.8 * ROUGE_MEAN * (1 - unchanged)


KINDS = (
    "BERTScore-like, gain 2",
    "ROUGE-like with zeros, no gain",
    "ROUGE-like with zeros, a gain of 20 in one answer of five",
    "ROUGE-like, zeros in the first alone",
    "no answer falls, ROUGE-like rises, unchanged: half",
    "no answer falls, ROUGE-like rises, unchanged: three of four",
)


def coverage(kind: str, n: int, worlds: int) -> tuple[float, float]:
    """Percent of the worlds whose bracket holds the true difference, and the same of the inverted sign-flip test
    alone."""
    rng = np.random.default_rng(n)
    before, after, truth = _scores(kind, rng, (n, worlds))
    found = [each for each in _changes(before, after, {Severity.CRITICAL: n}, Resampling(resamples=1000)) if each.n]
    held = [each.low is not None and each.low <= truth <= each.high for each in found if each.stratum == "critical"]
    moved = after - before
    drawn = np.random.default_rng(1).choice([-1.0, 1.0], (1000, n))
    flips = [Flips(moved.mean(axis=0), (drawn @ moved).T / n, drawn.mean(axis=1), exact=False)]
    ((low, high),) = sign_flip_test(every_flip(moved) if n <= ENUMERATED else flips, [0.95]).ends
    return 100 * float(np.mean(held)), 100 * float(np.mean((low <= truth) & (truth <= high)))


def claims(worlds: int = 10_000) -> list[Claim]:
    wrong, of = contradictions(worlds)
    found = [
        Claim(
            f"strata of 3 to 12, ROUGE-like with zeros: worlds of {of:,} in which bracket and p contradict",
            f"{wrong}",
            "-",
            "0",
            wrong == 0,
        )
    ]
    for kind in KINDS:
        for n in SIZES:
            ours, alone = coverage(kind, n, worlds // 10)
            found.append(
                Claim(
                    f"coverage of the bracket, {kind}, n = {n}",
                    f"{ours:.1f} %",
                    f"without the drawing out for skewness {alone:.1f} %",
                    ">= 92 %",
                    ours >= 92,
                    ours / alone,
                )
            )
    return found
