"""``train lm`` as a command, for ``maqa`` and for ``accelerate launch -m maqa_severity.trainers`` alike."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperCommand

from ...harness.core.console import Terminal


class NamesArms(TyperCommand):
    """A command that ends its ``--help`` with every arm and what it does."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        # Here, so that no other help waits for what the arms import.
        from ..arms import ARMS

        super().format_epilog(ctx, formatter)
        with formatter.section("Arms"):
            formatter.write_dl([(arm.name, f"{arm.summary}.") for arm in ARMS.things()])


def lm(
    dataset: Annotated[
        Path, typer.Argument(help="The dataset folder; labelled, for the arms that need severities.")
    ],
    base: Annotated[str, typer.Option(help="The base model: a local folder or a hub id.")],
    arm: Annotated[str, typer.Option(help="What to do with the severities: one of the arms below.")],
    out: Annotated[Path, typer.Option(help="A new folder for the checkpoint; a stopped training goes on in it.")],
    scheme: Annotated[
        str | None, typer.Option(help="mild, balanced or strong; balanced where an arm needs one.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="α,β,γ of non-critical, neutral and critical, instead of a scheme.")
    ] = None,
    gamma: Annotated[
        float | None, typer.Option(help="Strength of the token loss of arm focal; 2 by default.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub id.")] = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="YAML file of settings; repeat it, later files override earlier ones.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, such as learning_rate=1e-4; overrides files.")
    ] = None,
) -> None:
    """Train one arm of an experiment, or a control."""
    from ...harness.data.dataset import open_dataset
    from ..arms import ArmSpec
    from .config import load_config

    spec = ArmSpec.of(arm, scheme, weights, gamma)
    found = load_config(config or [], settings or [])
    opened = open_dataset(dataset)
    from .train import train_lm

    console = Terminal()
    manifest = train_lm(opened, base, spec, found, out, revision=revision, announce=partial(_announce, console))
    from .processes import processes

    if not processes().is_main_process:
        return
    table = Table("training", manifest.name, title=None)
    for name, text in _facts(manifest.model_dump()):
        table.add_row(name, text)
    console.print(table)
    if warning := (manifest.weights or {}).get("warning"):
        console.print(warning, markup=False, soft_wrap=True)
    console.print(f"Checkpoint written to {out}", markup=False, soft_wrap=True)


def _announce(console: Console, line: str) -> None:
    console.print(line, markup=False, style="yellow", soft_wrap=True)


def _facts(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("base", str(manifest["base"]["name"]))]
    if weights := manifest["weights"]:
        facts += [
            ("weights", f"mean {weights['mean']:.3f}, CV {weights['cv']:.3f}"),
            ("effective sample size", f"{weights['effective_rows']:,.0f} of {weights['rows']:,}"),
        ]
    for severity, shown in (manifest["exposure"] or {}).items():
        facts.append(
            (
                f"shown: {severity}",
                f"{shown['presentations']:.2f} times; sum of learning rates {shown['rate']:.2f}, weighted "
                f"{shown['weight_rate']:.2f} (of learning_rate)",
            )
        )
    cut = manifest["truncation"]
    facts.append(("answers cut", f"{cut['answers_cut']:,} ({cut['answer_tokens_cut']:,} tokens)"))
    facts.append(("questions cut", f"{cut['prompts_cut']:,} ({cut['prompt_tokens_cut']:,} tokens)"))
    if cost := manifest["cost"]["training"]:
        facts += [
            ("processes", str(manifest["processes"])),
            ("steps", f"{cost['steps']:,}"),
            ("seconds", f"{cost['seconds']:,.1f}"),
            ("tokens per second", f"{cost['tokens_per_s']:,.0f}"),
            ("peak memory", f"{cost['peak_memory_bytes'] / 1e9:.2f} GB"),
        ]
        if ratio := cost["loss_overhead"]["weighted_over_unweighted"]:
            facts.append(("weighted / unweighted loss", f"{ratio:.2f} × the time"))
    return facts
