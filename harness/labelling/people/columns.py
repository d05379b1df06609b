"""Which column of a file of labels is the annotator, the time, and so on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ...core.files import read_json
from ...data.columns import Role, aliases
from ...languages import Language, codes, language
from ...languages.text import Profile, normalise

ANNOTATOR, TIME, BATCH, FILE = "annotator", "time", "batch", "file"
LABEL_OF = "label:"
"""Before an annotator's name: a column of that annotator's labels beside the one that was settled on."""
_SHARED = "label_columns.json"


@cache
def names(kind: str, tongue: Language) -> tuple[str, ...]:
    """Normalised names under which a column of a kind is found, in any language."""
    roles = {str(role): role for role in Role}
    own = aliases(roles[kind], tongue) if kind in roles else ()
    shared = (Path(__file__).with_name(_SHARED), *(language(code).folder / _SHARED for code in codes()))
    tables = [read_json(path, "Install the package again") for path in shared if path.is_file()]
    given = [normalise(name, Profile.METRIC, tongue) for table in tables for name in table.get(kind, [])]
    return tuple(dict.fromkeys([*own, *given]))


KINDS = (*(str(role) for role in (Role.ID, Role.QUESTION, Role.CATEGORY)), ANNOTATOR, TIME, BATCH, FILE)


def places(columns: Sequence[str], tongue: Language) -> dict[str, int]:
    """The column of each of ``KINDS`` that is there; none has two."""
    header = [normalise(name, Profile.METRIC, tongue) for name in columns]
    found: dict[str, int] = {}
    for kind in KINDS:
        place = next((header.index(name) for name in names(kind, tongue) if name in header), None)
        if place is not None and place not in found.values():
            found[kind] = place
    return found


def known(name: str, kind: str, tongue: Language) -> bool:
    """Whether a column's name is one of a kind's."""
    return normalise(name, Profile.METRIC, tongue) in names(kind, tongue)


def shown(columns: Sequence[str]) -> str:
    """Names of columns in an error."""
    return ", ".join(json.dumps(name, ensure_ascii=False) for name in columns)


Cells = Mapping[str, str]
"""A row by the names of its columns; an empty cell is an empty text."""
