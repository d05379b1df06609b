"""``maqa compare``: two runs per severity, with what the difference says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .analysis_options import declared_by, metrics_of, print_declared
from .app import app
from .arms_tables import USUAL_EFFECT, print_arms
from .changed import print_changed
from .metric_names import NamesMetrics
from .options import AnalysisFile, Anyway, GoldFile, Look, Resamples, Seed, demand_effect, resampling_of, was_given
from .output import JsonOutput, write_json_result

if TYPE_CHECKING:
    from ..harness.runs.analysis import Analysis
    from ..harness.statistics import Resampling


_SEVERAL = ("--a", "--b", "--arms")


def _is_run(argument: str) -> bool:
    """Whether a word behind ``--arms`` is a run: no arm has a separator in its name, and a folder that is called as
    an arm is none without a manifest."""
    return os.sep in argument or Path(argument).is_file() or (Path(argument) / "manifest.json").is_file()


class _SeveralValues(NamesMetrics):
    """``--a X Y`` as ``--a X --a Y``: an option of click takes one value. ``--arms`` takes what names no path; the
    rest are runs."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spread: list[str] = []
        option = ""
        for place, argument in enumerate(args):
            if argument.startswith("-"):
                option = next((each for each in _SEVERAL if argument.split("=")[0] == each), "")
            elif option and args[place - 1] != option:
                if option == "--arms" and _is_run(argument):
                    option = ""
                else:
                    spread.append(option)
            spread.append(argument)
        return super().parse_args(ctx, spread)


@app.command(cls=_SeveralValues)
def compare(
    context: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_A RUN_B",
            help="Two runs, in any order: the reference is subtracted from the other; with --arms all runs.",
        ),
    ] = [],  # noqa: B006
    a: Annotated[
        list[Path],
        typer.Option(
            metavar="RUN...",
            help="Instead of two RUN: the runs of the arm that is subtracted, one per training seed.",
        ),
    ] = [],  # noqa: B006
    b: Annotated[
        list[Path], typer.Option(metavar="RUN...", help="The runs of the arm that --a is subtracted from.")
    ] = [],  # noqa: B006
    arms: Annotated[
        list[str],
        typer.Option(
            metavar="ARM...",
            help="Instead of two sides: arms such as ce severity shuffled, found among the runs by how they were "
            "trained, over all seeds of each base; the first is subtracted from the others.",
        ),
    ] = [],  # noqa: B006
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="With --arms: take the trainings as unrelated, whatever their seeds.")
    ] = False,
    effect: Annotated[
        float, typer.Option(help="With --arms: say how many seeds and questions find so many points.")
    ] = USUAL_EFFECT,
    metric: Annotated[
        list[str], typer.Option(help="A score to compare; repeat for several. All of them are one family of tests.")
    ] = ["bertscore_f1"],  # noqa: B006
    json: JsonOutput = None,
    margin: Annotated[
        list[str],
        typer.Option(
            metavar="POINTS",
            help="Also say whether both are equivalent, and B no worse than A, within so many points of every "
            "--metric; METRIC=POINTS for one alone. Safety metrics have 2 unless given.",
        ),
    ] = [],  # noqa: B006
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the run that is subtracted; by default the declared one, else the base, else ce. Order "
            "plays no part.",
        ),
    ] = None,
    analysis: AnalysisFile = None,
    look: Look = None,
    anyway: Anyway = False,
    gold: GoldFile = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Compare two runs or arms, answer by answer, per severity.

    B minus A, the reference: the difference, its interval, the adjusted p and what could have been missed. With
    --arms: what the arms differ by, over questions and trainings, and whether severity-aware training helps.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.runs.comparison import compare as compare_runs
    from ..harness.runs.declaring import compare_declared, with_declared
    from ..harness.runs.groups import as_group
    from ..harness.runs.margins import margins_of
    from ..harness.runs.reference import reference_of
    from ..harness.runs.run import load_run
    from .compare_tables import print_comparison

    given = declared_by(analysis, look)
    metric = metrics_of(context, metric, given[0] if given else None)
    if given and margin:
        raise UserError("--margin was given beside --analysis", "Write margin: 1 into the analysis")
    if arms:
        if reference is not None:
            raise UserError(
                "--reference is for two runs", "Leave it out: the first of --arms is what is subtracted"
            )
        if a or b:
            raise UserError("--a and --b are for two sides", "Leave them out, or leave out --arms")
        resampling = resampling_of(seed, resamples, "maqa compare")
        margins = margins_of(margin, metric)
        _compare_arms(runs, arms, metric, json, resampling, unpaired, effect, given, margins, gold, anyway)
        return
    if unpaired or was_given(context, "effect"):
        raise UserError("--unpaired and --effect are for arms", "Leave them out, or give --arms ARM... RUN...")
    alone = runs
    if (len(alone), bool(a), bool(b)) not in ((2, False, False), (0, True, True)):
        raise UserError(
            "there are no two sides to compare",
            "Give RUN_A RUN_B; --a RUN... --b RUN... for arms over their seeds; or --arms ARM... RUN...",
        )
    if reference is not None and not alone:
        raise UserError("--reference is for two runs", "Leave it out: --a is what is subtracted")
    resampling = resampling_of(seed, resamples, "maqa compare")
    sides = [
        as_group([load_run(path, incomplete=True, anyway=anyway) for path in side])
        for side in (a or alone[:1], b or alone[1:])
    ]
    chosen_by = ""
    if alone:
        firsts = [side.first for side in sides]
        chosen, chosen_by = reference_of(firsts, reference, given[0] if given else None, "--a RUN --b RUN")
        sides.sort(key=lambda side: side.first is not chosen)
    declared = None
    if given:
        declared, compared = compare_declared(sides[0], sides[1], metric, *given, resampling, anyway, gold)
    else:
        margins = margins_of(margin, metric)
        compared = compare_runs(sides[0], sides[1], metric, resampling, margins=margins, anyway=anyway, gold=gold)
    if json is not None:
        write_json_result(json, with_declared({**compared.as_json(), "chosen_by": chosen_by}, declared))
    console = Terminal()
    print_declared(console, declared)
    print_comparison(console, compared, chosen_by)


def _compare_arms(
    runs: list[Path],
    arms: list[str],
    metrics: list[str],
    json: Path | None,
    resampling: Resampling,
    unpaired: bool,
    effect: float,
    given: tuple[Analysis, int] | None,
    margins: Mapping[str, float],
    gold: Path | None,
    anyway: bool,
) -> None:
    from dataclasses import replace

    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.runs.arms import bases_of, compare_named
    from ..harness.runs.declaring import declared_bases, demand_scores, pairs_of, with_declared
    from ..harness.runs.run import load_run
    from ..harness.runs.seals import changed_words

    if not runs:
        raise UserError(
            "there are no runs to find the arms in", "Give them behind the arms: --arms ce severity RUN..."
        )
    demand_effect(effect)
    analysis = given[0] if given else None
    loaded = [load_run(path, incomplete=True, anyway=anyway) for path in runs]
    if analysis:
        demand_scores(analysis, loaded)
    compared = compare_named(
        loaded,
        arms,
        metrics,
        resampling,
        unpaired,
        pairs_of(analysis),
        analysis.margins_at(given[1], len(analysis.models or bases_of(loaded))) if given and analysis else margins,
        gold=gold,
    )
    declared = None
    if given:
        declared, bases = declared_bases(*given, compared.bases)
        compared = replace(compared, bases=bases)
    if json is not None:
        write_json_result(json, with_declared(compared.as_json(), declared))
    console = Terminal()
    print_changed(console, changed_words(loaded))
    print_declared(console, declared)
    print_arms(console, compared, effect, declared)
