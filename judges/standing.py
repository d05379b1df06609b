"""What a judge's scores stand on: how far it agrees with people, or that nobody has measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ..harness.core.settings import Record
from ..harness.languages.sentences import known_again, sentence
from ..harness.runs.run import Run
from ..harness.scores.table import KEY_COLUMNS, ScoreTable
from ..harness.statistics import Resampling
from ..ratings.collected import Ratings
from ..ratings.meta import meta
from ..ratings.meta_records import Meta, MetaRow
from .gold import GoldRow

COLUMN = "judge"
"""The column of a judge's scores, or preferences."""
_NEVER = sentence("judged.never")


class Standing(Record):
    """Whether a judge's scores may be read as people's word, and what says so."""

    proven: bool
    words: str

    def head(self, what: str) -> str:
        """The heading of any of its scores."""
        return sentence("judged.proven" if self.proven else "judged.unproven", what=what, words=self.said)

    @property
    def said(self) -> str:
        """The words in every language, as far as they are known again from a file."""
        return known_again(self.words, ("judged.never", "judged.gold_", "judged.chance", "judged.both", "people."))


def standing(people: MetaRow | None, gold: GoldRow | None) -> Standing:
    """Proven by an interval above chance: of pairs, of tau-b, or of kappa with a gold."""
    words, proven = [], False
    if people is not None:
        measures = ((people.pairwise, 50.0), (people.tau, 0.0))
        proven |= any(each is not None and each.low is not None and each.low > chance for each, chance in measures)
        words.append(str(people))
    if gold is not None:
        proven |= gold.low is not None and gold.low > 0
        words.append(str(gold))
    if not words:
        return Standing(proven=False, words=_NEVER)
    both = words[0] if len(words) == 1 else sentence("judged.both", one=words[0], other=words[1])
    return Standing(proven=proven, words=both if proven else sentence("judged.chance", words=both))


def with_people(
    ratings: Ratings,
    runs: Sequence[Run],
    scores: Mapping[str, Mapping[str, float]],
    signature: str,
    resampling: Resampling,
    pairs_alone: bool,
) -> Meta:
    """The judge against people, per severity.

    Args:
        scores: by run and id; an answer without one is not counted.
        pairs_alone: whether only differences between the runs mean anything.

    Raises:
        UserError: the ratings are of other answers; see ``ratings.meta``.
    """
    judged = []
    for run in runs:
        ids = run.scores.frame["id"].astype(str)
        values = ids.map(scores[run.name]).astype(float)
        frame: pd.DataFrame = run.scores.frame[list(KEY_COLUMNS)].assign(**{COLUMN: values.to_numpy()})
        judged.append(replace(run, scores=ScoreTable(frame, {COLUMN: signature})))
    found = meta(ratings, judged, resampling)
    if not pairs_alone:
        return found
    rows = [row.model_copy(update={"tau": None, "icc": None, "harm": None}) for row in found.rows]
    return found.model_copy(update={"rows": tuple(rows)})
