"""What a reader gave in the browser of answers of a report: read, and checked to be of these runs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_text, write_text
from ..harness.core.readable import visible
from ..harness.core.settings import Record
from ..harness.runs.run import Run
from .collected import Given, Ratings, ratings_of
from .forms import Kind
from .sheet import Chosen, Key, KeyItem

_REMEDY = "Give the .jsonl or .csv that the report's page saved"
_QUOTED = re.compile(r"'[\s\ufeff]*[=+\-@'\t\r]")
COLUMNS = ["fingerprint", "rater", "id", "ask", "run", "detector", "value"]
BETTER = "better"
FLAG = "flag"
COMMENT = "comment"
SAME = "same"


class Said(Record):
    """One thing that a reader said of one question; ``run`` and ``detector`` are empty where it is of neither.

    Attributes:
        ask: ``better`` (``value`` is a run's name, or ``same``), ``flag`` (``agree`` or ``disagree``), ``comment``.
    """

    fingerprint: str
    rater: str
    id: str
    ask: str
    run: str = ""
    detector: str = ""
    value: str


@dataclass(frozen=True)
class Review:
    """What readers said of two runs: ``said``, and the preferences among it as ratings of pairs."""

    said: tuple[Said, ...]
    ratings: Ratings | None

    @property
    def flags(self) -> Mapping[str, Counter[str]]:
        """How often readers agreed and disagreed with each detector's flags."""
        found: dict[str, Counter[str]] = {}
        for each in self.said:
            if each.ask == FLAG:
                found.setdefault(each.detector, Counter())[each.value] += 1
        return dict(sorted(found.items()))


def run_names(runs: Sequence[Run]) -> list[str]:
    """The runs' names, numbered where one occurs again, or is the word for no preference."""
    found: list[str] = []
    for run in runs:
        name, count = visible(run.name), 2
        while name in found or name == SAME:
            name, count = f"{visible(run.name)} ({count})", count + 1
        found.append(name)
    return found


def review_fingerprint(runs: Sequence[Run]) -> str:
    """The identity of what a browser of answers shows of these runs: names, questions and answers, in order."""
    ids = runs[0].answers["id"].tolist()
    shown = [[run.name, run.answers.set_index("id").loc[ids, "prediction"].tolist()] for run in runs]
    return sha256_text(json.dumps([ids, runs[0].answers["question"].tolist(), shown], ensure_ascii=True))


def read_review(files: Sequence[Path], runs: Sequence[Run]) -> Review:
    """What the files hold, of the runs that the report was made of, in its order.

    Raises:
        UserError: a file is none of a report's page, of other runs, names a question that they lack, holds a value
            that cannot be given, or one rater says a thing twice.
    """
    own = review_fingerprint(runs)
    known, names = set(runs[0].answers["id"]), run_names(runs)
    said: list[Said] = []
    seen: set[tuple[str, ...]] = set()
    for path in files:
        for number, each in _rows(path):
            where = f"{path} line {number}"
            if each.fingerprint != own:
                raise UserError(
                    f"{where} is about other runs than {' and '.join(names)}",
                    "Name the runs of that report with --review, --against's run last",
                )
            if each.id not in known:
                raise UserError(f"{where} names the question {each.id!r}, which the runs lack", _REMEDY)
            values = {BETTER: [*names, SAME], FLAG: ["agree", "disagree"], COMMENT: [each.value]}.get(each.ask)
            if values is None or each.value not in values or (each.ask == FLAG and each.run not in names):
                raise UserError(f"{where}: {each.ask} is {each.value!r}", _REMEDY)
            key = (each.rater, each.id, each.ask, each.run, each.detector)
            if key in seen:
                raise UserError(f"{where}: {each.rater} says it a second time of {each.id}", "Keep one of the two")
            seen.add(key)
            said.append(each)
    if not said:
        raise UserError(f"nothing is rated in {', '.join(map(str, files))}", _REMEDY)
    return Review(tuple(said), _preferences(said, runs, own))


def write_flags(path: Path, review: Review) -> None:
    """Write what readers said of flags as CSV with the columns ``COLUMNS``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(each, name) for name in COLUMNS] for each in review.said if each.ask == FLAG)
    write_text(path, text.getvalue())


def _rows(path: Path) -> list[tuple[int, Said]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            lines = [
                (number, {name: _unquoted(value) for name, value in row.items()})
                for number, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2)
            ]
        else:
            lines = [(number, json.loads(line)) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return [(number, Said.model_validate(row)) for number, row in lines]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", _REMEDY) from None
    except (ValueError, ValidationError, AttributeError) as error:
        raise UserError(f"{path} is no review by a report's page: {str(error).splitlines()[0]}", _REMEDY) from None


def _unquoted(value: str | None) -> str | None:
    # The page puts a quote before what a spreadsheet would run.
    return value[1:] if value and _QUOTED.match(value) else value


def _preferences(said: Sequence[Said], runs: Sequence[Run], sheet: str) -> Ratings | None:
    """Preferences as ratings of pairs, the report's second run first; None where there are none."""
    if len(runs) != 2:
        return None
    (ours, theirs), (first, second) = runs, run_names(runs)
    values = {first: "second", second: "first", SAME: "same"}
    notes = {(each.rater, each.id): each.value for each in said if each.ask == COMMENT}
    better = [each for each in said if each.ask == BETTER]
    if not better:
        return None
    rows = ours.answers.set_index("id")
    other = theirs.answers.set_index("id")
    items = tuple(
        KeyItem(
            item=name,
            id=name,
            severity=str(rows.at[name, "severity"]),
            category=str(rows.at[name, "category"]),
            sides=(second, first),
            sha256=tuple(
                sha256_text(str(text))
                for text in (rows.at[name, "question"], other.at[name, "prediction"], rows.at[name, "prediction"])
            ),
            # A reader of a report goes where the browser leads, not where chance does.
            chosen=Chosen.DISAGREEMENT,
        )
        for name in dict.fromkeys(each.id for each in better)
    )
    key = Key(sheet=sheet, kind=Kind.PAIR, language=ours.language.code, source="review", seed=0, items=items)
    raters: dict[str, list[Given]] = {}
    for each in better:
        given = Given(
            item=each.id, values={"better": values[each.value]}, note=notes.get((each.rater, each.id), "")
        )
        raters.setdefault(each.rater, []).append(given)
    return ratings_of(key, {name: tuple(gave) for name, gave in raters.items()})
