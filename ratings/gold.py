"""A gold file from ratings of complaints: one level per complaint, and the class that it is mapped to."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.core.files import write_text
from ..harness.labelling.people.columns import LABEL_OF
from ..harness.severity import CLASS_OF_LEVEL, Severity
from .collected import Ratings
from .forms import Kind


@dataclass(frozen=True)
class Gold:
    """One complaint's label by majority; ``agreed``: all of its raters gave it; ``by``: what each gave.

    ``level`` is None where raters gave classes.
    """

    id: str
    severity: Severity
    level: int | None
    raters: int
    agreed: bool
    by: Mapping[str, str] = field(default_factory=dict)


def gold_of(ratings: Ratings) -> list[Gold]:
    """The majority of each complaint's raters; ties go to the more urgent, as triage has it.

    Raises:
        UserError: the ratings are not of complaints.
    """
    if ratings.key.kind not in (Kind.COMPLAINT, Kind.SEVERITY):
        raise UserError("these ratings are of answers, which make no gold of severities", "Leave --gold out")
    (ask,) = ratings.asks
    found = []
    for key, rows in ratings.of(ask).groupby("id", sort=False):
        votes = Counter(rows["value"])
        value = min(votes, key=lambda each: (-votes[each], ask.values.index(each)))
        level = int(value) if ratings.key.kind is Kind.COMPLAINT else None
        severity = Severity(value) if level is None else CLASS_OF_LEVEL[level]
        by = {str(rater): str(given) for rater, given in zip(rows["rater"], rows["value"], strict=True)}
        found.append(Gold(str(key), severity, level, len(rows), len(votes) == 1, by))
    return found


def write_gold(path: Path, gold: list[Gold]) -> None:
    """Write ``id,severity,level,raters,agreed`` as CSV, and ``label:RATER`` of each where there are several.

    `maqa label` reads it with --check, --audit and --with.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    raters = sorted({rater for each in gold for rater in each.by})
    named = raters if len(raters) > 1 else []
    table.writerow(["id", "severity", "level", "raters", "agreed", *(f"{LABEL_OF}{rater}" for rater in named)])
    for each in gold:
        table.writerow(
            [
                *(each.id, each.severity, each.level or "", each.raters, "yes" if each.agreed else "no"),
                *(each.by.get(rater, "") for rater in named),
            ]
        )
    write_text(path, stream.getvalue())
