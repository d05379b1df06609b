"""Learning curves as a page: of one training while it runs, and of the arms of an experiment over one another."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...harness.core.files import write_text
from ...harness.languages.sentences import sentence
from ...harness.pages import render
from ...harness.pages.lines import Line, line_chart
from ...harness.severity import SEVERITIES
from .manifest import LOG

CURVES = "curves.html"
_TEMPLATES = Path(__file__).parent
_SEVERITIES = tuple(str(severity) for severity in SEVERITIES)
_ALONE = {
    "loss": sentence("curves.minimised"),
    "learning_rate": sentence("curves.learning_rate"),
    "grad_norm": sentence("curves.grad_norm"),
    "tokens_per_s": sentence("curves.tokens_per_s"),
}
_BY_SEVERITY = {"loss": sentence("curves.loss"), "eval_nll": sentence("curves.eval_nll")}
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
            sentence("curves.per_severity", what=heading),
            [Line(sentence(f"stratum.{name}"), _points(lines, f"{key}_{name}"), name) for name in _SEVERITIES],
        )
        for key, heading in _BY_SEVERITY.items()
    ]
    charts += [
        line_chart(heading, [Line(heading, _points(lines, key), "overall")]) for key, heading in _ALONE.items()
    ]
    _write(checkpoint / CURVES, title, sentence("curves.one"), charts)


def write_experiment_curves(out: Path, title: str, checkpoints: Mapping[str, Path]) -> None:
    """Write ``curves.html`` into an experiment's folder: every checkpoint with a log, by its label."""
    logs = {label: read_log(folder) for label, folder in checkpoints.items()}
    logs = {label: lines for label, lines in logs.items() if lines}
    keys = {
        f"{key}_{name}": sentence("curves.of_severity", what=heading, severity=sentence(f"stratum.{name}"))
        for key, heading in _BY_SEVERITY.items()
        for name in _SEVERITIES
    } | _ALONE
    charts = [
        line_chart(heading, [Line(label, _points(lines, key)) for label, lines in logs.items()])
        for key, heading in keys.items()
    ]
    _write(out / CURVES, title, sentence("curves.all"), charts)


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
