"""``maqa power --interaction``: what finds that critical gains more than non_critical."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..harness.runs.comparison import Comparison
    from ..harness.runs.run import Run
    from ..harness.statistics.crossed import Components
    from ..harness.statistics.crossed_interaction import InteractionComponents
    from ..harness.statistics.power import Design, Planned

Shares = tuple[float, float]
"""Of all questions, the parts that are critical and non_critical."""


def planned_designs(
    parts: InteractionComponents, designs: Sequence[Design], shares: Shares, effect: float, sampling: float
) -> list[Planned]:
    """Each design's power.

    Raises:
        UserError: ``sampling`` is no part of both residuals.
    """
    from ..harness.core.errors import UserError
    from ..harness.statistics.crossed_interaction import planned_interaction

    residual = min(parts.residual_here, parts.residual_there)
    if not 0 <= sampling <= residual:
        raise UserError(
            f"--sampling-sd {sampling:g} is no part of the residual, {residual:.2f}",
            "Give a standard deviation from 0 to the residual's",
        )
    return [planned_interaction(parts, design, shares, effect, sampling) for design in designs]


def as_given(components: Components, shares: str | None) -> tuple[InteractionComponents, Shares]:
    """Components that are the same in both severities, the seed's of the difference between both.

    Raises:
        UserError: no shares were given.
    """
    from ..harness.core.errors import UserError
    from ..harness.statistics.crossed_interaction import InteractionComponents

    if shares is None:
        raise UserError(
            "nothing says how many questions are critical and non_critical", "Give percentages: --shares 25,50"
        )
    question, residual = components.question, components.residual
    return InteractionComponents(components.seed, question, question, residual, residual), shares_of(shares)


def of_pilot(
    runs: Sequence[Path], arms: str, metric: str, shares: str | None, sampling: float
) -> tuple[InteractionComponents, Shares, Comparison]:
    """A pilot's components at one sample per answer, its shares where none are given, and the pilot compared;
    ``sampling`` is what more samples have taken of its residuals.

    Raises:
        UserError: the runs are no two arms of one base, or hold too few questions.
    """
    import dataclasses

    from ..harness.core.errors import UserError
    from ..harness.runs.arms import compare_named
    from ..harness.runs.run import load_run
    from ..harness.scores.signatures import samples_of
    from ..harness.statistics import OVERALL
    from ..harness.statistics.power import at_one_sample

    names = [name.strip() for name in arms.split(",")]
    if len(names) != 2:
        raise UserError(f"--arms {arms!r} are not two arms", "Name two: --arms ce,severity")
    loaded: list[Run] = [load_run(path, incomplete=True) for path in runs]
    bases = compare_named(loaded, names, [metric]).bases
    if len(bases) > 1:
        raise UserError(f"the pilot has {len(bases)} bases", "Give runs of one of them")
    (compared,) = bases[0].pairs.values()
    demand_variation(compared, metric)
    (found,) = compared.interactions
    if found.components is None:
        raise UserError(
            "the pilot has too few critical or non_critical questions to tell what varies",
            "Give runs of more questions",
        )
    samples = samples_of(compared.signatures[metric])
    parts = dataclasses.replace(
        found.components,
        residual_here=at_one_sample(found.components.residual_here, sampling, samples),
        residual_there=at_one_sample(found.components.residual_there, sampling, samples),
    )
    if shares is not None:
        return parts, shares_of(shares), compared
    n = compared.difference(metric, OVERALL).n
    return parts, (found.n_here / n, found.n_there / n), compared


def demand_variation(compared: Comparison, metric: str) -> None:
    """Raises:
    UserError: the trainings of a pilot do not differ, which promises that every design finds everything.
    """
    from ..harness.core.errors import UserError
    from ..harness.statistics import OVERALL

    part = next(each for each in compared.parts if each.stratum == OVERALL)
    if part.components and not part.components.seed and not part.components.residual:
        raise UserError(
            f"no two trainings of the pilot differ in {metric}, so nothing tells what another would",
            "Choose another --metric, or give --seed-sd, --question-sd and --residual-sd",
        )


def shares_of(text: str) -> Shares:
    """``25,50``: percentages of the questions that are critical and non_critical.

    Raises:
        UserError: it is no such pair.
    """
    from ..harness.core.errors import UserError

    try:
        here, there = (float(part) / 100 for part in text.split(","))
    except ValueError:
        here = there = 0.0
    if here > 0 and there > 0 and here + there <= 0.01 * (1 + 1e-9):
        raise UserError(f"--shares {text!r} read as shares of 1", "Give percentages: --shares 25,50")
    if not (here > 0 and there > 0 and here + there <= 1 + 1e-9):
        raise UserError(
            f"--shares {text!r} are no two percentages", "Give those of critical and non_critical: --shares 25,50"
        )
    return here, there


def in_words(parts: InteractionComponents, shares: Shares) -> str:
    """What the plan is made from."""
    return (
        f"Standard deviations of critical's change less non_critical's: training seed {parts.seed:.2f}; question "
        f"{parts.question_here:.2f} and {parts.question_there:.2f}, residual {parts.residual_here:.2f} and "
        f"{parts.residual_there:.2f} ({100 * shares[0]:.0f} and {100 * shares[1]:.0f} % of the questions)"
    )
