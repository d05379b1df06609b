"""Learning curves as a page: of one training while it runs, and of the arms of an experiment over one another."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...harness.core.files import write_text
from ...harness.pages import render
from ...harness.pages.lines import Line, line_chart
from ...harness.severity import SEVERITIES
from .manifest import LOG

CURVES = "curves.html"
_TEMPLATES = Path(__file__).parent
_SEVERITIES = tuple(str(severity) for severity in SEVERITIES)
_ALONE = {
    "loss": "loss as it is minimised",
    "learning_rate": "learning rate",
    "grad_norm": "norm of the gradient before clipping",
    "tokens_per_s": "tokens per second",
}
_SHARE, _LEAST_S = 20, 2.0


class Curves:
    """Writes a training's page again and again, in at most a twentieth of its time."""

    def __init__(self, folder: Path, title: str) -> None:
        self._folder, self._title = folder, title
        self._next = 0.0

    def write(self, *, now: bool = False) -> None:
        """Write the page if it is time for it, or ``now``."""
        began = time.monotonic()
        if now or began >= self._next:
            write_curves(self._folder, self._title)
            self._next = time.monotonic() + max(_LEAST_S, _SHARE * (time.monotonic() - began))


def write_curves(checkpoint: Path, title: str) -> None:
    """Write ``curves.html`` beside a training's log."""
    lines = read_log(checkpoint)
    charts = [
        line_chart(
            f"{heading} per severity", [Line(name, _points(lines, f"{key}_{name}"), name) for name in _SEVERITIES]
        )
        for key, heading in (("loss", "training loss"), ("eval_nll", "validation likelihood"))
    ]
    charts += [
        line_chart(heading, [Line(heading, _points(lines, key), "overall")]) for key, heading in _ALONE.items()
    ]
    about = "What the training has logged so far; load the page again for more."
    _write(checkpoint / CURVES, title, about, charts)


def write_experiment_curves(out: Path, title: str, checkpoints: Mapping[str, Path]) -> None:
    """Write ``curves.html`` into an experiment's folder: every checkpoint with a log, by its label."""
    logs = {label: read_log(folder) for label, folder in checkpoints.items()}
    logs = {label: lines for label, lines in logs.items() if lines}
    keys = {f"loss_{name}": f"training loss, {name}" for name in _SEVERITIES}
    keys |= {f"eval_nll_{name}": f"validation likelihood, {name}" for name in _SEVERITIES} | _ALONE
    charts = [
        line_chart(heading, [Line(label, _points(lines, key)) for label, lines in logs.items()])
        for key, heading in keys.items()
    ]
    _write(out / CURVES, title, "The trainings of this experiment over one another.", charts)


def read_log(checkpoint: Path) -> list[dict[str, Any]]:
    """The whole lines of a training's log; none where there is no log."""
    path = checkpoint / LOG
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            # The last one may be half written.
            continue
    return [line for line in found if isinstance(line, dict) and isinstance(line.get("step"), int)]


def _points(lines: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(line["step"], float(line[key])) for line in lines if isinstance(line.get(key), int | float)]


def _write(path: Path, title: str, about: str, charts: Sequence[Any]) -> None:
    page = render(_TEMPLATES, "curves.html", title=title, about=about, charts=[each for each in charts if each])
    write_text(path, page)
