"""Which answers a reader should see: the extremes and the middle of each severity, and the largest changes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better
from ..harness.severity import SEVERITIES, Severity
from ..harness.statistics.verdicts import UNCHANGED


@dataclass(frozen=True)
class Example:
    """One question with its reference and answer; with two runs also the other answer and the change in score."""

    id: str
    severity: str
    category: str
    question: str
    reference: str
    prediction: str
    score: float
    against: str | None = None
    against_score: float | None = None

    @property
    def change(self) -> float | None:
        """This run's score minus the other's."""
        return None if self.against_score is None else self.score - self.against_score


def typical_examples(run: Run, metric: str, severity: Severity, count: int = 2) -> dict[str, list[Example]]:
    """The ``count`` lowest, most central and highest scored answers of a severity, none shown twice."""
    rows = _joined(run, metric)
    rows = rows[rows["severity"] == str(severity)].sort_values(["score", "id"])
    middle = max((len(rows) - count) // 2, 0)
    chosen: dict[str, list[Example]] = {}
    seen: set[str] = set()
    for name, part in (
        ("lowest", rows[:count]),
        ("highest", rows[::-1][:count]),
        ("middle", rows[middle:][:count]),
    ):
        chosen[name] = [example for example in _examples(part) if example.id not in seen]
        seen |= {example.id for example in chosen[name]}
    return {name: chosen[name] for name in ("lowest", "middle", "highest") if chosen[name]}


def largest_changes(run: Run, against: Run, metric: str, count: int = 3) -> dict[str, dict[str, list[Example]]]:
    """Per severity the ``count`` answers that gained and that lost the most; both runs hold the same ids.

    To gain is to rise, or to fall where less of the metric is better.
    """
    other = _joined(against, metric)[["id", "prediction", "score"]]
    rows = _joined(run, metric).merge(
        other.rename(columns={"prediction": "against", "score": "against_score"}), on="id"
    )
    rows["change"] = rows["score"] - rows["against_score"]
    sides = ("lost", "gained")
    if better(run.scores.signatures[metric]) is Better.LOWER:
        sides = ("gained", "lost")
    changes: dict[str, dict[str, list[Example]]] = {}
    for severity in SEVERITIES:
        ordered = rows[rows["severity"] == str(severity)].sort_values(["change", "id"])
        fell, rose = (
            ordered[ordered["change"] < -UNCHANGED][:count],
            ordered[ordered["change"] > UNCHANGED][::-1][:count],
        )
        found = dict(zip(sides, (_examples(fell), _examples(rose)), strict=True))
        changes[str(severity)] = {side: found[side] for side in ("gained", "lost")}
    return changes


def _joined(run: Run, metric: str) -> pd.DataFrame:
    # An answer that the metric does not apply to is no example of it.
    scores = run.scores.frame[["id", metric]].rename(columns={metric: "score"}).dropna()
    return run.answers.drop(columns="prompt").merge(scores, on="id")


def _examples(rows: pd.DataFrame) -> list[Example]:
    fields = [name for name in Example.__dataclass_fields__ if name in rows.columns]
    records = rows[fields].to_dict("records")
    return [Example(**{str(name): value for name, value in record.items()}) for record in records]
