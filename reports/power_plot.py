"""Power over questions as a picture: a line per number of training seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..harness.languages.messages import messages, reader
from ..harness.pages.sheets import keep, sheet
from ..harness.statistics.power import Planned
from ..harness.statistics.significance import POWER


def plot_power(table: Sequence[Planned], effect: float, path: Path) -> None:
    """Write a PNG or SVG, by the path's ending.

    Args:
        table: every number of seeds with every number of questions; the designs of several samples are told apart.
        effect: the difference that is to be found, in points.
        path: where to.

    Raises:
        UserError: the ending is another, or the folder cannot be written to.
    """
    say = messages(reader())
    figure = sheet(7, 4.5)
    axes = figure.add_subplot()
    asked = sorted({each.design.questions for each in table})
    samples = {each.design.samples for each in table}
    lines: dict[tuple[int, int], list[Planned]] = {}
    for each in table:
        lines.setdefault((each.design.seeds, each.design.samples), []).append(each)
    for (seeds, taken), points in lines.items():
        points = sorted(points, key=lambda each: each.design.questions)
        label = say(f"figures.power.{'samples' if len(samples) > 1 else 'seeds'}", seeds=seeds, samples=taken)
        axes.plot(
            [each.design.questions for each in points], [each.power_pct for each in points], marker="o", label=label
        )
    axes.axhline(100 * POWER, color="#888888", linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_ylim(0, 104)
    axes.set_xticks(asked, [f"{questions:,}" for questions in asked], minor=False)
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(say("figures.power.questions"))
    axes.set_ylabel(say("figures.power.percent"))
    axes.set_title(say("figures.power", effect=f"{effect:g}"), fontsize=10)
    axes.legend(title=say("figures.power.arm"), loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    keep(figure, path)
