"""``maqa demo``."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ..harness.core.beside import beside
from ..harness.core.console import Terminal
from .app import app
from .options import LanguageCode, Resamples, Seed
from .run import Drawn, run_and_print

_DEMO = Path("runs/demo")

ARITHMETIC = {"OMP_NUM_THREADS": "1", "MKL_CBWR": "COMPATIBLE", "ATEN_CPU_CAPABILITY": "default"}
"""Read when torch is imported. Models this small gain nothing from threads, and threads that wait for a core of a
busy machine made training ten times slower. The kernels are those that every x86 processor has, so that all of them
round alike and the demo's figures are the same everywhere."""


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
    for name, value in ARITHMETIC.items():
        os.environ.setdefault(name, value)
    from .demo_checks import encoder_check, floors_check, null_check, planted_check

    drawn = Drawn(seed, resamples)
    command = [
        "demo",
        *([] if out == _DEMO else ["--out", str(out)]),
        *(["--language", language] if language else []),
        *drawn.words(),
    ]
    console = Terminal()
    planted, null = out / "planted", out / "null"
    of_null = (Path("demo-null"), null, command, language, drawn)
    with beside(run_and_print, *of_null) as finished:
        console.print("\nThe planted world: severities say which rows teach what is rare", style="bold")
        outcome = run_and_print(Path("demo"), planted, command, language, drawn)
        console.print("\nThe null world: the same rows, and severities in random order", style="bold")
        finished()
        (unplanted,) = run_and_print(*of_null).arms.values()
    (board,), (arms,) = outcome.boards.values(), outcome.arms.values()
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
