"""The numbers of a run once more, from its saved answers alone, beside those that it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..metrics.base import Metric
from ..metrics.bertscore.encoder import NO_ENCODER, EncoderAsked
from ..metrics.registry import COLUMNS, Group, Need, declared
from ..metrics.scoring import run_metrics, score, signatures
from ..runs.answers import answers_to, fingerprint
from ..runs.nll import NAME as NLL
from ..runs.noise import NAME as NOISE
from ..runs.questions import DISCRIMINATORS, LEVEL, computed_questions, kept_questions
from ..runs.rescoring import answers_of
from ..runs.run import Run, load_run
from ..runs.samples import GENERATION, read_generation
from ..runs.seals import QUESTIONS, SCORES
from ..scores.references import References
from ..scores.signatures import over_references_of
from ..scores.table import ScoreTable, read_scores

ENCODED = 1e-4
"""Points that a score by an encoder may differ by: other machines and batches sum in another order."""
RELATIVE = 1e-6
"""Of all other scores but rates, counts and ranks, which have to be equal."""


@dataclass(frozen=True)
class Unequal:
    """A number, or a file, that is not what the saved answers give: of which ``metric`` or file, which ``severity``
    and, of single scores, the first ``row`` of how many ``rows``; ``stored`` and ``recomputed`` are means."""

    metric: str
    severity: str
    stored: float | str | None
    recomputed: float | str | None
    row: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Verified:
    """What was computed again of a run or a board (``numbers`` of them), what is not equal, and what could not be
    computed, with the reason: ``left_out`` never can, ``untold`` lacks a run."""

    name: str
    path: Path
    numbers: int
    unequal: list[Unequal]
    left_out: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether all that could be computed again is what is stored."""
        return not self.unequal

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "name": self.name,
            "path": str(self.path),
            "equal": self.equal,
            "numbers": self.numbers,
            "unequal": [vars(each) for each in self.unequal],
            "left_out": self.left_out,
            "untold": self.untold,
        }


def unequal_values(stored: Any, again: Any) -> tuple[int, list[Unequal]]:
    """How many plain values there are at the places of either, and those that are not equal."""
    pairs = list(_leaves(stored, again))
    return len(pairs), [Unequal(place, "", one, other) for place, one, other in pairs if not _same(one, other)]


def _leaves(one: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _leaves(one.get(key), other.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _leaves(*pair, f"{at}[{place}]")
    else:
        yield at, one, other


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-9)
    return bool(one == other)


def verify_run(path: Path, encoder: EncoderAsked | None = None) -> Verified:
    """Score a run's saved answers and compare every score with the stored one.

    Args:
        path: of the run.
        encoder: instead of the one that the run names.

    Raises:
        UserError: the run cannot be read.
    """
    run = load_run(path, incomplete=True, anyway=True)
    unequal = [Unequal(each, "", "sealed", "changed") for each in run.changed]
    stored = read_scores(run.scores_file) if run.scores_file.is_file() else run.sample_scores
    kept = stored.frame["id"].isin(run.answers["id"]) if run.lacks else slice(None)
    frame = stored.frame[kept].reset_index(drop=True)
    metrics, left_out = _metrics_of(run, stored, encoder)
    again = score(answers_of(run), metrics)
    left_out += _not_again(stored.signatures, again, metrics)
    judged = [name for name in stored.metrics if name in again and not _in_words(left_out, name)]
    unequal += [each for name in judged for each in _compared(name, frame, again[name])]
    numbers = len(judged) * len(frame)
    found, more = _samples(run, metrics, judged)
    unequal, numbers = [*unequal, *found], numbers + more
    found, more = _questions(run)
    unequal, numbers = [*unequal, *found], numbers + more
    found = _recorded(run)
    unequal, numbers = [*unequal, *found], numbers + (2 if run.manifest else 0)
    if (run.path / NLL).is_file() and run.manifest:
        left_out.append(f"{NLL}: takes the checkpoint, by `maqa nll`")
    if run.noise is not None:
        left_out.append(f"{NOISE}: made from repeats.parquet, whose seal alone was looked at")
    return Verified(run.name, run.path, numbers, unequal, left_out)


def is_exact(metric: str) -> bool:
    """Whether a metric counts or decides by rules, so that no machine may give another number."""
    return metric in COLUMNS and COLUMNS[metric].group in (Group.SAFETY, Group.PRESENCE)


def is_encoded(metric: str) -> bool:
    """Whether an encoder gives it."""
    return any(metric in each.columns and Need.ENCODER in each.needs for each in declared())


def _metrics_of(run: Run, stored: ScoreTable, encoder: EncoderAsked | None) -> tuple[Sequence[Metric], list[str]]:
    """The metrics with the encoder that the run names; without it where that is not at hand."""
    over = next(filter(None, map(over_references_of, stored.signatures.values())), References.FIRST)
    without = run_metrics(run.language, NO_ENCODER, references=over)
    if not any(is_encoded(name) for name in stored.metrics):
        return without, []
    said = run.manifest.scoring if run.manifest else {}
    named = encoder or (said.get("encoder"), said.get("layer"), said.get("window"))
    if named[0] in (None, NO_ENCODER):
        return without, ["scores by an encoder: the run does not name its folder or id; give --bertscore-model"]
    try:
        model, layer, window = named
        metrics = run_metrics(run.language, model, layer, window, over)
        signatures(metrics)
    except UserError as error:
        return without, [f"scores by an encoder: {error.problem}; give --bertscore-model"]
    return metrics, []


def _not_again(stored: Mapping[str, str], again: Mapping[str, Any], metrics: Sequence[Metric]) -> list[str]:
    here = signatures(metrics)
    told = any(is_encoded(name) and name not in again for name in stored)
    found = []
    for name, signature in stored.items():
        if name not in again:
            if not (told and is_encoded(name)):
                found.append(f"{name}: nothing here computes it")
        elif here[name] != signature:
            found.append(f"{name}: stored as {signature}, computed here as {here[name]}")
    return found


def _in_words(left_out: Sequence[str], name: str) -> bool:
    return any(each.startswith(f"{name}: ") for each in left_out)


def _compared(metric: str, frame: pd.DataFrame, again: np.ndarray[Any, Any], where: str = "") -> list[Unequal]:
    stored = frame[metric].to_numpy(np.float64)
    relative, absolute = (0.0, 0.0) if is_exact(metric) else (RELATIVE, ENCODED if is_encoded(metric) else 0.0)
    other = ~np.isclose(again, stored, rtol=relative, atol=absolute, equal_nan=True)
    found = []
    for severity in dict.fromkeys(frame["severity"][other]):
        mine = (frame["severity"] == severity).to_numpy()
        rows = frame["id"][mine & other]
        means = (_mean(stored[mine]), _mean(again[mine]))
        found.append(Unequal(where + metric, str(severity), *means, str(rows.iloc[0]), len(rows)))
    return found


def _mean(values: np.ndarray[Any, Any]) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _samples(run: Run, metrics: Sequence[Metric], judged: Sequence[str]) -> tuple[list[Unequal], int]:
    """The scores of every sample, where each question has several."""
    frame = read_generation(run.path) if run.manifest else None
    if frame is None or not frame["sample"].any() or run.lacks:
        return [], 0
    rows = run.answers.set_index("id").loc[frame["id"]]
    again = score(answers_to(rows, frame["prediction"].tolist()), metrics)
    kept = frame.assign(severity=rows["severity"].to_numpy())
    names = [name for name in judged if name in kept]
    found = [each for name in names for each in _compared(name, kept, again[name], f"{GENERATION}: ")]
    return found, len(names) * len(frame)


def _questions(run: Run) -> tuple[list[Unequal], int]:
    """What is kept of questions and references, where it is by the rules installed."""
    kept = kept_questions(run)
    if kept is None:
        return [], 0
    again = computed_questions(run)
    kept = kept.assign(severity=run.answers["severity"].to_numpy())
    found = []
    for name in again.columns.drop("id"):
        if name not in (LEVEL, DISCRIMINATORS):
            found += _compared(name, kept, again[name].to_numpy(np.float64), f"{QUESTIONS}: ")
        elif (other := kept["id"][(kept[name] != again[name]).to_numpy()]).size:
            found.append(Unequal(f"{QUESTIONS}: {name}", "", "stored", "otherwise", str(other.iloc[0]), len(other)))
    return found, again.size - len(again)


def _recorded(run: Run) -> list[Unequal]:
    """What the manifest says of rows and answers."""
    if run.manifest is None or run.lacks:
        return []
    found = []
    asked = fingerprint(run.answers)
    if run.manifest.data.fingerprint != asked:
        found.append(Unequal("data.fingerprint", "", run.manifest.data.fingerprint[:16], asked[:16]))
    frame = read_generation(run.path)
    counted = run.manifest.answers.get("all")
    if frame is not None and counted is not None and counted != len(frame):
        found.append(Unequal("answers.all", "", counted, len(frame)))
    if frame is not None:
        given = frame[frame["sample"] == 0].set_index("id")["prediction"].reindex(run.answers["id"]).to_numpy()
        other = run.answers["id"][given != run.answers["prediction"].to_numpy()]
        if len(other):
            found.append(Unequal(GENERATION, "", "other answers", SCORES, str(other.iloc[0]), len(other)))
    return found
