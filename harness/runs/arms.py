"""Runs as the arms of an experiment: each base's arms set against each other, and the same over the bases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..statistics import OVERALL, USUAL, Resampling
from ..statistics.margins import Margin
from .claim import BASELINE, CLAIMED, Claim, Leg, controls_of, named
from .comparison import Comparison, compare
from .conclusion import Beaten
from .conditions import conditions, training_of
from .dose import Dose, doses_of
from .groups import RunGroup, as_group
from .margins import margins_of
from .over_bases import InteractionOverBases, OverBases, Pair, interactions_over, over_bases
from .run import Run


@dataclass(frozen=True)
class ArmsOfBase:
    """The arms of one base, compared pair by pair, the claims that the pairs bear, and the effect by the strength
    of the weights, where there are schemes enough."""

    base: str
    pairs: dict[Pair, Comparison]
    claims: list[Claim]
    doses: list[Dose] = field(default_factory=list)


@dataclass(frozen=True)
class ArmsCompared:
    """The arms of every base, and each pair over the bases: ``over`` all answers, and ``interactions``; both are
    empty for one base."""

    bases: list[ArmsOfBase]
    over: list[OverBases]
    interactions: list[InteractionOverBases] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "bases": [
                {
                    "base": each.base,
                    "pairs": [compared.as_json() for compared in each.pairs.values()],
                    "claims": [
                        {**asdict(claim), "holds": claim.holds, "words": str(claim)} for claim in each.claims
                    ],
                    "doses": [{**asdict(dose), "words": str(dose)} for dose in each.doses],
                }
                for each in self.bases
            ],
            "over_models": [{**asdict(each), "words": str(each)} for each in self.over],
            "interactions_over_models": [
                {**asdict(each), "specific": each.specific, "words": str(each)} for each in self.interactions
            ],
        }


def arms_compared(bases: Sequence[ArmsOfBase]) -> ArmsCompared:
    """The arms of bases, with what these show together."""
    pairs = [each.pairs for each in bases]
    return ArmsCompared(list(bases), over_bases(pairs), interactions_over(pairs))


def compare_named(
    runs: Sequence[Run],
    names: Sequence[str],
    metrics: Sequence[str],
    resampling: Resampling = USUAL,
    unpaired: bool = False,
    contrasts: Sequence[Pair] = (),
    margins: Mapping[str, float | Margin] | None = None,
    untrained: bool = False,
    gold: Path | None = None,
) -> ArmsCompared:
    """Compare arms over their trainings, base by base: each with the first, and the severity-weighted one with all.

    Args:
        runs: of checkpoints by `maqa train lm`; those of other arms are left out.
        names: ``ce``, ``severity``; or with the scheme, ``severity-balanced``, where a base has several.
        metrics: the first of them bears the claims.
        resampling: of what is over questions alone.
        unpaired: to take the trainings as unrelated, whatever their seeds.
        contrasts: further pairs of these names.
        margins: by metric, in percentage points.
        untrained: whether arms with one training, or of other seeds, are compared too, as what they are.
        gold: how right the severities are; see ``compare``.

    Raises:
        UserError: an arm is missing, ambiguous, or has one training; the seeds of two arms differ, unless they are
            ``unpaired``; two arms have no common question; or a pair cannot be compared.
    """
    if len(set(names)) < 2:
        raise UserError("--arms names fewer than two arms", "Name the plain arm first: --arms ce severity RUN...")
    found = []
    for base, by_arm in bases_of(runs).items():
        arms = [_chosen(base, by_arm, name) for name in dict.fromkeys(names)]
        for arm in () if untrained else arms:
            _demand_trainings(arms[0], arm, unpaired)
        groups = {str(arm.arm): arm for arm in arms}
        against = set_against(own := list(groups))
        pairs = [(own[0], name) for name in own[1:]]
        pairs += [(arm_called(own, first), arm_called(own, second)) for first, second in contrasts]
        found.append(arms_of_base(base, groups, pairs, against, metrics, resampling, not unpaired, margins, gold))
    return arms_compared(found)


def arm_called(arms: Sequence[str], name: str) -> str:
    """The arm of a base that a name means.

    Raises:
        UserError: none of them, or several.
    """
    fitting = [arm for arm in arms if arm == name] or [arm for arm in arms if named(arm, name)]
    if len(fitting) != 1:
        raise UserError(
            f"a contrast names arm {name!r}, which is {'several' if fitting else 'none'} of {', '.join(arms)}",
            "Name it behind --arms too and give its runs, or change the contrast",
        )
    return fitting[0]


def set_against(names: Sequence[str]) -> dict[str, list[str]]:
    """Each severity-weighted arm that has a plain arm beside it, and whom it must beat: that one and controls."""
    plain = [name for name in names if named(name, BASELINE)]
    claimed = [name for name in names if named(name, CLAIMED)] if plain else []
    return {name: [*plain, *controls_of(name, names)] for name in claimed}


def arms_of_base(
    base: str,
    groups: Mapping[str, RunGroup],
    pairs: Sequence[Pair],
    against: Mapping[str, Sequence[str]],
    metrics: Sequence[str],
    resampling: Resampling = USUAL,
    pair_seeds: bool = True,
    margins: Mapping[str, float | Margin] | None = None,
    gold: Path | None = None,
) -> ArmsOfBase:
    """Compare pairs of one base's arms, and each claimed arm with those that it is set ``against``.

    Raises:
        UserError: a pair has no common question, or cannot be compared.
    """
    made = {}
    legs = [(other, arm) for arm, others in against.items() for other in others]
    for first, second in dict.fromkeys((*pairs, *legs)):
        _demand_questions(first, groups[first], second, groups[second])
        made[first, second] = compare(
            groups[first],
            groups[second],
            metrics,
            resampling=resampling,
            pair_seeds=pair_seeds,
            margins=margins_of((), metrics) | dict(margins or {}),
            gold=gold,
        )
    claims = claims_of(made, against)
    return ArmsOfBase(base, concluded(made, claims), claims, doses_of(groups, metrics))


def concluded(made: Mapping[Pair, Comparison], claims: Sequence[Claim]) -> dict[Pair, Comparison]:
    """The comparisons, each claimed arm's with the plain one concluded with what it does to the controls."""
    found = dict(made)
    for claim in claims:
        beaten = [Beaten(leg.against, leg.holds if leg.judged else None) for leg in claim.controls]
        for leg in claim.legs:
            pair = (leg.against, claim.arm)
            if named(leg.against, BASELINE) and (conclusion := found[pair].conclusion):
                found[pair] = replace(found[pair], conclusion=replace(conclusion, controls=tuple(beaten)))
    return found


def claims_of(made: Mapping[Pair, Comparison], against: Mapping[str, Sequence[str]]) -> list[Claim]:
    """The claim of each arm that is set against others, by the first metric over all answers."""
    claims = []
    for arm, others in against.items():
        pairs = [made[other, arm] for other in others]
        metric = pairs[0].metrics[0]
        legs = [
            Leg(other, pair.difference(metric, OVERALL), pair.trained, pair.noise.within(metric, OVERALL))
            for other, pair in zip(others, pairs, strict=True)
        ]
        plain = next((pair for other, pair in zip(others, pairs, strict=True) if named(other, BASELINE)), None)
        specific = next((str(each) for each in plain.interactions if each.metric == metric), "") if plain else ""
        claims.append(Claim(arm, metric, OVERALL, tuple(legs), specific))
    return claims


def bases_of(runs: Sequence[Run]) -> dict[str, dict[str, list[Run]]]:
    """The runs of each base by its name, and in it of each arm by its name with the scheme; a training that stands
    for several arms is a run of each.

    Raises:
        UserError: a run does not say how its model was trained.
    """
    found: dict[str, dict[str, list[Run]]] = {}
    names = names_of_bases(runs)
    for run in runs:
        training = training_of(run)
        if training is None:
            raise UserError(
                f"run {run.path} does not say how its model was trained, so its arm is unknown",
                "Give runs of checkpoints by `maqa train lm`",
            )
        of_base = found.setdefault(names[key_of_base(conditions(training).get("base"))], {})
        for arm in ("-".join(filter(None, (training["arm"], training.get("scheme")))), *training.get("also", [])):
            of_base.setdefault(arm, []).append(run)
    return found


def names_of_bases(runs: Sequence[Run]) -> dict[str, str]:
    """What the bases of trained runs are called, by ``key_of_base``: two of one name are numbered."""
    names: dict[str, str] = {}
    for training in filter(None, map(training_of, runs)):
        key = key_of_base(conditions(training).get("base"))
        name = str((training.get("base") or {}).get("name") or "the base").rstrip("/").rpartition("/")[2]
        if key not in names:
            alike = sum(each.partition(" #")[0] == name for each in names.values())
            names[key] = f"{name} #{alike + 1}" if alike else name
    return names


def key_of_base(base: Any) -> str:
    """A base by its weights, as the training manifests and ``RunGroup.base`` say them."""
    return json.dumps(base, sort_keys=True)


def _chosen(base: str, by_arm: Mapping[str, list[Run]], name: str) -> RunGroup:
    fitting = [arm for arm in by_arm if named(arm, name)]
    if not fitting:
        raise UserError(
            f"no run is of arm {name!r} of {base}, only of {', '.join(by_arm)}",
            "Give its runs, or name another arm",
        )
    if len(fitting) > 1:
        raise UserError(f"{base} has {len(fitting)} arms {name!r}", f"Name one of them: {', '.join(fitting)}")
    group = as_group(by_arm[fitting[0]])
    return RunGroup(fitting[0], group.base, fitting[0], group.runs)


def _demand_trainings(first: RunGroup, arm: RunGroup, unpaired: bool) -> None:
    if len(arm.runs) < 2:
        raise UserError(
            f"arm {arm.arm} has one training, {arm.first.path}, which says nothing about the arm",
            "Train it under another seed too, or compare two checkpoints: maqa compare RUN_A RUN_B",
        )
    if not unpaired and set(arm.runs) != set(first.runs):
        seeds = [", ".join(sorted(map(str, each.runs))) for each in (first, arm)]
        raise UserError(
            f"the seeds differ between arms: {first.arm} has {seeds[0]} and {arm.arm} has {seeds[1]}",
            "Give runs of the same seeds; `maqa compare` also takes --unpaired, for trainings that are unrelated",
        )


def _demand_questions(first: str, one: RunGroup, second: str, other: RunGroup) -> None:
    if not set(one.first.answers["id"]) & set(other.first.answers["id"]):
        raise UserError(
            f"arms {first} and {second} have no common question", "Evaluate both on the same data and rows"
        )
