"""Running the tasks through lm-eval's Python interface, without the noise meant for its own command line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .generation.stored import StoredModel

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

_MOMENTARY = ("date", "git_hash", "pretty_env_info", "upper_git_hash", "start_time", "end_time")
"""What differs between two equal evaluations; the manifest has it."""


def run_tasks(
    model: StoredModel, tasks: Path, group: str, metadata: dict[str, Any], limit: int | None
) -> dict[str, Any]:
    """Generate and score by lm-eval. Returns its results without times and environment: equal runs, equal results.

    Args:
        model: who answers.
        tasks: the folder of the tasks' YAML files.
        group: their group.
        metadata: what the tasks are told.
        limit: rows per task.

    Raises:
        UserError: as the model and the tasks do.
    """
    from lm_eval import simple_evaluate

    with _quiet():
        results: dict[str, Any] = simple_evaluate(
            model=model,
            tasks=[group],
            task_manager=_manager(tasks, metadata),
            gen_kwargs=model.config.decoding.gen_kwargs(),
            apply_chat_template=model.config.chat_template,
            limit=limit,
            batch_size=model.config.batch_size,
        )
    kept = {key: value for key, value in results.items() if key not in _MOMENTARY}
    return {**kept, "configs": _named(kept["configs"])}


def requests_of(
    model: StoredModel, tasks: Path, group: str, metadata: dict[str, Any], limit: int | None
) -> list[Instance]:
    """The requests that ``run_tasks`` would put to the model.

    Raises:
        UserError: as the tasks do.
    """
    requests: list[Instance] = []
    with _quiet():
        for task in _manager(tasks, metadata).load([group])["tasks"].values():
            task.set_config(key="generation_kwargs", value=model.config.decoding.gen_kwargs(), update=True)
            task.build_all_requests(
                limit=limit,
                apply_chat_template=model.config.chat_template,
                fewshot_as_multiturn=model.config.chat_template,
                chat_template=model.apply_chat_template if model.config.chat_template else None,
                tokenizer_name=model.tokenizer_name if model.config.chat_template else "",
            )
            requests.extend(task.instances)
    return requests


def _manager(tasks: Path, metadata: dict[str, Any]) -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(tasks), include_defaults=False, metadata=metadata)


def _named(value: Any) -> Any:
    """Functions by their names: lm-eval writes them with their addresses, which no two processes share."""
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value


@contextmanager
def _quiet() -> Iterator[None]:
    # Generation shows its own progress; lm-eval's bars and hints for its own command line would bury it.
    from lm_eval import evaluator
    from lm_eval.api import task

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    bar, task.tqdm = task.tqdm, lambda items, **_: items
    # It asks git about the user's folder, and git complains where that is no repository.
    commit, evaluator.get_git_commit_hash = evaluator.get_git_commit_hash, lambda: None
    try:
        yield
    finally:
        task.tqdm, evaluator.get_git_commit_hash = bar, commit
