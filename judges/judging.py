"""A judgement of runs, from their answers to the folder that is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..harness.core.errors import UserError
from ..harness.core.files import ensure_writable
from ..harness.core.settings import Record
from ..harness.generation.store.store import Store
from ..harness.languages import Language
from ..harness.runs.run import Run
from ..harness.statistics import OVERALL, Resampling
from ..ratings.collected import Ratings
from ..ratings.meta_records import MetaRow
from .answers import Judged, judge_answers, scores
from .asked import Asked, Progress
from .asking import Judge
from .checks import CheckRow, changes, check_row, drawn
from .gold import GoldAnswer, GoldRow, against, read_gold
from .keeping import FILES, Kept, keep, of_answers, of_pairs
from .pairs import judge_pairs, matched
from .prompt import VERSION
from .record import ANSWERS, Failures, Judgement, JudgeRecord, RubricRecord, RunRecord, answers_digest, cost
from .rubric import Rubric
from .scoring import Verdicts
from .standing import COLUMN, standing, with_people
from .words import judge_words


class Wanted(Record):
    """What is to be judged, and how.

    Attributes:
        pairs: compare two runs instead of scoring each.
        repeats: how often each request is made.
        limit: rows per severity and run; None for all.
        checks: of how many answers per severity it is seen what moves the judge; 0 for none.
        gold: a file of answers with people's word on criteria.
        price_in, price_out: of a million tokens.
        retry_refused: ask again what the judge's server refused before.
    """

    pairs: bool = False
    repeats: int = 1
    limit: int | None = None
    checks: int = 0
    gold: Path | None = None
    price_in: float | None = None
    price_out: float | None = None
    retry_refused: bool = False


@dataclass(frozen=True)
class By:
    """Who judges, by which rubric, which stands in ``file``."""

    judge: Judge
    rubric: Rubric
    file: str


def judge_runs(
    runs: Sequence[Run],
    by: By,
    wanted: Wanted,
    out: Path,
    resampling: Resampling,
    store: Path | None = None,
    ratings: Ratings | None = None,
    progress: Progress = lambda done, total: None,
) -> Judgement:
    """Judge, and keep everything in ``out``, ``judge.json`` last; ``store`` is where replies go, else into it too.

    Raises:
        UserError: the runs do not fit together or the rubric, the judge cannot be asked, or ``out`` not written.
            Whatever was answered is kept, and the same call goes on.
    """
    spoken = _one_language(runs, wanted)
    rubric, code = by.rubric, by.rubric.language or spoken.code
    words = judge_words(code)
    nudges = judge_words(spoken.code).checks if wanted.checks else words.checks
    for name in FILES:
        ensure_writable(out / name)
    judged = {run.name: _rows(run, wanted.limit) for run in runs}
    rubric.demand(dict.fromkeys(each.severity for rows in judged.values() for each in rows), by.file)
    if ratings:
        # Before anything is asked: whether these are ratings of these runs.
        with_people(ratings, runs, {run.name: {} for run in runs}, "", resampling, wanted.pairs)
    gold = read_gold(wanted.gold, rubric) if wanted.gold else []
    rubric.demand(dict.fromkeys(str(each.severity) for each in gold), by.file)
    identity = {"judge": by.judge.identity, "prompt": VERSION, "words": f"{code}-{words.version}"}
    answers = Store(store or out / ANSWERS, identity)
    asked = Asked(by.judge, answers, words, wanted.retry_refused, progress)
    signature = _signature(by, wanted, answers.digest, f"{code}-{words.version}")
    checks: tuple[CheckRow, ...] = ()
    if wanted.pairs:
        pairs = matched(*judged.values())
        kept = of_pairs(judge_pairs(pairs, asked, rubric, wanted.repeats, spoken), signature, resampling)
    else:
        rows = [each for some in judged.values() for each in some]
        said = judge_answers(rows, asked, rubric, wanted.repeats, spoken)
        kept = of_answers(rows, said, rubric, signature, resampling, spoken)
        checks = _checks(rows, said, asked, by, wanted, changes(nudges, spoken, by.judge.name), spoken, resampling)
    if not kept.known:
        asked.demand_any()
    gold_rows = _against_gold(gold, wanted.gold, asked, rubric, spoken, resampling)
    people = _against_people(ratings, runs, kept, signature, resampling, wanted.pairs)
    whole = next((row for row in people if (row.metric, row.stratum) == (COLUMN, OVERALL)), None)
    usage = asked.usage()
    judgement = Judgement(
        maqa_severity=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        kind="pairs" if wanted.pairs else "answers",
        judge=JudgeRecord(name=by.judge.name, identity=by.judge.identity),
        rubric=RubricRecord(name=rubric.name, file=by.file, language=code, sha256=rubric.digest),
        runs=tuple(_record(run, judged[run.name]) for run in runs),
        repeats=wanted.repeats,
        signature=signature,
        standing=standing(whole, gold_rows[-1] if gold_rows else None),
        summaries=kept.summaries,
        criteria=kept.criteria,
        consistency=kept.consistency,
        flipped=kept.flipped,
        unproven=kept.unproven,
        empty=kept.empty,
        failures=Failures(**asked.failures, examples=asked.examples),
        usage=usage,
        price=cost(usage, wanted.price_in, wanted.price_out),
        people=people,
        gold=tuple(gold_rows),
        checks=checks,
    )
    keep(out, kept, judgement)
    return judgement


def _record(run: Run, rows: Sequence[Judged]) -> RunRecord:
    digest = answers_digest((each.id, each.answer) for each in rows)
    return RunRecord(name=run.name, path=str(run.path), answers=len(rows), sha256=digest)


def _one_language(runs: Sequence[Run], wanted: Wanted) -> Language:
    names = [run.name for run in runs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"two runs are called {twice}", "Give each of them another --name when it is evaluated")
    if len({run.language.code for run in runs}) > 1:
        raise UserError("the runs are of different languages", "Judge those of each language by themselves")
    if wanted.pairs and len(runs) != 2:
        raise UserError(f"--pairs compares two runs, not {len(runs)}", "Give two")
    if wanted.pairs and (wanted.checks or wanted.gold):
        raise UserError("--checks and --gold are of single answers", "Give them without --pairs")
    return runs[0].language


def _rows(run: Run, limit: int | None) -> list[Judged]:
    rows: list[Judged] = []
    taken: dict[str, int] = {}
    for row in run.answers.to_dict("records"):
        severity = str(row["severity"])
        taken[severity] = taken.get(severity, 0) + 1
        if limit is None or taken[severity] <= limit:
            rows.append(Judged(run.name, str(row["id"]), severity, str(row["question"]), str(row["prediction"])))
    return rows


def _signature(by: By, wanted: Wanted, digest: str, words: str) -> str:
    parts = (
        f"judge:{by.judge.name.replace('|', '/')}",
        f"asked:{digest[:12]}",
        f"rubric:{by.rubric.digest[:12]}",
        f"words:{words}",
        f"repeats:{wanted.repeats}",
        *(["pairs:both-orders"] if wanted.pairs else []),
        "applies:some",
        f"version:{VERSION}",
    )
    return "|".join(parts)


def _checks(
    rows: Sequence[Judged],
    said: Sequence[Sequence[Verdicts | None]],
    asked: Asked,
    by: By,
    wanted: Wanted,
    ways: Mapping[str, Callable[[str], str]],
    spoken: Language,
    resampling: Resampling,
) -> tuple[CheckRow, ...]:
    if not wanted.checks:
        return ()
    places = drawn([(each.run, each.id) for each in rows], [each.severity for each in rows], wanted.checks)
    before = scores([rows[place] for place in places], [said[place] for place in places], by.rubric)
    found = []
    for name, change in ways.items():
        changed = [(at, _with(rows[place], change(rows[place].answer))) for at, place in enumerate(places)]
        # A dialect that has another word for nothing in an answer says nothing of it.
        chosen = [(at, each) for at, each in changed if each.answer != rows[places[at]].answer]
        texts = [each for _, each in chosen]
        after = scores(texts, judge_answers(texts, asked, by.rubric, wanted.repeats, spoken), by.rubric)
        found.append(check_row(name, [before[at] for at, _ in chosen], after, resampling))
    return tuple(found)


def _with(row: Judged, answer: str) -> Judged:
    return Judged(row.run, row.id, row.severity, row.question, answer)


def _against_gold(
    gold: Sequence[GoldAnswer], path: Path | None, asked: Asked, rubric: Rubric, spoken: Language, how: Resampling
) -> list[GoldRow]:
    if path is None:
        return []
    rows = [Judged("", each.id, str(each.severity), each.question, each.answer) for each in gold]
    said = [each[0] for each in judge_answers(rows, asked, rubric, 1, spoken)]
    return against(path, gold, said, rubric, how)


def _against_people(
    ratings: Ratings | None, runs: Sequence[Run], kept: Kept, signature: str, how: Resampling, pairs: bool
) -> tuple[MetaRow, ...]:
    return with_people(ratings, runs, kept.by_run, signature, how, pairs).rows if ratings else ()
