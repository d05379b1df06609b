"""What a reader must know of how runs were trained with labels, wherever the runs are judged."""

from __future__ import annotations

from collections.abc import Sequence

from ..labelling.weights import flat_in_words
from .conditions import training_of
from .exposure import exposure_notes
from .labels import same_labels
from .run import Saved


def label_warnings(runs: Sequence[Saved]) -> list[str]:
    """A line each: weights by the labels that also make the strata, weights that hardly differ, and arms that
    showed the severities unequally."""
    return [*same_labels(runs), *flat_weights(runs), *exposure_notes(runs)]


def flat_weights(runs: Sequence[Saved]) -> list[str]:
    """A line for every run whose training was weighted in name more than in effect; arms that are even on purpose
    have none."""
    found = []
    for run in runs:
        weights = (training_of(run) or {}).get("weights") or {}
        # What was warned of at the training: the arm knows whether it is even on purpose.
        if weights.get("warning"):
            found.append(flat_in_words(run.name, float(weights["cv"])))
    return list(dict.fromkeys(found))
