"""What raters sent back: read, checked against the key, joined and kept as one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from ..harness.core.errors import UserError
from ..harness.core.files import read_json, write_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from .forms import FORMS, Ask, Kind
from .label_studio import is_label_studio, read_label_studio
from .sheet import Key, KeyItem
from .workbook import read_workbook

_REMEDY = "Give the file that the page saved, the filled sheet.xlsx, or Label Studio's export"
COLUMNS = ["item", "rater", "ask", "value"]


class Given(Record):
    """One rater's judgement of one item; ``values`` by what was asked."""

    item: str
    values: dict[str, str]
    note: str = ""
    seconds: float = 0.0


class Filled(Record):
    """A file that came back from one rater."""

    version: int = 1
    sheet: str
    kind: Kind
    rater: str = Field(min_length=1)
    ratings: tuple[Given, ...]


class Kept(Record):
    """The content of a file of ratings: the key, and what every rater gave."""

    version: int = 1
    key: Key
    raters: dict[str, tuple[Given, ...]]


@dataclass(frozen=True)
class Ratings:
    """All ratings of a sheet.

    Attributes:
        key: what the items are.
        table: columns ``item, rater, ask, value``, one row per value given.
        raters: what each of them gave, with notes and seconds.
    """

    key: Key
    table: pd.DataFrame
    raters: dict[str, tuple[Given, ...]]

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What was asked."""
        return FORMS[self.key.kind]

    def item(self, name: str) -> KeyItem:
        """The key's entry of an item."""
        return next(each for each in self.key.items if each.item == name)

    def of(self, ask: Ask) -> pd.DataFrame:
        """Columns ``item, rater, value, points`` and the key's, of one question, the first showing of each item."""
        frame = self.table[self.table["ask"] == ask.name].copy()
        frame["points"] = frame["value"].map(dict(ask.points))
        key = pd.DataFrame([each.model_dump() for each in self.key.items])
        frame = frame.merge(key, on="item")
        return frame[frame["repeat_of"].isna()].reset_index(drop=True)


def read_filled(path: Path) -> list[Filled]:
    """One rater's file, or Label Studio's export of several.

    Raises:
        UserError: it is none, or damaged.
    """
    if path.suffix.lower() == ".xlsx":
        return [validated(Filled, read_workbook(path), str(path), _REMEDY)]
    content = read_json(path, _REMEDY)
    found: Sequence[Any] = read_label_studio(content, path) if is_label_studio(content) else [content]
    return [validated(Filled, each, str(path), _REMEDY) for each in found]


def join(key: Key, files: Sequence[Path]) -> Ratings:
    """The ratings of several files of one sheet.

    Raises:
        UserError: a file is of another sheet, holds an item that the key lacks or twice, a value outside the scale,
            or a rater's name comes in two files.
    """
    raters: dict[str, tuple[Given, ...]] = {}
    where: dict[str, Path] = {}
    for file in files:
        for filled in read_filled(file):
            if filled.sheet != key.sheet or filled.kind is not key.kind:
                raise UserError(
                    f"{file} rates another sheet than the key's", "Give the key.json that was written with it"
                )
            if filled.rater in raters:
                raise UserError(
                    f"{file} and {where[filled.rater]} are both by {filled.rater}",
                    "Give each rater's file once; two people need two names",
                )
            _check(key, filled, file)
            raters[filled.rater], where[filled.rater] = filled.ratings, file
    if not any(raters.values()):
        raise UserError(f"no item is rated in {', '.join(map(str, files))}", _REMEDY)
    return ratings_of(key, raters)


def _check(key: Key, filled: Filled, file: Path) -> None:
    items = {each.item for each in key.items}
    asks = {ask.name: ask for ask in FORMS[key.kind]}
    seen: set[str] = set()
    for given in filled.ratings:
        if given.item not in items:
            raise UserError(f"{file} rates the item {given.item!r}, which the key does not hold", _REMEDY)
        if given.item in seen:
            raise UserError(f"{file} rates the item {given.item} twice", "Keep one of the two")
        seen.add(given.item)
        for name, value in given.values.items():
            if name not in asks:
                raise UserError(f"{file} item {given.item}: nobody asked for {name!r}", f"Known: {', '.join(asks)}")
            if value not in asks[name].points:
                raise UserError(
                    f"{file} item {given.item}: {name} is {value!r}", f"Use one of: {', '.join(asks[name].values)}"
                )


def ratings_of(key: Key, raters: dict[str, tuple[Given, ...]]) -> Ratings:
    """What raters gave, as ratings."""
    rows = [
        (given.item, rater, ask, value)
        for rater, gave in raters.items()
        for given in gave
        for ask, value in given.values.items()
    ]
    return Ratings(key, pd.DataFrame(rows, columns=COLUMNS), raters)


def write_ratings(path: Path, ratings: Ratings) -> None:
    """Keep ratings with their key as one file."""
    write_json(path, Kept(key=ratings.key, raters=ratings.raters).model_dump(mode="json"))


def is_kept(path: Path) -> bool:
    """Whether a file is one by ``write_ratings``."""
    if path.suffix.lower() != ".json":
        return False
    content = read_json(path, _REMEDY)
    return isinstance(content, dict) and "key" in content and "raters" in content


def read_ratings(path: Path) -> Ratings:
    """A file by ``write_ratings``.

    Raises:
        UserError: it is none, or damaged.
    """
    remedy = "Give the file that `maqa ratings import FILES --key KEY --out RATINGS.json` wrote"
    kept = validated(Kept, read_json(path, remedy), str(path), remedy)
    for rater, gave in kept.raters.items():
        _check(kept.key, Filled(sheet=kept.key.sheet, kind=kept.key.kind, rater=rater, ratings=gave), path)
    return ratings_of(kept.key, dict(kept.raters))
