"""Whether a run's samples files hold as many answers as lm-eval counted when it wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..languages.sentences import sentence
from ..severity import SEVERITIES


def lacking(results: Mapping[str, Any], severities: Iterable[str]) -> list[str]:
    """What a run lacks, a line per severity; empty for a whole run, and for results that count nothing.

    Args:
        results: the content of ``results_*.json``, whose ``n-samples`` counts the rows that each task asked.
        severities: that of each answer which the samples files hold.
    """
    held = list(severities)
    found: list[str] = []
    for severity, asked in _asked(results).items():
        if (here := held.count(severity)) < asked:
            stratum = sentence(f"stratum.{severity}")
            if here:
                found.append(sentence("lacks.some", n=asked - here, all=asked, stratum=stratum))
            else:
                found.append(sentence("lacks.all", all=asked, stratum=stratum))
    return found


def _asked(results: Mapping[str, Any]) -> dict[str, int]:
    """How many rows of each severity were asked."""
    asked: dict[str, int] = {}
    for task, counts in _mapping(results.get("n-samples")).items():
        severity = _severity_of(task, _mapping(_mapping(results.get("configs")).get(task)))
        effective = _mapping(counts).get("effective")
        if severity and isinstance(effective, int):
            asked[severity] = asked.get(severity, 0) + effective
    return asked


def _severity_of(task: str, config: Mapping[str, Any]) -> str | None:
    """The severity that a task of ours asks; None for a foreign task."""
    severity = _mapping(config.get("dataset_kwargs")).get("severity")
    if severity is None and task.startswith("maqa_"):
        # The longest first: non_critical ends with critical.
        known = sorted(map(str, SEVERITIES), key=len, reverse=True)
        severity = next((each for each in known if task.endswith(f"_{each}")), None)
    return severity if severity in set(map(str, SEVERITIES)) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
