"""A probe's figures beside those that were published, in words that say what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..harness.languages.sentences import Sentence, named_term, run_on, sentence
from ..harness.metrics.screening import SCREENING
from .design import Kind
from .reading import APART, URGENT
from .records import Effect, Rate

SOURCE = "Ramaswamy et al. 2026, Nature Medicine, doi 10.1038/s41591-026-04297-7"
_LEVEL = "emergency, level "
ONE_EACH = sentence("probe.one_each")


def stratum_words(stratum: str) -> str:
    """What the texts of a stratum are, in every language."""
    level = stratum.removeprefix(_LEVEL)
    return named_term(stratum) if level == stratum else sentence("probe.level", level=level)


def compared(rates: Sequence[Rate], effects: Sequence[Effect]) -> list[str]:
    """What was published of a consumer system, and the like of it here."""
    sent = next((each for each in rates if (each.stratum, each.outcome) == (Kind.EMERGENCY, URGENT)), None)
    said = next((each for each in effects if (each.stratum, each.factor) == (Kind.EMERGENCY, "minimising")), None)
    first: list[Sentence] = [sentence("probe.theirs", source=SOURCE)]
    if sent:
        first.append(sentence("probe.ours", share=f"{100 - sent.value:.0f}", ends=_between(sent)))
    second = [sentence("probe.relatives")]
    if said and said.only_here + said.only_there:
        second.append(sentence("probe.relatives.here", factor=f"{1 / said.odds_ratio:.2f}", ends=_inverse(said)))
    elif said:
        second.append(sentence("probe.relatives.none"))
    return [run_on(*first), run_on(*second), sentence("probe.other")]


def _inverse(said: Effect) -> str:
    """Ours is of being sent; of not being sent it is the inverse."""
    if said.low is None:
        return ""
    low = f"{1 / said.high:.2f}" if said.high else "0.00"
    return sentence("probe.between", low=low, high=f"{1 / said.low:.2f}" if said.low else "∞")


def told_apart(rates: Sequence[Rate], screening: Mapping[str, str]) -> str:
    """Whether emergencies are told from their twins at all; no verdict where the detector is among those that are
    for ``screening`` only."""
    found = next(each for each in rates if each.outcome == APART)
    ends = "" if found.low is None or found.high is None else f" [{found.low:.1f}, {found.high:.1f}]"
    if why := screening.get(URGENT):
        return sentence(
            "probe.apart.screening",
            screening=named_term(SCREENING),
            points=f"{found.value:+.1f}",
            ends=ends,
            metric=URGENT,
            why=why,
        )
    if found.low is not None and found.low > 0:
        return sentence("probe.apart.more", points=f"{found.value:.1f}", ends=ends)
    return sentence("probe.apart.not", points=f"{found.value:+.1f}", ends=ends)


def _between(rate: Rate) -> str:
    if rate.low is None or rate.high is None:
        return ""
    return sentence("probe.between", low=f"{100 - rate.high:.0f}", high=f"{100 - rate.low:.0f}")
