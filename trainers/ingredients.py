"""What an experiment starts from: its dataset, and the tiny models of the demo."""

from __future__ import annotations

from pathlib import Path

from ..harness.data.dataset import Dataset, open_dataset
from ..harness.data.options import PrepareOptions, parse_share
from ..harness.data.prepare import prepare
from ..harness.data.rows import dataset_from_rows
from ..harness.errors import UserError
from ..harness.labelling.sources import open_source
from ..harness.labelling.stream import label_dataset
from ..harness.languages import Language
from ..harness.languages import language as language_of
from ..tasks.sample import handwritten_rows
from ..tasks.sample.grammar import everyday_rows, medical_rows
from .experiment_config import SAMPLE, DataPart
from .tiny import make_demo_base, make_demo_encoder

_VALIDATION_ROWS = 300


def experiment_dataset(data: DataPart, out: Path) -> Dataset:
    """Prepare and label the data of an experiment under ``out``; what is there already is opened.

    Raises:
        UserError: the source cannot be read, prepared or labelled.
    """
    folder = out / "dataset"
    if (folder / "dataset.json").is_file():
        return open_dataset(folder)
    if data.source == SAMPLE:
        return sample_dataset(folder, language_of(data.language))
    source = Path(data.source)
    dataset = open_dataset(source) if source.is_dir() else _prepared(data, source, out / "prepared")
    if data.label == "none":
        return dataset
    return label_dataset(dataset, open_source(data.label, dataset.language), folder)[0]


def demand_source(data: DataPart, out: Path) -> None:
    """Raises:
    UserError: nothing was prepared yet under ``out``, and there is nothing to prepare.
    """
    made = any((out / name / "dataset.json").is_file() for name in ("dataset", "prepared"))
    if not made and data.source != SAMPLE and not Path(data.source).exists():
        remedy = "Correct data.source in the experiment's file, or run where it stands"
        raise UserError(f"the data {data.source} does not exist", remedy)


def sample_dataset(folder: Path, language: Language) -> Dataset:
    """The shipped sample as a dataset: the grammar trains and validates, the hand-written rows test."""
    rows = medical_rows(language)
    splits = {
        "train": rows[:-_VALIDATION_ROWS],
        "validation": rows[-_VALIDATION_ROWS:],
        "test": handwritten_rows(language),
    }
    return dataset_from_rows(splits, folder, language=language, source="the shipped sample (synthetic)")


def demo_encoder(dataset: Dataset, folder: Path) -> Path:
    """The demo's BERTScore encoder, trained on the training rows; made once."""
    if not (folder / "maqa_encoder.json").is_file():
        train = dataset.split("train")
        make_demo_encoder(folder, [*train["question"], *train["answer"]], epochs=1)
    return folder


def demo_base(dataset: Dataset, folder: Path) -> Path:
    """The demo's causal base, trained on everyday text; its tokenizer knows the training rows' words. Made once."""
    if not (folder / "config.json").is_file():
        train = dataset.split("train")
        pairs = [(row["question"], row["answer"]) for row in everyday_rows(dataset.language)]
        make_demo_base(
            folder,
            pairs,
            language=dataset.language,
            vocabulary_texts=[*train["question"], *train["answer"]],
            epochs=4,
        )
    return folder


def _prepared(data: DataPart, source: Path, folder: Path) -> Dataset:
    if (folder / "dataset.json").is_file():
        return open_dataset(folder)
    options = PrepareOptions(
        language=language_of(data.language),
        test=parse_share(str(data.test)),
        validation=parse_share(str(data.validation)),
        seed=data.seed,
    )
    return prepare(source, folder, options)[0]
