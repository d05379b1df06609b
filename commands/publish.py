"""``maqa publish``: a board, a run or a dataset in a format that the field reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..harness.core.errors import UserError
from .app import app
from .options import Resamples, Seed, resampling_of


@app.command()
def publish(
    source: Annotated[
        Path, typer.Argument(help="A folder of `maqa leaderboard`, `maqa evaluate` or `maqa prepare`.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the files.")],
    form: Annotated[
        str,
        typer.Option(
            "--format", help="eee, hf, model-card, csv-long or latex of a board or run; croissant of a dataset."
        ),
    ],
    license: Annotated[
        str, typer.Option("--license", help="Licence of the data; croissant needs it, and --samples.")
    ] = "",
    dataset_id: Annotated[str, typer.Option(help="Hub id of the data, OWNER/NAME; hf needs it.")] = "",
    model_id: Annotated[str, typer.Option(help="Hub id of the model, where there is one model.")] = "",
    organization: Annotated[str, typer.Option(help="Who publishes, for eee and croissant.")] = "",
    samples: Annotated[
        bool, typer.Option("--samples", help="With eee: publish questions and answers too.")
    ] = False,
    metric: Annotated[str, typer.Option(help="Of a run: the metric that stands first.")] = "bertscore_f1",
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Write results or data in a format that the field reads.

    Every file says what may be concluded, and how its numbers came about. Nothing is uploaded.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.folders import atomic_folder
    from ..publishing import FORMATS, Options
    from ..publishing.making import make_files
    from ..publishing.reading import read_source

    chosen = FORMATS[form]
    if samples and form != "eee":
        raise UserError(f"--format {form} holds no answers", "Leave --samples out, or use --format eee")
    options = Options(license, dataset_id, model_id, organization, samples)
    found = read_source(source, options, metric, resampling_of(seed, resamples, "maqa publish"))
    files, said = make_files(form, chosen, found, options, source)
    with atomic_folder(out) as work:
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    console = Terminal()
    for line in said:
        console.print(line, markup=False, soft_wrap=True, style="yellow")
    for name in files:
        console.print(str(out / name), markup=False, soft_wrap=True)
