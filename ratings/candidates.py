"""What can be rated: the answers of runs to the same questions, or the complaints of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.data.dataset import SPLITS, Dataset
from ..harness.labelling.audit.gold_table import majority
from ..harness.labelling.sources.base import SeveritySource
from ..harness.labelling.sources.combined import Votes
from ..harness.metrics.registry import Group, columns_of
from ..harness.runs.run import Run
from ..harness.severity import PROBABILITY_COLUMNS, SEVERITIES
from ..harness.statistics.bootstrap import Floats
from .draw import Candidate


def of_runs(runs: Sequence[Run]) -> list[Candidate]:
    """The questions that all runs answered.

    Of one run, metrics disagree where they rank its answer differently among the others. Of two, where they differ
    in which answer is the better one, and by how much.

    Raises:
        UserError: two runs have one name, no question in common, or other texts under one id.
    """
    names = [run.name for run in runs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two runs are called {twice[0]}", "Give each of them another --name when it is evaluated")
    frames = [run.answers.set_index("id") for run in runs]
    ids = [key for key in frames[0].index if all(key in frame.index for frame in frames[1:])]
    if not ids:
        raise UserError("the runs have no question in common", "Evaluate them on the same data and rows")
    frames = [frame.loc[ids] for frame in frames]
    for run, frame in zip(runs[1:], frames[1:], strict=True):
        other = frame["question"].to_numpy() != frames[0]["question"].to_numpy()
        if other.any():
            raise UserError(
                f"{runs[0].path} and {run.path} ask different questions under the id {ids[int(other.argmax())]}",
                "Evaluate both on the same data",
            )
    return [
        Candidate(
            id=str(key),
            severity=str(row["severity"]),
            category=str(row["category"]),
            question=str(row["question"]),
            answers=tuple(str(frame["prediction"].iloc[place]) for frame in frames),
            disagreement=float(disagreement),
        )
        for place, (key, row, disagreement) in enumerate(
            zip(ids, frames[0].to_dict("records"), _of_metrics(runs, ids), strict=True)
        )
    ]


def _of_metrics(runs: Sequence[Run], ids: Sequence[str]) -> Floats:
    """Standard deviation over metrics of an answer's standing: its rank, or the scaled difference of two runs."""
    metrics = [each for each in columns_of(Group.SIMILARITY) if all(each in run.scores.metrics for run in runs)]
    if len(metrics) < 2:
        return np.zeros(len(ids))
    tables = [run.scores.frame.set_index("id").loc[list(ids), metrics] for run in runs]
    if len(tables) == 2:
        change = tables[1].to_numpy() - tables[0].to_numpy()
        spread = change.std(axis=0)
        standing: Floats = change / np.where(spread > 0, spread, 1.0)
    else:
        standing = np.mean([table.rank(pct=True).to_numpy() for table in tables], axis=0)
    deviation: Floats = np.nan_to_num(standing.std(axis=1))
    return deviation


def of_dataset(dataset: Dataset, sources: Sequence[SeveritySource] = ()) -> list[Candidate]:
    """All complaints, with how far several sources disagree about them: the standard deviation of their ranks.

    Without sources it is how unsure their labels are, the entropy of the probabilities in bits; unlabelled ones
    are 0. Where a complaint has no label, what most sources call it is its stratum.
    """
    frame = pd.concat([dataset.split(name) for name in SPLITS], ignore_index=True)
    shares = frame[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.nan_to_num(-(shares * np.where(shares > 0, np.log2(shares), 0.0)).sum(axis=1))
    severities = [None if pd.isna(each) else str(each) for each in frame["severity"]]
    if len(sources) > 1:
        codes = Votes(sources, dataset.language).of(frame["question"].tolist())
        known = codes >= 0
        entropy = np.where(known.sum(axis=1) > 1, np.ma.masked_array(codes, ~known).std(axis=1).filled(0), 0.0)
        called = {severity.rank: str(severity) for severity in SEVERITIES}
        most = [
            called[rank] if any(votes >= 0) else None for rank, votes in zip(majority(codes), codes, strict=True)
        ]
        severities = [label or other for label, other in zip(severities, most, strict=True)]
    return [
        Candidate(
            id=str(row["id"]),
            severity=severity,
            category=str(row["category"]),
            question=str(row["question"]),
            answers=(),
            disagreement=float(unsure),
        )
        for row, severity, unsure in zip(frame.to_dict("records"), severities, entropy, strict=True)
    ]
