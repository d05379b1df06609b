"""The settings of a severity classifier."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ...harness.core.settings import Record
from ...harness.labelling.sources.classifier_info import Kind

TFIDF = "tfidf"
_OF_ENCODER = {Kind.EMBEDDING, Kind.TRANSFORMERS}


class Loss(StrEnum):
    """What fine-tuning minimises: ``ordinal`` counts how far a severity is missed, ``cross-entropy`` does not."""

    ORDINAL = "ordinal"
    CROSS_ENTROPY = "cross-entropy"


class ClassifierConfig(Record):
    """``base`` is a checkpoint that transformers can load, a local folder or a hub id, or ``tfidf`` for none.

    ``kind`` left out is ``tfidf`` without a base, and with one ``transformers``, which fine-tunes it;
    ``embedding`` leaves the base as it is, and so does ``stacked``, which can do without.
    ``inverse_regularisation`` None lets inner folds choose it. ``prefix`` is put before every text for a frozen
    base. ``epochs`` and what follows are for transformers alone, but for ``max_length``. Training stops early when
    the held-out loss has not fallen for ``patience`` epochs; the best epoch is kept. ``under_triage_cost``: how
    many times as much as any other step it costs to miss an emergency; None: the most probable severity is the
    label.
    """

    kind: Kind = Kind.TFIDF
    base: str = Field(default=TFIDF, validate_default=True)
    revision: str | None = None
    seed: int = 0
    under_triage_cost: float | None = Field(default=None, ge=1, allow_inf_nan=False)
    inverse_regularisation: float | None = Field(default=None, gt=0)
    prefix: str = ""
    loss: Loss = Loss.ORDINAL
    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=2e-5, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    max_length: int = Field(default=128, ge=8)
    patience: int = Field(default=2, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _kind_by_base(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("kind") is None:
            of_base = Kind.TFIDF if given.get("base", TFIDF) == TFIDF else Kind.TRANSFORMERS
            return {**given, "kind": of_base}
        return given

    @field_validator("base")
    @classmethod
    def _base_fits_kind(cls, base: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if kind in _OF_ENCODER and base == TFIDF:
            raise ValueError(f"kind {kind} needs the folder or hub id of a checkpoint")
        if kind is Kind.TFIDF and base != TFIDF:
            raise ValueError("kind tfidf has no base: leave one of the two out")
        return base
