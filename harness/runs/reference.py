"""Which of some runs is the reference: the order of the arguments never says so."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import UserError
from .analysis import Analysis
from .claim import named
from .conditions import training_of
from .run import Run

PLAIN = ("base", "ce")
"""The arms that others are held against, the first before the second."""


def arm_and_seed(run: Run) -> tuple[str, int]:
    """The arm with its scheme, empty for a model that we did not train; its seed, -1 without one."""
    training = training_of(run)
    if training is None:
        return "", 0
    seed = training.get("seed")
    return " ".join(filter(None, (training["arm"], training.get("scheme")))), seed if isinstance(seed, int) else -1


def run_named(runs: Sequence[Run], name: str, instead: str = "") -> Run:
    """
    Args:
        runs: those to find it among.
        name: what it is called.
        instead: how to name it by its folder, for runs of one name.

    Raises:
        UserError: no run, or several, have the name.
    """
    found = [run for run in runs if run.name == name]
    if len(found) != 1:
        several = "several runs have" if found else "no run has"
        names = ", ".join(sorted(run.name for run in runs)[:20])
        remedy = f"Give {instead}" if found and instead else f"Give one of: {names}"
        raise UserError(f"--reference {name}: {several} that name", remedy)
    return found[0]


def reference_of(
    runs: Sequence[Run], name: str | None = None, analysis: Analysis | None = None, instead: str = "--against RUN"
) -> tuple[Run, str]:
    """The run that the others are held against, and why it: ``asked``, ``declared``, ``base`` or ``ce``.

    Args:
        runs: all of them.
        name: of the reference, where the user asks for one.
        analysis: what is declared.
        instead: how the command at hand takes the reference by its folder.

    Raises:
        UserError: the name is none of theirs, or nothing says which it is.
    """
    if name is not None:
        return run_named(runs, name, instead), "asked"
    against = analysis.contrasts[0].against[0] if analysis and analysis.contrasts else None
    for arm, why in ((against, "declared"), *((plain, plain) for plain in PLAIN)):
        found = [run for run in runs if arm is not None and named(arm_and_seed(run)[0] or None, arm)]
        if len(found) == 1:
            return found[0], why
    names = ", ".join(sorted(run.name for run in runs))
    raise UserError(
        f"nothing says which of {names} the others are held against: no single one is the base or ce",
        f"Give --reference NAME, or {instead}",
    )
