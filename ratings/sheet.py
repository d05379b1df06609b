"""A sheet: the items that raters see, and the key that says what each of them is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..harness.core.files import read_json, sha256_text, write_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from .forms import Kind

KEY = "key.json"
_REMEDY = "Give the key.json that `maqa ratings collect` wrote, which stays with whoever collects"


class Chosen(StrEnum):
    """Why an item is on a sheet: drawn at random, or since metrics or sources disagree about it.

    Means over all answers are estimated from random items alone.
    """

    RANDOM = "random"
    DISAGREEMENT = "disagreement"


class Item(Record):
    """What a rater sees. ``texts``: the question or complaint, then the answers. Its name tells nothing."""

    item: str
    texts: tuple[str, ...]


class KeyItem(Record):
    """What an item is.

    Attributes:
        id: of the question in its dataset.
        sides: names of the runs whose answers are shown, in order; none for a complaint.
        sha256: digests of its texts.
        repeat_of: the item that this one shows a second time, a pair in the other order.
    """

    item: str
    id: str
    severity: str | None
    category: str
    sides: tuple[str, ...]
    sha256: tuple[str, ...]
    chosen: Chosen
    repeat_of: str | None = None


class Key(Record):
    """The content of ``key.json``, which raters must not see."""

    version: int = 1
    sheet: str
    kind: Kind
    language: str
    source: str
    seed: int
    items: tuple[KeyItem, ...]


@dataclass(frozen=True)
class Sheet:
    """Items in the order in which they are shown. ``digest`` is its identity in every file that comes back."""

    kind: Kind
    language: str
    items: tuple[Item, ...]

    @property
    def digest(self) -> str:
        """Over what is shown."""
        shown = [self.kind, self.language, [item.model_dump() for item in self.items]]
        return sha256_text(json.dumps(shown, ensure_ascii=False))


def write_key(folder: Path, key: Key) -> None:
    """Write ``key.json``."""
    write_json(folder / KEY, key.model_dump(mode="json"))


def read_key(path: Path) -> Key:
    """Read a key, or that of a folder.

    Raises:
        UserError: there is none, or it is damaged.
    """
    file = path / KEY if path.is_dir() else path
    return validated(Key, read_json(file, _REMEDY), str(file), _REMEDY)
