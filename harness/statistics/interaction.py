"""Which severity: whether the change in ``critical`` is another than that in ``non_critical``.

That one severity is significant and the other is not says nothing about it: their difference has to be tested
(Gelman and Stern 2006, doi 10.1198/000313006X152649).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from ..core.errors import UserError
from ..languages.sentences import sentence, severity, together
from ..scores.signatures import Better, better
from ..scores.table import CLUSTER, ScoreTable
from ..severity import Severity
from .arms import Trainings, averaged
from .bootstrap import Floats
from .clusters import Ints, numbered, sharing_clusters, spread_of, units_of, variance_of_mean
from .crossed_interaction import InteractionComponents, contrast_squares, joined
from .divisions import divided, smallest_division_p, welch
from .intervals import LEVEL
from .paired import MOST_DRAWN, chosen
from .resampling import USUAL, Resampling
from .significance import detectable_at, holm, within_error
from .verdicts import ALPHA, NOISE, UNCHANGED, points

HERE, THERE = Severity.CRITICAL, Severity.NON_CRITICAL
_MORE = (4, MOST_DRAWN)
_MOST_KEYS = 10**8
"""Random numbers that are drawn at most to tell on which side of the level a p is: some five seconds."""
_SIDE = {Better.HIGHER: 1, Better.LOWER: -1, Better.NEITHER: 0}


@dataclass(frozen=True)
class Interaction:
    """Second minus first run in ``HERE``, less the same in ``THERE``, in percentage points of one metric.

    Attributes:
        n_here, n_there: questions of both severities.
        here: the change in ``HERE`` itself.
        mean, low, high: the difference of the changes with its 95 % interval, which holds 0 exactly where p is at
            least 0.05; no interval without p.
        p: two-sided; None where a severity has fewer than two answers, nothing varies, or no division of so few
            questions has a p below the level.
        better: which way the metric improves.
        error, freedom: standard error, and its degrees of freedom.
        divisions: random divisions behind p; None where it is Student's, over questions and trainings or clusters.
        clusters: how many of both severities, where questions belong together.
        components: what the error is made of, where both arms have several trainings.
        p_holm: adjusted over the ``family`` metrics that were compared.
        detectable: smallest true difference of the changes that is found with 80 % power.
        borderline: whether other random divisions could put p on the other side of the level.
        found: whether ``p_holm`` is below the level, and not by chance of the draw.
    """

    metric: str
    n_here: int
    n_there: int
    here: float
    mean: float
    better: Better
    low: float | None = None
    high: float | None = None
    p: float | None = None
    error: float | None = None
    freedom: float | None = None
    divisions: int | None = None
    clusters: tuple[int, int] | None = None
    components: InteractionComponents | None = None
    p_holm: float | None = None
    family: int = 0
    detectable: float | None = None
    borderline: bool = False
    found: bool = False

    @property
    def specific(self) -> bool:
        """Whether ``HERE`` gains, and is found to gain more than ``THERE``."""
        side = _SIDE[self.better]
        return self.found and self.mean * side > 0 and self.here * side > 0

    @property
    def _enough(self) -> bool:
        """Whether so many questions can be tested at all."""
        few = min(self.clusters or (self.n_here, self.n_there))
        return few > 1 and (self.clusters is not None or smallest_division_p(self.n_here, self.n_there) < ALPHA)

    @property
    def _asked(self) -> str:
        one, other = self.clusters or (self.n_here, self.n_there)
        return sentence(f"interaction.{'clusters' if self.clusters else 'n'}", one=one, other=other)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values, with its words."""
        return {**asdict(self), "specific": self.specific, "words": str(self)}

    def __str__(self) -> str:
        """In the words of terminal, page and file; empty where a severity has no answers or nothing changed."""
        whether = sentence(
            f"interaction.{'change' if self.better is Better.NEITHER else 'gain'}",
            here=severity(HERE),
            there=severity(THERE),
        )
        if not self.n_here or not self.n_there:
            return ""
        if self.p_holm is None:
            return "" if self._enough else sentence("interaction.untested", whether=whether, asked=self._asked)
        size = points(self.mean, "+")
        if self.low is not None and self.high is not None:
            size += f" [{points(self.low, '+')}, {points(self.high, '+')}]"
        floor = self.divisions is not None and self.p is not None and self.p * (self.divisions + 1) < 1.5
        p = sentence(
            f"differences.{'holm' if self.family > 1 else 'p'}", p=f"{'≤' if floor else '='} {self.p_holm:.2g}"
        )
        figures = together([size, p], "list.comma")
        between = {"here": severity(HERE), "there": severity(THERE), "size": figures}
        if self.specific:
            return sentence("interaction.specific", **between)
        if self.found:
            worth = self.mean * _SIDE[self.better]
            return sentence(
                f"interaction.{'differs' if not worth else 'better' if worth > 0 else 'worse'}", **between
            )
        if self.borderline:
            return sentence("interaction.borderline", whether=whether, size=figures)
        if self.detectable is not None:
            missed = sentence("interaction.missed", points=points(self.detectable))
            figures = together([figures, missed])
        return sentence("interaction.not_shown", whether=whether, size=figures)


def interactions(
    first: Trainings,
    second: Trainings,
    metrics: Sequence[str],
    resampling: Resampling = USUAL,
    pair_seeds: bool = True,
) -> list[Interaction]:
    """One per metric, second minus first arm; the metrics that can be tested are one family.

    With one training of an arm p is that of the studentised permutation test over questions: see ``divided``. Where
    it lies within Monte-Carlo error of the level, four times as many divisions are drawn, and again, up to
    ``MOST_DRAWN`` times, but for no more than ``_MOST_KEYS`` random numbers. With several trainings of both it is
    over questions and trainings, of ``contrast_squares``. Where questions belong together it is Student's, with the
    clusters' variances of both severities; that one cluster lies in both would make their sum too large at most.

    Args:
        first, second, pair_seeds: as of ``compare_groups``, which says what can be compared.

    Raises:
        UserError: as ``compare_groups`` does.
    """
    common = [seed for seed in first if seed in second] if pair_seeds else []
    by_seed = len(common) > 1
    arms = [
        [_ordered(chosen(arm[seed], metrics)) for seed in (common if by_seed else arm)] for arm in (first, second)
    ]
    shared = iter(sharing_clusters([table for arm in arms for table in arm]))
    arms = [[next(shared) for _ in arm] for arm in arms]
    if min(map(len, arms)) > 1:
        return _judged([_over_both(arms, metric, by_seed) for metric in metrics])
    tables = [[averaged(arm)] for arm in arms]
    started = [_started(tables, metric) for metric in metrics]
    made = _judged(_over_questions(started, resampling))
    for drawn in _MORE:
        unsure = [place for place, each in enumerate(made) if each.borderline]
        if drawn * resampling.resamples * len(tables[0][0].frame) > _MOST_KEYS:
            break
        more = resampling.model_copy(update={"resamples": resampling.resamples * drawn})
        for place, again in zip(unsure, _over_questions([started[place] for place in unsure], more), strict=True):
            made[place] = again
        made = _judged(made)
    return made


def _ordered(table: ScoreTable) -> ScoreTable:
    return ScoreTable(table.frame.sort_values("id", kind="stable", ignore_index=True), table.signatures)


def _judged(made: Sequence[Interaction]) -> list[Interaction]:
    tested = [each for each in made if each.p is not None]
    adjusted = iter(holm([each.p for each in tested if each.p is not None]))
    return [_judge(each, next(adjusted), len(tested)) if each.p is not None else each for each in made]


def _judge(made: Interaction, p_holm: float, family: int) -> Interaction:
    borderline = bool(
        made.divisions and made.p and within_error(made.p, made.divisions, ALPHA * made.p / max(p_holm, made.p))
    )
    detectable = None
    if made.error and made.freedom:
        detectable = detectable_at(made.error, made.freedom, ALPHA / family)
    return replace(
        made,
        p_holm=p_holm,
        family=family,
        detectable=detectable,
        borderline=borderline,
        found=p_holm < ALPHA and not borderline,
    )


@dataclass(frozen=True)
class _Started:
    """One metric, still untested: of each severity the scores (trainings, questions) of both arms, the questions'
    clusters, and ``rows``, which tell what questions these are."""

    untested: Interaction
    scores: list[list[Floats]]
    clusters: list[Ints | None]
    rows: tuple[bytes, ...]


def _started(arms: Sequence[Sequence[ScoreTable]], metric: str) -> _Started:
    found = [_scores(arms, metric, severity) for severity in (HERE, THERE)]
    scores, clusters = [each[0] for each in found], [each[1] for each in found]
    sizes = [one.shape[1] for one, _ in scores]
    changes = [float(other.mean() - one.mean()) if one.size else float("nan") for one, other in scores]
    side = better(arms[0][0].signatures[metric])
    untested = Interaction(metric, sizes[0], sizes[1], changes[0], changes[0] - changes[1], side)
    if any(each is not None for each in clusters):
        counts = [size if each is None else int(each.max()) + 1 for size, each in zip(sizes, clusters, strict=True)]
        untested = replace(untested, clusters=(counts[0], counts[1]))
    return _Started(untested, scores, clusters, tuple(each[2] for each in found))


def _scores(
    arms: Sequence[Sequence[ScoreTable]], metric: str, severity: str
) -> tuple[list[Floats], Ints | None, bytes]:
    """Of each arm (trainings, questions) in one severity, its clusters, and which of its questions were scored.

    Raises:
        UserError: the metric applies to other questions in one table than in another.
    """
    found = [
        np.array(
            [
                table.frame.loc[(table.frame["severity"] == severity).to_numpy(), metric].to_numpy(np.float64)
                for table in tables
            ]
        )
        for tables in arms
    ]
    scored = ~np.isnan(np.vstack(found))
    if (scored.any(axis=0) != scored.all(axis=0)).any():
        raise UserError(
            f"{metric} applies to other answers in one run than in the other",
            "Compute both again with `maqa rescore RUN`",
        )
    frame, clusters = arms[0][0].frame, None
    if CLUSTER in frame:
        clusters = numbered(frame.loc[(frame["severity"] == severity).to_numpy(), CLUSTER].to_numpy()[scored[0]])
    return [scores[:, scored[0]] for scores in found], clusters, scored[0].tobytes()


def _over_questions(started: Sequence[_Started], resampling: Resampling) -> list[Interaction]:
    """Tested over questions; metrics that apply to the same questions share their divisions."""
    changes = [[_changes(other[0] - one[0]) for one, other in each.scores] for each in started]
    together: dict[tuple[bytes, ...], list[int]] = {}
    for place, each in enumerate(started):
        if each.untested.clusters is None and each.untested._enough:
            together.setdefault(each.rows, []).append(place)
    made = [
        _over_clusters(each.untested, pair, each.clusters) if each.untested.clusters else each.untested
        for each, pair in zip(started, changes, strict=True)
    ]
    for places in together.values():
        here, there = (np.column_stack([changes[place][side] for place in places]) for side in (0, 1))
        square, freedom = welch(here, there)
        varies = np.sqrt(square) > NOISE
        if not varies.any():
            continue
        tested = divided(here[:, varies], there[:, varies], resampling)
        for column, place in enumerate(np.array(places)[varies]):
            made[place] = replace(
                made[place],
                low=max(float(tested.low[column]), -200.0),
                high=min(float(tested.high[column]), 200.0),
                p=float(tested.p[column]),
                error=float(square[varies][column]) ** 0.5,
                freedom=float(freedom[varies][column]),
                divisions=tested.divisions,
            )
    return made


def _over_clusters(made: Interaction, changes: Sequence[Floats], clusters: Sequence[Ints | None]) -> Interaction:
    if not made._enough:
        return made
    terms = []
    for values, own in zip(changes, clusters, strict=True):
        sizes = units_of(values[:, None], own).sizes
        freedom = len(sizes) - 1.0 if own is None else spread_of(sizes)[1]
        terms.append((float(variance_of_mean(values[:, None], own)[0]), freedom))
    square, freedom = joined(terms)
    return made if square**0.5 <= NOISE else _students(made, square**0.5, freedom)


def _students(made: Interaction, error: float, freedom: float) -> Interaction:
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return replace(
        made,
        low=max(made.mean - half, -200.0),
        high=min(made.mean + half, 200.0),
        p=2 * float(special.stdtr(freedom, -abs(made.mean) / error)),
        error=error,
        freedom=freedom,
    )


def _changes(changes: Floats) -> Floats:
    """Without what is rounding, which would break the ties of zeros."""
    return np.where(np.abs(changes) > UNCHANGED, changes, 0.0)


def _over_both(arms: Sequence[Sequence[ScoreTable]], metric: str, by_seed: bool) -> Interaction:
    started = _started(arms, metric)
    made = started.untested
    if min(made.clusters or (made.n_here, made.n_there)) < 2:
        return made
    squares, components = contrast_squares(started.scores[0], started.scores[1], by_seed, started.clusters)
    error = float(squares.error)
    if error <= NOISE:
        return made
    half = float(squares.critical(1 - LEVEL)) * error
    return replace(
        made,
        low=max(made.mean - half, -200.0),
        high=min(made.mean + half, 200.0),
        p=squares.p(made.mean),
        error=error,
        freedom=squares.freedom(1 - LEVEL),
        components=components,
    )
