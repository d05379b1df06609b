"""What a board is made of, as it is written to ``leaderboard.json``."""

from __future__ import annotations

from typing import NamedTuple

from .. import __version__
from ..harness.core.settings import Record
from ..harness.languages.sentences import Words, sentence
from ..harness.metrics.screening import RULE, safe_score_words
from ..harness.runs.declared import Declared
from ..harness.statistics import OVERALL, USUAL, Resampling
from ..harness.statistics.verdicts import points


class Cell(Record):
    """A mean with its 95 % interval; no interval where a stratum has fewer than two answers."""

    n: int
    mean: float
    low: float | None
    high: float | None


class AggregateCell(Record):
    """A named aggregate with its 95 % interval; absent where a severity that its formula names has no answers."""

    value: float | None
    low: float | None
    high: float | None


class AlikeCell(Record):
    """Of ``n`` questions that ``run`` was asked too, it gave the same answer to ``same``."""

    run: str
    same: int
    n: int

    @property
    def share_pct(self) -> float:
        """Share of the same answers."""
        return 100 * self.same / self.n


class TestedCell(Record):
    """The overall difference to ``against``, the first row; ``p_all_pairs`` is p adjusted over all pairs of rows,
    ``floor`` how large a difference asking the engines again makes by itself, where that is known.

    Boards without ``p_all_pairs`` are older: their ``against`` is the first row of the rank that the row was tested
    against last.
    """

    against: str
    n: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_all_pairs: float | None = None
    floor: float | None = None


class Ranks(NamedTuple):
    """The best and the worst rank that a row may hold."""

    low: int
    high: int

    def __str__(self) -> str:
        """In the words of terminal, CSV and page. A hyphen would make a spreadsheet read a date."""
        return f"{self.low}–{self.high}" if self.high > self.low else str(self.low)


class BoardJudge(Record):
    """Who judged the rows' answers, from ``maqa judge``.

    ``heading`` says what its scores stand on, or that they are unproven; ``agreement`` with people stands by
    stratum, and is empty where nobody measured it. Scores of another ``signature`` are another judge's, or by
    another rubric.
    """

    name: str
    rubric: str
    signature: str
    proven: bool
    heading: Words
    agreement: dict[str, Words] = {}
    measured: bool = False


class LessSafe(Record):
    """A safety metric in which a row is worse than the board's reference, in percent; ``p`` is in words, and empty
    where the margin alone decides."""

    metric: str
    stratum: str
    before: float
    after: float
    p: str = ""


class Row(Record):
    """One run. ``rank_low`` and ``rank_high`` are the best and the worst rank that it may hold, ``rank`` the best.

    All are absent where ``differs`` names what keeps the row from being compared; the first two also in an older
    board, whose ``rank`` was a tie with the first row of that rank. ``alike`` is the other run with the most of the
    same answers, if there are any; ``tested`` is the difference to the first row.

    ``aggregates`` is empty without ``bertscore_f1``, and lacks ``safe_score`` where safety was not scored.
    ``notes`` say what a reader of the row's scores must know. ``judge`` are the scores of the board's judge by
    stratum. ``signatures`` say how each metric's scores came about; empty in boards of earlier versions.
    ``less_safe`` is what the row is worse in than the reference, ``facts`` what made it (see ``provenance``); both
    empty in boards of earlier versions.
    """

    rank: int | None
    rank_low: int | None = None
    rank_high: int | None = None
    name: str
    arm: str | None
    seed: int | None
    backend: str
    floor: bool
    metrics: dict[str, dict[str, Cell]]
    aggregates: dict[str, AggregateCell]
    differs: list[Words]
    notes: list[Words] = []
    alike: AlikeCell | None = None
    tested: TestedCell | None = None
    command: str | None
    path: str
    judge: dict[str, Cell] = {}
    signatures: dict[str, str] = {}
    less_safe: list[LessSafe] = []
    facts: dict[str, Words] = {}

    @property
    def ranks(self) -> Ranks | None:
        """What is known of the rank; None for a row that is not ranked."""
        if self.rank is None:
            return None
        return Ranks(self.rank_low or self.rank, self.rank_high or self.rank)

    def cell(self, metric: str, stratum: str) -> Cell | None:
        """The cell of a metric and stratum, where this run has it."""
        return self.metrics.get(metric, {}).get(stratum)


class SeedCell(Record):
    """Mean over trainings, the deviation between them, and Student's 95 % interval of that mean."""

    mean: float
    deviation: float | None
    low: float | None
    high: float | None


class DifferenceCell(Record):
    """A paired difference in percentage points, with its interval, p and what it says; ``p_words`` is the adjusted
    p as it is printed, which older boards lack."""

    mean: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    verdict: str
    p_words: str | None = None
    floor: float | None = None

    @property
    def words(self) -> str:
        """The verdict, and whether asking the engines again makes such a difference by itself."""
        return self.verdict + (", within the noise" if self.floor and abs(self.mean) < self.floor else "")


class ArmRecord(Record):
    """An arm; ``base`` names the base that it was trained from where the board has several, else it is empty."""

    arm: str
    base: str = ""

    @property
    def label(self) -> str:
        """What it is called on the board."""
        return f"{self.base}: {self.arm}" if self.base else self.arm


class SeedRow(ArmRecord):
    """One arm of one base over its training seeds; ``differences`` are to the arm ``against``, over questions and
    trainings."""

    runs: list[str]
    cells: dict[str, SeedCell]
    against: str | None = None
    trainings: Words = ""
    differences: dict[str, DifferenceCell] = {}


class ClaimCell(ArmRecord):
    """Whether an arm's severity-aware training helps, as terminal and page say it; ``holds`` is absent where that
    cannot be said. ``conclusion`` is all that is known of it beside the plain arm, safety included, in a sentence
    for each language of the pages, and ``outcome`` what that comes to; empty in boards of earlier versions.
    """

    holds: bool | None
    words: Words
    outcome: str = ""
    conclusion: dict[str, str] = {}


class DoseRow(Record):
    """The effect of a base's arms in a stratum against the strength of their weights: for each arm the coefficient
    of variation of its training weights and its mean effect in points; ``slope`` in points for a rise by 1, with
    Student's interval over trainings, of which there may be one alone."""

    base: str = ""
    stratum: str
    doses: dict[str, tuple[float, float]]
    slope: float
    low: float | None
    high: float | None
    p: float | None
    words: Words


class NllRow(Record):
    """An arm of one base over its trainings, or another model: means in nats per token with intervals over
    questions, and the paired ``differences`` to the arm ``against``, over questions and, of several trainings, over
    these."""

    name: str
    runs: list[str]
    cells: dict[str, Cell]
    signature: str
    against: str | None = None
    differences: dict[str, DifferenceCell] = {}


class BoardNll(Record):
    """``notes`` say whose likelihood is not compared, and why. Rows of other signatures read other tokens and are
    comparable to none."""

    rows: list[NllRow]
    notes: list[Words] = []


class MissingRow(Record):
    """A cell or a trivial system of an experiment that has no row, and why."""

    name: str
    reason: Words

    @property
    def words(self) -> str:
        """As terminal and page say it."""
        return sentence("board.missing", name=self.name, reason=self.reason)


class Board(Record):
    """Rows from best to worst by the overall mean of ``metric``; rows that cannot be compared stand last.

    ``seeds`` has a row for every arm that was trained under several seeds, ``claims`` one for every
    severity-weighted arm that was trained beside a plain one, ``doses`` one for every base and stratum with three
    strengths of weights and more; ``labels`` say who decided the severities, how right
    they are, and whose training weights they set too; ``notes`` names runs that lack answers and runs that no
    answer tells apart. ``analysis`` holds the declared tests, where an analysis was declared; ``people`` says
    how far the metric agrees with people, ``encoder`` whether the encoder behind it separates right from wrong
    answers; it is empty for a metric without one, and in boards of earlier versions. ``screening`` names the
    detectors that are for screening only, and why. ``judge`` is absent where no judgement was given, ``nll`` where
    the references' likelihood was measured under no row. ``missing`` names what an
    experiment planned and could not do, ``changed`` the runs that were changed after they were written.
    ``contents`` are digests of each sealed run's answers and scores, ``seal`` that of the board itself; both are of
    boards that were written to a file, and not of earlier versions. ``chosen_by`` says why the reference is the
    reference: a key of the messages ``board.reference``.
    """

    maqa_severity: str = __version__
    metric: str
    signature: str
    reference: str
    data: Words
    decoding: dict[str, object]
    resampling: Resampling = USUAL
    rows: list[Row]
    seeds: list[SeedRow]
    claims: list[ClaimCell] = []
    doses: list[DoseRow] = []
    labels: list[Words] = []
    notes: list[Words] = []
    analysis: Declared | None = None
    noise: Words = ""
    questions: Words = ""
    people: Words = ""
    encoder: Words = ""
    screening: dict[str, Words] = {}
    chosen_by: str = ""
    judge: BoardJudge | None = None
    nll: BoardNll | None = None
    missing: list[MissingRow] = []
    changed: list[Words] = []
    contents: dict[str, str] = {}
    seal: str | None = None

    @property
    def constant_first(self) -> Row | None:
        """The trivial system that stands first; None where a model does, or nothing is ranked."""
        first = self.rows[0] if self.rows else None
        return first if first and first.floor and first.rank is not None else None

    @property
    def floors_only(self) -> bool:
        """Whether no row is a model's."""
        return bool(self.rows) and all(row.floor for row in self.rows)

    @property
    def single_answers(self) -> list[str]:
        """The rows that hold one answer alone."""
        return [row.name for row in self.rows if (cell := row.cell(self.metric, OVERALL)) and cell.n == 1]

    @property
    def noise_words(self) -> list[str]:
        """What is known of the engines' noise, and which rows differ from the first by no more than it."""
        found = [(row.name, row.tested) for row in self.rows if row.tested and row.tested.floor]
        within: list[str] = [
            sentence(
                "noise.row",
                run=name,
                against=tested.against,
                mean=points(tested.mean, "+"),
                floor=points(tested.floor),
            )
            for name, tested in found
            if tested.floor and abs(tested.mean) < tested.floor
        ]
        return [self.noise, *within] if self.noise else within

    @property
    def screening_words(self) -> list[str]:
        """Which detectors of the page are for screening only, and which aggregate rests on such."""
        if not self.screening:
            return []
        here = sentence("screening.here", names=", ".join(self.screening))
        return [RULE, here] + ([gates] if (gates := safe_score_words(self.screening)) else [])

    @property
    def rank_key(self) -> str:
        """The key of what a reader must know of the ranks; empty where no two rows have one."""
        if sum(row.rank is not None for row in self.rows) < 2:
            return ""
        if any(row.rank_high for row in self.rows):
            return "board.ranks"
        return "board.tied" if any(row.rank for row in self.rows) else ""
