"""What a judge is told in a language, read from the language's folder."""

from __future__ import annotations

from functools import cache

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.core.settings import Record
from ..harness.languages import codes, language

_FILE = "judge.json"


class Nudges(Record):
    """Texts that are put after an answer to see whether they move the judge; ``{model}`` is the judge's name."""

    longer: str
    flattering: str
    injected: str
    family: str


class Words(Record):
    """A judge's instructions. ``version`` rises with every change: it stands in the signature of the scores."""

    version: int
    data: str
    answer: tuple[str, ...]
    pair: tuple[str, ...]
    criteria: str
    format: str
    again: str
    checks: Nudges


@cache
def judge_words(code: str) -> Words:
    """The words of a language.

    Raises:
        UserError: it has none for judges, or its file is foreign.
    """
    path = language(code).folder / _FILE
    if not path.is_file():
        have = [each for each in codes() if (language(each).folder / _FILE).is_file()]
        raise UserError(
            f"judges cannot be asked in {code!r}: {path} is missing",
            f"Give --rubric one of {', '.join(have)}, or a file with such a language",
        )
    return validated(Words, read_json(path, "Mend the file"), str(path), "Mend the file")
