"""The tests of a declared analysis among a board's runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..harness.core.errors import UserError
from ..harness.runs.analysis import Analysis
from ..harness.runs.arms import bases_of, compare_named
from ..harness.runs.conditions import training_of
from ..harness.runs.declared import Declared
from ..harness.runs.declaring import declared_bases, demand_scores, pairs_of
from ..harness.runs.run import Run
from ..harness.statistics import USUAL, Resampling


def board_declared(runs: Sequence[Run], analysis: Analysis, look: int, resampling: Resampling = USUAL) -> Declared:
    """Test what is declared of the arms among the runs; trivial systems and other models are left out.

    Raises:
        UserError: an arm, model or metric of the analysis is missing, or its runs cannot be compared.
    """
    trained = [run for run in runs if training_of(run)]
    if not analysis.contrasts or not trained:
        raise UserError(
            "a board tests contrasts of arms, and "
            + (
                "no run is of a checkpoint by `maqa train lm`"
                if analysis.contrasts
                else "the analysis declares none"
            ),
            "Add contrasts such as [{arm: severity, against: [ce]}], and give the runs of these arms",
        )
    demand_scores(analysis, trained)
    compared = compare_named(
        trained,
        analysis.arms,
        analysis.metrics,
        resampling,
        contrasts=pairs_of(analysis),
        margins=analysis.margins_at(look, len(analysis.models or bases_of(trained))),
        untrained=True,
    )
    return declared_bases(analysis, look, compared.bases)[0]
