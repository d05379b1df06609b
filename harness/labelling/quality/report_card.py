"""How good a severity source is against people's labels: one card of measures, each with a 95 % interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ...core.errors import UserError
from ...core.settings import Record
from ...severity import SEVERITIES
from ...statistics.bootstrap import counts, resampled_means
from ...statistics.intervals import wilson
from .conformal import Conformal, conformal
from .reliability import Bin, reliability

REPORT_CARD = "report_card.json"
"""The file of a list of them."""
RESAMPLES = 2_000
COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_ECE_BINS = 10
_SEED = 0
Ranks = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class Measure(Record):
    """One number with its 95 % interval; ``unit`` is ``%`` or empty. None: undefined here, no such rows."""

    value: float | None
    low: float | None
    high: float | None
    unit: str


class Selective(Record):
    """Accuracy over the surest ``coverage`` of the rows, in percent; equally sure rows count by their mean."""

    coverage: float
    rows: int
    accuracy: float
    low: float
    high: float


class Rivals(Record):
    """What a source has to beat, and cannot exceed, on the same rows.

    Attributes:
        majority: accuracy in percent of calling every row what most rows are; its kappa is 0.
        position: quadratic kappa of a row's label with the majority of the rows around it; None where the rows have
            no order or are too few.
        ceiling: quadratic kappa that no source can exceed with one annotator; None where agreement cannot be known.
    """

    majority: float
    position: float | None
    ceiling: float | None


class ReportCard(Record):
    """Measures of one source on n rows.

    Measures: ``accuracy``; ``macro_f1`` (classes without rows left out); ``quadratic_kappa`` (Cohen 1968);
    ``critical_recall``; ``under_triage`` and ``over_triage`` (share of all rows ranked too low, too high);
    ``critical_under_triage`` (share of critical rows ranked lower, which is what trauma care calls under-triage);
    ``severe_under_triage`` (share of critical rows called non-critical); ``other_over_triage`` (share of the rows
    that are not critical called critical); ``ece`` (Guo et al. 2017, ten bins);
    ``brier`` (Brier 1950, 0 to 2); ``rps`` (ranked probability score, Epstein 1969, over two steps: 0 to 1).

    ``confusion[true][assigned]`` counts rows, classes by rank. ``unknown`` counts rows that got the stated prior.
    ``truth_by`` is the source of the true labels, ``column`` for people's; empty in cards of earlier versions,
    which also lack ``conformal``, ``reliability`` (curves by ``label`` and severity) and ``rivals``.
    """

    source: str
    version: str
    sha256: str
    truth: str
    truth_by: str = ""
    rows: int
    unknown: int
    measures: dict[str, Measure]
    confusion: list[list[int]]
    selective: list[Selective]
    conformal: Conformal | None = None
    reliability: dict[str, tuple[Bin, ...]] = {}
    rivals: Rivals | None = None


def report_card(
    probabilities: Floats,
    truth: Ranks,
    *,
    source: tuple[str, str, str],
    labels: str,
    unknown: int,
    truth_by: str = "column",
    assigned: Ranks | None = None,
    rivals: Rivals | None = None,
) -> ReportCard:
    """Compare probabilities of shape (n, 3) with true ranks of shape (n,).

    Args:
        source: name, version and digest of the source.
        labels: whose the true labels are and how the rows were chosen, in words.
        unknown: how many of the rows the source knew nothing about.
        truth_by: the source of the true labels.
        assigned: what the source calls the rows, shape (n,); without it what is most probable.
        rivals: what the source is held against on the same rows.

    Raises:
        UserError: there is no row.
    """
    if not len(truth):
        raise UserError("no row has a true label", "Give labelled rows")
    assigned = assigned_ranks(probabilities) if assigned is None else assigned
    return ReportCard(
        source=source[0],
        version=source[1],
        sha256=source[2],
        truth=labels,
        truth_by=truth_by,
        rows=len(truth),
        unknown=unknown,
        measures=_rates(truth, assigned) | _resampled(probabilities, truth, assigned),
        confusion=_confusion(truth, assigned).astype(int).tolist(),
        selective=_selective(probabilities, truth == assigned),
        conformal=conformal(probabilities, truth),
        reliability=reliability(probabilities, truth, assigned),
        rivals=rivals,
    )


def assigned_ranks(probabilities: Floats) -> Ranks:
    """Rank of the largest probability, ties to the more severe, shape (n,)."""
    ranks: Ranks = (2 - np.argmax(probabilities[:, ::-1], axis=1)).astype(np.int8)
    return ranks


def _rates(truth: Ranks, assigned: Ranks) -> dict[str, Measure]:
    critical = truth == 2
    return {
        "accuracy": _rate(truth == assigned),
        "critical_recall": _rate(assigned[critical] == 2),
        "under_triage": _rate(assigned < truth),
        "over_triage": _rate(assigned > truth),
        "critical_under_triage": _rate(assigned[critical] < 2),
        "severe_under_triage": _rate(assigned[critical] == 0),
        "other_over_triage": _rate(assigned[~critical] == 2),
    }


def _rate(events: npt.NDArray[np.bool_]) -> Measure:
    if not len(events):
        return Measure(value=None, low=None, high=None, unit="%")
    low, high = wilson(np.array(float(events.sum())), len(events))
    return Measure(value=100 * float(events.mean()), low=float(low), high=float(high), unit="%")


def _resampled(probabilities: Floats, truth: Ranks, assigned: Ranks) -> dict[str, Measure]:
    """Percentile bootstrap over rows of what is no plain rate: every measure is a function of means over rows."""
    n = len(truth)
    cells = np.eye(9)[3 * truth.astype(int) + assigned]
    confidence = probabilities.max(axis=1)
    bins = np.eye(_ECE_BINS)[np.minimum((confidence * _ECE_BINS).astype(int), _ECE_BINS - 1)]
    gap = bins * (confidence - (truth == assigned))[:, None]
    one_hot = np.eye(3)[truth]
    brier = ((probabilities - one_hot) ** 2).sum(axis=1)
    rps = ((probabilities - one_hot).cumsum(axis=1)[:, :2] ** 2).mean(axis=1)
    rows = np.column_stack([cells, gap, brier, rps])
    point = rows.mean(axis=0)[:, None]
    drawn = resampled_means(rows, counts(n, RESAMPLES, np.random.default_rng(_SEED)))
    end = 9 + _ECE_BINS
    measures: dict[str, tuple[Callable[[Floats], Floats], str]] = {
        "macro_f1": (lambda m: _macro_f1(m[:9]), "%"),
        "quadratic_kappa": (lambda m: _quadratic_kappa(m[:9]), ""),
        "ece": (lambda m: 100 * np.abs(m[9:end]).sum(axis=0), "%"),
        "brier": (lambda m: m[end], ""),
        "rps": (lambda m: m[end + 1], ""),
    }
    return {name: _interval(of(point), of(drawn), unit) for name, (of, unit) in measures.items()}


def _interval(point: Floats, drawn: Floats, unit: str) -> Measure:
    if not np.isfinite(point[0]):
        return Measure(value=None, low=None, high=None, unit=unit)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Measure(value=float(point[0]), low=float(low), high=float(high), unit=unit)


def _macro_f1(shares: Floats) -> Floats:
    """Mean F1 in percent over the classes that occur, of confusion shares of shape (9, k)."""
    table = shares.reshape(3, 3, -1)
    hits = np.array([table[rank, rank] for rank in range(3)])
    total = table.sum(axis=1) + table.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = 200 * hits / total
    mean: Floats = np.nanmean(np.where(table.sum(axis=1) > 0, scores, np.nan), axis=0)
    return mean


def _quadratic_kappa(shares: Floats) -> Floats:
    """Cohen's kappa with quadratic weights (1968), of confusion shares of shape (9, k); NaN without variation."""
    table = shares.reshape(3, 3, -1)
    weights = (np.arange(3)[:, None] - np.arange(3)) ** 2
    observed = np.einsum("ij,ijk->k", weights, table)
    expected = np.einsum("ij,ik,jk->k", weights, table.sum(axis=1), table.sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa: Floats = 1 - observed / expected
    return kappa


def _confusion(truth: Ranks, assigned: Ranks) -> npt.NDArray[np.int64]:
    return np.bincount(3 * truth.astype(int) + assigned, minlength=9).reshape(3, 3)


def _selective(probabilities: Floats, right: npt.NDArray[np.bool_]) -> list[Selective]:
    confidence = probabilities.max(axis=1)
    # Sources that know few degrees of sureness would otherwise be ranked by the order of the rows.
    _, level = np.unique(confidence.round(9), return_inverse=True)
    expected = (np.bincount(level, weights=right) / np.bincount(level))[level]
    expected = expected[np.argsort(-level, kind="stable")]
    curve = []
    for coverage in COVERAGES:
        rows = max(1, round(coverage * len(right)))
        share = float(expected[:rows].mean())
        low, high = wilson(np.array(share * rows), rows)
        accuracy = 100 * share
        curve.append(Selective(coverage=coverage, rows=rows, accuracy=accuracy, low=float(low), high=float(high)))
    return curve


def class_names() -> list[str]:
    """Severities by rank, as the confusion matrix has them."""
    return [str(severity) for severity in sorted(SEVERITIES, key=lambda severity: severity.rank)]
