"""What is said of questions that belong together, in the same words in terminal, board and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..languages.sentences import sentence, severity, together
from ..scores.table import CLUSTER
from ..statistics import OVERALL, STRATA, Difference
from ..statistics.clusters import Clustered, clustered, numbered
from .run import Run


def of_scores(run: Run, metric: str) -> str:
    """Of one run's scores."""
    frame = run.scores.frame
    if CLUSTER not in frame:
        return _in_words(False, {})
    found = {}
    for stratum in STRATA:
        rows = frame[frame[metric].notna() & ((frame["severity"] == stratum) | (stratum == OVERALL))]
        numbers = numbered(rows[CLUSTER].to_numpy())
        if numbers is not None:
            codes = np.unique(rows["severity"].to_numpy(), return_inverse=True)[1].astype(np.int64)
            found[stratum] = clustered(rows[metric].to_numpy(np.float64), numbers, codes)
    return _in_words(True, found)


def of_differences(runs: Sequence[Run], changes: Sequence[Difference], metric: str) -> str:
    """Of a comparison, by its differences in one metric."""
    known = any(CLUSTER in run.scores.frame for run in runs)
    return _in_words(
        known, {each.stratum: each.clustered for each in changes if each.metric == metric and each.clustered}
    )


def _in_words(known: bool, found: Mapping[str, Clustered]) -> str:
    if not known:
        return sentence("questions.unknown")
    if not found:
        return sentence("questions.independent")
    parts = [
        sentence("questions.stratum", stratum=severity(stratum), counted=_counted(found[stratum]))
        for stratum in (OVERALL, *STRATA[:-1])
        if stratum in found
    ]
    return sentence("questions.clusters", parts=together(parts))


def _counted(found: Clustered) -> str:
    if found.clusters == 1:
        return sentence("questions.one_cluster", n=found.largest)
    return sentence(
        "questions.counted",
        clusters=found.clusters,
        largest=found.largest,
        effect=f"{found.design_effect:.2g}",
        n=f"{found.effective_n:.0f}",
    )
