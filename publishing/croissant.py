"""Croissant 1.1 of a dataset, and its card for the hub.

The format is of http://mlcommons.org/croissant/1.1; ``croissant.json`` beside this file is its ``@context``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from ..harness.core.errors import UserError
from ..harness.core.files import json_text
from ..harness.data.dataset import SPLITS, Dataset
from ..harness.labelling.quality.report_card import REPORT_CARD
from ..harness.labelling.quality.trust import Trust, card_for, in_words, read_cards, trust_of
from ..harness.severity import PROBABILITY_COLUMNS, SEVERITIES
from .formats import FORMATS, Files, Format, Options, slug
from .model_card import in_markdown

_CONTEXT = Path(__file__).parent / "croissant.json"
_LIMITS = (
    "Severities are of the labels' source and as right as its report card says; where nobody checked them, results "
    "per severity are results per label. No row is medical advice."
)
_MEANING = {
    "id": "name of the row",
    "question": "what was asked",
    "answer": "the reference answer",
    "category": "the field of medicine",
    "severity": f"how urgent the question is: {', '.join(map(str, SEVERITIES))}; null where nobody labelled it",
    "cluster": "which rows belong together; null for a row alone",
    "level": "triage level by the rules",
    "discriminators": "JSON of what the rules found",
    "confidence": "of the label's source, 0 to 1",
    "possible": "the severities that the row may have",
    **dict.fromkeys(PROBABILITY_COLUMNS, "probability of the severity, 0 to 1"),
}


def croissant(dataset: Dataset, options: Options) -> Files:
    """``croissant.json`` and ``README.md``, to lie beside the splits' parquet files, which are not copied.

    Raises:
        UserError: the data's licence was not given, or the report card cannot be read.
    """
    if not options.license:
        raise UserError(f"{dataset.folder} does not say its licence", "Give --license, such as cc-by-4.0")
    labels = in_words(dataset.info.severity_source.model_dump(), _trust(dataset))
    return {
        "croissant.json": json_text(_metadata(dataset, options, labels)),
        "README.md": _card(dataset, options, labels),
    }


def _trust(dataset: Dataset) -> Trust:
    path = dataset.folder / REPORT_CARD
    card = card_for(read_cards(path), dataset.info.severity_source.model_dump()) if path.is_file() else None
    return trust_of(card) if card else Trust()


def _name(dataset: Dataset, options: Options) -> str:
    return options.dataset_id.rpartition("/")[2] or slug(dataset.folder.absolute().name, 0)


def _metadata(dataset: Dataset, options: Options, labels: str) -> dict[str, object]:
    info = dataset.info
    url = f"https://huggingface.co/datasets/{options.dataset_id}" if options.dataset_id else None
    return {
        "@context": json.loads(_CONTEXT.read_text(encoding="utf-8")),
        "@type": "sc:Dataset",
        "name": _name(dataset, options),
        "description": f"Medical questions and answers by severity, from {info.source}. Severities: {labels}. "
        f"{_LIMITS}",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "license": options.license,
        "inLanguage": info.language,
        "version": f"1.0.0+{info.sha256['test'][:12]}",
        **({"url": url} if url else {}),
        **({"creator": {"@type": "sc:Organization", "name": options.organization}} if options.organization else {}),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": f"{split}.parquet",
                "name": f"{split}.parquet",
                "contentUrl": f"{split}.parquet",
                "encodingFormat": "application/x-parquet",
                "sha256": info.sha256[split],
            }
            for split in SPLITS
            if split in info.sha256
        ],
        "recordSet": [_records(dataset, split) for split in SPLITS if split in info.sha256],
    }


def _records(dataset: Dataset, split: str) -> dict[str, object]:
    file = f"{split}.parquet"
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/{column.name}",
                "name": f"{split}/{column.name}",
                "description": _MEANING.get(column.name, column.name),
                "dataType": _type(column.type),
                "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
            }
            for column in pq.read_schema(dataset.folder / file)
        ],
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def _card(dataset: Dataset, options: Options, labels: str) -> str:
    info = dataset.info
    metadata = {
        "license": options.license,
        "language": [info.language],
        "pretty_name": _name(dataset, options),
        "task_categories": ["question-answering"],
        "tags": ["medical", "maqa-severity", "croissant"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": s, "path": f"{s}.parquet"} for s in info.sha256]}
        ],
    }
    columns = ["rows", *map(str, SEVERITIES), "unlabelled"]
    counts = [
        f"| {split} | {' | '.join(str(found.get(column, 0)) for column in columns)} |"
        for split, found in info.counts.items()
    ]
    source = info.severity_source
    parts = [
        f"---\n{yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)}---\n",
        f"# {in_markdown(_name(dataset, options))}\n",
        "## Rows\n",
        f"| split | {' | '.join(map(in_markdown, columns))} |",
        "|---|" + "---:|" * len(columns),
        *counts,
        "\n## Sources and licence\n",
        f"- Source: {in_markdown(info.source)}, sha256 `{info.source_sha256}`",
        f"- Licence of the data, as its publisher says: {in_markdown(options.license)}",
        f"- Test rows: sha256 `{dataset.fingerprint}`",
        "\n## Severities\n",
        f"- {in_markdown(labels)}",
        f"- Label source: {in_markdown(source.name)}, version {in_markdown(source.version)}",
        "\n## What may be concluded\n",
        f"- {in_markdown(_LIMITS)}",
    ]
    return "\n".join(parts) + "\n"


FORMATS.add("croissant", Format("Croissant and a card of a dataset", of_dataset=croissant))
