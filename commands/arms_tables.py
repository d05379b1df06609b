"""The arms of an experiment for the terminal: their differences, what these vary by, and what may be claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .words import heading, ours, say, term

USUAL_EFFECT = 1.0
"""The difference in points of which is said what it takes to find it, where nobody names another."""

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..harness.runs.arms import ArmsCompared, ArmsOfBase
    from ..harness.runs.declared import Declared


def print_arms(console: Console, compared: ArmsCompared, effect: float, declared: Declared | None = None) -> None:
    """Every base's table of components and claims, then the same over the bases.

    Args:
        effect: the difference, in points, of which is said what it takes to find it.
        declared: the tests of a declared analysis; what is not among them is headed so.
    """
    from rich.text import Text

    from ..harness.metrics.screening import in_lines
    from ..harness.runs.declared import EXPLORATORY
    from .compare_tables import print_conclusion, print_signatures

    pairs = [pair for base in compared.bases for pair in base.pairs.values()]
    apart = "" if declared is None else say("compare.undeclared", exploratory=term(EXPLORATORY))
    screened = {name: why for pair in pairs for name, why in pair.screening.items()}
    for base in compared.bases:
        for line in questions_in_words(base):
            console.print(Text(ours(line)), soft_wrap=True)
        for metric in next(iter(base.pairs.values())).metrics:
            console.print(_components_table(base, metric))
            _print_words(console, base, metric, effect)
        for (first, second), pair in base.pairs.items():
            if pair.safety.words:
                safety = say("arms.against", second=second, first=first, words=pair.safety.words)
                console.print(Text(safety), soft_wrap=True)
        for pair in base.pairs.values():
            print_conclusion(console, pair)
        for claim in base.claims:
            words = ours(declared.claim_words(claim, base.base) if declared else str(claim))
            green = claim.holds and not any(
                pair.conclusion and pair.conclusion.outcome == "unsafe"
                for (_, second), pair in base.pairs.items()
                if second == claim.arm
            )
            console.print(Text(f"{base.base}: {words}", style="green" if green else "yellow"), soft_wrap=True)
        for dose in base.doses:
            console.print(Text(f"{base.base}: {ours(str(dose))}{apart}"), soft_wrap=True)
    for line in in_lines(screened, list(screened)):
        console.print(Text(ours(line), style="yellow"), soft_wrap=True)
    for key, lines in (("over", compared.over), ("which", compared.interactions)):
        if lines:
            console.print(Text("\n" + say(f"arms.{key}", n=len(compared.bases), apart=apart)))
        for each in lines:
            console.print(Text(ours(str(each))), soft_wrap=True)
    if compared.bases:
        print_signatures(console, next(iter(compared.bases[0].pairs.values())))


def questions_in_words(base: ArmsOfBase) -> list[str]:
    """Which questions of a base belong together: one line, or one a pair where these differ."""
    from ..harness.languages.sentences import sentence

    lines = {f"{second} - {first}": compared.questions for (first, second), compared in base.pairs.items()}
    if len(set(lines.values())) == 1:
        return [sentence("arms.of", base=base.base, words=next(iter(lines.values())))]
    return [sentence("arms.pair_of", base=base.base, pair=pair, words=line) for pair, line in lines.items()]


def _components_table(base: ArmsOfBase, metric: str) -> Table:
    """What the difference of one question between one training of each arm varies by."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ..harness.runs.declared import EXPLORATORY
    from ..harness.statistics import OVERALL
    from ..harness.statistics.verdicts import p_in_words, points

    table = Table(
        title=Text(say("arms.title", base=base.base, metric=metric)),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    for key in ("arms.arms", "compare.change", "arms.p", "arms.seed", "arms.question", "arms.residual"):
        words = key == "arms.arms"
        table.add_column(heading(key), justify="left" if words else "right", no_wrap=not words)
    for (first, second), compared in base.pairs.items():
        change = compared.difference(metric, OVERALL)
        part = next(each for each in compared.parts if (each.metric, each.stratum) == (metric, OVERALL))
        interval = ""
        if change.low is not None and change.high is not None:
            interval = f"\n[{points(change.low, '+')}, {points(change.high, '+')}]"
        found = part.components
        cells = [points(each) for each in (found.seed, found.question, found.residual)] if found else ["-"] * 3
        p = p_in_words(change)
        apart = f"\n{term(EXPLORATORY)}" if compared.exploratory(metric, OVERALL) else ""
        table.add_row(Text(f"{second} - {first}{apart}"), Text(f"{points(change.mean, '+')}{interval}"), p, *cells)
    return table


def _print_words(console: Console, base: ArmsOfBase, metric: str, effect: float) -> None:
    from rich.text import Text

    from ..harness.metrics.screening import named
    from ..harness.statistics import OVERALL
    from ..harness.statistics.power import Design, needs_in_words
    from .labels_tables import print_corrected, print_labels

    for compared in base.pairs.values():
        sides = say("arms.against", second=compared.second, first=compared.first, words=compared.trainings)
        console.print(Text(sides))
        console.print(Text(f"{ours(named(metric, compared.screening))}: {ours(compared.words[metric])}"))
        for note in compared.notes:
            console.print(Text(ours(note), style="yellow"))
        if compared.noise.line:
            console.print(Text(ours(compared.noise.line)))
        print_corrected(console, compared.labels, metric)
        print_labels(console, compared.labels)
        part = next(each for each in compared.parts if (each.metric, each.stratum) == (metric, OVERALL))
        if part.components and (part.components.seed or part.components.residual):
            design = Design(min(compared.trained), compared.difference(metric, OVERALL).n)
            console.print(Text(ours(needs_in_words(part.components, design, effect))))
