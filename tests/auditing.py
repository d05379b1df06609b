"""Golds with a planted fault, and sound ones."""

import numpy as np
from maqa_severity.harness.labelling.audit.gold_table import GoldTable, majority
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import parse_severity
from maqa_severity.tasks.sample.grammar import medical_rows

ARABIC = language("ar")
NAMES = ["a0", "a1", "a2", "a3"]


def pool() -> tuple[list[str], np.ndarray]:
    """Complaints of the sample's grammar with their ranks."""
    rows = medical_rows(ARABIC, 400)
    return [row["question"] for row in rows], np.array([parse_severity(row["severity"]).rank for row in rows])


def planted(kind: str, seed: int, n: int = 500, twice: float = 0.0) -> GoldTable:
    """A gold of n complaints by four annotators.

    Args:
        kind: ``clean``, ``drift`` (from 60 % of the rows on, four of five labels are one too severe; were it one
            of two, one gold of four would pass), ``shuffled``,
            ``flips`` (10 % are another label), ``runs`` (like labels near each other) or ``careless`` (one of the
            annotators guesses).
        twice: share of the complaints with a second annotator.
    """
    rng = np.random.default_rng(seed)
    texts, truth = pool()
    chosen = rng.permutation(len(texts))[:n]
    texts, ranks = [texts[place] for place in chosen], truth[chosen].copy()
    if kind == "runs":
        order = np.argsort(ranks + rng.normal(0, 1, n))
        texts, ranks = [texts[place] for place in order], ranks[order]
    codes = np.full((n, 4), -1)
    first = rng.integers(0, 4, n)
    second = np.where(rng.random(n) < twice, (first + rng.integers(1, 4, n)) % 4, first)
    for column in range(4):
        given = ranks.copy()
        if kind == "drift":
            given = np.minimum(given + ((np.arange(n) > 0.6 * n) & (rng.random(n) < 0.8)), 2)
        elif kind == "shuffled":
            given = rng.permutation(given)
        elif kind == "flips":
            given = np.where(rng.random(n) < 0.1, (given + rng.integers(1, 3, n)) % 3, given)
        elif kind == "careless" and column == 2:
            given = rng.integers(0, 3, n)
        has = (first == column) | (second == column)
        codes[has, column] = given[has]
    columns = {"annotator": [NAMES[place] for place in first]}
    return GoldTable([f"q{place}" for place in range(n)], texts, majority(codes), columns, codes, NAMES)
