"""A declared analysis on what there is: two sides, or the arms of every base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..statistics import USUAL, Resampling
from .analysis import Analysis, Contrast
from .arms import ArmsOfBase, arm_called, bases_of, claims_of
from .claim import named
from .comparison import Comparison, compare
from .declared import Declared, judge_declared, marked
from .groups import RunGroup, group_of
from .margins import margins_of
from .run import Run
from .screened import refuse_screening, screening_of


def declared_sides(
    compared: Comparison, analysis: Analysis, look: int, arms: tuple[str | None, str | None]
) -> tuple[Declared, Comparison]:
    """The tests of an analysis that two sides bear, and their comparison judged so.

    Args:
        compared: in every declared metric.
        arms: those of both sides; None for a model that we did not train.

    Raises:
        UserError: the analysis declares another contrast than these sides, or more of them.
    """
    names = (compared.first, compared.second) if compared.first != compared.second else ("A", "B")
    if analysis.contrasts:
        (contrast, *more) = analysis.contrasts
        meant = named(arms[1], contrast.arm) and named(arms[0], contrast.against[0])
        if more or len(contrast.against) > 1 or not meant:
            told = "; ".join(map(str, analysis.contrasts))
            raise UserError(
                f"the analysis declares {told}, and these two sides are {arms[1] or names[1]} against "
                f"{arms[0] or names[0]}",
                f"Give the runs of all of its arms: maqa compare --arms {' '.join(analysis.arms)} RUN...",
            )
    pair = Contrast(arm=names[1], against=[names[0]])
    declared, models = judge_declared(analysis, look, {"": {names: compared}}, [pair], bool(analysis.contrasts))
    return declared, models[""][names]


def demand_scores(analysis: Analysis, runs: Sequence[Run]) -> None:
    """Raises:
    UserError: a run was not scored by a metric that is declared, or it is a detector for screening only.
    """
    for run in runs:
        if missing := [metric for metric in analysis.metrics if metric not in run.scores.metrics]:
            raise UserError(
                f"{run.path} has no scores of {', '.join(missing)}, which the analysis declares",
                f"`maqa rescore` it where that gives them, or declare some of {', '.join(run.scores.metrics)}",
            )
    refuse_screening(analysis.metrics, screening_of(runs), "the analysis declares")


def compare_declared(
    first: Run | RunGroup,
    second: Run | RunGroup,
    metrics: Sequence[str],
    analysis: Analysis,
    look: int,
    resampling: Resampling = USUAL,
    anyway: bool = False,
    gold: Path | None = None,
) -> tuple[Declared, Comparison]:
    """As ``compare``, with what an analysis declares judged as it says; ``metrics`` hold at least its own.

    Raises:
        UserError: as ``compare``, or the analysis declares other contrasts or models than these sides.
    """
    one, other = group_of(first), group_of(second)
    demand_scores(analysis, [*one.runs.values(), *other.runs.values()])
    if analysis.models:
        found = list(bases_of([*one.runs.values(), *other.runs.values()]))
        if found != analysis.models:
            raise UserError(
                f"the analysis declares {', '.join(analysis.models)}, and these two sides are of "
                f"{', '.join(found)}",
                "Give the runs of all of its models: maqa compare --arms ARM... RUN...",
            )
    margins = margins_of((), metrics) | analysis.margins_at(look, 1)
    compared = compare(one, other, metrics, resampling, margins=margins, anyway=anyway, gold=gold)
    return declared_sides(compared, analysis, look, (one.arm, other.arm))


def declared_bases(
    analysis: Analysis, look: int, bases: Sequence[ArmsOfBase], names: Mapping[str, str] | None = None
) -> tuple[Declared, list[ArmsOfBase]]:
    """The tests of an analysis over the arms of every base, and the bases with their pairs and claims judged so.

    Args:
        bases: each with every pair that a contrast needs, in every declared metric.
        names: what the arms of contrasts are called in the pairs; by default what ``arm_called`` finds.

    Raises:
        UserError: no contrast is declared, or an arm or model of the declaration is missing.
    """
    if not analysis.contrasts:
        raise UserError(
            "the analysis declares no contrasts, so nothing says which arms are tested",
            "Add contrasts such as [{arm: severity, against: [ce, constant, shuffled]}]",
        )
    known = [each.base for each in bases]
    if missing := [name for name in analysis.models if name not in known]:
        raise UserError(
            f"the analysis declares model {missing[0]!r}, which is none of {', '.join(known)}",
            "Give its runs, or declare the models that there are",
        )
    own: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for each in bases:
        if each.base in (analysis.models or known):
            arms = list(dict.fromkeys(arm for pair in each.pairs for arm in pair))
            called = names or {name: arm_called(arms, name) for name in analysis.arms}
            own[each.base] = {pair: (called[pair[0]], called[pair[1]]) for pair in pairs_of(analysis)}
    given = {each.base: each.pairs for each in bases}
    models = {base: {pair: given[base][key] for pair, key in pairs.items()} for base, pairs in own.items()}
    declared, judged = judge_declared(analysis, look, models, analysis.contrasts)
    found = []
    for each in bases:
        back = {key: judged[each.base][pair] for pair, key in own.get(each.base, {}).items()}
        made = {key: back.get(key) or marked(compared, {}) for key, compared in each.pairs.items()}
        against = {claim.arm: [leg.against for leg in claim.legs] for claim in each.claims}
        found.append(ArmsOfBase(each.base, made, claims_of(made, against), each.doses))
    return declared, found


def pairs_of(analysis: Analysis | None) -> list[tuple[str, str]]:
    """Every pair of arms that an analysis needs, the subtracted one first."""
    contrasts = analysis.contrasts if analysis else []
    return [(other, contrast.arm) for contrast in contrasts for other in contrast.against]


def with_declared(values: dict[str, Any], declared: Declared | None) -> dict[str, Any]:
    """Plain values of a comparison with the analysis behind it, where there is one."""
    return values if declared is None else {**values, "analysis": declared.model_dump(mode="json")}
