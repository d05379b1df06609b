"""What an experiment starts from: its dataset, and the tiny models of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...harness.core.errors import UserError
from ...harness.data.dataset import Dataset, language_asked, open_dataset
from ...harness.data.folder import is_dataset
from ...harness.data.options import PrepareOptions, parse_share
from ...harness.data.prepare import prepare
from ...harness.data.rows import dataset_from_rows
from ...harness.data.sources import demand_source as demand_data
from ...harness.data.sources import may_be_elsewhere
from ...harness.labelling.sources.choose import open_source
from ...harness.labelling.stream import label_dataset
from ...harness.languages import Language
from ...harness.metrics.bertscore.encoder import NOTE as ENCODER_NOTE
from ...tasks.sample import handwritten_rows, has_grammar
from ...tasks.sample.grammar import everyday_rows, medical_rows
from ...tasks.sample.planted import demand_world, everyday_of_world, null_rows, planted_rows
from ..demo.models import make_demo_base, make_demo_encoder
from .config import MADE, NULL, PLANTED, SAMPLE, DataPart

_VALIDATION_ROWS = 300
_SAMPLE = "the shipped sample (synthetic)"
_WORLDS = {PLANTED: planted_rows, NULL: null_rows}


def experiment_dataset(data: DataPart, out: Path) -> Dataset:
    """Prepare and label the data of an experiment under ``out``; what is there already is opened.

    Raises:
        UserError: the source cannot be read, prepared or labelled.
    """
    folder = out / "dataset"
    if is_dataset(folder):
        return open_dataset(folder)
    if data.source == SAMPLE:
        return sample_dataset(folder, language_asked(None, data.language))
    if data.source in _WORLDS:
        tongue = language_asked(None, data.language)
        rows = _WORLDS[data.source](tongue, data.seed)
        named = f"the {data.source.replace('-', ' ')} of seed {data.seed} (synthetic)"
        return dataset_from_rows(rows, folder, language=tongue, source=named)
    source = Path(data.source)
    if is_dataset(source):
        language_asked(source, data.language)
        dataset = open_dataset(source)
    else:
        dataset = _prepared(data, source, out / "prepared")
    if data.label == "none":
        return dataset
    labels = open_source(data.label, dataset.language)
    return label_dataset(dataset, labels, folder, known=(Path(data.label),))[0]


def labelled_already(data: DataPart, out: Path) -> Dataset | None:
    """The dataset that the arms will be trained on, where it is there with its labels; None before these are made.

    Raises:
        UserError: it cannot be read.
    """
    if is_dataset(out / "dataset"):
        return open_dataset(out / "dataset")
    source = Path(data.source)
    return open_dataset(source) if data.label == "none" and data.source not in MADE and is_dataset(source) else None


def demand_source(data: DataPart, out: Path) -> None:
    """Raises:
    UserError: nothing was prepared yet under ``out``, and there is nothing that can be; or the language is unknown,
        has no sample, or is not the dataset's.
    """
    source = Path(data.source)
    tongue = language_asked(source if data.source not in MADE and is_dataset(source) else None, data.language)
    if data.source == SAMPLE:
        handwritten_rows(tongue)
    if data.source in _WORLDS:
        demand_world(tongue)
    made = any(is_dataset(out / name) for name in ("dataset", "prepared"))
    if made or data.source in MADE:
        return
    if not source.exists() and not may_be_elsewhere(source):
        remedy = "Correct data.source in the experiment's file, or run where it stands"
        raise UserError(f"the data {data.source} does not exist", remedy)
    demand_data(source)


def sample_dataset(folder: Path, language: Language) -> Dataset:
    """The shipped sample as a dataset: the grammar trains and validates, the hand-written rows test.

    Without a grammar the hand-written rows do all three: of ten of a severity, four train, one validates.

    Raises:
        UserError: there is no sample in this language, or ``folder`` is in use.
    """
    if not has_grammar(language):
        return dataset_from_rows(_cut(handwritten_rows(language)), folder, language=language, source=_SAMPLE)
    rows = medical_rows(language)
    splits = {
        "train": rows[:-_VALIDATION_ROWS],
        "validation": rows[-_VALIDATION_ROWS:],
        "test": handwritten_rows(language),
    }
    return dataset_from_rows(splits, folder, language=language, source=_SAMPLE)


def _cut(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    splits = ("test", "train") * 4 + ("test", "validation")
    return {
        split: [row for place, row in enumerate(rows) if splits[place % len(splits)] == split]
        for split in ("train", "validation", "test")
    }


def demo_encoder(dataset: Dataset, folder: Path) -> Path:
    """The demo's BERTScore encoder, trained on the training rows; made once."""
    if not (folder / ENCODER_NOTE).is_file():
        train = dataset.split("train")
        make_demo_encoder(folder, [*train["question"], *train["answer"]], epochs=1)
    return folder


def demo_base(data: DataPart, dataset: Dataset, folder: Path) -> Path:
    """The demo's causal base, trained on everyday text; its tokenizer knows the training rows' words. Made once.

    Worlds have everyday rows of their own. In a language without everyday text it learns from the training rows.
    """
    if (folder / "config.json").is_file():
        return folder
    train = dataset.split("train")
    world, everyday = data.source in _WORLDS, has_grammar(dataset.language)
    if world:
        rows: list[Any] = everyday_of_world(dataset.language, data.seed)
    else:
        rows = everyday_rows(dataset.language) if everyday else train.to_dict("records")
    return make_demo_base(
        folder,
        [(str(row["question"]), str(row["answer"])) for row in rows],
        language=dataset.language,
        vocabulary_texts=[*train["question"], *train["answer"]],
        # As many steps as on everyday text.
        epochs=5 if world else 4 if everyday else 100,
        answers_only=world,
    )


def _prepared(data: DataPart, source: Path, folder: Path) -> Dataset:
    if is_dataset(folder):
        return open_dataset(folder)
    options = PrepareOptions(
        language=language_asked(None, data.language),
        test=parse_share(str(data.test)),
        validation=parse_share(str(data.validation)),
        seed=data.seed,
    )
    return prepare(source, folder, options)[0]
