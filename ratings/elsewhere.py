"""People's labels of a dataset's complaints that were given elsewhere, as ratings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..harness.core.files import sha256_text
from ..harness.data.dataset import SPLITS, Dataset
from ..harness.data.severity_map import SeverityMap
from ..harness.labelling.people.people import People, read_people
from ..harness.severity import SEVERITIES
from .collected import Given, Ratings, ratings_of
from .forms import FORMS, Kind
from .sheet import Chosen, Key, KeyItem

_CLASSES = {severity.rank: str(severity) for severity in SEVERITIES}


def ratings_elsewhere(files: Sequence[Path], dataset: Dataset, severities: SeverityMap) -> Ratings:
    """The labels of files in any layout that ``maqa label`` reads. They are levels of triage if all of them are.

    Raises:
        UserError: a file cannot be read, or names complaints that the dataset lacks; see ``read_people``.
    """
    people = read_people(files, dataset, severities)
    given = people.ranks >= 0
    kind = Kind.COMPLAINT if (people.levels[given] > 0).all() else Kind.SEVERITY
    frame = pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)
    rows = {str(row["id"]): row for row in frame.to_dict("records")}
    items = tuple(
        KeyItem(
            item=key,
            id=key,
            severity=None if pd.isna(rows[key]["severity"]) else str(rows[key]["severity"]),
            category=str(rows[key]["category"]),
            sides=(),
            sha256=(sha256_text(str(rows[key]["question"])),),
            chosen=Chosen.RANDOM,
        )
        for key in people.ids
    )
    key = Key(
        sheet=people.sha256,
        kind=kind,
        language=dataset.language.code,
        source=str(dataset.folder),
        seed=0,
        items=items,
    )
    return ratings_of(key, {who: _gave(people, place, kind) for place, who in enumerate(people.annotators)})


def _gave(people: People, place: int, kind: Kind) -> tuple[Given, ...]:
    (ask,) = FORMS[kind]
    pairs = zip(people.ids, people.ranks[:, place].tolist(), people.levels[:, place].tolist(), strict=True)
    return tuple(
        Given(item=key, values={ask.name: str(level) if kind is Kind.COMPLAINT else _CLASSES[rank]})
        for key, rank, level in pairs
        if rank >= 0
    )
