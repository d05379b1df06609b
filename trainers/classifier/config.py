"""The settings of a severity classifier."""

from __future__ import annotations

from pydantic import Field

from ...harness.core.settings import Record

TFIDF = "tfidf"


class ClassifierConfig(Record):
    """``base`` is ``tfidf`` or a checkpoint that transformers can load: a local folder or a hub id.

    ``inverse_regularisation`` is for tfidf alone; ``epochs`` and what follows for transformers alone. Training
    stops early when the held-out loss has not fallen for ``patience`` epochs; the best epoch is kept.
    """

    base: str = TFIDF
    revision: str | None = None
    seed: int = 0
    inverse_regularisation: float = Field(default=4.0, gt=0)
    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=2e-5, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    max_length: int = Field(default=128, ge=8)
    patience: int = Field(default=2, ge=1)
