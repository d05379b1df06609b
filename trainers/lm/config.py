"""The settings of a training; every field is declared either identity (it changes the weights) or runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from ...harness.core.errors import UserError
from ...harness.core.settings import Record, first_problem, identity, runtime, wrong_value
from ...harness.core.yaml_files import read_yaml
from ...harness.severity import Severity
from ..losses.modes import LossMode
from .trackers import Tracker

YAML_REMEDY = "Give a YAML file of settings, such as `learning_rate: 2e-4`"


class Method(StrEnum):
    """All weights; low-rank adapters; the same on a base quantised to 4 bits (NF4, needs bitsandbytes)."""

    FULL = "full"
    LORA = "lora"
    QLORA = "qlora"


class Precision(StrEnum):
    """Arithmetic of the forward and backward pass; what is trained is kept in float32.

    ``auto`` becomes bf16 on a card that has it and else fp32, once for a training, and is written down as what it
    became: arms of different cards are told apart. There is no fp16: the loss computes its gradients before a loss
    scaler could keep them from underflowing.
    """

    FP32 = "fp32"
    BF16 = "bf16"
    AUTO = "auto"


class Attention(StrEnum):
    """Implementations of attention: torch's fused one, one written out, and that of the package flash-attn."""

    SDPA = "sdpa"
    EAGER = "eager"
    FLASH = "flash_attention_2"


class Schedule(StrEnum):
    """Learning rate after the warm-up: down to 0 on a line or a half cosine, or unchanged."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant_with_warmup"


class LoraSettings(Record):
    """Low-rank adapters. ``targets`` are module names; None takes peft's own choice for the architecture."""

    r: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] | None = None


class StageSettings(Record):
    """A stage of a curriculum: the rows of a severity, and where stages are cumulative those of the stages before
    it, shown ``epochs`` times under a learning rate of its own."""

    severity: Severity
    epochs: float = Field(gt=0, allow_inf_nan=False)
    learning_rate: float = Field(gt=0, allow_inf_nan=False)


class TrainConfig(Record):
    """One training.

    A step takes ``batch_size`` times ``accumulation`` examples on each process: ``batch_size`` at once, or
    ``micro_batch`` where that is given; ``auto`` takes as many as memory is measured to hold. ``rows`` limits the
    training rows to a fixed sample of the split (None: all). ``max_length`` counts the tokens of prompt and answer
    together. ``pad_token`` names a token of the vocabulary for bases that have none of their own to pad with.
    ``add_bos_token`` says whether texts begin with the start token; None: as the base's tokenizer has it, which is
    refused where it forgets one that the base was trained with. ``chat_template: true`` puts every question into
    the tokenizer's chat template, with the language's system instruction where the template takes one; evaluation
    does the same. ``save_dtype`` is what a whole model is saved in, and the base of ``base`` loaded in (None:
    float32, as it was trained). A checkpoint for resuming is kept every ``checkpoint_every`` steps, a log line
    every ``log_every``.

    ``tf32: true`` lets a card that has it round the factors of float32 products to 10 bits; without it they are
    exact. ``attention`` names an implementation, which changes rounding (None or ``auto``: as transformers chooses
    for the base). ``gradient_checkpointing: auto`` recomputes only where a pass has no room without. ``compile``
    lets torch compile the layers, for batches of any shape.

    ``report_to`` names trackers that are told what the log is: tensorboard, trackio, wandb.

    The likelihood of the validation rows is measured every ``evaluate_every`` steps (None: not on the way, or with
    ``patience`` once a pass over the rows). After ``patience`` measurements without a new best the training stops;
    the weights of the best are kept (None: those of the last step).

    ``curriculum`` holds the stages of the arms that have some (arXiv 2604.06365), in place of ``epochs`` and
    ``learning_rate``; other arms pass it by. Each stage is a training of its own that goes on from the weights of
    the one before: the warm-up, the schedule and the optimizer's moments begin anew. ``cumulative: false`` shows a
    stage its own severity alone. Without ``curriculum`` such an arm has equally long cumulative stages under the
    one schedule of all arms.
    """

    loss: LossMode = identity(LossMode.TOKENS)
    method: Method = identity(Method.LORA)
    lora: LoraSettings = identity(LoraSettings())
    epochs: float = identity(3.0, gt=0)
    rows: int | None = identity(None, ge=1)
    learning_rate: float = identity(2e-4, gt=0)
    schedule: Schedule = identity(Schedule.LINEAR)
    warmup_ratio: float = identity(0.03, ge=0, lt=1)
    weight_decay: float = identity(0.0, ge=0)
    max_grad_norm: float = identity(1.0, gt=0)
    max_length: int = identity(512, ge=8)
    precision: Precision = identity(Precision.FP32)
    tf32: bool | None = identity(None)
    attention: Attention | None = identity(None)
    pad_token: str | None = identity(None)
    add_bos_token: bool | None = identity(None)
    chat_template: bool | None = identity(None)
    save_dtype: Precision | None = identity(None)
    curriculum: tuple[StageSettings, ...] | None = identity(None, min_length=1)
    cumulative: bool | None = identity(None)
    patience: int | None = identity(None, ge=1)
    seed: int = identity(0, ge=0)
    batch_size: int = runtime(8, ge=1)
    accumulation: int = runtime(1, ge=1)
    micro_batch: Annotated[int, Field(ge=1)] | Literal["auto"] | None = runtime(None)
    gradient_checkpointing: bool | Literal["auto"] = runtime(False)
    compile: bool = runtime(False)
    checkpoint_every: int = runtime(200, ge=1)
    log_every: int = runtime(10, ge=1)
    evaluate_every: int | None = runtime(None, ge=1)
    report_to: tuple[Tracker, ...] = runtime(())

    @field_validator("chat_template", "tf32")
    @classmethod
    def _unset(cls, given: bool | None) -> bool | None:
        # What says false is equal to what says nothing, as checkpoints of before do.
        return given or None

    @field_validator("attention", mode="before")
    @classmethod
    def _as_the_library(cls, given: Any) -> Any:
        return None if given == "auto" else given

    @field_validator("save_dtype")
    @classmethod
    def _of_any_card(cls, given: Precision | None) -> Precision | None:
        if given is Precision.AUTO:
            raise ValueError("it is fp32 or bf16: what is saved does not depend on a card")
        return given

    @model_validator(mode="after")
    def _rounds_a_whole_model(self) -> TrainConfig:
        if self.save_dtype is not None and self.method is not Method.FULL:
            raise ValueError(f"save_dtype is of method full; method {self.method} saves an adapter alone")
        return self

    @field_validator("curriculum")
    @classmethod
    def _each_severity_once(cls, stages: tuple[StageSettings, ...] | None) -> tuple[StageSettings, ...] | None:
        named = [stage.severity for stage in stages or ()]
        if len(set(named)) < len(named):
            raise ValueError(f"{max(named, key=named.count)} has two stages")
        return stages


def load_config(
    files: Sequence[Path] = (), settings: Sequence[str] = (), under: Mapping[str, Any] | None = None
) -> TrainConfig:
    """Read YAML files, each overriding those before it, and then settings such as ``lora.r=8``; both override what
    is ``under`` them.

    Raises:
        UserError: a file cannot be read, a key is unknown, or a value is impossible.
    """
    merged: dict[str, Any] = dict(under or {})
    config = validate_config(merged, "the settings below")
    layers = [(str(path), read_yaml(path, YAML_REMEDY)) for path in files]
    layers += [(f"--set {setting}", _parse_setting(setting)) for setting in settings]
    for where, layer in layers:
        merged = merge(merged, layer)
        config = validate_config(merged, where)
    return config


def validate_config(values: dict[str, Any], where: str) -> TrainConfig:
    """The settings of a mapping; an error names the key and ``where`` it stands.

    Raises:
        UserError: a key is unknown or a value is impossible.
    """
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        key, problem, _ = first_problem(error)
        if error.errors()[0]["type"] == "extra_forbidden":
            nested: dict[str, type[Record]] = {"lora": LoraSettings, "curriculum": StageSettings}
            first, _, below = key.partition(".")
            known = nested.get(first, TrainConfig) if below else TrainConfig
            raise UserError(f"{where}: unknown key {key!r}", f"Known: {', '.join(known.model_fields)}") from None
        value = wrong_value(error)
        raise UserError(
            f"{where}: key {key!r}: {problem}", f"It was {value}; correct it" if value else "Correct it"
        ) from None


def merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``under`` with the keys of ``over`` on top, nested mappings key by key."""
    merged = dict(under)
    for key, value in over.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if nested else value
    return merged


def _parse_setting(setting: str) -> dict[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {setting!r} is not KEY=VALUE", "Write it as --set learning_rate=2e-4")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    for part in reversed(key.strip().split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value
