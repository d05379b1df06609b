"""Who a board's reference is, and how rows of one name are told apart: neither hangs on the order of the runs."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence

from ..harness.languages.sentences import sentence
from ..harness.runs.reference import PLAIN, arm_and_seed, run_named
from ..harness.runs.run import Run


def reference_of_board(runs: Sequence[Run], metric: str, name: str | None = None) -> tuple[Run, str]:
    """The run that all are held against, and why it: ``asked``, ``base``, ``ce`` or ``usual``.

    Without ``name`` it is a whole model with a manifest, of those that were asked as most were; of these the base,
    else the plain arm, else the first by name.

    Raises:
        UserError: no run, or several, have the name.
    """
    if name is not None:
        return run_named(runs, name), "asked"
    severities = {severity for run in runs for severity in run.answers["severity"]}
    # A run that lacks answers would make the whole ones those that differ.
    whole = [run for run in runs if not run.lacks and set(run.answers["severity"]) == severities]
    candidates = whole or list(runs)
    models = [run for run in candidates if run.manifest and not run.floor]
    candidates = models or [run for run in candidates if run.manifest] or candidates
    asked = Counter(_asked(run, metric) for run in runs)

    def place(run: Run) -> tuple[int, int, int, str, str]:
        arm, seed = arm_and_seed(run)
        rank = PLAIN.index(arm) if arm in PLAIN else len(PLAIN)
        return -asked[_asked(run, metric)], rank, seed, run.name, str(run.path)

    first = min(candidates, key=place)
    arm, _ = arm_and_seed(first)
    return first, arm if arm in PLAIN else "usual"


def numbered(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """The runs, of which those of one name are numbered in the order of their folders; and a line for each such
    name, and for names that differ only in case."""
    named: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (str(run.path), run.scores_file.name)):
        named.setdefault(run.name, []).append(run)
    taken = set(named)
    names: dict[int, str] = {}
    notes: list[str] = []
    for name, same in sorted(named.items()):
        for run in same[1:]:
            number = 2
            while f"{name} ({number})" in taken:
                number += 1
            taken.add(names.setdefault(id(run), f"{name} ({number})"))
        if len(same) > 1:
            notes.append(sentence("board.numbered", n=len(same), name=name))
    cased: dict[str, list[str]] = {}
    for name in named:
        cased.setdefault(name.casefold(), []).append(name)
    notes += [sentence("board.cased", names=", ".join(each)) for each in cased.values() if len(each) > 1]
    return [dataclasses.replace(run, name=names[id(run)]) if id(run) in names else run for run in runs], notes


def _asked(run: Run, metric: str) -> str:
    data = run.manifest.data.fingerprint if run.manifest else None
    how = [data, run.scores.signatures[metric], run.decoding, run.template, run.asked.conditions(), run.asked.rows]
    return json.dumps(how, sort_keys=True, default=str)
