"""Write the lm-eval YAML files from families, severities and metrics: ``python -m maqa_severity.tasks.write``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..harness.core.files import write_text
from ..harness.generation.examples import EXAMPLE_BREAK
from ..harness.metrics.registry import task_columns
from ..harness.severity import Severity
from . import FOLDER
from .families import FAMILIES, Family

TEMPLATE = "_template.yaml"
_MARK = "# Written by `make tasks` from the task families and the metrics; edit those.\n"
_TASK = "maqa_severity.tasks.task.SeverityTask"


class _Function(str):
    """A function or class by its name, which lm-eval imports."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Function, lambda dumper, name: dumper.represent_scalar("!function", str(name)))
# A blank line in quotation marks reads badly across lines.
_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if "\n" in text else None)
)


def files() -> dict[Path, str]:
    """Every YAML file of every family, with its text."""
    metrics = task_columns()
    return {
        FOLDER / family.folder / name: _text(content)
        for family in FAMILIES.things()
        for name, content in {
            TEMPLATE: _shared(family, metrics),
            f"{family.group}.yaml": _group(family, metrics),
            **{f"{task}.yaml": _task(family, severity) for severity, task in family.tasks.items()},
        }.items()
    }


def write() -> list[Path]:
    """Write the files, and remove those of tasks that there are no longer. Returns what was written.

    Raises:
        UserError: a folder cannot be written to.
    """
    written = files()
    for family in FAMILIES.things():
        for stale in set((FOLDER / family.folder).glob("*.yaml")) - written.keys():
            stale.unlink()
    for path, text in written.items():
        write_text(path, text)
    return list(written)


def _shared(family: Family, metrics: dict[str, bool]) -> dict[str, Any]:
    return {
        "class": _Function(_TASK),
        "output_type": "generate_until",
        "custom_dataset": _Function(family.documents),
        "test_split": "test",
        "fewshot_split": "train",
        "doc_to_text": _Function(family.prompt),
        "doc_to_target": "answer",
        "target_delimiter": " ",
        "fewshot_delimiter": EXAMPLE_BREAK,
        # Each question's own: by its language and by whether a chat template is applied.
        "generation_kwargs": {"until": None, "do_sample": False, "max_gen_toks": family.max_new_tokens},
        "process_results": _Function("maqa_severity.tasks.scored.process_results"),
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": higher}
            for metric, higher in metrics.items()
        ],
        "metadata": {"version": family.version},
    }


def _group(family: Family, metrics: dict[str, bool]) -> dict[str, Any]:
    return {
        "group": family.group,
        "task": list(family.tasks.values()),
        "aggregate_metric_list": [{"metric": metric, "weight_by_size": True} for metric in metrics],
        "metadata": {"version": family.version},
    }


def _task(family: Family, severity: Severity) -> dict[str, Any]:
    former = family.former_name(severity)
    return {
        "include": TEMPLATE,
        "task": family.tasks[severity],
        # A tag stands for its tasks, so the name of before still asks this one.
        **({"tag": former} if former else {}),
        "task_alias": str(severity),
        "dataset_kwargs": {"severity": str(severity)},
    }


def _text(content: dict[str, Any]) -> str:
    return _MARK + yaml.dump(
        content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=100
    )


if __name__ == "__main__":
    for path in write():
        print(path)  # noqa: T201
