"""Questions in clusters: a test that takes them as independent finds what is not there, one over clusters does
not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from maqa_severity.harness.scores.signatures import RATE
from maqa_severity.harness.scores.table import CLUSTER, ScoreTable
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import OVERALL, Difference, Resampling, compare_groups, paired, summarise
from maqa_severity.tests.claim import Claim
from maqa_severity.tests.worlds import table
from scipy import stats

ICC = 0.7
DEVIATION = 6.0
AT_ONCE = 100
FEW = Resampling(resamples=2000)
RATE_PCT = 20.0
"""The true rate of ``rate_pairs``."""
_LIMIT = float(np.sqrt(2) * stats.norm.ppf(RATE_PCT / 100))


@dataclass(frozen=True)
class Shape:
    """Clusters of these sizes, whose questions lie ``apart`` in one severity each, or across all."""

    name: str
    sizes: tuple[int, ...]
    apart: bool = True

    @property
    def clusters(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def codes(self) -> np.ndarray:
        """The place of each question's severity."""
        if self.apart:
            return np.repeat(np.arange(len(self.sizes)) * 3 // len(self.sizes), self.sizes)
        return np.arange(sum(self.sizes)) % 3


EQUAL = Shape("50 clusters of 10", (10,) * 50)
ACROSS = Shape("50 clusters of 10, each in all severities", (10,) * 50, apart=False)
_SIZES = np.random.default_rng(0).permutation(np.geomspace(1, 40, 66).astype(int))
UNEQUAL = Shape("66 clusters of 1 to 40", tuple(_SIZES.tolist()))
MANY_ALONE = Shape("40 clusters of 5 and 240 questions alone", (5, 1, 1, 1, 1, 1, 1) * 40)


def effects(rng: np.random.Generator, shape: Shape, k: int, icc: float = ICC) -> np.ndarray:
    """Values (n, k) of mean 0 and standard deviation 1 with an intraclass correlation."""
    between = rng.normal(0, icc**0.5, (len(shape.sizes), k))
    return between[shape.clusters] + rng.normal(0, (1 - icc) ** 0.5, (len(shape.clusters), k))


def scores(shape: Shape, values: np.ndarray, signature: str = "version:1", clusters: bool = True) -> ScoreTable:
    """A table of one column per column of ``values``, rows in the shape's order."""
    made = table({Severity.CRITICAL: len(values)}, values, signature)
    names = np.array([str(severity) for severity in Severity])
    frame = made.frame.assign(severity=names[shape.codes])
    if clusters:
        frame[CLUSTER] = [f"case {number}" for number in shape.clusters]
    return ScoreTable(frame, made.signatures)


def pairs(
    shape: Shape, worlds: int, gain: float = 0.0, clusters: bool = True
) -> Iterator[tuple[ScoreTable, ScoreTable]]:
    """Two systems whose difference has clusters, ``AT_ONCE`` worlds as the columns of each table."""
    for start in range(0, worlds, AT_ONCE):
        rng = np.random.default_rng(start)
        some = min(AT_ONCE, worlds - start)
        before = 50 + 8 * effects(rng, shape, some)
        yield (
            scores(shape, before, clusters=clusters),
            scores(shape, before + gain + DEVIATION * effects(rng, shape, some), clusters=clusters),
        )


def alone(changes: list[Difference], stratum: str = OVERALL) -> list[Difference]:
    return [each for each in changes if each.stratum == stratum]


def rejected(shape: Shape, worlds: int, clusters: bool = True, stratum: str = OVERALL) -> float:
    """Percent of worlds without an effect whose p is below 0.05."""
    found = [
        each.p < 0.05
        for first, second in pairs(shape, worlds, clusters=clusters)
        for each in alone(paired(first, second, *first.metrics, resampling=FEW), stratum)
    ]
    return 100 * float(np.mean(found))


def covered(shape: Shape, worlds: int, gain: float = 3.0, stratum: str = OVERALL) -> float:
    """Percent of the worlds whose bracket holds the true difference."""
    found = [
        each.low <= gain <= each.high
        for first, second in pairs(shape, worlds, gain)
        for each in alone(paired(first, second, *first.metrics, resampling=FEW), stratum)
    ]
    return 100 * float(np.mean(found))


def contradictions(shape: Shape, worlds: int, rates: bool = False) -> int:
    """In how many worlds a bracket excludes 0 though p is not below 0.05, or the reverse."""
    wrong = 0
    for first, second in rate_pairs(shape, worlds) if rates else pairs(shape, worlds, gain=1.5):
        for each in paired(first, second, *first.metrics, resampling=FEW):
            excludes = each.low is not None and (each.low > 0 or each.high < 0)
            wrong += excludes != (each.p < 0.05)
    return wrong


def rate_pairs(shape: Shape, worlds: int) -> Iterator[tuple[ScoreTable, ScoreTable]]:
    """Two systems of one true rate, each with clusters of its own."""
    for start in range(0, worlds, AT_ONCE):
        rng = np.random.default_rng(start)
        some = min(AT_ONCE, worlds - start)
        hard = effects(rng, shape, some)
        sides = [100.0 * (hard + effects(rng, shape, some) < _LIMIT) for _ in range(2)]
        yield scores(shape, sides[0], RATE), scores(shape, sides[1], RATE)


def rates(shape: Shape, worlds: int) -> tuple[float, float, float]:
    """Percent of worlds in which a rate's interval covers it, a difference's covers 0, and p is below 0.05."""
    own, change, rejects = [], [], []
    for first, second in rate_pairs(shape, worlds):
        own += [each.low <= RATE_PCT <= each.high for each in summarise(first, FEW) if each.stratum == OVERALL]
        for each in alone(paired(first, second, *first.metrics, resampling=FEW)):
            change.append(each.low <= 0 <= each.high)
            rejects.append(each.p < 0.05)
    return 100 * float(np.mean(own)), 100 * float(np.mean(change)), 100 * float(np.mean(rejects))


def means_covered(shape: Shape, worlds: int, stratum: str = OVERALL) -> float:
    """Percent of the worlds in which the interval of one run's mean holds it."""
    found = [
        each.low <= 50 <= each.high
        for first, _ in pairs(shape, worlds)
        for each in summarise(first, FEW)
        if each.stratum == stratum
    ]
    return 100 * float(np.mean(found))


def of_arms(
    shape: Shape, worlds: int, seeds: int = 3, clusters: bool = True, by_seed: bool = True
) -> tuple[float, float]:
    """Percent of worlds without an effect of the arm in which p is below 0.05, and whose bracket holds 0: trainings
    vary by 0.5 points, and move each cluster their own way."""
    rejects, holds = [], []
    for start in range(0, worlds, AT_ONCE):
        rng = np.random.default_rng(start)
        some = min(AT_ONCE, worlds - start)
        hard = 50 + 8 * effects(rng, shape, some)
        arms = []
        for arm in range(2):
            own = hard + DEVIATION * effects(rng, shape, some) / 2**0.5
            arms.append(
                {
                    seed if by_seed else 10 * arm + seed: scores(
                        shape, own + rng.normal(0, 0.5, some) + 2 * effects(rng, shape, some), clusters=clusters
                    )
                    for seed in range(seeds)
                }
            )
        compared = compare_groups(arms[0], arms[1], arms[0][next(iter(arms[0]))].metrics, FEW)
        for each in alone(compared.differences):
            rejects.append(each.p < 0.05)
            holds.append(each.low <= 0 <= each.high)
    return 100 * float(np.mean(rejects)), 100 * float(np.mean(holds))


def claims(worlds: int = 1000) -> Iterator[Claim]:
    for shape in (EQUAL, ACROSS, UNEQUAL, MANY_ALONE):
        ours, naive = rejected(shape, worlds), rejected(shape, worlds, clusters=False)
        title = f"{shape.name}, ICC {ICC}, no effect: p < 0.05 through paired"
        yield Claim(title, f"{ours:.1f} %", f"as if independent {naive:.1f} %", "<= 6 %", ours <= 6, ours / naive)
        ours, held = of_arms(shape, worlds // 2)
        naive, _ = of_arms(shape, worlds // 2, clusters=False)
        title = f"{shape.name}, ICC {ICC}, no effect: p < 0.05 of arms with 3 seeds"
        yield Claim(title, f"{ours:.1f} %", f"as if independent {naive:.1f} %", "<= 6 %", ours <= 6, ours / naive)
        found = {
            "the bracket of a gain of 3": covered(shape, worlds),
            "the same in critical": covered(shape, worlds, stratum=str(Severity.CRITICAL)),
            "the interval of a mean": means_covered(shape, worlds),
            "the bracket of arms with 3 seeds": held,
        }
        for what, percent in found.items():
            good = 93 <= percent <= 97.5
            yield Claim(f"{shape.name}: coverage of {what}", f"{percent:.1f} %", "-", "93-97 %", good)
        own, change, rejects = rates(shape, worlds)
        good = own >= 93 and change >= 93 and rejects <= 6
        shown = f"{own:.1f} %, {change:.1f} %, {rejects:.1f} %"
        title = f"{shape.name}: coverage of a rate, of a difference of rates, and p < 0.05 without one"
        yield Claim(title, shown, "-", ">= 93 %, >= 93 %, <= 6 %", good)
        wrong = contradictions(shape, worlds // 5) + contradictions(shape, worlds // 5, rates=True)
        of = 2 * 4 * (worlds // 5)
        yield Claim(f"{shape.name}: brackets of {of:,} that contradict p", f"{wrong}", "-", "0", not wrong)
