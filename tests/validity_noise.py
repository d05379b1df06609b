"""The floor of an engine's noise: two equal systems stay below it, whatever share was asked again."""

import numpy as np
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.harness.statistics.noise import floor_of, parts_of, spread_of
from maqa_severity.tests.claim import Claim

SIZES = dict(zip(map(str, SEVERITIES), (60, 90, 150), strict=True))
"""Questions of each severity."""
KINDS = {
    "every answer moves by 4 points": lambda rng, shape: rng.normal(0, 4, shape),
    "a fifth of the answers move, by 12 points": lambda rng, shape: (
        rng.normal(0, 12, shape) * (rng.random(shape) < 0.2)
    ),
    "one answer of twenty moves, by 20 points": lambda rng, shape: (
        rng.normal(0, 20, shape) * (rng.random(shape) < 0.05)
    ),
    "no answer moves": lambda rng, shape: np.zeros(shape),
}
"""How far one answer's score is from what its system scores on average."""


def below(kind: str, share: float, worlds: int, seed: int = 0) -> tuple[float, float]:
    """Percent of the worlds in which two equal systems, each asked once, differ by at most their floor, and the
    mean floor. ``share`` of each severity was asked again, of both."""
    rng, draw = np.random.default_rng(seed), KINDS[kind]
    held, floors = 0, []
    for _ in range(worlds):
        moved, parts = 0.0, []
        for sign in (1, -1):
            strata = {}
            for severity, n in SIZES.items():
                first = draw(rng, n)
                again = max(2, round(share * n))
                twice = draw(rng, again) - first[:again]
                strata[severity] = spread_of(twice)
                moved += sign * first.sum() / sum(SIZES.values())
            parts += parts_of(strata, SIZES, 0.5) or []
        floors.append(floor_of(parts))
        held += abs(moved) <= floors[-1]
    return 100 * held / worlds, float(np.mean(floors))


def claims(worlds: int = 2000) -> list[Claim]:
    found = []
    for kind in KINDS:
        for share in (0.1, 0.3, 1.0):
            if kind.startswith("no"):
                held, floor = below(kind, share, 10)
                claim = Claim(f"floor, {kind}, {share:.0%} asked again", f"{floor:.2f}", "-", "0", floor == 0)
            else:
                held, floor = below(kind, share, worlds)
                claim = Claim(
                    f"equal systems below the floor, {kind}, {share:.0%} asked again",
                    f"{held:.1f} %",
                    f"mean floor {floor:.2f} points",
                    "92-98 %",
                    92 <= held <= 98,
                )
            found.append(claim)
    return found
