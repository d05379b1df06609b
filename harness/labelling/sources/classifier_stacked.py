"""Stacking: other classifiers' logits and what the triage of the rules found, weighed by one linear model.

Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import UserError
from ...core.files import read_json, sha256_text, write_json
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part
from ...languages import language as language_of
from .base import Labels, Probabilities
from .classifier_info import ClassifierInfo
from .classifier_linear import Floats, Linear
from .classifier_tfidf import TfidfModel
from .rules import RulesSource

if TYPE_CHECKING:
    from .classifier_embedding import EmbeddingModel

MODEL = "stacked.safetensors"
FEATURES = "features.json"
TFIDF, EMBEDDING = "tfidf", "embedding"
"""Folders of the parts."""
_LEVELS = 6
_FLOOR = 1e-3
_REMEDY = "Train it again with `maqa train classifier DATASET --kind stacked --out DIR`"


class FeatureInfo(Record):
    """The content of ``features.json``: of which rules the features are, and the discriminators among them."""

    rules_version: str
    rules_sha256: str
    parts: tuple[str, ...]
    discriminators: tuple[str, ...]


def fired(labels: Labels) -> list[set[str]]:
    """The ids of the discriminators that fired in each complaint."""
    return [{each["id"] for each in json.loads(text)} if text else set() for text in labels.discriminators]


def rule_features(labels: Labels, prior: Floats, discriminators: Sequence[str]) -> Floats:
    """Log probabilities (3), confidence, whether anything is known, the level (6, one-hot), the number of
    discriminators that fired, and which of the named ones; shape (n, 12 + d).

    Args:
        prior: what stands for unknown complaints, shape (3,).
    """
    unknown = np.asarray(np.isnan(labels.probabilities).any(axis=1))
    probabilities = np.where(unknown[:, None], prior, np.nan_to_num(labels.probabilities))
    found = fired(labels)
    named = np.array([[each in ids for each in discriminators] for ids in found], dtype=np.float64)
    return np.column_stack(
        [
            np.log(np.maximum(probabilities, _FLOOR)),
            probabilities.max(axis=1),
            unknown,
            np.eye(_LEVELS)[labels.levels.astype(np.intp)],
            [len(ids) for ids in found],
            named.reshape(len(found), len(discriminators)),
        ]
    )


class StackedModel:
    """``parts`` are classifiers by the name of their folder."""

    def __init__(
        self,
        parts: dict[str, TfidfModel | EmbeddingModel],
        rules: RulesSource,
        discriminators: tuple[str, ...],
        linear: Linear,
    ) -> None:
        self.parts, self.rules, self.discriminators, self.linear = parts, rules, discriminators, linear

    def logits(self, questions: Sequence[str]) -> Probabilities:
        """Shape (n, 3)."""
        if not questions:
            return np.empty((0, 3))
        given = [part.logits(questions) for part in self.parts.values()]
        rules = rule_features(self.rules.labels(questions), self.rules.prior, self.discriminators)
        return self.linear.logits(np.column_stack([*given, rules]))

    def digest(self) -> str:
        """SHA-256 of all parts, the rules and the linear model."""
        names = (self.rules.sha256, *self.discriminators, self.linear.digest())
        return sha256_text("\x1f".join((*(part.digest() for part in self.parts.values()), *names)))

    def save(self, folder: Path) -> None:
        """Write each part into a folder of its own, and the linear model."""
        for name, part in self.parts.items():
            (folder / name).mkdir()
            part.save(folder / name)
        self.linear.save(folder / MODEL)
        info = FeatureInfo(
            rules_version=self.rules.version,
            rules_sha256=self.rules.sha256,
            parts=tuple(self.parts),
            discriminators=self.discriminators,
        )
        write_json(folder / FEATURES, info.model_dump())

    @classmethod
    def load(cls, folder: Path, info: ClassifierInfo) -> StackedModel:
        """Read all parts.

        Raises:
            UserError: a file is missing or foreign, or the rules are others than those that it was trained with.
        """
        path = folder / FEATURES
        known = validated(FeatureInfo, read_json(path, _REMEDY), str(path), _REMEDY)
        rules = rules_of(language_of(info.language))
        if rules.sha256 != known.rules_sha256:
            raise UserError(
                f"{folder} was trained with the rules {known.rules_version} ({known.rules_sha256[:12]}), here are "
                f"{rules.version} ({rules.sha256[:12]})",
                _REMEDY,
            )
        parts: dict[str, TfidfModel | EmbeddingModel] = {}
        for name in known.parts:
            if name == TFIDF:
                parts[name] = TfidfModel.load(folder / name, info)
            elif name == EMBEDDING:
                from .classifier_embedding import EmbeddingModel

                parts[name] = EmbeddingModel.load(folder / name, info)
            else:
                raise UserError(f"{path} names the unknown part {name!r}", _REMEDY)
        return cls(parts, rules, known.discriminators, Linear.load(folder / MODEL))


def rules_of(language: Language) -> RulesSource:
    """The rules of a language.

    Raises:
        UserError: it has none.
    """
    if not language.knows(Part.LEXICON):
        raise UserError(f"{language.name} has no rules, which stacking reads", "Use --kind tfidf or embedding")
    return RulesSource(language)
