"""Which questions a checkpoint was trained on, by digest: what it has learnt by heart is no test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..core.errors import UserError
from ..core.files import sha256_text, write_text
from ..languages import Language
from ..languages.sentences import sentence
from ..languages.text import Profile, normalise
from .run import Saved

QUESTIONS = "training_questions.txt"
"""In a checkpoint's folder: a line for every question of its training, 16 digits of its digest."""


def write_questions(checkpoint: Path, questions: Iterable[str], language: Language, base: Path) -> None:
    """Note which questions a checkpoint was trained on, those of its base included; nothing where there are none.

    Raises:
        UserError: the file cannot be written.
    """
    lines = {_digest(question, language) for question in questions} | (_known(base) or set())
    if lines:
        write_text(checkpoint / QUESTIONS, "".join(f"{line}\n" for line in sorted(lines)))


def trained_on(checkpoint: Path, questions: Iterable[str], language: Language) -> int | None:
    """How many of these questions a checkpoint was trained on, whatever their marks, case and punctuation; None
    where it does not say what it was trained on.

    Raises:
        UserError: its file cannot be read.
    """
    known = _known(checkpoint)
    return None if known is None else sum(_digest(question, language) in known for question in questions)


def trained_notes(runs: Sequence[Saved]) -> list[str]:
    """A line for each run some of whose questions its model was trained on."""
    return [
        sentence("trained_on", known=run.manifest.data.trained_on, n=len(run.answers), run=run.name)
        for run in runs
        if run.manifest and run.manifest.data.trained_on
    ]


def _known(checkpoint: Path) -> set[str] | None:
    path = checkpoint / QUESTIONS
    if not path.is_file():
        return None
    try:
        return set(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}", "Train the checkpoint again") from error


def _digest(question: str, language: Language) -> str:
    return sha256_text(normalise(question, Profile.METRIC, language))[:16]
