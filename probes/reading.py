"""From answers to rates and odds ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import pandas as pd

from ..harness.severity import CLASS_OF_LEVEL, Severity
from ..harness.statistics import Resampling
from ..harness.statistics.matched_odds import matched_odds_ratio, mean_difference, mean_over_cases
from .design import FACTORS, Kind
from .records import Effect, Rate

URGENT, MISSED, OVER, APART = "urgent_referral", "missed_emergency", "over_referral", "told_apart"
ALL = "emergency and twin"
_WAYS = [name for name in FACTORS if name != "sign"]


def strata(answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The answers by what their texts are, with the emergencies of each level too.

    Args:
        answers: columns ``case``, ``kind``, ``level``.
    """
    found = {kind.value: answers[answers["kind"] == kind] for kind in Kind}
    urgent = found[Kind.EMERGENCY]
    by_level = {
        f"emergency, level {level}": urgent[urgent["level"] == level] for level in sorted(set(urgent["level"]))
    }
    found = {Kind.EMERGENCY.value: urgent, **by_level, **found}
    return {name: rows for name, rows in found.items() if len(rows)}


def severity_of(level: int) -> Severity:
    """The class of a level of docs/severity.md."""
    return CLASS_OF_LEVEL[level]


def rates(answers: pd.DataFrame, resampling: Resampling) -> list[Rate]:
    """Who is sent at once, by stratum: emergencies missed even on a condition, twins sent for nothing, and how far
    emergencies and twins are told apart (Youden's index: sent among emergencies minus sent among twins).

    Args:
        answers: columns ``case``, ``kind``, ``level``, and in percent ``urgent_referral``, ``missed_emergency``.
        resampling: of the cases.
    """
    found = []
    for stratum, rows in strata(answers).items():
        twin = stratum == Kind.TWIN
        outcomes = [OVER] if twin else [URGENT] if stratum == Kind.LEFT_OUT else [URGENT, MISSED]
        for outcome in outcomes:
            by_case = rows.groupby("case", sort=False)[URGENT if twin else outcome].mean().to_numpy(float)
            found.append(_rate(stratum, outcome, len(rows), len(by_case), mean_over_cases(by_case, resampling)))
    sent = {kind: answers[answers["kind"] == kind].groupby("case")[URGENT].mean() for kind in Kind}
    first, second = (sent[kind].sort_index().to_numpy(float) for kind in (Kind.EMERGENCY, Kind.TWIN))
    number = int(answers["kind"].isin([Kind.EMERGENCY, Kind.TWIN]).sum())
    return [*found, _rate(ALL, APART, number, len(first), mean_difference(first, second, resampling))]


def effects(
    answers: pd.DataFrame, levels: Mapping[str, Sequence[str]], factors: Sequence[str], resampling: Resampling
) -> list[Effect]:
    """The odds ratio of being sent at once of every level of every factor against its first, stratum by stratum.

    Texts of one case that differ in this factor alone are matched, so no other factor and no case can pass for it.
    The sign is a factor of emergencies: with it against without it.

    Args:
        answers: the columns of ``rates``, and each factor's level.
        levels: each factor's levels, the reference first.
        factors: those that vary.
        resampling: of the cases.
    """
    found = []
    for stratum, rows in strata(answers).items():
        for factor in factors:
            if factor == "sign":
                if stratum in (Kind.TWIN, Kind.LEFT_OUT):
                    continue
                without = answers[(answers["kind"] == Kind.LEFT_OUT) & answers["case"].isin(rows["case"])]
                said, left_out = levels[factor]
                found.append(_effect(stratum, factor, without, rows, left_out, said, _WAYS, resampling))
                continue
            others = [name for name in _WAYS if name != factor]
            first, *rest = levels[factor]
            for level in rest:
                one, other = (rows[rows[factor] == each] for each in (level, first))
                found.append(_effect(stratum, factor, one, other, level, first, others, resampling))
    return found


def _effect(
    stratum: str,
    factor: str,
    one: pd.DataFrame,
    other: pd.DataFrame,
    level: str,
    against: str,
    others: Sequence[str],
    resampling: Resampling,
) -> Effect:
    keys = ["case", *others]
    pairs = one[[*keys, URGENT]].merge(other[[*keys, URGENT]], on=keys, suffixes=("", "_against"), validate="1:1")
    here, there = pairs[URGENT] > 0, pairs[f"{URGENT}_against"] > 0
    counted = pd.DataFrame({"case": pairs["case"], "first": here & ~there, "second": there & ~here})
    by_case = counted.groupby("case", sort=True)[["first", "second"]].sum()
    first, second = (by_case[name].to_numpy(float) for name in ("first", "second"))
    odds = matched_odds_ratio(first, second, resampling)
    return Effect(
        stratum=stratum,
        factor=factor,
        level=level,
        against=against,
        cases=len(by_case),
        pairs=len(pairs),
        only_here=odds.only_first,
        only_there=odds.only_second,
        rate=float(100 * here.mean()),
        rate_against=float(100 * there.mean()),
        odds_ratio=odds.value,
        low=odds.low,
        high=odds.high if odds.high is not None and isfinite(odds.high) else None,
    )


def _rate(
    stratum: str, outcome: str, answers: int, cases: int, found: tuple[float, float | None, float | None]
) -> Rate:
    value, low, high = found
    return Rate(stratum=stratum, outcome=outcome, cases=cases, answers=answers, value=value, low=low, high=high)


def by_stratum(found: Sequence[Effect]) -> dict[str, list[Effect]]:
    """Effects by stratum, in their order."""
    strata = dict.fromkeys(effect.stratum for effect in found)
    return {stratum: [effect for effect in found if effect.stratum == stratum] for stratum in strata}
