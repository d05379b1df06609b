"""A judgement that was kept, read back for the runs on a board or a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.core.files import read_json
from ..harness.core.records import validated
from ..harness.languages.sentences import sentence
from ..harness.runs.run import Run
from ..harness.scores.table import ScoreTable
from ..harness.statistics import Resampling, Summary, summarise
from ..ratings.meta_records import MetaRow
from .record import NAME, SCORES, Judgement, RunRecord, answers_digest
from .standing import COLUMN

_REMEDY = "Give the --out folder of `maqa judge RUN...`"
_COLUMNS = ["run", "id", "severity", COLUMN]


@dataclass(frozen=True)
class JudgedRuns:
    """What a judge gave runs: ``tables`` by their names, with the runs' keys, NaN where an answer was not judged.

    ``agreement`` says in words how far it agrees with people, by stratum; empty where nobody measured that.
    """

    judgement: Judgement
    tables: Mapping[str, ScoreTable]
    agreement: Mapping[str, str]

    @property
    def heading(self) -> str:
        """What heads any of its scores: what they stand on, or that they are unproven."""
        return self.judgement.standing.head(sentence("judged.score", judge=self.judgement.judge.name))

    def summaries(self, name: str, resampling: Resampling) -> dict[str, Summary]:
        """A run's means by stratum; empty where it was not judged."""
        if name not in self.tables:
            return {}
        return {each.stratum: each for each in summarise(self.tables[name], resampling) if each.n}


def read_judged(folder: Path, runs: Sequence[Run]) -> JudgedRuns:
    """The scores of a judgement for those of the runs that it is of.

    Raises:
        UserError: the folder holds no judgement of single answers, none of these runs, or one of other answers or
            severities than they hold now; or two of the runs have one name.
    """
    judgement = validated(Judgement, read_json(folder / NAME, _REMEDY), str(folder / NAME), _REMEDY)
    if judgement.kind != "answers":
        raise UserError(f"{folder} is a judgement of pairs, which gives no run a score", "Judge without --pairs")
    table = _table(folder / SCORES)
    of = {each.name: each for each in judgement.runs}
    names = [run.name for run in runs if run.name in of]
    if not names:
        raise UserError(
            f"{folder} judged {', '.join(of)}, and the runs given are {', '.join(run.name for run in runs)}",
            _REMEDY,
        )
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"two runs are called {twice}, which {folder} judged", "Leave one of them out")
    tables = {
        run.name: _scores(run, table[table["run"] == run.name], of[run.name], judgement, folder)
        for run in runs
        if run.name in of
    }
    people = [row for row in judgement.people if row.metric == COLUMN]
    return JudgedRuns(judgement, tables, {row.stratum: words for row in people if (words := _agreement(row))})


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
        return table[_COLUMNS].astype({"run": str, "id": str, "severity": str, COLUMN: float})
    except (OSError, ValueError, KeyError):
        raise UserError(f"{path} holds no scores of a judge", _REMEDY) from None


def _scores(run: Run, rows: pd.DataFrame, record: RunRecord, judgement: Judgement, folder: Path) -> ScoreTable:
    again = "Judge the run again with the same command: what was asked is not asked twice"
    frame = run.scores.frame
    own = dict(zip(frame["id"].astype(str), frame["severity"].astype(str), strict=True))
    if unlike := [each for each in rows.to_dict("records") if own.get(each["id"]) != each["severity"]]:
        now = own.get(unlike[0]["id"])
        what = f"{unlike[0]['id']} as {unlike[0]['severity']}"
        raise UserError(
            f"{folder} judged {run.name}'s answer to {what}, which is {now or 'not in the run'} now", again
        )
    judged = run.answers[run.answers["id"].astype(str).isin(set(rows["id"]))]
    if record.sha256 and answers_digest(zip(judged["id"], judged["prediction"], strict=True)) != record.sha256:
        raise UserError(f"{folder} judged other answers of {run.name} than {run.path} holds now", again)
    values = dict(zip(rows["id"], rows[COLUMN], strict=True))
    scores = np.array([values.get(each, np.nan) for each in frame["id"].astype(str)])
    return ScoreTable(frame[run.scores.keys].assign(**{COLUMN: scores}), {COLUMN: judgement.signature})


def _agreement(row: MetaRow) -> str:
    """One severity's agreement, short enough for a cell."""
    if row.pairwise and row.pairwise.value is not None:
        ends = "" if row.pairwise.low is None else f" [{row.pairwise.low:.0f}, {row.pairwise.high:.0f}]"
        return sentence("judged.pairs", share=f"{row.pairwise.value:.0f}", ends=ends, n=row.pairwise.n)
    if row.tau and row.tau.value is not None:
        ends = "" if row.tau.low is None else f" [{row.tau.low:.2f}, {row.tau.high:.2f}]"
        return sentence("judged.tau", tau=f"{row.tau.value:.2f}", ends=ends, n=row.tau.n)
    return ""
