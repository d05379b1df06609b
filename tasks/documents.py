"""What the tasks are asked: the documents of one severity, and the prompt. Named in ``_template.yaml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import datasets
import pandas as pd

from ..harness import languages
from ..harness.core.errors import UserError
from ..harness.data.dataset import CLUSTER, REFERENCES, language_asked, open_dataset, stratum
from ..harness.metrics.bertscore.encoder import encoder_asked
from ..harness.metrics.scoring import default_metrics, signatures
from ..harness.scores.references import references_asked
from ..harness.severity import parse_severity
from .sample import handwritten_rows, has_grammar
from .sample.grammar import medical_rows

_FIELDS = ["id", "question", "answer", "category", "severity"]


class Splits(dict[str, datasets.Dataset]):
    """``test``, and ``train`` once somebody asks for it."""

    def __init__(self, test: datasets.Dataset, source: str | None, language: languages.Language) -> None:
        super().__init__(test=test)
        self._source, self._language = source, language

    def __missing__(self, split: str) -> datasets.Dataset:
        if split != "train":
            raise KeyError(split)
        rows = _training_rows(self._source, self._language)[_FIELDS].assign(language=self._language.code)
        return self.setdefault("train", datasets.Dataset.from_pandas(rows, preserve_index=False))


def load_documents(
    severity: str,
    data: str | None = None,
    language: str | None = None,
    bertscore_model: str | None = None,
    bertscore_layer: int | str | None = None,
    bertscore_window: bool | str | None = None,
    references: str | None = None,
    **_: Any,
) -> Splits:
    """The test rows of one severity, each with the signatures of the metrics that will score it, and the training
    rows of all.

    Args:
        severity: the stratum, from the task's YAML.
        data: a dataset folder; else ``MAQA_DATA``, else the shipped sample.
        language: which shipped sample, as a code; else ``MAQA_LANGUAGE``, else the default. A dataset says its own.
        bertscore_model: hub id or path of the encoder, ``none`` to leave BERTScore out; else
            ``MAQA_BERTSCORE_MODEL``, else the paper's encoder.
        bertscore_layer: layer of the encoder; else ``MAQA_BERTSCORE_LAYER``, else the known one of a known encoder.
        bertscore_window: whether texts beyond its maximum are read in windows; else ``MAQA_BERTSCORE_WINDOW``.
        references: similarity with the ``first`` of several references, the ``best`` or the ``mean``; else
            ``MAQA_REFERENCES``, else the first.

    Raises:
        UserError: the data cannot be read, has no row of this severity, or the encoder cannot be loaded.
    """
    source = data or os.environ.get("MAQA_DATA") or None
    tongue = language_of(Path(source) if source else None, language)
    encoder = encoder_asked(bertscore_model, bertscore_layer, bertscore_window)
    rows = stratum(_test_rows(source, tongue), parse_severity(severity))
    if rows.empty:
        raise UserError(
            f"{source or f'the shipped sample in {tongue.name}'} has no test row of severity {severity!r}",
            "Label it with `maqa label DATASET --with rules`, or evaluate the other tasks by name",
        )
    over = references_asked(references)
    scored_by = signatures(default_metrics(tongue, *encoder, over))
    scoring = {**encoder.asked, "references": str(over), "signatures": scored_by}
    asked = {"language": tongue.code, "template": tongue.prompt, "scoring": scoring}
    documents = [{**row, **asked} for row in rows[_FIELDS].to_dict("records")]
    if CLUSTER in rows:
        for document, cluster in zip(documents, rows[CLUSTER], strict=True):
            document[CLUSTER] = cluster if isinstance(cluster, str) else None
    if REFERENCES in rows:
        for document, listed in zip(documents, rows[REFERENCES], strict=True):
            document[REFERENCES] = list(listed)
    return Splits(datasets.Dataset.from_list(documents), source, tongue)


def prompt(document: dict[str, Any]) -> str:
    """The prompt of a document, the same in training and evaluation; its ``template`` says it in the manifest."""
    return languages.language(document["language"]).ask(document["question"])


def language_of(data: Path | None, code: str | None) -> languages.Language:
    """The language of what is asked: a dataset's own; the sample's by ``code``, ``MAQA_LANGUAGE`` or the default.

    Raises:
        UserError: as ``language_asked``.
    """
    return language_asked(data, code or (None if data else os.environ.get("MAQA_LANGUAGE") or None))


def _test_rows(source: str | None, language: languages.Language) -> pd.DataFrame:
    if source:
        return open_dataset(Path(source)).split("test")
    return pd.DataFrame(handwritten_rows(language))


def _training_rows(source: str | None, language: languages.Language) -> pd.DataFrame:
    """The rows that examples are drawn from.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    if source:
        rows = open_dataset(Path(source)).split("train")
    else:
        rows = pd.DataFrame(medical_rows(language) if has_grammar(language) else [])
    if rows.empty:
        raise UserError(
            f"{source or f'the shipped sample in {language.name}'} has no training rows to draw examples from",
            "Leave --num_fewshot out, or name a dataset with a training split",
        )
    return rows
