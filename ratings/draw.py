"""Which answers or complaints are rated, and in which order: stratified, shuffled, with hidden repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_text
from ..harness.core.settings import Record
from ..harness.severity import SEVERITIES
from .forms import Kind
from .sheet import Chosen, Item, Key, KeyItem, Sheet

_UNKNOWN = ""


@dataclass(frozen=True)
class Candidate:
    """A question that can be rated, with each side's answer; ``disagreement`` is larger the more metrics or sources
    differ about it."""

    id: str
    severity: str | None
    category: str
    question: str
    answers: tuple[str, ...]
    disagreement: float


class Draw(Record):
    """How much is drawn.

    Attributes:
        questions: how many, as equally over the severities as there are rows.
        disagreement: share of each severity's questions that are those of the largest disagreement.
        repeats: share of the items that come a second time.
        seed: of every choice.
    """

    questions: int
    disagreement: float = 0.25
    repeats: float = 0.1
    seed: int = 0


def draw(
    kind: Kind, language: str, source: str, sides: Sequence[str], candidates: Sequence[Candidate], how: Draw
) -> tuple[Sheet, Key]:
    """A sheet and its key.

    Args:
        kind: PAIR shows both sides' answers as one item; ANSWER makes an item of each side's answer.
        sides: names of the runs, in the order of the candidates' answers; none for complaints.

    Raises:
        UserError: there are fewer questions than asked for, or a share is none.
    """
    _check(how, len(candidates))
    rng = np.random.default_rng(how.seed)
    shown: list[tuple[Candidate, Chosen, tuple[int, ...]]] = []
    for candidate, chosen in _chosen(candidates, how, rng):
        if kind is Kind.PAIR:
            shown.append((candidate, chosen, (0, 1) if rng.random() < 0.5 else (1, 0)))
        else:
            shown += [(candidate, chosen, (side,)) for side in range(len(sides))] or [(candidate, chosen, ())]
    repeats = rng.permutation(len(shown))[: round(how.repeats * len(shown))]
    again = [(shown[place], int(place)) for place in repeats]
    entries = [(each, None) for each in shown] + [
        ((candidate, chosen, order[::-1]), place) for (candidate, chosen, order), place in again
    ]
    names = _names(len(entries), rng)
    key, items = [], []
    for name, ((candidate, chosen, order), repeated) in zip(names, entries, strict=True):
        texts = (candidate.question, *(candidate.answers[side] for side in order))
        items.append(Item(item=name, texts=texts))
        key.append(
            KeyItem(
                item=name,
                id=candidate.id,
                severity=candidate.severity,
                category=candidate.category,
                sides=tuple(sides[side] for side in order),
                sha256=tuple(sha256_text(text) for text in texts),
                chosen=chosen,
                repeat_of=None if repeated is None else names[repeated],
            )
        )
    order = _apart(key, rng)
    sheet = Sheet(kind, language, tuple(items[place] for place in order))
    return sheet, Key(
        sheet=sheet.digest, kind=kind, language=language, source=source, seed=how.seed, items=tuple(key)
    )


def _check(how: Draw, available: int) -> None:
    for name, share in (("--disagreement", how.disagreement), ("--repeats", how.repeats)):
        if not 0 <= share <= 1:
            raise UserError(f"{name} {share:g} is no share", "Give one from 0 to 1, such as 0.1")
    if how.questions < 1:
        raise UserError(f"--questions {how.questions} leaves nothing to rate", "Give 1 or more")
    if how.questions > available:
        raise UserError(
            f"--questions {how.questions} is more than the {available} there are", "Give at most so many"
        )


def _chosen(candidates: Sequence[Candidate], how: Draw, rng: np.random.Generator) -> list[tuple[Candidate, Chosen]]:
    strata = [
        [each for each in candidates if (each.severity or _UNKNOWN) == name] for name in (*SEVERITIES, _UNKNOWN)
    ]
    found = []
    for rows, size in zip(strata, _shares([len(rows) for rows in strata], how.questions), strict=True):
        most = round(how.disagreement * size)
        shuffled = [rows[place] for place in rng.permutation(len(rows))]
        # A stable order of shuffled rows: equal disagreement is no reason to prefer the first of the file.
        by_disagreement = sorted(shuffled, key=lambda each: -each.disagreement)
        taken = [each for each in by_disagreement[:most] if each.disagreement > 0]
        ids = {each.id for each in taken}
        rest = [each for each in shuffled if each.id not in ids][: size - len(taken)]
        found += [(each, Chosen.DISAGREEMENT) for each in taken] + [(each, Chosen.RANDOM) for each in rest]
    return found


def _shares(sizes: Sequence[int], wanted: int) -> list[int]:
    """How many of each stratum: equally many, and of the others what one lacks."""
    left, given = wanted, [0] * len(sizes)
    for count, place in enumerate(sorted(range(len(sizes)), key=lambda place: sizes[place])):
        given[place] = min(sizes[place], round(left / (len(sizes) - count)))
        left -= given[place]
    return given


def _names(count: int, rng: np.random.Generator) -> list[str]:
    return [f"{number:06x}" for number in rng.choice(16**6, count, replace=False)]


def _apart(key: Sequence[KeyItem], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A random order in which the two showings of an item lie at least a third of the sheet apart."""
    n = len(key)
    order = rng.permutation(n)
    place = {key[index].item: position for position, index in enumerate(order)}
    for each in key:
        if each.repeat_of is None:
            continue
        one, two = place[each.repeat_of], place[each.item]
        if abs(one - two) >= n // 3:
            continue
        other = (one + n // 2) % n
        swapped = key[order[other]].item
        order[two], order[other] = order[other], order[two]
        place[each.item], place[swapped] = other, two
    return order
