"""What a severity source does to the instance weights, and whether that differs from no weighting at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..core.errors import UserError
from ..core.settings import Record
from ..data.dataset import SPLITS, Dataset
from ..languages.sentences import sentence
from ..severity import PROBABILITY_COLUMNS, SCHEMES, SEVERITIES, Severity, Weights

FLAT_CV = 0.1
"""Below this coefficient of variation weights count as flat: the effective sample size exceeds 99 % of the rows.
The published probability vectors give 0.03 under the balanced scheme (arXiv 2604.06346)."""
_BINS = 12


@dataclass(frozen=True)
class WeightDiagnostics:
    """Spread of the weights of n rows.

    ``effective_rows`` is Kish's (Σw)²/Σw²; ``histogram`` counts rows between consecutive ``edges``;
    ``mean_by_severity`` is by ``severity_is`` labels (``expert`` or ``assigned``).
    """

    rows: int
    mean: float
    cv: float
    effective_rows: float
    quantile_05: float
    quantile_95: float
    edges: tuple[float, ...]
    histogram: tuple[int, ...]
    mean_by_severity: dict[Severity, float]
    severity_is: str

    @property
    def flat(self) -> bool:
        """Whether a weighted run would be nearly cross-entropy."""
        return self.cv < FLAT_CV

    @property
    def warning(self) -> str:
        """The flat-weights warning in plain words, or an empty text."""
        if not self.flat:
            return ""
        return sentence(
            "label.flat",
            low=f"{self.quantile_05:.3f}",
            high=f"{self.quantile_95:.3f}",
            cv=f"{self.cv:.3f}",
            flat=FLAT_CV,
        )


class SchemeWeights(Record):
    """What a scheme makes of ``rows`` weights: their coefficient of variation, and as how many rows of one weight
    they count (Kish)."""

    rows: int
    cv: float
    effective_rows: float

    @property
    def flat(self) -> bool:
        """As ``WeightDiagnostics.flat``."""
        return self.cv < FLAT_CV


def by_scheme(splits: Mapping[str, pd.DataFrame]) -> dict[str, SchemeWeights]:
    """Every published scheme's weights of the training rows that have probabilities; of all splits where there are
    no training rows. Empty without such a row."""
    train = splits["train"]
    frame = train if len(train) else pd.concat(list(splits.values()), ignore_index=True)
    probabilities = frame[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)
    known = probabilities[~np.isnan(probabilities).any(axis=1)]
    if not len(known):
        return {}
    found = {}
    for name, scheme in SCHEMES.items():
        weights = scheme.of(known)
        cv, effective = float(weights.std() / weights.mean()), float(weights.sum() ** 2 / (weights**2).sum())
        found[name] = SchemeWeights(rows=len(weights), cv=cv, effective_rows=effective)
    return found


def flat_in_words(arm: str, cv: float) -> str:
    """What is said of an arm under weights that hardly differ, before its training and where runs are judged."""
    return sentence("weights.flat", arm=arm, cv=f"{cv:.2f}")


def diagnose(
    weights: npt.NDArray[np.float64], ranks: npt.NDArray[np.integer], scheme: Weights, severity_is: str
) -> WeightDiagnostics:
    """Diagnostics of weights of shape (n,) under a scheme.

    Args:
        ranks: severity rank of each row, shape (n,); rows with a negative rank stand in no severity's mean.
        severity_is: whose labels the ranks are, ``expert`` or ``assigned``.
    """
    mean = float(weights.mean())
    low, high = min(scheme.alpha, scheme.beta, scheme.gamma), max(scheme.alpha, scheme.beta, scheme.gamma)
    margin = 0.0 if high > low else 0.5
    histogram, edges = np.histogram(weights, bins=_BINS, range=(low - margin, high + margin))
    return WeightDiagnostics(
        rows=len(weights),
        mean=mean,
        cv=float(weights.std() / mean),
        effective_rows=float(weights.sum() ** 2 / (weights**2).sum()),
        quantile_05=float(np.quantile(weights, 0.05)),
        quantile_95=float(np.quantile(weights, 0.95)),
        edges=tuple(map(float, edges)),
        histogram=tuple(map(int, histogram)),
        mean_by_severity={
            severity: float(weights[ranks == severity.rank].mean())
            for severity in SEVERITIES
            if (ranks == severity.rank).any()
        },
        severity_is=severity_is,
    )


def dataset_weights(labelled: Dataset, original: Dataset, scheme: Weights) -> WeightDiagnostics:
    """Diagnostics of a labelled dataset's training split; of all splits where the training split is empty.

    The mean per severity is by people's labels if the original had them, else by the assigned ones.

    Raises:
        UserError: no row has probabilities.
    """
    names = ("train",) if labelled.info.counts["train"]["rows"] else SPLITS
    expert = original.info.severity_source.name == "column"
    truth = original if expert else labelled
    frame = pd.concat([labelled.split(name) for name in names], ignore_index=True)
    severities = pd.concat([truth.split(name)["severity"] for name in names], ignore_index=True)
    probabilities = frame[list(PROBABILITY_COLUMNS)].to_numpy(np.float64)
    known = ~np.isnan(probabilities).any(axis=1)
    if not known.any():
        raise UserError(f"{labelled.folder} has no row with probabilities", "Label it with `maqa label`")
    ranks = severities.map({str(severity): severity.rank for severity in SEVERITIES}).fillna(-1).to_numpy(np.int8)
    return diagnose(scheme.of(probabilities[known]), ranks[known], scheme, "expert" if expert else "assigned")
