"""The claims about the speed of the statistics, measured in one run: part of ``make bench-scoring``.

Prints ``claim | ours | reference | ratio | goal | holds`` and exits with 0 only if every claim holds. Seconds are
those of the processor, all threads together.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from maqa_severity.harness.severity import Severity
from maqa_severity.harness.statistics import USUAL, paired_all, summarise_all
from maqa_severity.harness.statistics.bootstrap import counts, resampled_means
from maqa_severity.harness.statistics.intervals import bca
from maqa_severity.tests.worlds import bertscore_like, table
from rich.console import Console
from scipy import stats

RUNS, METRICS, RESAMPLES = 20, 12, USUAL.resamples
SIZES = {Severity.CRITICAL: 480, Severity.NEUTRAL: 600, Severity.NON_CRITICAL: 920}
N = sum(SIZES.values())


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def speed_claim() -> tuple[str, bool]:
    """All intervals of all runs, and all paired differences and their p against the first run."""
    rng = np.random.default_rng(0)
    tables = [table(SIZES, bertscore_like(rng, (N, METRICS))) for _ in range(RUNS)]
    names = tables[0].metrics
    ours = seconds(lambda: summarise_all(tables)) + seconds(lambda: paired_all(tables[0], tables[1:], names))
    scores = [frame["m0"].to_numpy() for frame in (tables[0].frame, tables[1].frame)]
    change = scores[1] - scores[0]

    def reference(values: np.ndarray) -> None:
        for part in np.split(values, np.cumsum(list(SIZES.values()))[:-1]):
            stats.bootstrap((part,), np.mean, method="BCa", n_resamples=RESAMPLES, batch=1000, rng=0)

    def flips() -> None:
        for part in np.split(change, np.cumsum(list(SIZES.values()))[:-1]):
            stats.permutation_test(
                (part,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, batch=1000, rng=0
            )

    interval, flipped = seconds(lambda: reference(scores[0])), seconds(flips)
    theirs = interval * METRICS * (RUNS + RUNS - 1) + flipped * METRICS * (RUNS - 1)
    return _line(
        f"{RUNS} runs x {N:,} answers x {METRICS} metrics x {RESAMPLES:,} resamples: intervals, differences, p",
        f"{ours:.2f} s",
        f"scipy {theirs:.0f} s, from one metric of one run, three strata, no overall",
        theirs / ours,
        "<= 10 s",
        ours <= 10,
    )


def parity_claim() -> tuple[str, bool]:
    """The textbook's BCa on the resamples that scipy draws."""
    values = bertscore_like(np.random.default_rng(0), (N, 3))
    resampled = resampled_means(values, counts(N, 2000, np.random.default_rng(1)))
    ends = np.array(bca(values.mean(axis=0), resampled, [(values - values.mean(axis=0)) / N], expanded=False))
    theirs = np.array(
        [
            stats.bootstrap(
                (column,), np.mean, method="BCa", n_resamples=2000, rng=np.random.default_rng(1)
            ).confidence_interval
            for column in values.T
        ]
    ).T
    difference = float(np.abs(ends - theirs).max())
    return _line(
        "BCa on shared resamples: largest difference, percentage points",
        f"{difference:.0e}",
        "scipy",
        None,
        "<= 1e-06",
        difference <= 1e-6,
    )


def _line(name: str, ours: str, reference: str, ratio: float | None, goal: str, holds: bool) -> tuple[str, bool]:
    shown = "-" if ratio is None else f"{ratio:.1f}"
    return " | ".join((name, ours, reference, shown, goal, "holds" if holds else "falls short")), holds


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    console.print("claim | ours | reference | ratio | goal | holds", markup=False)
    held = []
    for claim in (speed_claim, parity_claim):
        line, holds = claim()
        held.append(holds)
        console.print(line, markup=False)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
