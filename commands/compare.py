"""``maqa compare``: two runs per severity, with what the difference says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .app import app
from .metric_names import NamesMetrics
from .options import Resamples, Seed, resampling_of


class _SeveralValues(NamesMetrics):
    """``--a X Y`` as ``--a X --a Y``: an option of click takes one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spread: list[str] = []
        option = ""
        for place, argument in enumerate(args):
            if argument.startswith("-"):
                option = next((each for each in ("--a", "--b") if argument.split("=")[0] == each), "")
            elif option and args[place - 1] != option:
                spread.append(option)
            spread.append(argument)
        return super().parse_args(ctx, spread)


@app.command(cls=_SeveralValues)
def compare(
    first: Annotated[Path | None, typer.Argument(metavar="RUN_A", help="The run that is subtracted.")] = None,
    second: Annotated[
        Path | None, typer.Argument(metavar="RUN_B", help="The run that it is subtracted from.")
    ] = None,
    a: Annotated[
        list[Path],
        typer.Option(metavar="RUN...", help="Instead of RUN_A: the runs of an arm, one per training seed."),
    ] = [],  # noqa: B006
    b: Annotated[list[Path], typer.Option(metavar="RUN...", help="Instead of RUN_B, in the same way.")] = [],  # noqa: B006
    metric: Annotated[
        list[str], typer.Option(help="A score to compare; repeat for several. All of them are one family of tests.")
    ] = ["bertscore_f1"],  # noqa: B006
    json: Annotated[Path | None, typer.Option(help="Also write everything to this file.")] = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Compare two runs or arms, answer by answer, per severity.

    B minus A, its interval, the adjusted p and what could have been missed.
    """
    from rich.console import Console

    from ..harness.core.errors import UserError
    from ..harness.core.files import write_json
    from ..harness.runs.comparison import compare as compare_runs
    from ..harness.runs.groups import as_group
    from ..harness.runs.run import load_run
    from .compare_tables import print_comparison

    alone = [path for path in (first, second) if path]
    if (len(alone), bool(a), bool(b)) not in ((2, False, False), (0, True, True)):
        raise UserError(
            "there are no two sides to compare",
            "Give RUN_A RUN_B, or --a RUN... --b RUN... for arms over their seeds",
        )
    resampling = resampling_of(seed, resamples, "maqa compare")
    sides = [
        as_group([load_run(path, incomplete=True) for path in side]) for side in (a or alone[:1], b or alone[1:])
    ]
    compared = compare_runs(sides[0], sides[1], metric, resampling)
    if json is not None:
        write_json(json, compared.as_json())
    print_comparison(Console(highlight=False), compared)
