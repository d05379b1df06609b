"""Which complaints a classifier was trained on: a gold that holds them says nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..core.errors import UserError
from ..core.files import sha256_text, write_text
from ..data.dataset import Dataset
from ..languages import Language
from ..languages.text import Profile, normalise
from .sources.base import SeveritySource
from .sources.classifier import ClassifierSource

QUESTIONS = "training_questions.txt"
"""In a classifier's folder: a line for every complaint that it was trained on, 16 digits of its digest."""
_SHOWN = 3


def write_questions(folder: Path, questions: Iterable[str], language: Language) -> None:
    """Note which complaints a classifier was trained on.

    Raises:
        UserError: the file cannot be written.
    """
    lines = sorted({_digest(question, language) for question in questions})
    write_text(folder / QUESTIONS, "".join(f"{line}\n" for line in lines))


def refuse_overlap(source: SeveritySource, dataset: Dataset, gold: Sequence[str], path: Path) -> None:
    """Refuse a gold some of whose complaints a classifier behind the source was trained on.

    A classifier of an earlier version, which does not say on which, is known by its dataset alone.

    Raises:
        UserError: so it is; names how many rows, and which.
    """
    for classifier in classifiers_of(source):
        seen = _seen(classifier, dataset, gold)
        if seen:
            named = ", ".join(seen[:_SHOWN])
            raise UserError(
                f"{path}: {len(seen):,} of its {len(gold):,} complaints were in the training of "
                f"{classifier.folder}: {named}",
                "Leave these rows out of the gold, or train a classifier without them",
            )


def classifiers_of(source: object) -> Iterator[ClassifierSource]:
    """Every classifier within a source."""
    if isinstance(source, ClassifierSource):
        yield source
    for part in (getattr(source, "classifier", None), *getattr(source, "sources", ())):
        if part is not None:
            yield from classifiers_of(part)


def _seen(classifier: ClassifierSource, dataset: Dataset, gold: Sequence[str]) -> list[str]:
    train = dataset.split("train")[["id", "question"]]
    path = classifier.folder / QUESTIONS if classifier.folder else None
    if path is None or not path.is_file():
        own = classifier.info.dataset.get("train_sha256") == dataset.info.sha256["train"]
        return [key for key in train["id"].astype(str) if key in gold] if own else []
    try:
        known = set(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}", "Train the classifier again") from error
    texts = {
        str(key): question
        for split in dataset.info.counts
        for key, question in dataset.split(split)[["id", "question"]].itertuples(index=False)
    }
    return [key for key in gold if key in texts and _digest(texts[key], dataset.language) in known]


def _digest(question: str, language: Language) -> str:
    return sha256_text(normalise(question, Profile.METRIC, language))[:16]
