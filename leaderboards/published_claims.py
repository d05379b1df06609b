"""What is claimed of severity-aware training, sentence by sentence, as declared in ``published_claims.yaml``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.core.yaml_files import read_yaml

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
    """One claim. ``beside`` is what the publication itself leaves open, ``takes`` what it would take to test it;
    ``stated`` says whether it is written there, or lies in its method."""

    id: str
    claim: str
    paper: str
    stated: Literal["claimed", "implied"] = "claimed"
    beside: str
    takes: str
    asks: Asked


class PublishedClaims(Record):
    """All claims, and where the papers are."""

    papers: dict[str, str]
    claims: list[PublishedClaim]


def published_claims() -> PublishedClaims:
    """The declared claims, in their order."""
    return validated(PublishedClaims, read_yaml(_FILE, _REMEDY), str(_FILE), _REMEDY)
