"""Logistic regression over a frozen encoder's vectors. The encoder is named with its digest, not copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.errors import UserError
from ...core.files import read_json, sha256_text, write_json
from ...core.records import validated
from ...core.settings import Record
from .base import Probabilities
from .classifier_info import ClassifierInfo
from .classifier_linear import Linear
from .text_encoder import TextEncoder

MODEL = "linear.safetensors"
ENCODER = "encoder.json"
_REMEDY = "Train it again with `maqa train classifier DATASET --kind embedding --base MODEL --out DIR`"


class EncoderInfo(Record):
    """The content of ``encoder.json``: which encoder, and how it reads. ``base`` is a folder or a hub id."""

    base: str
    revision: str | None = None
    sha256: str
    prefix: str
    max_length: int
    pooling: str = "mean"


class EmbeddingModel:
    """An encoder's vectors and a linear model over them."""

    def __init__(self, encoder: TextEncoder, linear: Linear, revision: str | None = None) -> None:
        self.encoder, self.linear = encoder, linear
        self._revision = revision

    def logits(self, questions: Sequence[str]) -> Probabilities:
        """Shape (n, 3)."""
        return self.linear.logits(self.encoder.vectors(questions))

    @property
    def encoder_info(self) -> EncoderInfo:
        """What identifies the encoder."""
        return EncoderInfo(
            base=self.encoder.base,
            revision=self._revision,
            sha256=self.encoder.sha256,
            prefix=self.encoder.prefix,
            max_length=self.encoder.max_length,
        )

    def digest(self) -> str:
        """SHA-256 of the linear model, the encoder's weights and how it reads."""
        found = self.encoder_info
        return sha256_text("\x1f".join((self.linear.digest(), found.sha256, found.prefix, str(found.max_length))))

    def save(self, folder: Path) -> None:
        """Write the linear model, and the encoder's name and digest."""
        self.linear.save(folder / MODEL)
        write_json(folder / ENCODER, self.encoder_info.model_dump())

    @classmethod
    def load(cls, folder: Path, info: ClassifierInfo) -> EmbeddingModel:
        """Read the linear model and the encoder that it was fitted on.

        Raises:
            UserError: a file is missing or foreign, or the encoder is not where it was or not what it was.
        """
        path = folder / ENCODER
        known = validated(EncoderInfo, read_json(path, _REMEDY), str(path), _REMEDY)
        linear = Linear.load(folder / MODEL)
        try:
            encoder = TextEncoder(known.base, known.revision, known.prefix, known.max_length)
        except UserError as error:
            raise UserError(
                f"{path}: {error.problem}", f"Put the encoder there, or write its new place as `base` into {path}"
            ) from error
        if encoder.sha256 != known.sha256:
            raise UserError(
                f"{path}: the encoder {known.base} is {encoder.sha256[:12]}, not {known.sha256[:12]}",
                "Name the encoder that it was trained with, or train it again",
            )
        return cls(encoder, linear, known.revision)
