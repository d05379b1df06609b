"""Generation by transformers, on the model that lm-eval's ``hf`` backend loads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import GenerationConfig as HFGenerationConfig

from ...core import memory
from ...core.errors import UserError
from ...core.library_bars import without_library_bars
from ..checkpoints import loadable
from ..config import GenerationConfig
from ..decoding import answer_seed
from ..devices import existing_device
from ..endings import ending
from ..reading import Reader, demand_known
from ..records import Generated, Prompt
from ..start_token import StartToken, keep_last
from ..thoughts import THINKING_ARGUMENTS
from ..workers.failures import loading
from .adapters import with_adapter
from .hf_import import hf_backend
from .hf_sampling import Sampler, StopRows
from .hf_shrinking import can_shrink, generate_rows

log = logging.getLogger(__name__)
_BATCH_TOKENS = {"cpu": 8192, "cuda": 65536}
_BATCH_PROMPTS = 256
_BEGINNING = ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id")
"""What of a checkpoint's ``generation_config.json`` says how a text begins, in which language for one."""


class HFEngine:
    """transformers with batches of similar length, sized by their number of tokens, that shrink as answers end.

    Decoding is what ``Decoding`` says and nothing else: penalties, forced tokens and stop strings of a checkpoint's
    ``generation_config.json`` are not applied, as vLLM does not apply them either.
    """

    def __init__(self, config: GenerationConfig) -> None:
        wanted = config.model_args.get("device") or config.device
        device = existing_device(str(wanted)) if wanted else "cuda" if torch.cuda.is_available() else "cpu"
        loaded = loadable(config)
        with loading(config.model_args.get("pretrained")), without_library_bars():
            given = {name: value for name, value in loaded.for_engine.items() if name not in THINKING_ARGUMENTS}
            self.lm = hf_backend()(**{"batch_size": 1, **given, "device": device})
            if loaded.adapter is not None:
                self.lm._model = with_adapter(self.lm.model, loaded.adapter, len(self.lm.tokenizer))
        self._decoding = config.decoding
        self.max_prompts = config.batch_size or _BATCH_PROMPTS
        self.max_tokens = (
            None if config.batch_size else _BATCH_TOKENS.get(self.lm.device.type, _BATCH_TOKENS["cpu"])
        )
        self.defaults: dict[str, object] = {"batch_prompts": self.max_prompts, "batch_tokens": self.max_tokens}
        self._room = self.lm.max_length - (self._decoding.max_new_tokens if self._causal else 0)
        if self._room < 1:
            raise UserError(
                f"{self._decoding.max_new_tokens} new tokens exceed the model's context of {self.lm.max_length}",
                "Give a smaller --max-new-tokens",
            )
        named = self.lm.model.generation_config
        own = [named.eos_token_id] if isinstance(named.eos_token_id, int) else list(named.eos_token_id or [])
        # transformers takes from it whatever it is not told: forced and suppressed tokens, stop strings, a time.
        self.lm.model.generation_config = HFGenerationConfig(
            **{name: getattr(named, name) for name in _BEGINNING if getattr(named, name) is not None}
        )
        self._end_ids = sorted({*own, self.lm.eot_token_id} - {None})
        self._reader = Reader(self.lm.tokenizer, config.model_args.get("think_end_token"))
        self._start = StartToken(self.lm.tokenizer, self.lm.config.model_type, loaded.arguments)
        self._known_tokens = int(self.lm.model.get_input_embeddings().weight.shape[0])
        self._pad_id = self._existing_pad()
        demand_known(self.lm.tokenizer, {self.lm.tokenizer.eos_token_id} - {None}, self._known_tokens)
        self.shrinks = can_shrink(self.lm.model)

    @property
    def _causal(self) -> bool:
        return bool(self.lm.backend == "causal")

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt after truncation to the model's context."""
        return [len(ids) for ids in self._encode(prompts, warn=True)]

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt, all in one batch."""
        start = time.perf_counter()
        encoded = self._encode(prompts)
        ids, mask = self._pad(encoded)
        prompt_tokens = ids.shape[1] if self._causal else 1
        rows = generate_rows(
            self._step(prompts, prompt_tokens),
            ids,
            mask,
            lambda rows, pause_at: self._stop([prompts[row] for row in rows], prompt_tokens, pause_at),
            prompt_tokens=prompt_tokens,
            max_new_tokens=self._decoding.max_new_tokens,
            shrink=self.shrinks,
        )
        seconds = (time.perf_counter() - start) / len(prompts)
        return [
            ending(
                self._reader.text(row.tokens),
                self._decoding.until,
                prompt=prompt.text,
                think_end=self._reader.think_end,
                whole=row.ended > 0,
            ).generated(len(prompt_ids), len(row.tokens), seconds)
            for prompt, row, prompt_ids in zip(prompts, rows, encoded, strict=True)
        ]

    def release(self) -> None:
        """Free the accelerator's memory."""
        del self.lm
        memory.release()

    def _encode(self, prompts: Sequence[Prompt], *, warn: bool = False) -> list[list[int]]:
        self._start.demand(prompt.text for prompt in prompts)
        encoded = [self._tokens(prompt.text) for prompt in prompts]
        demand_known(self.lm.tokenizer, {token for ids in encoded for token in ids}, self._known_tokens)
        if warn and (cut := sum(len(ids) > self._room for ids in encoded)):
            log.warning("%d prompts are longer than %d tokens and lose their beginning", cut, self._room)
        return [keep_last(ids, self._room, self.lm.tokenizer.bos_token_id) for ids in encoded]

    def _tokens(self, text: str) -> list[int]:
        # lm-eval looks whether the text begins with the first token, which not every tokenizer has.
        if self.lm.prefix_token_id is None:
            return list(self.lm.tokenizer.encode(text))
        return list(self.lm.tok_encode(text))

    def _existing_pad(self) -> int:
        """What prompts are padded with. Where the tokenizer has nothing to pad with, lm-eval adds a token that the
        model does not know; masked as it is, any other does as well."""
        pad = self.lm.tokenizer.pad_token_id
        return pad if pad is not None and pad < self._known_tokens else 0

    def _pad(self, encoded: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        width = max(len(ids) for ids in encoded)
        ids = torch.tensor([[self._pad_id] * (width - len(row)) + list(row) for row in encoded])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in encoded])
        return ids.to(self.lm.device), mask.to(self.lm.device)

    def _stop(self, prompts: Sequence[Prompt], prompt_tokens: int, pause_at: int) -> StopRows:
        until, reader = self._decoding.until, self._reader

        def stop_of(row: int, tokens: list[int]) -> str:
            text, asked = reader.text(tokens), prompts[row].text
            return ending(text, until, prompt=asked, think_end=reader.think_end, whole=False).stop

        return StopRows(
            self.lm.tokenizer, until, self._end_ids, prompt_tokens, len(prompts), pause_at, stop_of=stop_of
        )

    def _step(self, prompts: Sequence[Prompt], prompt_tokens: int) -> Callable[..., Any]:
        """The model's ``generate`` on some rows of the batch, as ``generate_rows`` calls it."""
        decoding = self._decoding
        seeds = [answer_seed(decoding.seed, prompt.text, prompt.sample, prompt.repeat) for prompt in prompts]
        mixed = self.lm.mixed_precision_dtype

        def step(rows: Sequence[int], ids: Any, mask: Any, cache: Any, max_new_tokens: int, stop: StopRows) -> Any:
            sampler = Sampler(
                [seeds[row] for row in rows],
                decoding.temperature,
                decoding.top_p,
                prompt_tokens,
                decoding.max_new_tokens,
            )
            with (
                torch.inference_mode(),
                torch.autocast(device_type=self.lm.device.type, dtype=mixed, enabled=mixed is not None),
            ):
                return self.lm.model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    generation_config=self._settings(max_new_tokens),
                    stopping_criteria=[stop],
                    logits_processor=[sampler] if decoding.do_sample else [],
                    **({"past_key_values": cache} if cache is not None else {}),
                )

        return step

    def _settings(self, max_new_tokens: int) -> HFGenerationConfig:
        """Greedy search and nothing else: where answers are drawn, ``Sampler`` leaves one token to choose."""
        return HFGenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=1.0,
            top_p=1.0,
            top_k=50,
            min_length=0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            eos_token_id=self._end_ids or None,
            pad_token_id=self._pad_id,
            use_cache=True,
            return_dict_in_generate=True,
        )
