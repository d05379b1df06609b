"""The tasks through lm-eval's Python interface, into a run folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from .data.dataset import open_dataset
from .errors import UserError
from .files import read_json, sha256_text, write_json
from .generation.config import GenerationConfig
from .generation.stored import StoredModel
from .languages import language
from .lm_eval_files import write_results, write_samples
from .manifest import NAME as MANIFEST
from .manifest import DataRecord, Manifest, ModelRecord, PromptRecord, versions, write_manifest
from .runs import SCORES, Run, load_answers, load_run
from .scores import write_scores

TRAINING = "training.json"
"""The training manifest that a checkpoint of ours has."""

_REQUEST = "request.json"


class EvaluationOptions(BaseModel):
    """What is evaluated and where the run goes; ``limit`` counts rows per severity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path
    data: Path | None = None
    bertscore_model: str | None = None
    limit: int | None = None
    name: str | None = None
    command: str | None = None


def evaluate(config: GenerationConfig, options: EvaluationOptions, tasks: Path, group: str) -> Run:
    """Generate, score and save one run; a run that is whole already is read, not made again.

    Args:
        config: who answers, and how.
        options: on what, and where to.
        tasks: the folder of the lm-eval tasks.
        group: their group.

    Raises:
        UserError: the data, the model or the encoder cannot be read, a severity has no row, or the folder holds
            another run or cannot be written to.
    """
    model = StoredModel(config)
    request = {"identity": model.identity, "options": options.model_dump(mode="json", exclude={"command", "out"})}
    if _is_whole(options.out, request):
        return load_run(options.out)
    started = datetime.now(UTC)
    results = _simple_evaluate(model, options, tasks, group)
    stamp = "maqa"
    samples = {
        task: write_samples(options.out, task, rows, stamp).name for task, rows in results["samples"].items()
    }
    results_file = write_results(options.out, results, stamp)
    saved = load_answers(results_file)
    write_scores(options.out / SCORES, saved.sample_scores)
    manifest = Manifest(
        name=options.name or _default_name(config),
        created=started.isoformat(timespec="seconds"),
        results=results_file.name,
        samples=samples,
        model=ModelRecord(
            kind=str(config.kind),
            name=str(config.model_args.get("pretrained", config.kind)),
            args=config.model_args,
            identity=model.identity,
            training=_training(config),
        ),
        data=_data_record(options, saved.answers),
        prompt=PromptRecord.of(language(config.language)),
        decoding=config.decoding.model_dump(mode="json"),
        answers_per_question=config.samples,
        runtime={"command": options.command, "defaults": model.defaults},
        versions=versions(),
        cost={"seconds": round((datetime.now(UTC) - started).total_seconds(), 3)},
    )
    write_manifest(options.out, manifest)
    return load_run(options.out)


def fingerprint(answers: pd.DataFrame) -> str:
    """Digest of the rows that were asked: ids, questions, references and severities, whatever their order."""
    columns = ["id", "severity", "question", "reference"]
    return sha256_text(answers[columns].sort_values("id").to_json(orient="records", force_ascii=False))


def _simple_evaluate(model: StoredModel, options: EvaluationOptions, tasks: Path, group: str) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    metadata = {"data": str(options.data) if options.data else None, "bertscore_model": options.bertscore_model}
    with _quiet():
        results: dict[str, Any] = simple_evaluate(
            model=model,
            tasks=[group],
            task_manager=TaskManager(include_path=str(tasks), include_defaults=False, metadata=metadata),
            gen_kwargs=model.config.decoding.gen_kwargs(),
            apply_chat_template=model.config.chat_template,
            limit=options.limit,
            batch_size=model.config.batch_size,
        )
    return results


@contextmanager
def _quiet() -> Iterator[None]:
    # Generation shows its own progress; lm-eval's bars and hints for its own command line would bury it.
    from lm_eval.api import task

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    bar, task.tqdm = task.tqdm, lambda items, **_: items
    try:
        yield
    finally:
        task.tqdm = bar


def _is_whole(out: Path, request: dict[str, Any]) -> bool:
    remedy = "Choose another --out, or delete the folder"
    path = out / _REQUEST
    if path.is_file():
        if read_json(path, remedy) != request:
            raise UserError(f"{out} holds another run, by {path}", remedy)
        return (out / MANIFEST).is_file()
    if out.is_dir() and any(out.glob("*.json")):
        raise UserError(f"{out} holds something else", remedy)
    write_json(path, request)
    return False


def _data_record(options: EvaluationOptions, answers: pd.DataFrame) -> DataRecord:
    source, decided = "the shipped sample (synthetic)", {"name": "column", "version": "1"}
    if options.data:
        info = open_dataset(options.data).info
        source, decided = info.source, info.severity_source.model_dump()
    return DataRecord(source=source, fingerprint=fingerprint(answers), severity_source=decided, limit=options.limit)


def _training(config: GenerationConfig) -> dict[str, Any] | None:
    path = Path(str(config.model_args.get("pretrained", ""))) / TRAINING
    if not path.is_file():
        return None
    training: dict[str, Any] = read_json(path, "Train the checkpoint again")
    return training


def _default_name(config: GenerationConfig) -> str:
    pretrained = config.model_args.get("pretrained")
    return Path(str(pretrained)).name if pretrained else str(config.kind)
