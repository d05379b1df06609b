"""A frozen gold: answers with people's word on criteria, against which a judge is held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_file
from ..harness.core.records import read_numbered, validated
from ..harness.core.settings import Record
from ..harness.languages.sentences import sentence
from ..harness.severity import Severity, parse_severity
from ..harness.statistics import OVERALL, Resampling
from ..harness.statistics.bootstrap import Floats, counts
from .parsing import Verdict
from .rubric import Rubric
from .scoring import Verdicts

_LEVELS = (2.5, 97.5)
_REMEDY = 'Give lines of {"id": ..., "question": ..., "answer": ..., "severity": ..., "labels": {CRITERION: true}}'


class GoldAnswer(Record):
    """An answer, and for some criteria of the rubric whether it meets them."""

    id: str
    question: str
    answer: str
    severity: Severity
    labels: dict[str, bool]


class GoldRow(Record):
    """Verdicts on one criterion, or on all, against the gold: percent that agree, and Cohen's kappa (1960,
    doi 10.1177/001316446002000104) with its 95 % interval over answers."""

    criterion: str
    n: int
    agree: float | None
    kappa: float | None
    low: float | None
    high: float | None
    sha256: str

    def __str__(self) -> str:
        """As it is printed beside the judge's scores."""
        if self.agree is None or self.kappa is None:
            return sentence("judged.gold_unmeasurable")
        between = "" if self.low is None else f" [{self.low:.2f}, {self.high:.2f}]"
        kappa = f"{self.kappa:.2f}{between}"
        return sentence("judged.gold_agrees", share=f"{self.agree:.0f}", n=self.n, kappa=kappa)


def read_gold(path: Path, rubric: Rubric) -> list[GoldAnswer]:
    """The answers that have a label of a criterion which counts at their severity.

    Raises:
        UserError: the file is no gold, has an id twice, or no label of this rubric.
    """
    found: list[GoldAnswer] = []
    seen: set[str] = set()
    for number, row in read_numbered(path, _REMEDY):
        answer = _answer(row, f"{path} line {number}")
        if answer.id in seen:
            raise UserError(f"{path} line {number} has the id {answer.id} again", "Keep one of the two")
        seen.add(answer.id)
        criteria = {each.id for each in rubric.of(answer.severity)}
        kept = {name: value for name, value in answer.labels.items() if name in criteria}
        if kept:
            found.append(answer.model_copy(update={"labels": kept}))
    if not found:
        names = ", ".join(each.id for each in rubric.criteria)
        raise UserError(f"{path} has no label of a criterion of the rubric", f"Label some of: {names}")
    return found


def against(
    path: Path, gold: Sequence[GoldAnswer], verdicts: Sequence[Verdicts | None], rubric: Rubric, how: Resampling
) -> list[GoldRow]:
    """One row for each criterion that is labelled, and ``overall``. An unproven verdict counts as not met, as in a
    score."""
    sha256 = sha256_file(path)
    pairs = [
        (place, name, value, said[name][0] is Verdict.MET)
        for place, (answer, said) in enumerate(zip(gold, verdicts, strict=True))
        if said is not None
        for name, value in answer.labels.items()
    ]
    rows = []
    for name in (*(each.id for each in rubric.criteria), OVERALL):
        chosen = [(place, truth, judged) for place, at, truth, judged in pairs if name in (at, OVERALL)]
        if chosen or name == OVERALL:
            rows.append(_row(name, chosen, sha256, how))
    return rows


def _row(name: str, pairs: Sequence[tuple[int, bool, bool]], sha256: str, how: Resampling) -> GoldRow:
    if not pairs:
        return GoldRow(criterion=name, n=0, agree=None, kappa=None, low=None, high=None, sha256=sha256)
    places, place = np.unique([at for at, _, _ in pairs], return_inverse=True)
    truth, judged = (np.array([pair[at] for pair in pairs], dtype=np.float64) for at in (1, 2))
    cells = np.column_stack([truth * judged, truth, judged, (truth == judged).astype(float), np.ones(len(pairs))])
    sums = np.zeros((len(places), cells.shape[1]))
    np.add.at(sums, place, cells)
    kappa = _kappa(sums.sum(axis=0)[None])[0]
    drawn = np.concatenate(
        [_kappa(some @ sums) for some in counts(len(places), how.resamples, np.random.default_rng(how.seed))]
    )
    drawn = drawn[np.isfinite(drawn)]
    low = high = None
    if np.isfinite(kappa) and len(places) > 1 and len(drawn):
        low, high = (float(each) for each in np.percentile(drawn, _LEVELS))
    return GoldRow(
        criterion=name,
        n=len(pairs),
        agree=float(100 * cells[:, 3].mean()),
        kappa=float(kappa) if np.isfinite(kappa) else None,
        low=low,
        high=high,
        sha256=sha256,
    )


def _kappa(sums: Floats) -> Floats:
    """Of rows of sums: both met, truly met, judged met, alike, all."""
    with np.errstate(invalid="ignore", divide="ignore"):
        truth, judged, alike = (sums[:, at] / sums[:, 4] for at in (1, 2, 3))
        chance = truth * judged + (1 - truth) * (1 - judged)
        kappa: Floats = np.where(chance < 1, (alike - chance) / (1 - chance), np.nan)
    return kappa


def _answer(row: dict[str, object], where: str) -> GoldAnswer:
    known = {name: row[name] for name in GoldAnswer.model_fields if name in row}
    if isinstance(known.get("severity"), str):
        known["severity"] = parse_severity(str(known["severity"]))
    return validated(GoldAnswer, known, where, _REMEDY)
