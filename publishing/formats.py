"""What is published, and the registry of the formats."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..harness.core.registry import Registry
from ..harness.data.dataset import Dataset
from ..harness.runs.run import Run
from ..leaderboards.records import Board, Row

Files = Mapping[str, str]
"""By relative path the text of each file."""


@dataclass(frozen=True)
class Options:
    """What the user says that no file knows; empty where nothing was said.

    ``license`` is the data's, as an SPDX or hub id; ``dataset_id`` and ``model_id`` are hub ids ``OWNER/NAME``.
    ``samples`` publishes questions and answers too.
    """

    license: str = ""
    dataset_id: str = ""
    model_id: str = ""
    organization: str = ""
    samples: bool = False


@dataclass(frozen=True)
class Results:
    """A board; one of a single row where a run was given, ``single``.

    ``runs`` holds the runs behind rows, by the row's place in the board, as far as they were asked for.
    """

    board: Board
    options: Options
    single: bool = False
    runs: Mapping[int, Run] = field(default_factory=dict)

    @property
    def models(self) -> list[tuple[int, Row]]:
        """The rows of models, with their places; trivial systems are none."""
        return [(place, row) for place, row in enumerate(self.board.rows) if not row.floor]

    def folder(self, place: int) -> str:
        """Where a row's own files go: no folder for a single model."""
        return "" if len(self.models) == 1 else f"{slug(self.board.rows[place].name, place)}/"

    def model_id(self, place: int) -> str:
        """The hub id that was given, else a name that is safe in a path."""
        return self.options.model_id or slug(self.board.rows[place].name, place)


@dataclass(frozen=True)
class Format:
    """``meaning`` is for help; ``of_results`` or ``of_dataset`` makes the files, from what the format takes."""

    meaning: str
    of_results: Callable[[Results], Files] | None = None
    of_dataset: Callable[[Dataset, Options], Files] | None = None

    @property
    def takes(self) -> str:
        """What it is made of, in words."""
        return "a board or a run" if self.of_results else "a dataset"


FORMATS: Registry[Format] = Registry("format", "Give --format one of")
"""Every format by its name."""


def slug(name: str, place: int) -> str:
    """A file name in plain letters. A name that loses signs gets its place and digest, so that no two are alike."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")
    if plain == name and len(plain) <= 60:
        return plain
    return f"{plain[:40] or 'model'}-{place + 1}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
