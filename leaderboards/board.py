"""Runs in, a ranked board out: one typed record that every export is made from."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from ..harness.core.errors import UserError
from ..harness.languages.sentences import sentence, together
from ..harness.metrics.aggregates import QUALITY, AggregateScore, aggregates_all
from ..harness.metrics.bertscore.check import encoder_words
from ..harness.metrics.beyond import beyond_encoder
from ..harness.metrics.registry import Group, columns_of
from ..harness.runs.alike import alike, as_expected, same_answers
from ..harness.runs.comparable import check_metric, differences, other_backend, other_training
from ..harness.runs.comparison import Comparison, compare_all
from ..harness.runs.conditions import stopped_notes, training_of
from ..harness.runs.declared import Declared
from ..harness.runs.groups import group_of
from ..harness.runs.label_warnings import label_warnings
from ..harness.runs.labels import severities_in_words
from ..harness.runs.noise_compared import noise_line
from ..harness.runs.provenance import provenance, recorded_command
from ..harness.runs.run import Run
from ..harness.runs.screened import refuse_screening, screening_of
from ..harness.runs.seals import changed_words, contents, unsealed_notes
from ..harness.runs.together import of_scores
from ..harness.runs.trained_on import trained_notes
from ..harness.scores.signatures import Better, better
from ..harness.statistics import OVERALL, USUAL, Resampling, Summary, rank_intervals, summarise_all
from ..judges.reading import JudgedRuns
from ..ratings.meta_records import Meta, of_people
from .claims import board_claims
from .doses import board_doses
from .judged import board_judge, judge_cells
from .nll import board_nll
from .records import AggregateCell, AlikeCell, Board, Cell, Row, TestedCell
from .reference import numbered, reference_of_board
from .safety_marks import safety_marks
from .seeds import seed_rows

_NO_DATA = sentence("board.no_data")


def build_board(
    runs: Sequence[Run],
    metric: str = "bertscore_f1",
    resampling: Resampling = USUAL,
    declared: Declared | None = None,
    people: Meta | None = None,
    judged: JudgedRuns | None = None,
    reference: str | None = None,
) -> Board:
    """Rank runs by one metric, from its better side. Runs of the same answers share their resamples.

    A row's ranks are those that it may hold: all pairs of rows are tested overall, as one family (see
    ``rank_intervals``). Beside them stands its difference to the first row.

    Rows that differ from the reference (the first whole model with a manifest) in data, prompt, decoding, backend
    or metric signature, or from the first run of their base in how they were trained, are shown unranked, with what
    differs; so are runs that lack answers. ``notes`` names these, and runs that no answer tells apart. The order of
    the runs decides nothing.

    ``declared`` are the tests of a declared analysis, which the board shows as they are; ``people`` is what ratings
    said of metrics; ``judged`` is a judge's word on the runs, which ranks nothing; ``reference`` is the name of the
    run that all are held against.

    Raises:
        UserError: no runs, one run twice, a run without the metric, or one of which no side is better, or which is
            for screening only.
    """
    _check(runs, metric)
    asked = {run.path: run.name for run in runs}
    runs, twice = numbered(runs)
    known = screening_of(runs)
    reference_run, chosen_by = reference_of_board(runs, metric, reference)
    apart = {id(run): _apart(reference_run, run, runs) for run in runs}
    sign = 1 if better(reference_run.scores.signatures[metric]) is Better.LOWER else -1
    ordered = sorted(
        runs, key=lambda run: (bool(apart[id(run)]), sign * _mean(run, metric), run.name, str(run.path))
    )
    ranked = [run for run in ordered if not apart[id(run)]]
    ranks, tested = _ranks(ranked, metric, resampling)
    # Which of two runs of one training stands for it must hang on no score.
    trained = sorted(ranked, key=lambda run: (_seed(run), run.name, str(run.path)))
    summaries = summarise_all([run.scores for run in ordered], resampling)
    scored = [run for run in ordered if QUALITY in run.scores.metrics]
    totals = dict(
        zip(map(id, scored), aggregates_all([run.scores for run in scored], resampling=resampling), strict=True)
    )
    less_safe = safety_marks(reference_run, ranked, resampling, known)
    rows = [
        _row(run, ranks.get(id(run)), apart[id(run)], cells, totals.get(id(run), [])).model_copy(
            update={
                "alike": _most_alike(run, ordered),
                "tested": tested.get(id(run)),
                "judge": judge_cells(judged, asked[run.path], resampling),
                "less_safe": less_safe.get(id(run), []),
            }
        )
        for run, cells in zip(ordered, summaries, strict=True)
    ]
    return Board(
        metric=metric,
        signature=reference_run.scores.signatures[metric],
        reference=reference_run.name,
        data=reference_run.manifest.data.source if reference_run.manifest else _NO_DATA,
        decoding=reference_run.decoding,
        resampling=resampling,
        rows=rows,
        seeds=seed_rows(trained, metric, resampling),
        labels=[
            *(sentence("board.severities", words=line) for line in severities_in_words(ordered)),
            *label_warnings(ordered),
        ],
        claims=board_claims(trained, metric, resampling),
        doses=board_doses(trained, metric),
        notes=[
            *twice,
            *_incomplete(ordered),
            *same_answers(ordered),
            *trained_notes(ordered),
            *stopped_notes(ordered),
            *unsealed_notes(ordered),
        ],
        changed=changed_words(ordered),
        contents=contents(ordered),
        noise=noise_line(ordered),
        questions=of_scores(reference_run, metric),
        people=of_people(people, metric, reference_run.scores.signatures[metric]),
        encoder=encoder_words(reference_run.scores) if metric == QUALITY else "",
        analysis=declared,
        judge=board_judge(judged),
        chosen_by=chosen_by,
        nll=board_nll([run for run in trained if not run.lacks], resampling),
        screening={name: why for name, why in known.items() if name in columns_of(Group.SAFETY)},
    )


def _seed(run: Run) -> int:
    seed = next(iter(group_of(run).runs))
    return -1 if seed is None else seed


def _apart(reference: Run, run: Run, runs: Sequence[Run]) -> list[str]:
    """What keeps a run from being ranked beside the reference."""
    lacks = [sentence("board.lacks", what=each) for each in run.lacks]
    names = (sentence("apart.the_reference") if reference.lacks else reference.name, sentence("apart.this"))
    return [
        *lacks,
        *differences(reference, run, names=names),
        *other_backend(reference, run),
        *other_training(runs, run),
    ]


def _incomplete(runs: Sequence[Run]) -> list[str]:
    return [sentence("board.incomplete", run=run.name, lacks=together(run.lacks)) for run in runs if run.lacks]


def _most_alike(run: Run, runs: Sequence[Run]) -> AlikeCell | None:
    """Which other run gave the most of the same answers."""
    others = [alike(run, other) for other in runs if other is not run and not as_expected((run, other))]
    most = max((each for each in others if each.same), key=lambda each: each.share_pct, default=None)
    return AlikeCell(run=most.second, same=most.same, n=most.n) if most else None


def _mean(run: Run, metric: str) -> float:
    # In the order of the ids, so that no other order of the answers can turn two rows of one mean.
    return float(run.scores.frame.sort_values("id")[metric].mean())


def _tested(compared: Comparison, p_all: float) -> TestedCell:
    change = compared.difference(compared.metrics[0], OVERALL)
    return TestedCell(
        against=compared.first,
        n=change.n,
        mean=change.mean,
        low=change.low,
        high=change.high,
        p=change.p,
        p_all_pairs=None if change.p is None else p_all,
        floor=compared.noise.floor(compared.metrics[0], OVERALL),
    )


def _check(runs: Sequence[Run], metric: str) -> None:
    if not runs:
        raise UserError("no run was given", "Name at least one run folder")
    places = [(run.path.resolve(), run.scores_file.name) for run in runs]
    for place in places:
        if places.count(place) > 1:
            raise UserError(f"run {place[0]} was given twice", "Name each run once")
    for run in runs:
        check_metric(run, metric)
        if better(run.scores.signatures[metric]) is Better.NEITHER:
            raise UserError(
                f"{metric} ranks nothing: neither more nor less of it is better", "Choose another --metric"
            )
    refuse_screening([metric], screening_of(runs), "a board cannot rank by")


def _ranks(
    ordered: Sequence[Run], metric: str, resampling: Resampling
) -> tuple[dict[int, tuple[int, int]], dict[int, TestedCell]]:
    """Each run's best and worst rank, and its comparison with the first run."""
    if not ordered:
        return {}, {}
    first, *others = ordered
    ranking = rank_intervals([run.scores for run in ordered], metric, resampling)
    compared = compare_all(first, others, metric, resampling)
    tested = {
        id(run): _tested(each, float(p)) for run, each, p in zip(others, compared, ranking.p[0, 1:], strict=True)
    }
    return dict(zip(map(id, ordered), ranking.intervals, strict=True)), tested


def _row(
    run: Run,
    ranks: tuple[int, int] | None,
    differs: list[str],
    summaries: Sequence[Summary],
    aggregates: Sequence[AggregateScore],
) -> Row:
    manifest = run.manifest
    training = training_of(run) or {}
    low, high = ranks or (None, None)
    metrics: dict[str, dict[str, Cell]] = {}
    for summary in summaries:
        if summary.n:
            metrics.setdefault(summary.metric, {})[summary.stratum] = _cell(summary)
    return Row(
        rank=low,
        rank_low=low,
        rank_high=high,
        name=run.name,
        arm=training.get("arm"),
        seed=training.get("seed"),
        backend=manifest.model.kind if manifest else "lm_eval",
        floor=run.floor is not None,
        metrics=metrics,
        aggregates={str(score.aggregate): _total(score) for score in aggregates},
        differs=differs,
        notes=[note for note in (beyond_encoder(run.scores),) if note],
        command=recorded_command(run),
        facts=provenance(run),
        path=str(run.path),
        signatures={metric: run.scores.signatures[metric] for metric in metrics},
    )


def _cell(summary: Summary) -> Cell:
    return Cell(n=summary.n, mean=summary.mean, low=summary.low, high=summary.high)


def _total(score: AggregateScore) -> AggregateCell:
    return AggregateCell(value=None if isnan(score.value) else score.value, low=score.low, high=score.high)
