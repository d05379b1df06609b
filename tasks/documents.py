"""What the tasks are asked: the documents of one severity, and the prompt. Named in ``_template.yaml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import datasets
import pandas as pd

from ..harness.data.dataset import open_dataset, stratum
from ..harness.errors import UserError
from ..harness.languages import DEFAULT, Language, language
from ..harness.metrics.encoder import encoder_asked
from ..harness.scoring import default_metrics, signatures
from ..harness.severity import parse_severity
from .sample import handwritten_rows

_FIELDS = ["id", "question", "answer", "category", "severity"]


def load_documents(
    severity: str,
    data: str | None = None,
    bertscore_model: str | None = None,
    bertscore_layer: int | str | None = None,
    **_: Any,
) -> dict[str, datasets.Dataset]:
    """The test rows of one severity, each with the signatures of the metrics that will score it.

    Args:
        severity: the stratum, from the task's YAML.
        data: a dataset folder; else ``MAQA_DATA``, else the shipped sample.
        bertscore_model: hub id or path of the encoder, ``none`` to leave BERTScore out; else
            ``MAQA_BERTSCORE_MODEL``, else the paper's encoder.
        bertscore_layer: layer of the encoder; else ``MAQA_BERTSCORE_LAYER``, else the known one of a known encoder.

    Raises:
        UserError: the data cannot be read, has no row of this severity, or the encoder cannot be loaded.
    """
    source = data or os.environ.get("MAQA_DATA")
    encoder, layer = encoder_asked(bertscore_model, bertscore_layer)
    tongue, tested = _test_rows(source)
    rows = stratum(tested, parse_severity(severity))
    if rows.empty:
        raise UserError(
            f"{source or 'the shipped sample'} has no test row of severity {severity!r}",
            "Label it with `maqa label DATASET --with rules`, or evaluate the other tasks by name",
        )
    scored_by = signatures(default_metrics(tongue, encoder, layer))
    scoring = {"encoder": encoder, "layer": layer, "signatures": scored_by}
    documents = [{**row, "language": tongue.code, "scoring": scoring} for row in rows[_FIELDS].to_dict("records")]
    return {"test": datasets.Dataset.from_list(documents)}


def prompt(document: dict[str, Any]) -> str:
    """The prompt of a document, the same in training and evaluation."""
    return language(document["language"]).ask(document["question"])


def language_of(data: Path | None) -> Language:
    """The language of the test rows: the dataset's, or the shipped sample's.

    Raises:
        UserError: the dataset cannot be read, or its language is not known here.
    """
    return open_dataset(data).language if data else language(DEFAULT)


def _test_rows(source: str | None) -> tuple[Language, pd.DataFrame]:
    if source:
        dataset = open_dataset(Path(source))
        return dataset.language, dataset.split("test")
    tongue = language(DEFAULT)
    return tongue, pd.DataFrame(handwritten_rows(tongue))
