"""An encoder with a classification head, read from a local folder through transformers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.errors import UserError
from ...core.files import sha256_file
from ...core.library_bars import without_library_bars
from .base import Probabilities
from .classifier_info import ClassifierInfo

_REMEDY = "Train it again with `maqa train classifier DATASET --base MODEL --out DIR`"
_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_BATCH = 32


class TransformersModel:
    """A sequence classifier, its outputs in the order of ``PROBABILITY_COLUMNS``; reads the text as written."""

    def __init__(self, model: Any, tokenizer: Any, max_length: int, folder: Path | None = None) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.folder = folder

    @torch.inference_mode()
    def logits(self, questions: Sequence[str]) -> Probabilities:
        """Logits, shape (n, 3), in the questions' order; texts are cut at ``max_length`` tokens."""
        self.model.eval()
        # Texts of like length share a batch, so that little padding is computed.
        order = sorted(range(len(questions)), key=lambda at: len(questions[at]))
        result = np.empty((len(questions), 3))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = self.tokenizer(
                [questions[at] for at in rows],
                padding=True,
                truncation=True,
                max_length=self.max_length,
                return_tensors="pt",
            ).to(self.model.device)
            result[rows] = self.model(**batch).logits.double().cpu().numpy()
        return result

    def digest(self) -> str:
        """SHA-256 of weights, configuration and tokenizer.

        Raises:
            UserError: a file is missing.
        """
        if self.folder is None:
            raise ValueError("a model that was not saved has no digest")
        digest = hashlib.sha256(str(self.max_length).encode())
        for name in _FILES:
            if not (self.folder / name).is_file():
                raise UserError(f"{self.folder / name} does not exist", _REMEDY)
            digest.update(sha256_file(self.folder / name).encode())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write safetensors and tokenizer files."""
        with without_library_bars():
            self.model.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)
        self.folder = folder

    @classmethod
    def load(cls, folder: Path, info: ClassifierInfo) -> TransformersModel:
        """Read the model; only safetensors, no code from the folder.

        Raises:
            UserError: a file is missing or foreign.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        for name in _FILES:
            if not (folder / name).is_file():
                raise UserError(f"{folder / name} does not exist", _REMEDY)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            with without_library_bars():
                model = AutoModelForSequenceClassification.from_pretrained(
                    folder, local_files_only=True, use_safetensors=True
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(f"{folder} holds no readable model: {error}", _REMEDY) from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device), tokenizer, info.settings["max_length"], folder)
