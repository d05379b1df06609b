"""What a board's runs bear out of the claim that severity-aware training helps, base by base."""

from __future__ import annotations

from collections.abc import Sequence

from ..harness.runs.arms import claims_of, key_of_base, names_of_bases, set_against
from ..harness.runs.claim import Claim
from ..harness.runs.comparison import compare_arms
from ..harness.runs.conditions import training_of
from ..harness.runs.groups import RunGroup, grouped
from ..harness.runs.run import Run
from ..harness.statistics import Resampling
from .records import ClaimCell


def board_claims(runs: Sequence[Run], metric: str, resampling: Resampling) -> list[ClaimCell]:
    """The claim of each severity-weighted arm that was trained beside a plain one; the runs must be comparable."""
    groups = [group for group in grouped([run for run in runs if training_of(run)]) if group.arm]
    bases: list[dict[str, RunGroup]] = []
    for group in groups:
        arms = next((each for each in bases if next(iter(each.values())).base == group.base), None)
        if arms is None:
            bases.append(arms := {})
        arms[str(group.arm).replace(" ", "-")] = group
    names = names_of_bases(runs)
    found: list[ClaimCell] = []
    for arms in bases:
        against = set_against(list(arms))
        made = {
            (other, arm): compare_arms(arms[other], arms[arm], metric, resampling)
            for arm, others in against.items()
            for other in others
        }
        base = names[key_of_base(next(iter(arms.values())).base)] if len(names) > 1 else ""
        found += [_cell(claim, base) for claim in claims_of(made, against)]
    return found


def _cell(claim: Claim, base: str) -> ClaimCell:
    return ClaimCell(arm=claim.arm, base=base, holds=claim.holds, words=str(claim))
