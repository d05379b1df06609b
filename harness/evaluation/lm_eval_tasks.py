"""Running the tasks through lm-eval's Python interface, without the noise meant for its own command line."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..generation.stored import StoredModel
from .options import EvaluationOptions

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

_MOMENTARY = ("date", "git_hash", "pretty_env_info", "upper_git_hash", "start_time", "end_time")
"""What differs between two equal evaluations; the manifest has it."""


def run_tasks(model: StoredModel, tasks: Path, group: str, options: EvaluationOptions) -> dict[str, Any]:
    """Generate and score by lm-eval. Returns its results without times and environment: equal runs, equal results.

    Args:
        model: who answers.
        tasks: the folder of the tasks' YAML files.
        group: their group.
        options: which rows are asked, and with what in front of them.

    Raises:
        UserError: as the model and the tasks do.
    """
    from lm_eval import simple_evaluate

    prompting = options.prompting
    with _quiet():
        results: dict[str, Any] = simple_evaluate(
            model=model,
            tasks=[group],
            task_manager=_manager(tasks, options),
            num_fewshot=prompting.num_fewshot,
            fewshot_random_seed=prompting.fewshot_seed,
            fewshot_as_multiturn=prompting.fewshot_as_multiturn,
            system_instruction=prompting.system_instruction,
            gen_kwargs=model.config.decoding.gen_kwargs(),
            apply_chat_template=model.config.chat_template,
            limit=options.limit,
            batch_size=model.config.batch_size,
        )
    kept = {key: value for key, value in results.items() if key not in _MOMENTARY}
    # As lm-eval's own command writes them.
    asked = {
        "chat_template": model.chat_template(model.config.chat_template),
        **prompting.model_dump(include={"system_instruction", "fewshot_as_multiturn"}),
    }
    return {**kept, **asked, "configs": _named(kept["configs"])}


def requests_of(model: StoredModel, tasks: Path, group: str, options: EvaluationOptions) -> list[Instance]:
    """The requests that ``run_tasks`` would put to the model.

    Raises:
        UserError: as the tasks do.
    """
    requests: list[Instance] = []
    chat, prompting = model.config.chat_template, options.prompting
    with _quiet():
        for task in _manager(tasks, options).load([group])["tasks"].values():
            task.set_config(key="generation_kwargs", value=model.config.decoding.gen_kwargs(), update=True)
            task.set_config(key="num_fewshot", value=prompting.num_fewshot)
            task.set_fewshot_seed(prompting.fewshot_seed)
            task.build_all_requests(
                limit=options.limit,
                system_instruction=prompting.system_instruction,
                apply_chat_template=chat,
                fewshot_as_multiturn=prompting.fewshot_as_multiturn,
                chat_template=model.apply_chat_template if chat else None,
                tokenizer_name=model.tokenizer_name if chat else "",
            )
            requests.extend(task.instances)
    return requests


def _manager(tasks: Path, options: EvaluationOptions) -> Any:
    from lm_eval.tasks import TaskManager

    metadata = {
        "data": str(options.data) if options.data else None,
        "language": options.language,
        "bertscore_model": options.bertscore_model,
        "bertscore_layer": options.bertscore_layer,
        "bertscore_window": options.bertscore_window,
        "references": options.references and str(options.references),
        # The model ends its answers by the stop strings itself.
        "final_answers": True,
    }
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
