"""From an evaluated model to a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.files import read_json
from ..core.secrets import redact
from ..data.dataset import open_dataset
from ..generation.config import GenerationConfig
from ..generation.finish import finish_frame, finish_summary
from ..generation.stored import StoredModel
from ..labelling.quality.trust import dataset_trust
from ..metrics.base import Metric
from ..metrics.bertscore.encoder import encoder_asked
from ..metrics.registry import left_out
from ..metrics.scoring import beside_metrics, run_metrics
from ..runs.answers import fingerprint
from ..runs.conditions import TRAINING_MANIFEST
from ..runs.generations import write_generation
from ..runs.lm_eval_files import write_results, write_samples
from ..runs.manifest import NAME as MANIFEST
from ..runs.manifest import DataRecord, Manifest, ModelRecord, PromptRecord, versions, write_manifest
from ..runs.nll import NAME as NLL
from ..runs.nll import keep_nll
from ..runs.questions import write_questions
from ..runs.repeats import rescore_repeats, write_repeats
from ..runs.rescoring import complete_scores, with_check
from ..runs.run import Run, Saved, load_answers, load_run
from ..runs.samples import over_samples
from ..runs.seals import SCORES, rewriting, sealed
from ..runs.severities import write_severities
from ..runs.trained_on import trained_on
from ..scores.references import references_asked
from ..scores.table import ScoreTable, write_scores
from .options import EvaluationOptions

_STAMP = "maqa"
_VARIABLES = (
    "MAQA_BERTSCORE_LAYER",
    "MAQA_BERTSCORE_MODEL",
    "MAQA_BERTSCORE_WINDOW",
    "MAQA_DATA",
    "MAQA_LANGUAGE",
    "MAQA_REFERENCES",
)


def save_run(model: StoredModel, options: EvaluationOptions, results: dict[str, Any], started: datetime) -> None:
    """Write lm-eval's files, the scores, how each answer ended, and last the manifest, each atomically.

    Args:
        model: after it has answered.
        options: where to.
        results: lm-eval's, with samples; names of the model are filled in.
        started: when the evaluation began.

    Raises:
        UserError: a file cannot be written.
    """
    # A kill would leave files that the seal of before does not fit; the run is not whole until the last is written.
    (options.out / MANIFEST).unlink(missing_ok=True)
    config = model.config
    name = options.name or _default_name(config)
    samples = {
        task: write_samples(options.out, task, rows, _STAMP).name for task, rows in results["samples"].items()
    }
    frame = finish_frame(model.prompts, model.answers)
    results["model_name"] = name
    results["config"] |= {"model": str(config.kind), "model_args": config.model_args}
    results["generation"] = finish_summary(frame)
    overall = results["generation"]["overall"]
    results_file = write_results(options.out, results, _STAMP)
    saved = load_answers(results_file)
    encoder = encoder_asked(options.bertscore_model, options.bertscore_layer, options.bertscore_window)
    over = references_asked(options.references)
    metrics = run_metrics(saved.language, *encoder, references=over)
    scores = with_check(saved, complete_scores(saved, beside_metrics(saved.language, *encoder)), metrics)
    write_scores(options.out / SCORES, scores)
    write_questions(saved, options.out / SCORES)
    write_generation(saved, frame, metrics)
    _save_repeats(model, saved, scores, metrics)
    manifest = Manifest(
        name=name,
        created=started.isoformat(timespec="seconds"),
        results=results_file.name,
        samples=samples,
        model=ModelRecord(
            kind=str(config.kind),
            name=_model_name(config),
            args=config.model_args,
            identity=model.identity,
            training=_training(config),
        ),
        data=_data_record(options, config, saved),
        prompt=PromptRecord.of(
            saved.language, model.chat_template(config.chat_template), saved.template, options.prompting
        ),
        decoding=config.decoding.model_dump(mode="json"),
        answers_per_question=config.samples,
        scoring={**encoder.asked, "references": str(over), "signatures": scores.signatures},
        left_out=left_out(saved.language),
        answers={"all": len(frame), "refused": overall["errors"], "filtered": overall["filtered"]},
        runtime={"command": redact(options.command or ""), "defaults": model.defaults, **_environment()},
        versions=versions(),
        cost={
            "seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
            "generation_seconds": round(sum(answer.seconds for answer in model.answers), 3),
            "generated_tokens": sum(answer.tokens for answer in model.answers),
            **_price(model),
        },
    )
    write_manifest(options.out, sealed(options.out, manifest))


def _price(model: StoredModel) -> dict[str, float]:
    """What all answers cost by the prices of a million tokens that were given; nothing where none was."""
    given = model.config.model_args
    rates = [given.get(name) for name in ("price_in", "price_out")]
    if rates == [None, None]:
        return {}
    asked = sum(answer.prompt_tokens for answer in model.answers)
    told = sum(answer.tokens for answer in model.answers)
    return {
        "prompt_tokens": asked,
        "price": round((asked * float(rates[0] or 0) + told * float(rates[1] or 0)) / 1e6, 12),
    }


def _environment() -> dict[str, dict[str, str]]:
    """The options of the environment that change a number, where any is set."""
    found = {name: redact(os.environ[name]) for name in _VARIABLES if os.environ.get(name)}
    return {"environment": found} if found else {}


def add_nll(run: Run, config: GenerationConfig, options: EvaluationOptions) -> Run:
    """The run with its checkpoint's likelihoods of the references, where these were measured after it was made."""
    if options.data is None or run.nll is not None or not (_checkpoint(config) / NLL).is_file():
        return run
    ids = list(run.answers["id"])
    test = open_dataset(options.data).split("test")
    with rewriting(options.out, [NLL]):
        keep_nll(options.out, _checkpoint(config), test, ids)
    return load_run(options.out) if (options.out / NLL).is_file() else run


def _save_repeats(model: StoredModel, saved: Saved, scores: ScoreTable, metrics: Sequence[Metric]) -> None:
    config, scores = model.config, over_samples(saved.path, scores)
    if not model.repeats or config.repeat_share is None:
        # The first answers may be others than when it was asked again.
        rescore_repeats(saved, scores, metrics)
        return
    prompts, answers = zip(*model.repeats, strict=True)
    how = ["by another seed"] * config.decoding.do_sample + ["in other batches"] * config.backend.device
    asked = (config.repeat_share, config.decoding.seed, " and ".join(how) or "as before")
    write_repeats(saved, scores, finish_frame(prompts, answers), metrics, asked)


def _data_record(options: EvaluationOptions, config: GenerationConfig, saved: Saved) -> DataRecord:
    source, decided = "the shipped sample (synthetic)", {"name": "column", "version": "1"}
    labels = None
    if options.data:
        dataset = open_dataset(options.data)
        source, decided = dataset.info.source, dataset.info.severity_source.model_dump()
        labels = dataset_trust(dataset, list(saved.answers["id"]))
        write_severities(options.out, dataset, list(saved.answers["id"]))
        keep_nll(options.out, _checkpoint(config), dataset.split("test"), list(saved.answers["id"]))
    return DataRecord(
        source=source,
        fingerprint=fingerprint(saved.answers),
        severity_source=decided,
        labels=labels,
        limit=options.limit,
        trained_on=trained_on(_checkpoint(config), saved.answers["question"], saved.language),
    )


def _checkpoint(config: GenerationConfig) -> Path:
    return Path(str(config.model_args.get("pretrained", ""))).expanduser()


def _training(config: GenerationConfig) -> dict[str, Any] | None:
    path = _checkpoint(config) / TRAINING_MANIFEST
    if not path.is_file():
        return None
    training: dict[str, Any] = read_json(path, "Train the checkpoint again")
    return training


def _model_name(config: GenerationConfig) -> str:
    """Which model answers; as in lm-eval, ``model`` comes before ``pretrained``. A trivial system is its kind."""
    return str(config.model_args.get("model") or config.model_args.get("pretrained") or config.kind)


def _default_name(config: GenerationConfig) -> str:
    return Path(_model_name(config)).name or str(config.kind)
