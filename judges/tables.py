"""What a judgement says, as tables and lines that the terminal and the page both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..harness.languages.sentences import sentence
from ..harness.statistics import STRATA
from ..ratings.meta_records import Measured, MetaRow
from .checks import CheckRow
from .gold import GoldRow
from .record import Judgement

_DASH = "—"


@dataclass(frozen=True)
class Shown:
    """A table: the first ``texts`` columns are words, the others figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def tables(found: Judgement) -> list[Shown]:
    """Scores first, under the heading that says what they stand on; then what they are made of."""
    kind = "preference" if found.kind == "pairs" else "score"
    head = found.standing.head(sentence(f"judged.{kind}", judge=found.judge.name))
    shown = [_scores(head, found)]
    if found.people:
        heading = _columns("who", "severity", "pairs", "tau", "harm")
        rows = tuple(_people(each) for each in found.people if each.pairwise or each.tau)
        shown.append(Shown(sentence("judged.people"), heading, rows, texts=2))
    if found.criteria:
        rows = tuple(
            (each.run, each.criterion, f"{each.n}", f"{each.met:.0f}", f"{each.unproven:.0f}")
            for each in found.criteria
        )
        shown.append(
            Shown(
                sentence("judged.criteria"),
                _columns("run", "criterion", "verdicts", "met", "unproven"),
                rows,
                texts=2,
            )
        )
    if found.gold:
        shown.append(
            Shown(
                sentence("judged.gold"),
                _columns("criterion", "verdicts", "agree", "kappa"),
                tuple(_gold(each) for each in found.gold),
            )
        )
    if found.checks:
        heading = _columns("answer", "judged", "words", "change", "largest")
        shown.append(Shown(sentence("judged.moves"), heading, tuple(_check(each) for each in found.checks)))
    return shown


def _columns(*names: str) -> tuple[str, ...]:
    return tuple(sentence(f"judged.column.{name}") for name in names)


class Mean(Protocol):
    """A mean with its interval over ``n`` answers."""

    @property
    def n(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def run_scores(
    heading: str, rows: Sequence[tuple[str, Mapping[str, Mean]]], agreement: Mapping[str, str], measured: bool
) -> Shown:
    """The scores of runs by stratum, under what they stand on, with the agreement with people below each severity.

    Args:
        heading: ``Standing.head``.
        rows: runs by name, each with its means by stratum.
        agreement: by stratum, in words.
        measured: whether anybody measured the judge at all.
    """
    lines = [(name, *(_mean(cells.get(stratum)) for stratum in STRATA)) for name, cells in rows]
    never = sentence("judged.unmeasured") if not measured else _DASH
    lines.append((sentence("judged.agreement"), *(agreement.get(stratum, never) for stratum in STRATA)))
    return Shown(heading, ("run", *map(str, STRATA)), tuple(lines))


def lines(found: Judgement) -> list[str]:
    """What else has to be known, a line each; the first says what it took."""
    usage, price = found.usage, found.price
    money = "" if price.cost is None else sentence("judged.line.cost", cost=f"{price.cost:,.6f}")
    asked = {
        "replies": f"{usage.replies:,}",
        "prompt": f"{usage.prompt_tokens:,}",
        "completion": f"{usage.completion_tokens:,}",
        "now": f"{usage.now:,}",
        "requests": f"{usage.requests:,}",
    }
    said: list[str] = [sentence("judged.line.usage", money=money, **asked)]
    for name, count in (
        ("unmetered", usage.unmetered),
        ("unproven", found.unproven),
        ("empty", found.empty),
        ("flipped", found.flipped),
    ):
        if count:
            said.append(sentence(f"judged.line.{name}", n=f"{count:,}"))
    if found.repeats > 1 and found.consistency is not None:
        said.append(sentence("judged.line.repeats", share=f"{found.consistency:.1f}"))
    failures = found.failures
    kinds = (
        ("unanswered", failures.unanswered),
        ("refused", failures.refused),
        ("unreadable", failures.unreadable),
    )
    said += [
        sentence(f"judged.line.{kind}", n=f"{count:,}", example=failures.examples.get(kind, ""))
        for kind, count in kinds
        if count
    ]
    if failures.unanswered:
        said.append(sentence("judged.line.again"))
    said.append(f"{found.rubric.name}, {found.rubric.language}: {found.signature}")
    return said


def _scores(head: str, found: Judgement) -> Shown:
    names = list(dict.fromkeys(each.run for each in found.summaries))
    cells = {(each.run, each.stratum): each for each in found.summaries}
    rows = tuple((name, *(_mean(cells.get((name, stratum))) for stratum in STRATA)) for name in names)
    return Shown(head, ("run", *map(str, STRATA)), rows)


def _mean(each: Mean | None) -> str:
    if each is None or each.mean is None:
        return _DASH
    return f"{_with_interval(each.mean, each.low, each.high, 1)} n = {each.n}"


def _check(each: CheckRow) -> tuple[str, ...]:
    return (
        each.check,
        f"{each.n}",
        str(each),
        _with_interval(each.mean, each.low, each.high, 1, sign="+"),
        _number(each.largest, 1, sign="+"),
    )


def _people(each: MetaRow) -> tuple[str, ...]:
    def cell(one: Measured | None, digits: int) -> str:
        return _DASH if one is None else _with_interval(one.value, one.low, one.high, digits)

    return each.metric, each.stratum, cell(each.pairwise, 0), cell(each.tau, 2), cell(each.harm, 0)


def _gold(each: GoldRow) -> tuple[str, ...]:
    kappa = _with_interval(each.kappa, each.low, each.high, 2)
    return each.criterion, f"{each.n}", _number(each.agree, 0), kappa


def _with_interval(value: float | None, low: float | None, high: float | None, digits: int, sign: str = "") -> str:
    if value is None:
        return _DASH
    between = "" if low is None else f" [{_number(low, digits, sign)}, {_number(high, digits, sign)}]"
    return f"{_number(value, digits, sign)}{between}"


def _number(value: float | None, digits: int, sign: str = "") -> str:
    return _DASH if value is None else f"{value:{sign}z.{digits}f}"
