"""What verdicts come to, as tables and summaries, and the folder that they are kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..harness.core.files import atomic, write_json, write_text
from ..harness.languages import Language
from ..harness.languages.text import has_word
from ..harness.scores.table import ScoreTable
from ..harness.severity import Severity
from ..harness.statistics import Resampling, summarise
from .answers import Judged, scores
from .page import judge_page
from .pairs import Compared
from .parsing import Verdict
from .record import NAME, PAGE, PREFERENCES, SCORES, VERDICTS, CriterionRow, Judgement, SummaryRow
from .rubric import Rubric
from .scoring import Verdicts, self_consistency
from .standing import COLUMN

FILES = (VERDICTS, SCORES, PREFERENCES, PAGE, NAME)
_VERDICTS = ["run", "id", "severity", "repeat", "criterion", "points", "verdict", "evidence"]


@dataclass(frozen=True)
class Kept:
    """A judgement's tables by the names of their files, and its figures.

    ``by_run`` are scores by run and id; of a pair 50 for the first run's answer and the preference for the
    second's, so that their difference is the preference.
    """

    tables: Mapping[str, pd.DataFrame]
    by_run: Mapping[str, Mapping[str, float]]
    summaries: tuple[SummaryRow, ...]
    criteria: tuple[CriterionRow, ...] = ()
    consistency: float | None = None
    flipped: int | None = None
    unproven: int = 0
    empty: int = 0

    @property
    def known(self) -> bool:
        """Whether there is any word that counts."""
        return any(each.n for each in self.summaries)


def of_answers(
    rows: Sequence[Judged],
    said: Sequence[Sequence[Verdicts | None]],
    rubric: Rubric,
    signature: str,
    resampling: Resampling,
    spoken: Language,
) -> Kept:
    """Of answers judged one by one."""
    points = {each.id: each.points for each in rubric.criteria}
    verdicts = pd.DataFrame(
        [
            (row.run, row.id, row.severity, repeat, name, points[name][Severity(row.severity)], str(verdict), quote)
            for row, repeats in zip(rows, said, strict=True)
            for repeat, each in enumerate(repeats)
            for name, (verdict, quote) in (each or {}).items()
        ],
        columns=_VERDICTS,
    )
    table = pd.DataFrame(
        {
            "run": [each.run for each in rows],
            "id": [each.id for each in rows],
            "severity": [each.severity for each in rows],
            COLUMN: pd.Series(scores(rows, said, rubric), dtype="float64"),
        }
    )
    by_run = {name: dict(zip(some["id"], some[COLUMN], strict=True)) for name, some in table.groupby("run")}
    return Kept(
        tables={VERDICTS: verdicts, SCORES: table},
        by_run={str(name): values for name, values in by_run.items()},
        summaries=tuple(
            row
            for name in dict.fromkeys(table["run"])
            for row in _summaries(name, table[table["run"] == name], signature, resampling)
        ),
        criteria=_criteria(verdicts),
        consistency=self_consistency(said)[0],
        unproven=int((verdicts["verdict"] == Verdict.UNPROVEN).sum()),
        empty=sum(not has_word(each.answer, spoken) for each in rows),
    )


def of_pairs(compared: Sequence[Compared], signature: str, resampling: Resampling) -> Kept:
    """Of pairs."""
    first, second = compared[0].first.run, compared[0].second.run
    table = pd.DataFrame(
        {
            "first": first,
            "second": second,
            "id": [each.first.id for each in compared],
            "severity": [each.first.severity for each in compared],
            COLUMN: pd.Series([each.points for each in compared], dtype="float64"),
            "flipped": [each.flipped for each in compared],
        }
    )
    preferred = dict(zip(table["id"], table[COLUMN], strict=True))
    same = pairs = 0
    for each in compared:
        known = [one.points for one in each.repeats if one.points is not None]
        for at, one in enumerate(known):
            pairs += len(known) - at - 1
            same += sum(one == other for other in known[at + 1 :])
    return Kept(
        tables={PREFERENCES: table},
        by_run={first: dict.fromkeys(preferred, 50.0), second: preferred},
        summaries=tuple(_summaries(f"{second} over {first}", table, signature, resampling)),
        consistency=100 * same / pairs if pairs else None,
        flipped=int(table["flipped"].sum()),
        unproven=sum(one.unproven for each in compared for one in each.repeats),
    )


def keep(out: Path, kept: Kept, judgement: Judgement) -> None:
    """Write the folder; what an earlier judgement of the other kind left there goes.

    Raises:
        UserError: it cannot be written.
    """
    (out / NAME).unlink(missing_ok=True)
    for name in (VERDICTS, SCORES, PREFERENCES):
        if name not in kept.tables:
            (out / name).unlink(missing_ok=True)
            continue
        with atomic(out / name) as temporary:
            kept.tables[name].to_parquet(temporary, index=False)
    write_text(out / PAGE, judge_page(judgement))
    write_json(out / NAME, judgement.model_dump(mode="json"))


def _summaries(name: str, table: pd.DataFrame, signature: str, resampling: Resampling) -> list[SummaryRow]:
    frame = table[["id", "severity", COLUMN]].reset_index(drop=True)
    rows = summarise(ScoreTable(frame, {COLUMN: signature}), resampling)
    return [
        SummaryRow(
            run=name,
            stratum=each.stratum,
            n=each.n,
            mean=None if each.mean != each.mean else each.mean,
            low=each.low,
            high=each.high,
        )
        for each in rows
    ]


def _criteria(verdicts: pd.DataFrame) -> tuple[CriterionRow, ...]:
    return tuple(
        CriterionRow(
            run=str(run),
            criterion=str(criterion),
            n=len(some),
            met=float(100 * (some["verdict"] == Verdict.MET).mean()),
            unproven=float(100 * (some["verdict"] == Verdict.UNPROVEN).mean()),
        )
        for (run, criterion), some in verdicts.groupby(["run", "criterion"], sort=False)
    )
