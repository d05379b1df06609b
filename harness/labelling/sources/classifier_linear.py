"""A linear model over standardised features: what a classifier learns on top of features that stay as they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ...core.errors import UserError
from .base import Probabilities

Floats = npt.NDArray[np.float64]
_REMEDY = "Train it again with `maqa train classifier DATASET --out DIR`"
_NAMES = ("mean", "scale", "coefficients", "intercept")


@dataclass(frozen=True)
class Linear:
    """Logits ``((x - mean) / scale) @ coefficients.T + intercept`` of features (n, f).

    ``mean`` and ``scale`` have the shape (f,), ``coefficients`` (3, f), ``intercept`` (3,).
    """

    mean: Floats
    scale: Floats
    coefficients: Floats
    intercept: Floats

    def logits(self, features: Floats) -> Probabilities:
        """Shape (n, 3)."""
        values: Probabilities = ((features - self.mean) / self.scale) @ self.coefficients.T + self.intercept
        return values

    def digest(self) -> str:
        """SHA-256 of all parameters."""
        digest = hashlib.sha256()
        for name in _NAMES:
            digest.update(np.ascontiguousarray(getattr(self, name), dtype=np.float64).tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write safetensors."""
        save_file({name: np.ascontiguousarray(getattr(self, name)) for name in _NAMES}, path)

    @classmethod
    def load(cls, path: Path) -> Linear:
        """Read what ``save`` wrote.

        Raises:
            UserError: the file is missing or foreign.
        """
        if not path.is_file():
            raise UserError(f"{path} does not exist", _REMEDY)
        try:
            arrays = load_file(path)
        except (OSError, SafetensorError, ValueError) as error:
            raise UserError(f"{path} is no readable model: {error}", _REMEDY) from error
        if set(arrays) != set(_NAMES) or arrays["coefficients"].shape != (3, len(arrays["mean"])):
            raise UserError(f"{path} holds {', '.join(sorted(arrays)) or 'nothing'}", _REMEDY)
        return cls(**{name: arrays[name].astype(np.float64) for name in _NAMES})
