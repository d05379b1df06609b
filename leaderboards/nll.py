"""The references' likelihood under the arms of a board, beside what was generated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..harness.languages.sentences import sentence
from ..harness.runs.arms import key_of_base, names_of_bases
from ..harness.runs.groups import RunGroup, grouped
from ..harness.runs.nll import METRIC
from ..harness.runs.nll_compared import compare_nll, nll_means, nll_tables
from ..harness.runs.run import Run
from ..harness.statistics import Difference, Resampling
from ..harness.statistics.verdicts import p_in_words
from .records import BoardNll, Cell, DifferenceCell, NllRow
from .seeds import reference_of


def board_nll(runs: Sequence[Run], resampling: Resampling) -> BoardNll | None:
    """The likelihoods of all runs that have any, arm by arm; None where no run has."""
    groups, names = grouped(runs), names_of_bases(runs)

    def called(group: RunGroup) -> str:
        base = names.get(key_of_base(group.base), "") if group.arm and len(names) > 1 else ""
        return f"{base}: {group.name}" if base else group.name

    made = [_row(group, reference_of(group, groups), resampling, called) for group in groups if nll_tables(group)]
    if not made:
        return None
    return BoardNll(rows=[row for row, _ in made], notes=[note for _, note in made if note])


def _row(
    group: RunGroup, against: RunGroup | None, resampling: Resampling, called: Callable[[RunGroup], str]
) -> tuple[NllRow, str]:
    tables = nll_tables(group)
    row = NllRow(
        name=called(group),
        runs=[run.name for run in group.runs.values()],
        cells={
            each.stratum: Cell(n=each.n, mean=each.mean, low=each.low, high=each.high)
            for each in nll_means(tables, resampling)
        },
        signature=next(iter(tables.values())).signatures[METRIC],
    )
    if against is None:
        return row, ""
    compared = compare_nll(against, group, resampling)
    note = ""
    if compared.left_out:
        note = sentence("nll.note", one=called(group), other=called(against), why=compared.left_out)
    differences = {each.stratum: _cell(each) for each in compared.differences}
    return row.model_copy(update={"against": against.name, "differences": differences}), note


def _cell(change: Difference) -> DifferenceCell:
    return DifferenceCell(
        mean=change.mean,
        low=change.low,
        high=change.high,
        p=change.p,
        p_holm=change.p_holm,
        verdict=change.verdict,
        p_words=p_in_words(change, adjusted=True),
    )
