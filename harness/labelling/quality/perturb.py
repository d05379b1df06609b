"""The same complaint written otherwise: what a severity source should not care about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from ...core.files import read_json
from ...core.records import validated
from ...core.settings import Record
from ...languages import Language, Part

FIRST_WORDS = (5, 10, 20)
_NOISY_WORDS = 0.2
_PUNCTUATION = re.compile(r"[^\w\s]")

Perturbation = Callable[[str, np.random.Generator], str]


class StressData(Record):
    """A language's material for the stress test.

    ``spelling_variants`` are pairs of spellings of one sound; ``slang`` replaces words of the standard language,
    one table per dialect; ``msa_columns`` are the known names of a column that holds a question's standard form.
    """

    version: str
    confusable: dict[str, str]
    spelling_variants: tuple[tuple[str, str], ...]
    msa_columns: tuple[str, ...]
    slang: dict[str, dict[str, str]]


@cache
def stress_data(language: Language) -> StressData:
    """Read a language's stress material.

    Raises:
        UserError: it is missing or foreign.
    """
    language.demand(Part.STRESS)
    path = language.folder / "stress.json"
    remedy = "Install the package again"
    return validated(StressData, read_json(path, remedy), str(path), remedy)


def perturbations(language: Language) -> dict[str, Perturbation]:
    """Every way of rewriting a complaint by name; each takes the complaint and a random generator."""
    data = stress_data(language)
    ways: dict[str, Perturbation] = {
        "spelling noise": lambda text, rng: _noisy(text, rng, data.confusable),
        "letter variants": lambda text, rng: _variants(text, data.spelling_variants),
        "no punctuation": lambda text, rng: " ".join(_PUNCTUATION.sub(" ", text).split()),
    }
    for dialect, table in data.slang.items():
        ways[f"slang: {dialect}"] = lambda text, rng, table=table: _slang(text, table)  # type: ignore[misc]
    for count in FIRST_WORDS:
        ways[f"first {count} words"] = (
            lambda text, rng, count=count: " ".join(  # type: ignore[misc]
                text.split()[:count]
            )
        )
    return ways


def _noisy(text: str, rng: np.random.Generator, confusable: Mapping[str, str]) -> str:
    """One typing error in a fifth of the longer words: a swap, a loss, a doubling or a letter that sounds alike."""
    words = text.split()
    for at, word in enumerate(words):
        if len(word) < 4 or rng.random() >= _NOISY_WORDS:
            continue
        place = int(rng.integers(1, len(word) - 1))
        kind = int(rng.integers(4))
        letter, rest = word[place], word[place + 1 :]
        changed = (
            word[place + 1] + letter + word[place + 2 :],
            rest,
            letter + letter + rest,
            confusable.get(letter, letter + letter) + rest,
        )[kind]
        words[at] = word[:place] + changed
    return " ".join(words)


def _variants(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for formal, plain in pairs:
        text = text.replace(formal, plain)
    return text


def _slang(text: str, table: Mapping[str, str]) -> str:
    """Replace whole words, longer phrases first."""
    phrases = "|".join(re.escape(phrase) for phrase in sorted(table, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{phrases})(?!\w)", lambda found: table[found.group()], text)
