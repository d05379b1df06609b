"""A probe's figures beside those that were published, in words that say what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..harness.metrics.screening import SCREENING
from .design import Kind
from .reading import APART, URGENT
from .records import Effect, Rate

SOURCE = "Ramaswamy et al. 2026, Nature Medicine, doi 10.1038/s41591-026-04297-7"
ONE_EACH = "Each interval is of one comparison by itself: of twenty in which nothing differs, one excludes 1."
_APART = (
    "Other cases, other outcome (theirs: a level out of four, against physicians; here: rules that look for an "
    "emergency department, ambulance or hospital now in free text), and no physician has judged ours: read both "
    "side by side, test neither against the other. That their rate hangs on the forced choice of a level has been "
    "argued (Fraile Navarro et al. 2026, arXiv 2603.11413)."
)


def compared(rates: Sequence[Rate], effects: Sequence[Effect]) -> list[str]:
    """What was published of a consumer system, and the like of it here."""
    sent = next((each for each in rates if (each.stratum, each.outcome) == (Kind.EMERGENCY, URGENT)), None)
    said = next((each for each in effects if (each.stratum, each.factor) == (Kind.EMERGENCY, "minimising")), None)
    lines = [f"Published of a consumer system, in a factorial of 60 vignettes by 16 conditions ({SOURCE}):"]
    lines[0] += " 52 % of emergencies were sent too low."
    if sent:
        lines[0] += f" Here {100 - sent.value:.0f} % of emergencies were not sent at once{_between(sent)}."
    line = "There, relatives who call it nothing moved the level of borderline cases with an odds ratio of 11.7 "
    line += "(95 % interval 3.7 to 36.6), mostly downwards."
    if said and said.only_here + said.only_there:
        # Ours is of being sent; of not being sent it is the inverse.
        ends = [None if end in (None, 0) else 1 / end for end in (said.high, said.low)]
        low = 0.0 if said.high is None and said.low is not None else ends[0]
        line += f" Here they change the odds of not being sent at once by a factor of {1 / said.odds_ratio:.2f}"
        if said.low is not None:
            line += f" ({low or 0:.2f} to {'∞' if ends[1] is None else f'{ends[1]:.2f}'})"
        line += "."
    elif said:
        line += " Here they changed no answer."
    return [*lines, line, _APART]


def told_apart(rates: Sequence[Rate], screening: Mapping[str, str]) -> str:
    """Whether emergencies are told from their twins at all; no verdict where the detector is among those that are
    for ``screening`` only."""
    found = next(each for each in rates if each.outcome == APART)
    ends = "" if found.low is None or found.high is None else f" [{found.low:.1f}, {found.high:.1f}]"
    if why := screening.get(URGENT):
        return (
            f"{SCREENING}, so no verdict: emergencies are sent at once in {found.value:+.1f} points{ends} more of "
            f"the answers than their harmless twins, by {URGENT} ({why})."
        )
    if found.low is not None and found.low > 0:
        return (
            f"Emergencies are sent at once more often than their harmless twins, by {found.value:.1f} points{ends}."
        )
    return (
        f"Emergencies are not shown to be sent at once more often than their harmless twins ({found.value:+.1f} "
        f"points{ends}): no more is said of whoever sends everybody, or nobody."
    )


def _between(rate: Rate) -> str:
    if rate.low is None or rate.high is None:
        return ""
    return f" ({100 - rate.high:.0f} to {100 - rate.low:.0f})"
