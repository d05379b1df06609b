"""What a prepared dataset looks like: rows read, dropped and kept, categories, severities and lengths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..languages import Language, codes, language
from ..severity import SEVERITIES
from .dataset import SPLITS

QUANTILES: tuple[float, ...] = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Card:
    """Counts of a dataset.

    ``columns``: the source's column for every role. ``dropped``: rows by reason; ``read`` is their sum plus
    ``kept``.
    ``categories`` and ``severities``: one row each with the splits as columns; rows without a severity are
    ``unlabelled``. ``lengths``: words of the normalised question and answer of all kept rows, one row each, at
    ``QUANTILES``. ``contradictions``: kept rows whose label is not the most likely one of their probabilities.
    ``parts``: rows of each split of the source, where it has some. ``foreign``: kept rows whose question has no
    letter of ``language``; ``likely`` is the code of the language that most of them have letters of, if any.
    ``clusters``: which rows belong together, in words. ``read_as``: what the values of the severity column were
    read as, and ``unused``: a column that is not read as one, each empty where there is nothing to say.
    ``reading``: how the source was read, a sentence each.
    ``rows``: how the records were read and what was changed in them, a sentence each.
    ``answer_languages``: kept rows by the language of their answer. ``personal``: personal data in the rows that
    were read, by kind, and whether it was taken out.
    """

    columns: dict[str, str]
    read: int
    dropped: dict[str, int]
    kept: int
    categories: pd.DataFrame
    severities: pd.DataFrame
    lengths: pd.DataFrame
    contradictions: int
    parts: Mapping[str, int]
    language: str
    foreign: int
    likely: str | None
    clusters: str
    read_as: str = ""
    unused: str = ""
    reading: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    answer_languages: Mapping[str, int] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)


def without_letters(texts: Sequence[str], language: Language) -> list[str]:
    """The texts in which no letter is one of the language's."""
    letter = re.compile(f"[{language.letters}]")
    return [text for text in texts if not letter.search(text)]


def likely_language(foreign: Sequence[str]) -> str | None:
    """The code of the language that most of the texts have a letter of; None where no language has half of them."""
    rest = {code: len(without_letters(foreign, language(code))) for code in codes()}
    best = min(rest, key=lambda code: rest[code])
    return best if 2 * rest[best] < len(foreign) else None


def count_by_split(frames: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Rows by the values of a column and split, the most frequent value first (ties by name)."""
    counts = pd.DataFrame({name: frames[name][column].value_counts() for name in SPLITS}).reindex(
        columns=list(SPLITS)
    )
    counts = counts.fillna(0).astype(int).sort_index()
    return counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]


def count_severities_by_split(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows by severity, the critical ones first and those without one last, and split."""
    named = {name: frame[["severity"]].fillna("unlabelled") for name, frame in frames.items()}
    rows = [*map(str, SEVERITIES), "unlabelled"]
    return count_by_split(named, "severity").reindex(rows).fillna(0).astype(int)


def length_quantiles(words: npt.NDArray[np.int32]) -> pd.DataFrame:
    """Quantiles of the lengths in words of question and answer; ``words`` has the shape (n, 2)."""
    values = np.quantile(words, QUANTILES, axis=0).T
    return pd.DataFrame(values, index=["question", "answer"], columns=list(QUANTILES))
