"""``repeats.parquet``: the second answers of a run, and from them ``noise.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..core.files import atomic, write_json
from ..metrics.base import Answers, Metric
from ..metrics.scoring import score
from ..scores.table import KEY_COLUMNS, ScoreTable
from ..statistics import OVERALL, STRATA, paired
from ..statistics.noise import Spread, at_most, floor_of, parts_of, spread_of
from ..statistics.verdicts import UNCHANGED
from .answers import answers_to
from .noise import NAME, REPEATS, Changed, Noise, SelfDifference, read_noise
from .run import Saved
from .samples import read_generation

_COLUMNS = ("id", "severity", "sample", "finish_reason", "tokens", "error", "prediction")


def write_repeats(
    saved: Saved, scores: ScoreTable, frame: pd.DataFrame, metrics: Sequence[Metric], asked: tuple[float, int, str]
) -> None:
    """Write the second answers with their scores, and then what they say of the noise.

    Args:
        saved: the run.
        scores: of its first answers, each question's mean over its samples.
        frame: the second answers, with the columns of ``generation.parquet``.
        metrics: score them; those of the first answers.
        asked: the share, the seed of the choice, and in what the second asking was another.

    Raises:
        UserError: a metric cannot be computed, or a file cannot be written.
    """
    frame = frame[list(_COLUMNS)].reset_index(drop=True)
    frame = frame.assign(**score(_answers(saved, frame), metrics))
    with atomic(saved.path / REPEATS) as temporary:
        frame.to_parquet(temporary, index=False)
    share, seed, how = asked
    noise = Noise(
        share=share,
        seed=seed,
        how=how,
        changed=_changed(saved.path, frame),
        metrics=_self_differences(scores, frame),
        signatures=scores.signatures,
    )
    write_json(saved.path / NAME, noise.model_dump())


def rescore_repeats(saved: Saved, scores: ScoreTable, metrics: Sequence[Metric]) -> None:
    """New scores for the second answers of a run that has some.

    Raises:
        UserError: as ``write_repeats``; or a file is damaged.
    """
    noise, path = read_noise(saved.path), saved.path / REPEATS
    if noise is None or not path.is_file():
        return
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}", "Evaluate the run again") from error
    write_repeats(saved, scores, frame, metrics, (noise.share, noise.seed, noise.how))


def _answers(saved: Saved, frame: pd.DataFrame) -> Answers:
    rows = saved.answers.set_index("id").loc[frame["id"]]
    return answers_to(rows, frame["prediction"].tolist())


def _changed(folder: Path, frame: pd.DataFrame) -> dict[str, Changed]:
    first = read_generation(folder)
    assert first is not None, "it is written before"
    both = frame.merge(first[["id", "sample", "prediction"]], on=["id", "sample"], suffixes=("", "_first"))
    other = both["prediction"] != both["prediction_first"]
    found = {}
    for stratum in STRATA:
        mine = other if stratum == OVERALL else other[both["severity"] == stratum]
        if len(mine):
            asked, changed = len(mine), int(mine.sum())
            found[str(stratum)] = Changed(asked=asked, changed=changed, at_most_pct=at_most(changed, asked))
    return found


def _self_differences(scores: ScoreTable, frame: pd.DataFrame) -> dict[str, dict[str, SelfDifference]]:
    """By metric and stratum. An answer that a metric applies to only once is in none of them."""
    names = [metric for metric in scores.metrics if metric in frame]
    second = frame.groupby("id")[names].mean()
    first = scores.frame.set_index("id").loc[second.index]
    found: dict[str, dict[str, SelfDifference]] = {}
    same: dict[bytes, list[str]] = {}
    for name in names:
        same.setdefault((first[name].notna() & second[name].notna()).to_numpy().tobytes(), []).append(name)
    for mask, together in same.items():
        rows = np.frombuffer(mask, dtype=bool)
        if not rows.any():
            continue
        keys = first[rows].reset_index()[list(KEY_COLUMNS)]
        sides = [
            ScoreTable(pd.concat([keys, side[rows][together].reset_index(drop=True)], axis=1), scores.signatures)
            for side in (first, second)
        ]
        sizes = {name: _sizes(scores, name) for name in together}
        found |= _of_metrics(sides[0], sides[1], sizes)
    return {name: found[name] for name in names if name in found}


def _sizes(scores: ScoreTable, metric: str) -> dict[str, int]:
    """Of how many answers of each severity a metric has a score."""
    counted = scores.frame["severity"][scores.frame[metric].notna()].value_counts()
    return {str(severity): int(n) for severity, n in counted.items()}


def _of_metrics(
    first: ScoreTable, second: ScoreTable, sizes: Mapping[str, dict[str, int]]
) -> dict[str, dict[str, SelfDifference]]:
    found: dict[str, dict[str, SelfDifference]] = {}
    spreads: dict[tuple[str, str], Spread] = {}
    absolutes: dict[tuple[str, str], float] = {}
    for metric in first.metrics:
        moved = (second.frame[metric] - first.frame[metric]).to_numpy(dtype=float)
        moved = np.where(np.abs(moved) > UNCHANGED, moved, 0.0)
        for stratum in STRATA:
            mine = moved if stratum == OVERALL else moved[(first.frame["severity"] == stratum).to_numpy()]
            if len(mine):
                spreads[metric, stratum] = spread_of(mine)
                absolutes[metric, stratum] = float(np.mean(np.abs(mine)))
    for each in paired(first, second, *first.metrics):
        if each.n:
            found.setdefault(each.metric, {})[str(each.stratum)] = SelfDifference(
                n=each.n,
                mean=each.mean,
                absolute_mean=absolutes[each.metric, each.stratum],
                deviation=each.deviation,
                low=each.low,
                high=each.high,
                square=spreads[each.metric, each.stratum].square,
                freedom=spreads[each.metric, each.stratum].freedom,
                floor=None,
            )
    return {metric: _with_floors(cells, sizes[metric]) for metric, cells in found.items()}


def _with_floors(cells: dict[str, SelfDifference], sizes: dict[str, int]) -> dict[str, SelfDifference]:
    spreads = {stratum: Spread(cell.square, cell.freedom) for stratum, cell in cells.items() if stratum != OVERALL}
    made = {}
    for stratum, cell in cells.items():
        over = sizes if stratum == OVERALL else {stratum: sizes[stratum]}
        parts = parts_of(spreads, over, 1.0)
        made[stratum] = cell.model_copy(update={"floor": None if parts is None else floor_of(parts)})
    return made
