"""What the noise of the engines says of a difference: whether asking again alone makes one as large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..languages.sentences import Sentence, known_again, sentence, severity, together
from ..statistics import OVERALL, Difference
from ..statistics.noise import Part, at_most, floor_of, parts_of
from ..statistics.verdicts import points
from .run import Run

NOT_MEASURED = sentence("noise.not_measured")
WITHIN = sentence("page.within_noise")


@dataclass(frozen=True)
class Floor:
    """How large a difference in one metric and stratum asking again makes by itself, in 95 % of cases.

    ``within`` says whether the difference ``mean`` is below it. Percentage points.
    """

    metric: str
    stratum: str
    mean: float
    floor: float
    within: bool


@dataclass(frozen=True)
class NoiseCompared:
    """``line`` says once what was measured, or that nothing was; empty where only trivial systems answered, which
    have no noise. ``floors`` has the differences of which it is known."""

    line: str = ""
    floors: list[Floor] = field(default_factory=list)

    def within(self, metric: str, stratum: str) -> bool:
        """Whether this difference is known to be within the noise."""
        return any(each.within for each in self.floors if (each.metric, each.stratum) == (metric, stratum))

    def floor(self, metric: str, stratum: str) -> float | None:
        """The floor of this difference, where it is known."""
        return next((each.floor for each in self.floors if (each.metric, each.stratum) == (metric, stratum)), None)

    def in_words(self, metric: str) -> str:
        """What a verdict on the metric gains, after a semicolon; empty where no noise was seen."""
        floors = [each for each in self.floors if each.metric == metric and each.floor]
        within = [
            sentence("noise.stratum", stratum=severity(each.stratum), size=_size(each))
            for each in floors
            if each.within
        ]
        if within:
            return sentence("noise.within", strata=together(within, "list.comma"))
        overall = [each for each in floors if each.stratum == OVERALL]
        return sentence("noise.beyond", floor=points(overall[0].floor)) if overall else ""


def noise_of(sides: Sequence[Sequence[Run]], differences: Sequence[Difference]) -> NoiseCompared:
    """The noise behind differences of two sides, each one run or the trainings of an arm.

    Where a run was not asked again, what was seen of the others of its backend is taken for it, its own side's
    first, and the line says so. A trivial system has none.

    Args:
        sides: the runs of both.
        differences: between them, of any metrics.
    """
    asked = [run for side in sides for run in side if not run.floor]
    if not any(run.noise for run in asked):
        return NoiseCompared(noise_line(asked))
    sizes: dict[str, dict[str, int]] = {}
    for each in differences:
        if each.stratum != OVERALL:
            sizes.setdefault(each.metric, {})[each.stratum] = each.n
    floors = []
    for each in differences:
        over = sizes[each.metric]
        over = over if each.stratum == OVERALL else {each.stratum: over[each.stratum]}
        parts = _parts(sides, each.metric, over) if each.n else None
        if parts is not None:
            floor = floor_of(parts)
            floors.append(Floor(each.metric, str(each.stratum), each.mean, floor, abs(each.mean) < floor))
    return NoiseCompared(noise_line(asked), floors)


def joined(first: NoiseCompared, second: NoiseCompared) -> NoiseCompared:
    """The same noise behind further differences."""
    return NoiseCompared(first.line, [*first.floors, *second.floors])


def _parts(sides: Sequence[Sequence[Run]], metric: str, sizes: Mapping[str, int]) -> list[Part] | None:
    """The variance of a difference of sides by asking again; None where it is not known."""
    parts: list[Part] = []
    for number, side in enumerate(sides):
        for run in side:
            if run.floor:
                continue
            models = [run] if run.noise else [*side, *sides[1 - number]]
            alike = [each for each in models if each.noise and _kind(each) == _kind(run)]
            # Of the mean over a side's trainings, each brings 1/T² of half of its own variance.
            weight = 0.5 / len(side) ** 2
            found = [_of_run(each, metric, sizes, weight / len(alike)) for each in alike]
            if not found or any(each is None for each in found):
                return None
            parts += [part for each in found if each for part in each]
    return parts


def _of_run(run: Run, metric: str, sizes: Mapping[str, int], weight: float) -> list[Part] | None:
    assert run.noise
    return parts_of(run.noise.spreads(metric, run.scores.signatures[metric]), sizes, weight)


def _kind(run: Run) -> str | None:
    return run.manifest.model.kind if run.manifest else None


def noise_line(runs: Sequence[Run]) -> str:
    """How many answers of these runs changed; empty where only trivial systems answered."""
    asked = [run for run in runs if not run.floor]
    known = [run for run in asked if run.noise]
    if not known:
        return NOT_MEASURED if asked else ""
    hows = dict.fromkeys(run.noise.how for run in known if run.noise)
    line = sentence(
        "noise.line",
        how=together((known_again(how, "noise.how.") for how in hows), "list.or"),
        found=together(map(_changed, known), "list.comma"),
    )
    if len(known) == len(asked):
        return line
    return together([line, sentence("noise.alone", n=len(asked) - len(known), all=len(asked))])


def _changed(run: Run) -> Sentence:
    assert run.noise
    counted = changed_in_words(run.noise.overall.changed, run.noise.overall.asked)
    return sentence("noise.run", counted=counted, run=run.name)


def changed_in_words(changed: int, asked: int) -> Sentence:
    """As in ``3 of 30 answers (10.0 %, at most 23.9 %)``."""
    return sentence(
        "noise.changed",
        changed=changed,
        asked=asked,
        share=f"{100 * changed / asked:.1f}",
        most=f"{at_most(changed, asked):.1f}",
    )


def _size(each: Floor) -> Sentence:
    return sentence("noise.size", mean=points(each.mean, "+"), floor=points(each.floor))
