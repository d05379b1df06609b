"""``maqa demo``."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ..harness.core.console import Terminal
from .app import app
from .options import LanguageCode, Resamples, Seed
from .run import Drawn, run_and_print

_DEMO = Path("runs/demo")


@app.command()
def demo(
    out: Path = typer.Option(_DEMO, help="Folder of the demo; the same command goes on."),
    language: LanguageCode = None,
    seed: Seed = None,
    resamples: Resamples = None,
) -> None:
    """Show a true effect, and none where there is none.

    Two small worlds, with models made on the spot; nothing is downloaded. Ends with exit status 1 unless the effect
    is found where it was planted, nothing is found where severities are noise, the trivial systems stand below the
    trained ones, and the encoder separates right answers from wrong ones.
    """
    # Read when torch is imported. Models this small gain nothing from threads, and threads that wait for a core
    # of a busy machine made training ten times slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from .demo_checks import encoder_check, floors_check, null_check, planted_check

    drawn = Drawn(seed, resamples)
    command = [
        "demo",
        *([] if out == _DEMO else ["--out", str(out)]),
        *(["--language", language] if language else []),
        *drawn.words(),
    ]
    console = Terminal()
    outcomes = {}
    planted, null = out / "planted", out / "null"
    for folder, experiment, about in (
        (planted, "demo", "The planted world: severities say which rows teach what is rare"),
        (null, "demo-null", "The null world: the same rows, and severities in random order"),
    ):
        console.print(f"\n{about}", style="bold")
        outcomes[folder] = run_and_print(Path(experiment), folder, command, language, drawn)
    (board,), (arms,) = outcomes[planted].boards.values(), outcomes[planted].arms.values()
    (unplanted,) = outcomes[null].arms.values()
    checks = [
        encoder_check(planted / "encoder", planted / "dataset"),
        planted_check(arms),
        null_check(unplanted),
        floors_check(board),
    ]
    console.print("\nThe demo", style="bold")
    for check in checks:
        console.print(str(check), markup=False, soft_wrap=True, style="green" if check.holds else "red")
    if not all(check.holds for check in checks):
        raise typer.Exit(1)
