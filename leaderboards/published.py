"""The published table, beside which a board is read: what was claimed, never mixed with what was measured."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "published.csv"


@dataclass(frozen=True)
class Published:
    """One model of arXiv 2604.06346 (``curriculum``: arXiv 2604.06365): percentages per arm, one run each."""

    model: str
    arms: dict[str, float]

    @property
    def gain(self) -> float:
        """Points from the base to the balanced weighting, as claimed."""
        return self.arms["balanced"] - self.arms["base"]


def published_table() -> list[Published]:
    """The ten models in the order of the paper."""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return [
            Published(row.pop("model"), {arm: float(value) for arm, value in row.items()})
            for row in csv.DictReader(stream)
        ]
