"""One run of the transformers Trainer, from the base or from its last whole checkpoint to the saved model."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import gather_object
from transformers import PrinterCallback, TrainingArguments, set_seed

from ...harness.core.errors import UserError
from ...harness.core.files import read_json, write_json
from ...harness.core.refused import refusal
from ...harness.generation.checkpoints import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from ..losses.token_loss import check_slope
from .arithmetic import demand_arithmetic, float32_products
from .bases import load_for_training
from .batches import Collator, Examples
from .causal import weighted_forward
from .compiling import compiled
from .config import Attention, Method, Precision, TrainConfig
from .cost import overhead, peak_memory_bytes, reset_peak_memory
from .finite import NotFinite, diverged
from .fitting import demand_fit
from .head_check import check_head
from .manifest import LOG, STATE
from .monitor import Monitor
from .order import BLANK
from .pace import Pace, measured_pace
from .plan import Plan, warmup_steps
from .processes import processes, use_cpu
from .recomputation import SETTINGS, recomputing, where_needed
from .restarts import Restarts
from .rounding import round_to_bf16
from .split import Split, given_split, measured_split
from .stock import causal_model
from .trackers import PROJECT, tracking
from .trainer import WeightedTrainer
from .validation import Validation, best_folder, forget_others, state_of, stopped_record, validation_of

if TYPE_CHECKING:
    from .preparation import Training

_SAVED = "saved"
"""Folder of an adapter within ``STATE`` until it is whole."""
_SPLIT = "split.json"
_PACE = "pace.json"


def run(
    training: Training,
    tokenizer: Any,
    examples: Examples,
    plan: Plan,
    ids: Sequence[str],
    like: Examples | None = None,
    announce: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Train and save what was trained into ``training.out``; returns what it cost, and where early stopping ended
    it if that was asked for. ``examples`` are in the order of the plan, ``ids`` (n,) those of the rows; ``like``
    are the examples under the weights whose updates' length the learning rate is fitted to.

    Raises:
        Diverged: a step is not finite.
        UserError: the base cannot be used for this, its batches do not fit into memory, several GPUs are visible to
            one process, or as ``demand_arithmetic``, ``recomputing`` and ``compiled``.
    """
    config, state = training.config, training.out / STATE
    token_loss = training.spec.token_loss
    check_slope(token_loss)
    demand_arithmetic(config)
    rows = config.batch_size * config.accumulation
    name = f"{training.spec.name}-seed-{config.seed}"
    arguments = _arguments(config, state, plan, Split(config.batch_size, config.accumulation), False, name)
    if arguments.n_gpu > 1:
        raise UserError(
            f"{arguments.n_gpu} GPUs are visible to one process",
            "Use them all with `accelerate launch -m maqa_severity.trainers ...`, or set CUDA_VISIBLE_DEVICES=0",
        )
    # Adapters start from random weights: the same in every arm.
    set_seed(config.seed)
    model = load_for_training(training.base, training.revision, tokenizer, config)
    if config.method is not Method.QLORA:
        model.to(arguments.device)
    # Flash attention knows no float32, in which a model that is trained as a whole is kept.
    flash = config.attention is Attention.FLASH
    with torch.autocast(arguments.device.type, torch.bfloat16, enabled=flash):
        check_head(model)
    collator = Collator(tokenizer.pad_token_id)

    def attempt() -> Split:
        if given := given_split(config):
            demand_fit(model, examples, collator, given, config, token_loss)
            return given
        with torch.autocast(arguments.device.type, torch.bfloat16, enabled=config.precision is Precision.BF16):
            return measured_split(model, examples, collator, rows, config.loss, token_loss)

    split, recomputes = _split(config, state, model, attempt)
    arguments = _arguments(config, state, plan, split, recomputes, name)
    pace = None
    with (
        float32_products(config.tf32),
        recomputing(model, recomputes),
        torch.autocast(arguments.device.type, torch.bfloat16, enabled=flash),
    ):
        if (weighted := like) is not None:
            pace = _pace(
                state, lambda: measured_pace(model, examples, weighted, collator, plan, split.rows, config)
            )
            arguments.learning_rate = config.learning_rate * pace.ratio
        measured = overhead(model, examples, collator, split.rows, config.loss, token_loss)
    epochs = plan.passes if plan.staged else config.epochs
    validation = validation_of(training, tokenizer, plan.evaluates_every(config))
    monitor = Monitor(training.out, f"training {training.spec.name}", epochs, validation)
    resumed = _last_checkpoint(state, whole_only=arguments.process_index == 0)
    reset_peak_memory()
    start = time.perf_counter()
    try:
        with (
            weighted_forward(model, token_loss),
            tracking(config.report_to, training.out, announce),
            float32_products(config.tf32),
            compiled(model, config.compile),
        ):
            trainer = WeightedTrainer(
                model=model,
                args=arguments,
                train_dataset=examples,
                data_collator=collator,
                processing_class=tokenizer,
                callbacks=[monitor, Restarts(plan.restarts)],
                loss_mode=config.loss,
                rates=plan.rates.tolist() if plan.staged else None,
                validation=validation,
            )
            trainer.remove_callback(PrinterCallback)
            with _written(training.out, arguments):
                _train(trainer, validation, resumed)
    except NotFinite as found:
        kept = _last_checkpoint(state, whole_only=False)
        window = range((found.step - 1) * plan.effective_batch, found.step * plan.effective_batch)
        asked = [str(ids[row]) for row in plan.order[window.start : window.stop] if row != BLANK]
        raise diverged(found, asked, kept, training.out / LOG) from found
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"the training of {training.out} ran out of memory with {split.rows} rows at once",
            "Take --set micro_batch=auto, a smaller one, or --set gradient_checkpointing=true",
        ) from error
    finally:
        monitor.close()
    seconds, memory = time.perf_counter() - start, peak_memory_bytes()
    with _written(training.out, arguments):
        _save(trainer, training, tokenizer)
    stopping = None
    if validation and validation.patience is not None:
        stopping = stopped_record(validation, trainer.state, plan.steps)
    cost = {
        "steps": trainer.state.global_step,
        "split": asdict(split),
        "gradient_checkpointing": recomputes,
        "attention": causal_model(model).config._attn_implementation,
        "pace": None if pace is None else pace.model_dump(),
        "steps_measured": monitor.steps,
        "loop_seconds": round(seconds, 3),
        "tokens": int(monitor.tokens),
        "tokens_per_s": round(monitor.tokens / seconds, 1),
        "peak_memory_bytes": memory,
        "loss_overhead": measured,
    }
    return cost, stopping


@contextmanager
def _written(out: Path, arguments: TrainingArguments) -> Iterator[None]:
    """Within, a full disk costs the checkpoint that was being written and no other.

    Raises:
        UserError: the disk is full or failing.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if (found := refusal(error)) is None:
            raise
        kept = _last_checkpoint(out / STATE, whole_only=arguments.process_index == 0)
        words = f"; {kept.name} is kept" if kept else ""
        raise UserError(
            f"cannot write the checkpoint in {out}: {found.reason}{words}",
            "Make room, then run the same command again to continue",
        ) from error


def _train(trainer: WeightedTrainer, validation: Validation | None, resumed: Path | None) -> None:
    """Train to the end, which early stopping may have reached already; with it, back to the best weights."""
    state = Path(trainer.args.output_dir)
    before = None if resumed is None else state_of(resumed)
    if trainer.args.should_save:
        forget_others(state, before.best_global_step if before else None)
    if before and validation and validation.exhausted(before):
        trainer.state = before
    else:
        trainer.train(resume_from_checkpoint=None if resumed is None else str(resumed))
    if validation and validation.patience is not None:
        trainer.state.best_model_checkpoint = str(best_folder(state, trainer.state.best_global_step))
        trainer._load_best_model()


def _split(config: TrainConfig, state: Path, model: Any, attempt: Callable[[], Split]) -> tuple[Split, bool]:
    """How a step goes through the model, and whether it recomputes. What was measured once holds for the whole
    training, also where it is gone on with; of several processes the one with the least memory decides."""
    rows, asked = config.batch_size * config.accumulation, config.gradient_checkpointing
    path, measures = state / _SPLIT, given_split(config) is None
    if measures and path.is_file():
        kept = read_json(path, "Delete it, and train again")
        recomputes = kept.get("gradient_checkpointing", False) if asked == "auto" else asked
        return Split.of(kept["rows"], rows), recomputes
    found = gather_object([where_needed(asked, model, attempt)])
    split = Split.of(min(split.rows for split, _ in found), rows)
    recomputes = any(recomputes for _, recomputes in found)
    if measures and processes().is_main_process:
        write_json(path, {**asdict(split), "gradient_checkpointing": recomputes})
    return split, recomputes


def _pace(state: Path, measure: Callable[[], Pace]) -> Pace:
    """The pace that was measured when the training began, on the first of several processes."""
    path = state / _PACE
    if path.is_file():
        return Pace.model_validate(read_json(path, "Delete it, and train again"))
    found: Pace = gather_object([measure()])[0]
    if processes().is_main_process:
        write_json(path, found.model_dump())
    return found


def _arguments(
    config: TrainConfig, state: Path, plan: Plan, split: Split, recomputes: bool, name: str
) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(state),
        use_cpu=use_cpu(),
        max_steps=plan.steps,
        per_device_train_batch_size=split.rows,
        gradient_accumulation_steps=split.accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=str(config.schedule),
        warmup_steps=warmup_steps(config, plan.steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        seed=config.seed,
        bf16=config.precision is Precision.BF16,
        gradient_checkpointing=recomputes,
        gradient_checkpointing_kwargs=SETTINGS if recomputes else None,
        # The order is fixed before training; see order.py.
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_strategy="steps",
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=2,
        report_to=[str(tracker) for tracker in config.report_to],
        project=PROJECT,
        run_name=name,
        trackio_static_space_id=False,
        disable_tqdm=True,
    )


def _last_checkpoint(state: Path, *, whole_only: bool) -> Path | None:
    """The newest checkpoint that was written to its end: the trainer's state is the last of its files."""
    whole = []
    for folder in state.glob("checkpoint-*"):
        try:
            step = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
        except (OSError, ValueError, KeyError):
            if whole_only:
                shutil.rmtree(folder)
            continue
        whole.append((step, folder))
    return max(whole)[1] if whole else None


def _save(trainer: WeightedTrainer, training: Training, tokenizer: Any) -> None:
    """Save the model with its tokenizer into the checkpoint's folder; of adapters nothing else."""
    out, state = training.out, training.out / STATE
    # The trainer turns the cache off for training; whoever generates wants it.
    trainer.accelerator.unwrap_model(trainer.model).config.use_cache = True
    if training.config.method is Method.FULL:
        trainer.save_model(str(out))
        if training.config.save_dtype is Precision.BF16 and trainer.is_world_process_zero():
            round_to_bf16(out)
        return
    trainer.save_model(str(state / _SAVED))
    if trainer.is_world_process_zero():
        for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
            (state / _SAVED / name).replace(out / name)
