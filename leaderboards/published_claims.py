"""What is claimed of severity-aware training, sentence by sentence: declared in ``published_claims.yaml``, said by
messages."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.core.yaml_files import read_yaml
from ..harness.languages.sentences import Sentence, sentence

_FILE = Path(__file__).parent / "published_claims.yaml"
_REMEDY = "Install the package again"


class Kind(StrEnum):
    """Which finding answers a claim."""

    PAIR = "pair"
    CLAIM = "claim"
    OVER_MODELS = "over-models"
    CRITICAL = "critical"
    SAFETY = "safety"
    LABELS = "labels"
    PEOPLE = "people"


class Asked(Record):
    """The finding, and the two arms that it is of, the subtracted one first; without a scheme, any."""

    kind: Kind
    first: str = ""
    second: str = ""


class PublishedClaim(Record):
    """One claim; ``stated`` says whether it is written in the paper, or lies in its method."""

    id: str
    paper: str
    stated: Literal["claimed", "implied"] = "claimed"
    asks: Asked

    @property
    def claim(self) -> Sentence:
        """What is claimed."""
        return sentence(f"published.{self.id}.claim")

    @property
    def beside(self) -> Sentence:
        """What the publication itself leaves open."""
        return sentence(f"published.{self.id}.beside")

    @property
    def takes(self) -> Sentence:
        """What it would take to test it."""
        return sentence(f"published.{self.id}.takes")


class PublishedClaims(Record):
    """All claims, and where the papers are."""

    papers: dict[str, str]
    claims: list[PublishedClaim]


def published_claims() -> PublishedClaims:
    """The declared claims, in their order."""
    return validated(PublishedClaims, read_yaml(_FILE, _REMEDY), str(_FILE), _REMEDY)
