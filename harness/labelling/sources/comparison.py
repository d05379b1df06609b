"""Sources side by side on the complaints of one dataset: what each says, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ...core.errors import UserError
from ...core.settings import Record
from ...severity import SEVERITIES
from ...statistics import USUAL, Resampling
from ...statistics.agreement import Codes, Coefficient, Scale, agreement, pair_agreement
from .combined import CombinedSource

_MANY = 20_000
"""Complaints above which Krippendorff's alpha is over a sample of so many."""


class Said(Record):
    """What one source says: the percentage of complaints it calls each severity, and of those it does not know."""

    source: str
    version: str
    shares: dict[str, float]
    unknown: float


class Pair(Record):
    """How far two sources agree over the complaints that both know, with 95 % intervals; None where undefined."""

    one: str
    other: str
    rows: int
    exact: tuple[float | None, float | None, float | None]
    kappa: tuple[float | None, float | None, float | None]


class Confusion(Record):
    """What Dawid and Skene's EM finds of a source: percent of each truth (outer, the mildest first) called each."""

    source: str
    called: list[list[float]]


class Comparison(Record):
    """All sources over ``rows`` complaints. ``alpha`` is Krippendorff's over all of them."""

    rows: int
    sources: list[Said]
    pairs: list[Pair]
    alpha: tuple[float | None, float | None, float | None] | None
    prevalence: dict[str, float] = {}
    errors: list[Confusion] = []


def compare_sources(
    names: Sequence[str],
    versions: Sequence[str],
    codes: Codes,
    combined: CombinedSource | None = None,
    resampling: Resampling = USUAL,
) -> Comparison:
    """The sources' shares and agreement.

    Args:
        codes: each source's rank of each complaint, shape (n, sources), -1 where it does not know.
        combined: what decides over them, whose errors are told where it learnt any.

    Raises:
        UserError: no two sources know one complaint together.
    """
    n = max(len(codes), 1)
    said = [
        Said(
            source=name,
            version=version,
            shares={str(each): 100 * int((column == each.rank).sum()) / n for each in SEVERITIES},
            unknown=100 * int((column < 0).sum()) / n,
        )
        for name, version, column in zip(names, versions, codes.T, strict=True)
    ]
    pairs = []
    for one, other in combinations(range(len(names)), 2):
        found = pair_agreement(codes[:, one], codes[:, other], 3, resampling)
        pairs.append(
            Pair(
                one=names[one],
                other=names[other],
                rows=found.units,
                exact=_triple(found.exact),
                kappa=_triple(found.kappa),
            )
        )
    if pairs and not any(pair.rows for pair in pairs):
        raise UserError(
            f"{' and '.join(names[:2])} have no complaint in common",
            "Agreement needs complaints that both label: compare them with a source that knows all, such as rules",
        )
    sample = codes
    if len(codes) > _MANY:
        sample = codes[np.random.default_rng(resampling.seed).choice(len(codes), _MANY, replace=False)]
    whole = agreement(sample, 3, Scale.ORDINAL, resampling) if len(names) > 2 else None
    errors = combined.errors if combined else None
    return Comparison(
        rows=len(codes),
        sources=said,
        pairs=pairs,
        alpha=None if whole is None else _triple(whole.alpha),
        prevalence={} if errors is None else {str(s): 100 * float(errors.prevalence[s.rank]) for s in SEVERITIES},
        errors=[]
        if errors is None
        else [
            Confusion(source=name, called=(100 * table).tolist())
            for name, table in zip(names, errors.confusion, strict=True)
        ],
    )


def distinct(names: Sequence[str]) -> list[str]:
    """Names of which none stands twice: equal ones are numbered."""
    return [
        f"{name} {names[: place + 1].count(name)}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _triple(found: Coefficient) -> tuple[float | None, float | None, float | None]:
    return found.value, found.low, found.high
