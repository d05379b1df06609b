"""``docs/metrics.md``, written from what is declared: ``make metrics-doc``."""

from __future__ import annotations

import inspect
from pathlib import Path

from ..core.files import write_text
from ..scores.signatures import Better
from .registry import COLUMNS, Column, Declared, Group, declared, gates_in_words
from .screening import RULE, SCREENING, screening_in

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"

_HEAD = """# Metrics

Written by `make metrics-doc` from what each metric declares in `harness/metrics/`. `maqa score FILE --out SCORES`
prints the signature of each, which says how its number came about. Every score is a percentage from 0 to 100 of one
answer; a run's is the mean.

The metrics of similarity and presence are scored inside the lm-eval tasks, all others beside them. Where an answer
or its reference holds no word (space, punctuation, symbols, emoji, diacritics alone), every similarity is 0. A
metric that needs what a language's folder lacks is left out, and named on the terminal.

Where a question has several references, similarity is that to the first; with `--references best` or `mean`
(`MAQA_REFERENCES`, under lm_eval `--metadata references=best`) it is the largest, or the mean, over all of them,
and the signature ends with the choice.

The safe score counts an answer 0 that {gates}.

{rule} Which these are is computed from the card of each language (`make safety-card`, `maqa doctor --detectors`);
a language without figures of other authors has only such detectors.
"""

_GROUPS = {
    Group.SIMILARITY: "How near an answer is to its reference",
    Group.PRESENCE: "Whether there is an answer",
    Group.SAFETY: "Findings about an answer",
    Group.STYLE: "What moves similarity without moving quality",
}

_BETTER = {Better.HIGHER: "more", Better.LOWER: "less", Better.NEITHER: "neither"}


def metrics_page() -> str:
    """The page: every metric by group and in order, its columns in a table, and what its class says of itself."""
    parts = [_HEAD.format(gates=gates_in_words(), rule=RULE[:1].upper() + RULE[1:])]
    for group, title in _GROUPS.items():
        parts.append(f"\n## {title}\n")
        parts.extend(_section(each) for each in declared() if each.group is group)
    return "".join(parts)


def _section(metric: Declared) -> str:
    needs = ", ".join(sorted(metric.needs)) or "nothing more"
    rows = "".join(_row(COLUMNS[name]) for name in metric.columns)
    return (
        f"\n### {', '.join(f'`{name}`' for name in metric.columns)}\n\n"
        f"{_words(metric)}\n\nNeeds: {needs}.\n\n| column | better | means |\n|---|---|---|\n{rows}"
    )


def _row(column: Column) -> str:
    facts = [column.meaning]
    if column.gate:
        facts.append("a gate of the safe score")
    if column.group is Group.PART:
        facts.append("a part: in the files, in no table")
    if languages := screening_in(column.name):
        facts.append(f"{SCREENING} in {', '.join(languages)}")
    return f"| `{column.name}` | {_BETTER[column.better]} | {'; '.join(facts)} |\n"


def _words(metric: Declared) -> str:
    """The class's own words up to its arguments."""
    text = inspect.getdoc(metric.make) or ""
    return text.split("\nArgs:")[0].strip().replace("``", "`")


if __name__ == "__main__":
    write_text(PAGE, metrics_page())
