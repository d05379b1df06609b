"""A gold file from ratings of complaints: one level per complaint, and the class that it is mapped to."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.core.files import write_text
from ..harness.severity import CLASS_OF_LEVEL
from .collected import Ratings
from .forms import Kind


@dataclass(frozen=True)
class Gold:
    """One complaint's level by majority; ``agreed`` says whether all of its raters gave it."""

    id: str
    level: int
    raters: int
    agreed: bool


def gold_of(ratings: Ratings) -> list[Gold]:
    """The majority of each complaint's raters; ties go to the more urgent level, as triage has it.

    Raises:
        UserError: the ratings are not of complaints.
    """
    if ratings.key.kind is not Kind.COMPLAINT:
        raise UserError("these ratings are of answers, which make no gold of severities", "Leave --gold out")
    (ask,) = ratings.asks
    found = []
    for key, rows in ratings.of(ask).groupby("id", sort=False):
        votes = Counter(int(value) for value in rows["value"])
        level = min(votes, key=lambda value: (-votes[value], value))
        found.append(Gold(str(key), level, len(rows), len(votes) == 1))
    return found


def write_gold(path: Path, gold: list[Gold]) -> None:
    """Write ``id,severity,level,raters,agreed`` as CSV, which `maqa label --check` reads."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["id", "severity", "level", "raters", "agreed"])
    for each in gold:
        table.writerow(
            [each.id, CLASS_OF_LEVEL[each.level], each.level, each.raters, "yes" if each.agreed else "no"]
        )
    write_text(path, stream.getvalue())
