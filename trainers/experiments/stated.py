"""The figures that a plan stands on before anything is measured, and the arithmetic over them.

Hours are the larger of what the arithmetic takes and what starting the kernels takes: models of this size are often
bound by the second. Arithmetic per token: two operations a weight forward, two to carry the gradient back, two more
where the weights themselves have one (arXiv 2001.08361, section 2.1).
"""

from __future__ import annotations

import math

from ..lm.config import Method, Precision, TrainConfig
from .gpus import Gpu
from .shapes import Shape

TOKENS_A_WORD = 1.8
"""Of Arabic, under the vocabularies of such bases."""

WORDS_A_ROW = 45
"""Of a question and its answer in MAQA, with the words of the prompt; where there is no data to count."""

UTILISATION = 0.3
"""The share of a GPU's arithmetic that the training of a small model reaches."""

_LAYER_SECONDS = 1.5e-3
_DECODE_LAYER_SECONDS = 4e-4
_ANSWERS_AT_ONCE = 64
_FROZEN_BYTES = {Precision.FP32: 4.0, Precision.BF16: 2.0}
_NF4_BYTES = 0.56
_TRAINED_BYTES = 16
_STATE_BYTES = 12
_STATES_KEPT = 2
_ACTIVATIONS_A_LAYER = 34
_HEAD_CHUNK = 512
_SHARE = 0.85
_CHECKPOINTED = 6
_DEFAULT_TARGETS = 2


def trained_parameters(shape: Shape, config: TrainConfig) -> int:
    """Weights that are trained. Adapters are counted as of square matrices of the base's width; a fused matrix of
    several parts, and one of fewer heads, differ from that by a small factor."""
    if config.method is Method.FULL:
        return shape.parameters
    targets = _DEFAULT_TARGETS if config.lora.targets is None else len(config.lora.targets)
    return 2 * config.lora.r * shape.width * shape.layers * targets


def rows_at_once(shape: Shape, config: TrainConfig, tokens: float, gpu: Gpu) -> int:
    """Rows of a pass: as the settings say, or as many as the GPU's memory is expected to hold."""
    if config.micro_batch is None:
        return config.batch_size
    if isinstance(config.micro_batch, int):
        return config.micro_batch
    effective = config.batch_size * config.accumulation
    sizes = [rows for rows in range(1, effective + 1) if effective % rows == 0]
    return max(
        (rows for rows in sizes if peak_bytes(shape, config, tokens, rows) < _SHARE * gpu.gigabytes * 1e9),
        default=1,
    )


def settled(shape: Shape, config: TrainConfig, tokens: float, gpu: Gpu) -> TrainConfig:
    """The settings with what they leave to the GPU: its precision, and whether a pass has room without gradient
    checkpointing."""
    changes: dict[str, object] = {}
    if config.precision is Precision.AUTO:
        changes["precision"] = Precision.BF16 if gpu.bf16 else Precision.FP32
    if config.gradient_checkpointing == "auto":
        plain = config.model_copy(update={**changes, "gradient_checkpointing": False})
        needed = peak_bytes(shape, plain, tokens, rows_at_once(shape, plain, tokens, gpu))
        changes["gradient_checkpointing"] = needed > _SHARE * gpu.gigabytes * 1e9
    return config.model_copy(update=changes)


def pass_seconds(shape: Shape, config: TrainConfig, tokens: float, rows: int, gpu: Gpu) -> float:
    """Of one forward and backward pass over rows of so many tokens each."""
    operations = 6 if config.method is Method.FULL else 4
    if config.gradient_checkpointing:
        operations += 2
    arithmetic = operations * shape.parameters * tokens * rows / (gpu.teraflops * 1e12 * UTILISATION)
    return max(arithmetic, shape.layers * _LAYER_SECONDS)


def answers_seconds(shape: Shape, answers: int, new_tokens: int, gpu: Gpu) -> float:
    """Of so many answers in batches, each as long as it may be."""
    token = max(2 * shape.parameters / (gpu.gigabytes_per_second * 1e9), shape.layers * _DECODE_LAYER_SECONDS)
    return math.ceil(answers / _ANSWERS_AT_ONCE) * new_tokens * token


def peak_bytes(shape: Shape, config: TrainConfig, tokens: float, rows: int) -> float:
    """Of the GPU's memory in training: the base, what is trained with its gradient and moments, and the activations
    of a pass of the longest rows."""
    base = _NF4_BYTES if config.method is Method.QLORA else _FROZEN_BYTES[config.precision]
    held = 0.0 if config.method is Method.FULL else base * shape.parameters
    held += _TRAINED_BYTES * trained_parameters(shape, config)
    longest = min(3 * tokens, config.max_length) * rows
    a_value = _FROZEN_BYTES[config.precision] / 2
    a_layer = _CHECKPOINTED if config.gradient_checkpointing else _ACTIVATIONS_A_LAYER
    activations = a_value * a_layer * shape.width * longest * shape.layers
    head = 3 * 4 * min(longest, _HEAD_CHUNK) * shape.vocabulary
    return held + activations + head


def checkpoint_bytes(shape: Shape, config: TrainConfig) -> float:
    """On disk, of what was trained, in the type in which it is saved."""
    return (2.0 if config.save_dtype is Precision.BF16 else 4.0) * trained_parameters(shape, config)


def state_bytes(shape: Shape, config: TrainConfig) -> float:
    """On disk while it is trained: weights and moments, two times."""
    return float(_STATES_KEPT * _STATE_BYTES * trained_parameters(shape, config))
