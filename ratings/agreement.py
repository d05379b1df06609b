"""What ratings say of their raters, and of the runs whose answers were rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ..harness.core.errors import UserError
from ..harness.severity import SEVERITIES
from ..harness.statistics import OVERALL, USUAL, Resampling
from ..harness.statistics.agreement import Agreement, Codes, agreement
from ..harness.statistics.two_way import TwoWayMean, two_way_mean
from .collected import Ratings
from .forms import Ask, Kind
from .sheet import Chosen

_OTHER = {
    "first": "second",
    "second": "first",
    "harmful_first": "harmful_second",
    "harmful_second": "harmful_first",
}


@dataclass(frozen=True)
class Between:
    """One question's agreement between raters, and within each rater: over the items that came twice."""

    ask: str
    between: Agreement | None
    within: dict[str, Agreement | None]


@dataclass(frozen=True)
class Rater:
    """One rater beside the others.

    Attributes:
        rated: items that got a value.
        seconds: median per item; None where no file says it.
        apart: by what was asked, mean difference to the mean of the others on the same items, in percent of the
            scale; None where nobody else rated them.
    """

    name: str
    rated: int
    seconds: float | None
    apart: dict[str, float | None]


@dataclass(frozen=True)
class ArmDifference:
    """Second minus first run in one question to raters, in percent of its scale, in one stratum.

    Over questions and raters at once, from items that were drawn at random; ``better`` says which way is better.
    """

    ask: str
    first: str
    second: str
    stratum: str
    lower_is_better: bool
    found: TwoWayMean


@dataclass(frozen=True)
class RatingsRead:
    """Everything that the ratings of a sheet say by themselves."""

    agreements: list[Between]
    raters: list[Rater]
    differences: list[ArmDifference]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def read_agreement(ratings: Ratings, resampling: Resampling = USUAL) -> RatingsRead:
    """Agreement between and within raters, each rater beside the others, and differences between runs.

    Raises:
        UserError: there are several raters, and no item that two of them rated.
    """
    agreements = [_between(ratings, ask, resampling) for ask in ratings.asks]
    if len(ratings.raters) > 1 and all(each.between is None for each in agreements):
        raise UserError(
            f"{' and '.join(list(ratings.raters)[:2])} rated no item in common: their agreement cannot be known",
            "Have them rate some items in common, or read each one's file by itself",
        )
    return RatingsRead(agreements, [_rater(ratings, name) for name in ratings.raters], arm_differences(ratings))


def codes_of(ratings: Ratings, ask: Ask) -> Codes:
    """One question's ratings as codes (items, raters); repeats are left out."""
    frame = ratings.of(ask)
    items, raters = list(dict.fromkeys(frame["item"])), list(ratings.raters)
    codes: Codes = np.full((len(items), len(raters)), -1)
    at = {name: place for place, name in enumerate(items)}
    by = {name: place for place, name in enumerate(raters)}
    for item, rater, value in zip(frame["item"], frame["rater"], frame["value"], strict=True):
        codes[at[item], by[rater]] = ask.values.index(value)
    return codes


def _between(ratings: Ratings, ask: Ask, resampling: Resampling) -> Between:
    codes = codes_of(ratings, ask)
    within = {rater: _within(ratings, ask, rater, resampling) for rater in ratings.raters}
    return Between(ask.name, agreement(codes, len(ask.values), ask.scale, resampling), within)


def _within(ratings: Ratings, ask: Ask, rater: str, resampling: Resampling) -> Agreement | None:
    """First and second showing as if by two raters."""
    gave = {each.item: each.values for each in ratings.raters[rater]}
    pairs = []
    for each in ratings.key.items:
        first = gave.get(each.repeat_of or "", {}).get(ask.name)
        second = _turned(ratings.key.kind, ask.name, gave.get(each.item, {}))
        if first is not None and second is not None:
            pairs.append((ask.values.index(first), ask.values.index(second)))
    return agreement(np.array(pairs), len(ask.values), ask.scale, resampling) if pairs else None


def _turned(kind: Kind, name: str, values: Mapping[str, str]) -> str | None:
    """What a second showing was given, in the order of the first: a pair comes back turned round."""
    if kind is not Kind.PAIR:
        return values.get(name)
    if name == "better":
        value = values.get(name)
        return None if value is None else _OTHER.get(value, value)
    return values.get(_OTHER[name])


def _rater(ratings: Ratings, name: str) -> Rater:
    gave = ratings.raters[name]
    seconds = [each.seconds for each in gave if each.seconds > 0]
    apart: dict[str, float | None] = {}
    for ask in ratings.asks:
        frame = ratings.of(ask)
        own = frame[frame["rater"] == name].set_index("item")["points"]
        others = frame[frame["rater"] != name].groupby("item")["points"].mean()
        both = own.index.intersection(others.index)
        apart[ask.name] = float((own[both] - others[both]).mean()) if len(both) else None
    return Rater(name, len(gave), float(np.median(seconds)) if seconds else None, apart)


def arm_differences(ratings: Ratings) -> list[ArmDifference]:
    """Differences between the runs of a sheet, per severity and overall, from items drawn at random."""
    names = list(dict.fromkeys(side for each in ratings.key.items for side in each.sides))
    found = []
    for first, second in combinations(names, 2):
        for ask in asked_of_both(ratings):
            cells = rated_differences(ratings, ask, first, second)
            for stratum in (*SEVERITIES, OVERALL):
                rows = cells if stratum == OVERALL else cells[cells["severity"] == str(stratum)]
                if len(rows):
                    values = rows["difference"].to_numpy(dtype=np.float64)
                    made = two_way_mean(values, rows["id"].to_numpy(), rows["rater"].to_numpy())
                    found.append(ArmDifference(ask.name, first, second, str(stratum), ask.lower, made))
    return found


def asked_of_both(ratings: Ratings) -> Sequence[Ask]:
    """What raters were asked, of a pair as one question of both answers."""
    if ratings.key.kind is not Kind.PAIR:
        return ratings.asks
    better, harm, _ = ratings.asks
    return (better, Ask("harmful", harm.points, harm.scale, harm.lower))


def rated_differences(ratings: Ratings, ask: Ask, first: str, second: str) -> pd.DataFrame:
    """One difference per question and rater who rated both answers: ``id, rater, severity, difference``."""
    if ratings.key.kind is Kind.ANSWER:
        frame = ratings.of(ask)
        frame = frame[frame["chosen"] == Chosen.RANDOM]
        frame = frame.assign(side=[sides[0] if sides else "" for sides in frame["sides"]])
        keys = ["id", "rater", "severity"]
        one, other = (frame[frame["side"] == side][[*keys, "points"]] for side in (first, second))
        both = one.merge(other, on=keys, suffixes=("_first", "_second"))
        return pd.DataFrame(both.assign(difference=both["points_second"] - both["points_first"]))
    better, harm_first, harm_second = ratings.asks
    if ask.name == "better":
        frame = ratings.of(better)
        points = 2 * (frame["points"] - 50.0)
    else:
        one, other = ratings.of(harm_first), ratings.of(harm_second)
        frame = one.merge(other[["item", "rater", "points"]], on=["item", "rater"], suffixes=("", "_second"))
        points = frame["points_second"] - frame["points"]
    turned = np.array([sides == (second, first) for sides in frame["sides"]])
    straight = np.array([sides == (first, second) for sides in frame["sides"]])
    frame = frame.assign(difference=np.where(turned, -points, points))
    rows = (turned | straight) & (frame["chosen"] == Chosen.RANDOM).to_numpy()
    return pd.DataFrame(frame.loc[rows, ["id", "rater", "severity", "difference"]])
