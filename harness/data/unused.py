"""Columns of a source that are not read, and the one among them that may hold severities."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import UserError
from .severity_map import SeverityMap
from .sources.base import Note, Source

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_NAMES = 20
_MOST_VALUES = 12
_FEWEST_ROWS = 3


def unused_notes(
    source: Source, used: Iterable[int], labelled: bool, severities: SeverityMap, option: str
) -> list[Note]:
    """What to say of the columns at no used place.

    Args:
        labelled: whether severities or probabilities are read already.
        option: that names the column of the severities.
    """
    places = [place for place in range(len(source.columns)) if place not in set(used)]
    if not places:
        return []
    names = [source.columns[place] or f"(column {place + 1})" for place in places]
    shown = ", ".join(map(repr, names[:_MOST_NAMES]))
    more = f" +{len(names) - _MOST_NAMES:,}" if len(names) > _MOST_NAMES else ""
    notes = [Note("reading.unused", {"names": shown + more})]
    if labelled:
        return notes
    for place in places[:_MOST_NAMES]:
        if (column := _first_cells(source, place)) is None:
            continue
        values = {value.strip() for value in column.to_pylist() if value and value.strip()}
        filled = len(column) - column.null_count
        if (
            filled >= _FEWEST_ROWS
            and 0 < len(values) <= min(_MOST_VALUES, filled)
            and _all_known(values, severities)
        ):
            told = ", ".join(sorted(values)[:3])
            values_of = {"column": source.columns[place], "values": told, "option": option}
            notes.append(Note("reading.maybe_severity", values_of))
    return notes


def no_severities(source: Source, place: int, severities: SeverityMap, option: str) -> str:
    """Why a column whose name says little is not read as severities; empty where its first rows are some."""
    looking = replace(severities, read={})
    column = next((batch.columns[0] for batch in source.batches([place])), None)
    values = (
        {} if column is None else dict.fromkeys(value for value in column.to_pylist() if value and value.strip())
    )
    for value in values:
        try:
            looking.of(value)
        except UserError:
            name = source.columns[place]
            return (
                f"column {name!r} is not used: {value!r} may be no severity. If it is one: "
                f"{option} {shlex.quote(name)} {looking.to_begin_with(values)}"
            )
    return ""


def _first_cells(source: Source, place: int) -> pa.Array | None:
    """None of a column that cannot be read as text, which nobody asked for."""
    try:
        batch = next(iter(source.batches([place])), None)
    except UserError:
        return None
    return None if batch is None else batch.columns[0]


def _all_known(values: Iterable[str], severities: SeverityMap) -> bool:
    looking = replace(severities, read={})
    try:
        for value in values:
            looking.of(value)
    except UserError:
        return False
    return True
