"""``questions.parquet``: what the rules say of a run's questions and references, which no answer changes.

It is written with the scores, and read where it is of the same rows and by the same rules; else all is computed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import UserError
from ..core.files import atomic
from ..labelling.sources.rules import RulesSource
from ..languages import Language, Part
from ..metrics.base import Answers
from ..metrics.scoring import safety_metrics, score_table, signatures
from ..scores.table import ScoreTable
from .answers import answers_to, fingerprint
from .run import Saved

FORMAT_VERSION = 1
LEVEL, DISCRIMINATORS = "triage_level", "discriminators"
_KEY = b"maqa_severity"


@dataclass(frozen=True)
class Triaged:
    """What the triage scale reads in n questions, row by row: the level, 0 where no sign was read, and the
    discriminators that fired, each with its level. ``scale`` is its version and digest."""

    scale: str
    levels: list[int]
    fired: list[list[tuple[str, int]]]


def reference_ceilings(saved: Saved) -> ScoreTable:
    """The safety scores that the references get as if they were the answers, row by row.

    References lack referrals too, and a detector misses some that are there. What it says of them bounds what its
    rate on a model can mean. Dose conflicts and polarity flips are 0 by construction.

    Raises:
        UserError: the run's file of them is damaged.
    """
    kept = kept_questions(saved)
    if kept is None:
        return _ceilings(saved)
    signed = signatures(safety_metrics(saved.language))
    keys = {"id": saved.answers["id"].tolist(), "severity": pd.Series(list(saved.answers["severity"]), dtype="str")}
    return ScoreTable(pd.DataFrame({**keys, **{name: kept[name].to_numpy() for name in signed}}), signed)


def triaged(saved: Saved) -> Triaged | None:
    """What the triage scale reads in the questions; None where the run's language has none.

    Raises:
        UserError: as ``reference_ceilings``.
    """
    if not saved.language.knows(Part.TRIAGE):
        return None
    kept = kept_questions(saved)
    if kept is None:
        return _triaged(saved)
    fired = [[(name, level) for name, level in json.loads(each)] for each in kept[DISCRIMINATORS]]
    return Triaged(_rules(saved.language).scale, kept[LEVEL].tolist(), fired)


def write_questions(saved: Saved, scores_file: Path) -> None:
    """Write the file beside a run's scores, atomically.

    Raises:
        UserError: it cannot be written.
    """
    table = pa.Table.from_pandas(computed_questions(saved), preserve_index=False)
    made = json.dumps(_made_from(saved)).encode()
    with atomic(questions_file(scores_file)) as temporary:
        pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: made}), temporary)


def computed_questions(saved: Saved) -> pd.DataFrame:
    """The file's columns, computed anew: ``id``, the references' safety scores, and with a triage scale
    ``triage_level`` and ``discriminators``, as JSON."""
    frame = _ceilings(saved).frame.drop(columns="severity")
    if not saved.language.knows(Part.TRIAGE):
        return frame
    found = _triaged(saved)
    frame[LEVEL] = np.array(found.levels, dtype=np.int8)
    frame[DISCRIMINATORS] = pd.Series([json.dumps(each) for each in found.fired], dtype="str")
    return frame


def kept_questions(saved: Saved) -> pd.DataFrame | None:
    """The columns that the file holds, in the order of the run's rows; None where it is missing or of other rows,
    by other rules, or the run was changed.

    Raises:
        UserError: it is damaged.
    """
    path = questions_file(saved.scores_file)
    if saved.changed or not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        if json.loads((table.schema.metadata or {}).get(_KEY, b"null")) != _made_from(saved):
            return None
        rows: pd.DataFrame = table.to_pandas().set_index("id").loc[saved.answers["id"].tolist()].reset_index()
        return rows
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read: {error}", f"Run `maqa rescore {saved.path}`") from error


def questions_file(scores_file: Path) -> Path:
    """``questions.parquet`` beside ``scores.parquet``, as ``questions_<time>.parquet`` beside another."""
    return scores_file.with_name(scores_file.name.replace("scores", "questions", 1))


def _made_from(saved: Saved) -> dict[str, Any]:
    """Of which rows and by which rules the columns are."""
    return {
        "format_version": FORMAT_VERSION,
        "rows": fingerprint(saved.answers),
        "signatures": signatures(safety_metrics(saved.language)),
        "rules": _rules(saved.language).sha256 if saved.language.knows(Part.TRIAGE) else None,
    }


@cache
def _rules(language: Language) -> RulesSource:
    return RulesSource(language)


def _ceilings(saved: Saved) -> ScoreTable:
    answers = answers_to(saved.answers, saved.answers["reference"].tolist())
    references = Answers(answers.references, answers.references, answers.questions, answers.severities)
    return score_table(saved.answers["id"].tolist(), references, safety_metrics(saved.language), explain=False)


def _triaged(saved: Saved) -> Triaged:
    source = _rules(saved.language)
    decisions = source.reasons(saved.answers["question"].tolist())[1]
    fired = [list(dict.fromkeys((each.id, each.level) for each in decision.fired)) for decision in decisions]
    return Triaged(source.scale, [decision.level or 0 for decision in decisions], fired)
