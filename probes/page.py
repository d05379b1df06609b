"""A probe as one HTML page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..harness.languages import Language
from ..harness.languages.messages import USUAL, messages
from ..harness.languages.sentences import sentence
from ..harness.metrics.screening import named
from ..harness.pages import IntervalRow, interval_chart, render
from .design import FACTORS, Kind, levels
from .reading import APART, OVER, URGENT, by_stratum
from .records import Probe
from .vignettes import vignettes
from .words import ONE_EACH, stratum_words, told_apart

_TEMPLATES = Path(__file__).parent
_COLOURS = {"emergency": "critical", Kind.LEFT_OUT.value: "neutral", Kind.TWIN.value: "non_critical"}
_TURNED = 2
"""Examples for each factor."""


def probe_page(probe: Probe, answers: pd.DataFrame, language: Language) -> str:
    """The page: who is sent at once, what the wording does to it, and answers that the wording turned."""
    sent = [rate for rate in probe.rates if rate.outcome in (URGENT, OVER)]
    rows = [
        IntervalRow(
            stratum_words(rate.stratum), rate.value, rate.low, rate.high, _COLOURS[rate.stratum.split(",")[0]]
        )
        for rate in sent
    ]
    return render(
        _TEMPLATES,
        "probe.html",
        probe=probe,
        language=language,
        chart=interval_chart(sentence("probe.chart"), rows),
        rates=[rate for rate in probe.rates if rate.outcome != APART],
        told_apart=told_apart(probe.rates, probe.screening),
        named=partial(named, known=probe.screening),
        one_each=ONE_EACH,
        by_stratum=by_stratum(probe.effects),
        stratum_words=stratum_words,
        dialects={name: _dialect(name, each.name) for name, each in vignettes(language).dialects.items()},
        turned=_turned(answers, probe, language),
    )


def _dialect(code: str, name: str) -> str:
    key = f"probe.dialect.{code}"
    return sentence(key) if key in messages(USUAL) else name


def _turned(answers: pd.DataFrame, probe: Probe, language: Language) -> list[dict[str, Any]]:
    """Pairs of emergencies that differ in one factor alone, of which only the reference was sent."""
    rows = answers[answers["kind"] != Kind.TWIN]
    ways = [name for name in FACTORS if name != "sign"]
    found: list[dict[str, Any]] = []
    for factor in probe.design.factors:
        column = "kind" if factor == "sign" else factor
        keys = ["case", *([] if factor == "sign" else ["kind"]), *(way for way in ways if way != factor)]
        first = Kind.EMERGENCY if factor == "sign" else levels(factor, language)[0]
        within = rows if factor == "sign" else rows[rows["kind"] == Kind.EMERGENCY]
        reference = within[(within[column] == first) & (within[URGENT] > 0)]
        other = within[(within[column] != first) & (within[URGENT] == 0)]
        shown = [*keys, column, "question", "answer"]
        pairs = reference[shown].merge(other[shown], on=keys, suffixes=("", "_other")).drop_duplicates("case")
        found += [
            {
                "factor": factor,
                "case": pair["case"],
                "sides": [
                    (pair[f"{column}{end}"], pair[f"question{end}"], pair[f"answer{end}"]) for end in ("", "_other")
                ],
            }
            for pair in pairs.head(_TURNED).to_dict("records")
        ]
    return found
