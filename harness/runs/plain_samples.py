"""Which of the samples files that plain lm-eval wrote are our tasks': by their documents, not by their names."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..severity import SEVERITIES

PREDICT_ONLY = "bypass"
"""The metric without a value that lm-eval puts in place of all others under ``--predict_only``."""


def our_samples(results_file: Path, results: Mapping[str, Any], stamp: str) -> dict[str, Path]:
    """The samples files that belong to a results file, by task, in the order of the severities.

    A document of our tasks says how it is scored. A file whose first line cannot be read is ours if the results
    say that its task asked one severity.

    Raises:
        UserError: they are of several groups, which are several runs.
    """
    found: list[tuple[int, str, Path]] = []
    for path in results_file.parent.glob(f"samples_*_{glob.escape(stamp)}.jsonl"):
        task = path.name.removeprefix("samples_").removesuffix(f"_{stamp}.jsonl")
        place = _place(path, task, results)
        if place is not None:
            found.append((place, task, path))
    samples = {task: path for _, task, path in sorted(found)}
    groups = _groups(results, samples)
    if len(groups) > 1:
        raise UserError(
            f"{results_file} holds the groups {' and '.join(groups)}", "Run lm_eval for each into its own folder"
        )
    return samples


def _place(path: Path, task: str, results: Mapping[str, Any]) -> int | None:
    """Where the file's severity stands among them; None for a file that is not ours."""
    configs = results.get("configs")
    config = configs.get(task) if isinstance(configs, dict) else None
    arguments = config.get("dataset_kwargs") if isinstance(config, dict) else None
    severity = arguments.get("severity") if isinstance(arguments, dict) else None
    try:
        with path.open(encoding="utf-8") as lines:
            document = json.loads(lines.readline())["doc"]
        severity = document["severity"] if "scoring" in document else None
    except (ValueError, KeyError, TypeError):
        # Whoever reads all of the file says what is wrong with it.
        pass
    known = [str(each) for each in SEVERITIES]
    return None if severity is None else known.index(severity) if severity in known else len(known)


def _groups(results: Mapping[str, Any], tasks: Mapping[str, Path]) -> list[str]:
    subtasks = results.get("group_subtasks")
    if not isinstance(subtasks, dict):
        return []
    return [group for group, names in subtasks.items() if group not in tasks and set(names) & tasks.keys()]
