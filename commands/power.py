"""``maqa power``: how many questions, training seeds and samples find a difference between two arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .app import app
from .arms_tables import USUAL_EFFECT
from .metric_names import NamesMetrics
from .options import demand_effect
from .output import JsonOutput, write_json_result
from .words import heading, ours, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..harness.runs.comparison import Comparison
    from ..harness.statistics.crossed import Components
    from ..harness.statistics.power import Design, Planned

_MOST_DESIGNS = 400
_MOST = 10**7


@app.command(cls=NamesMetrics)
def power(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Pilot runs of two arms, two training seeds each or more."),
    ] = [],  # noqa: B006
    arms: Annotated[str, typer.Option(metavar="A,B", help="Which arms of the pilot.")] = "ce,severity",
    metric: Annotated[str, typer.Option(help="The metric of the pilot.")] = "bertscore_f1",
    seed_sd: Annotated[
        float | None, typer.Option(help="Instead of a pilot: of the difference between trainings, in points.")
    ] = None,
    question_sd: Annotated[float | None, typer.Option(help="Of the difference between questions.")] = None,
    residual_sd: Annotated[
        float | None, typer.Option(help="Of the difference in one question between one training of each arm.")
    ] = None,
    sampling_sd: Annotated[
        float,
        typer.Option(help="The part of the residual that is sampling, which more samples shrink; 0 for greedy."),
    ] = 0.0,
    effect: Annotated[float, typer.Option(help="The difference to be found, in points.")] = USUAL_EFFECT,
    seeds: Annotated[str, typer.Option(help="Training seeds of each arm, two or more.")] = "2,3,5,10",
    questions: Annotated[str, typer.Option(help="Numbers of questions.")] = "100,300,1000,2000,5000",
    samples: Annotated[str, typer.Option(help="Answers to each question.")] = "1",
    design_effect: Annotated[
        float | None,
        typer.Option(
            help="How many times clusters of questions enlarge the variance over questions, as `maqa compare` "
            "prints it; a pilot with clusters has its own."
        ),
    ] = None,
    interaction: Annotated[
        bool,
        typer.Option(
            "--interaction",
            help="Plan to find that critical gains more than non_critical by --effect; --seed-sd is then of the "
            "difference between both.",
        ),
    ] = False,
    shares: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT,PERCENT",
            help="With --interaction: how many questions are critical and non_critical; a pilot's by default.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also draw it: a file that ends in .png or .svg.")] = None,
    json: JsonOutput = None,
) -> None:
    """Plan an experiment: what finds a difference.

    The power of comparing two arms over so many questions, seeds and samples.
    """
    from dataclasses import asdict
    from itertools import product

    from rich.text import Text

    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.pages.sheets import demand_format
    from ..harness.statistics.power import Design, needs_in_words, planned_table
    from .power_clusters import assumed, checked_effect

    if out is not None:
        demand_format(out)
    if shares is not None and not interaction:
        raise UserError("--shares says nothing without --interaction", "Give both, or leave it out")
    demand_effect(effect)
    wanted = [
        _counts(name, text, least)
        for name, text, least in (("--seeds", seeds, 2), ("--questions", questions, 2), ("--samples", samples, 1))
    ]
    enlarged = checked_effect(design_effect, wanted[1])
    designs = [Design(trained, asked, taken, enlarged) for trained, asked, taken in product(*wanted)]
    if len(designs) > _MOST_DESIGNS:
        raise UserError(f"{len(designs)} designs are no table", f"Ask for {_MOST_DESIGNS} at most")
    given = (seed_sd, question_sd, residual_sd)
    if interaction:
        _plan_interaction(runs, arms, metric, given, shares, designs, effect, sampling_sd, design_effect, json, out)
        return
    components, pilot = _of_pilot(runs, arms, metric, sampling_sd) if runs else (_as_given(given), None)
    if runs and any(each is not None for each in given):
        raise UserError("components were given beside pilot runs", "Give the runs, or --seed-sd and its kin")
    if not 0 <= sampling_sd <= components.residual:
        raise UserError(
            f"--sampling-sd {sampling_sd:g} is no part of the residual, {components.residual:.2f}",
            "Give a standard deviation from 0 to the residual's",
        )
    largest = Design(wanted[0][-1], wanted[1][-1], wanted[2][-1], enlarged)
    words = assumed(pilot, design_effect, largest)
    table = planned_table(components, designs, effect, sampling_sd)
    if json is not None:
        found = [asdict(each) for each in table]
        values = {"components": asdict(components), "sampling": sampling_sd, "effect": effect}
        write_json_result(json, {**values, "design_effect": enlarged, "assumed": words, "planned": found})
    if out is not None:
        from ..reports.power_plot import plot_power

        plot_power(table, effect, out)
    console = Terminal()
    deviations = {name: f"{value:.2f}" for name, value in asdict(components).items()}
    console.print(Text(say("power.components", **deviations)))
    console.print(Text(ours(words)))
    for taken in wanted[2]:
        console.print(_table([each for each in table if each.design.samples == taken], effect, taken))
    console.print(Text(ours(needs_in_words(components, largest, effect, sampling_sd))))
    _print_unchanged(console, designs, sampling_sd)
    console.print(Text(heading("power.test")))
    if out is not None:
        console.print(str(out), markup=False, soft_wrap=True)


def _plan_interaction(
    runs: list[Path],
    arms: str,
    metric: str,
    given: tuple[float | None, float | None, float | None],
    shares: str | None,
    designs: list[Design],
    effect: float,
    sampling: float,
    design_effect: float | None,
    json: Path | None,
    out: Path | None,
) -> None:
    from dataclasses import asdict

    from rich.text import Text

    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..reports.power_plot import plot_power
    from .power_clusters import assumed
    from .power_interaction import as_given, in_words, of_pilot, planned_designs

    if runs and any(each is not None for each in given):
        raise UserError("components were given beside pilot runs", "Give the runs, or --seed-sd and its kin")
    pilot = None
    if runs:
        parts, both, pilot = of_pilot(runs, arms, metric, shares, sampling)
    else:
        parts, both = as_given(_as_given(given), shares)
    words = assumed(pilot, design_effect, designs[-1])
    table = planned_designs(parts, designs, both, effect, sampling)
    if json is not None:
        found = [asdict(each) for each in table]
        values = {"components": asdict(parts), "shares": both, "sampling": sampling, "effect": effect}
        enlarged = designs[-1].design_effect
        write_json_result(json, {**values, "design_effect": enlarged, "assumed": words, "planned": found})
    if out is not None:
        plot_power(table, effect, out)
    console = Terminal()
    console.print(Text(in_words(parts, both)))
    console.print(Text(words))
    for taken in dict.fromkeys(each.samples for each in designs):
        console.print(_table([each for each in table if each.design.samples == taken], effect, taken))
    console.print(
        Text(
            "Of one two-sided test at 5 % of whether the gain differs between critical and non_critical, over "
            "questions and trainings, paired by seed."
        )
    )
    _print_unchanged(console, designs, sampling)
    if out is not None:
        console.print(str(out), markup=False, soft_wrap=True)


def _print_unchanged(console: Console, designs: list[Design], sampling: float) -> None:
    from rich.text import Text

    if not sampling and max(each.samples for each in designs) > 1:
        console.print(
            Text("More samples change nothing unless --sampling-sd says how much of the residual is theirs.")
        )


def _counts(name: str, text: str, least: int) -> list[int]:
    from ..harness.core.errors import UserError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and least <= int(part) <= _MOST for part in parts):
        raise UserError(f"{name} {text!r} are no numbers from {least} to {_MOST:,}", f"Write them as {name} 3,5,10")
    return sorted({int(part) for part in parts})


def _as_given(given: tuple[float | None, float | None, float | None]) -> Components:
    import math

    from ..harness.core.errors import UserError
    from ..harness.statistics.crossed import Components

    seed, question, residual = given
    if seed is None or question is None or residual is None:
        raise UserError(
            "nothing says how much the difference varies",
            "Give pilot runs, or all of --seed-sd, --question-sd and --residual-sd",
        )
    for name, each in (("--seed-sd", seed), ("--question-sd", question), ("--residual-sd", residual)):
        if not (math.isfinite(each) and 0 <= each <= 100):
            raise UserError(f"{name} {each:g} is no standard deviation of scores", "Give points from 0 to 100")
    if not residual + seed:
        raise UserError("--seed-sd and --residual-sd are 0, as if no two trainings differed", "Give one above 0")
    return Components(seed, question, residual)


def _of_pilot(runs: list[Path], arms: str, metric: str, sampling: float) -> tuple[Components, Comparison]:
    """The components of a pilot at one sample per answer, and the pilot compared; ``sampling`` is what more samples
    have taken of its residual."""
    import dataclasses

    from ..harness.core.errors import UserError
    from ..harness.runs.arms import compare_named
    from ..harness.runs.run import load_run
    from ..harness.scores.signatures import samples_of
    from ..harness.statistics import OVERALL
    from ..harness.statistics.power import at_one_sample
    from .power_interaction import demand_variation

    names = [name.strip() for name in arms.split(",")]
    if len(names) != 2:
        raise UserError(f"--arms {arms!r} are not two arms", "Name two: --arms ce,severity")
    bases = compare_named([load_run(path, incomplete=True) for path in runs], names, [metric]).bases
    if len(bases) > 1:
        raise UserError(
            f"the pilot has {len(bases)} bases, {', '.join(each.base for each in bases)}",
            "Give runs of one of them",
        )
    (compared,) = bases[0].pairs.values()
    demand_variation(compared, metric)
    part = next(each for each in compared.parts if each.stratum == OVERALL)
    if part.components is None:
        raise UserError("the pilot has too few questions to tell what varies", "Give runs of more questions")
    samples = samples_of(compared.signatures[metric])
    residual = at_one_sample(part.components.residual, sampling, samples)
    return dataclasses.replace(part.components, residual=residual), compared


def _points(detectable: float) -> str:
    """The least difference found; no score moves by more than 100 points."""
    from ..harness.statistics.verdicts import points

    return heading("power.none") if detectable > 100 else points(detectable)


def _table(planned: list[Planned], effect: float, samples: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ..harness.statistics.significance import POWER

    key = "power.title" if samples == 1 else "power.title_samples"
    table = Table(
        title=Text(say(key, effect=f"{effect:g}", n=samples)), title_justify="left", box=box.SIMPLE_HEAD, padding=0
    )
    table.add_column(heading("power.seeds"), justify="right")
    cells = {(each.design.seeds, each.design.questions): each for each in planned}
    asked = list(dict.fromkeys(questions for _, questions in cells))
    for questions in asked:
        table.add_column(say("power.questions", n=f"{questions:,}"), justify="right")
    for seeds in dict.fromkeys(seeds for seeds, _ in cells):
        row = [cells[seeds, questions] for questions in asked]
        table.add_row(
            str(seeds),
            *(
                Text(
                    f"{each.power_pct:.0f} ({_points(each.detectable)})",
                    style="bold" if each.power_pct >= 100 * POWER else "",
                )
                for each in row
            ),
        )
    return table
