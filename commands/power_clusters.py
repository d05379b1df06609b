"""``maqa power`` for questions that belong together: what is assumed of them, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..harness.runs.comparison import Comparison
    from ..harness.statistics.power import Design


def checked_effect(given: float | None, questions: Sequence[int]) -> float:
    """The design effect of ``--design-effect``; 1 where none was given.

    Raises:
        UserError: it is none, or leaves fewer than two independent questions.
    """
    from ..harness.core.errors import UserError

    if given is None:
        return 1.0
    if not (math.isfinite(given) and given >= 1):
        raise UserError(
            f"--design-effect {given:g} is none",
            "Give 1 or more: the variance of a mean over these questions, times that over independent ones",
        )
    if min(questions) < 2 * given:
        raise UserError(
            f"--design-effect {given:g} makes {min(questions)} questions count as fewer than two",
            f"Ask for --questions from {math.ceil(2 * given):,} on",
        )
    return given


def assumed(pilot: Comparison | None, given: float | None, design: Design) -> str:
    """What a plan assumes of questions that belong together.

    The components of a pilot with clusters are as large as independent questions would need for the same error, so
    that they hold its design effect already.

    Args:
        pilot: of two arms in one metric; None for given components.
        given: the design effect of ``--design-effect``.
        design: the largest one, with its design effect.

    Raises:
        UserError: a design effect was given beside a pilot whose components hold one.
    """
    from ..harness.core.errors import UserError

    if pilot is not None and any(each.clustered for each in pilot.differences):
        if given is not None:
            raise UserError(
                "--design-effect was given beside a pilot whose deviations hold that of its own clusters",
                "Leave it out, or give --seed-sd, --question-sd and --residual-sd of independent questions with it",
            )
        return (
            f"Assumed: questions belong together as the pilot's do, which these deviations hold: {pilot.questions}."
        )
    if given is None:
        of = f"as in the pilot, {pilot.questions}" if pilot is not None else "questions stand alone"
        return f"Assumed: {of}. Where they belong together, give --design-effect."
    counted = design.questions / given
    return (
        f"Assumed: design effect {given:g}, in question and residual alike: {design.questions:,} questions count "
        f"as {counted:,.0f} independent ones."
    )
