"""What a board's runs bear out of the claim that severity-aware training helps, base by base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..harness.languages.messages import spoken
from ..harness.runs.arms import claims_of, concluded, key_of_base, names_of_bases, set_against
from ..harness.runs.claim import BASELINE, Claim, named
from ..harness.runs.comparison import compare_arms
from ..harness.runs.conclusion import Conclusion
from ..harness.runs.conditions import training_of
from ..harness.runs.groups import RunGroup, grouped
from ..harness.runs.run import Run
from ..harness.statistics import Resampling
from .records import ClaimCell


def arms_by_base(runs: Sequence[Run]) -> list[dict[str, RunGroup]]:
    """The trained arms of each base by their names with the scheme, as an experiment calls them."""
    bases: list[dict[str, RunGroup]] = []
    for group in grouped([run for run in runs if training_of(run)]):
        if not group.arm:
            continue
        arms = next((each for each in bases if next(iter(each.values())).base == group.base), None)
        if arms is None:
            bases.append(arms := {})
        arm = str(group.arm).replace(" ", "-")
        arms[arm] = replace(group, name=arm)
    return bases


def board_claims(runs: Sequence[Run], metric: str, resampling: Resampling) -> list[ClaimCell]:
    """The claim of each severity-weighted arm that was trained beside a plain one; the runs must be comparable."""
    bases = arms_by_base(runs)
    names = names_of_bases(runs)
    found: list[ClaimCell] = []
    for arms in bases:
        against = set_against(list(arms))
        made = {
            (other, arm): compare_arms(arms[other], arms[arm], metric, resampling, safety=named(other, BASELINE))
            for arm, others in against.items()
            for other in others
        }
        base = names[key_of_base(next(iter(arms.values())).base)] if len(names) > 1 else ""
        claims = claims_of(made, against)
        pairs = concluded(made, claims)
        for claim in claims:
            plain = next(pairs[leg.against, claim.arm] for leg in claim.legs if named(leg.against, BASELINE))
            found.append(_cell(claim, base, plain.conclusion))
    return found


def _cell(claim: Claim, base: str, conclusion: Conclusion | None) -> ClaimCell:
    said = {} if conclusion is None else {code: conclusion.said(code) for code in spoken()}
    outcome = "" if conclusion is None else str(conclusion.outcome)
    return ClaimCell(
        arm=claim.arm, base=base, holds=claim.holds, words=str(claim), outcome=outcome, conclusion=said
    )
