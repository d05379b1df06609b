"""Generation by an OpenAI-compatible endpoint, on lm-eval's ``local-completions`` backend."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from typing import Any

from lm_eval.models.openai_completions import LocalCompletionsAPI

from ..errors import UserError
from .config import GenerationConfig
from .decoding import answer_seed
from .records import FinishReason, Generated, Prompt

# Text is sent, not tokens: the endpoint knows its tokenizer better than we do.
_DEFAULTS = {"tokenizer_backend": "None", "tokenized_requests": False, "num_concurrent": 8}
_CHUNK_PER_REQUEST = 4


class CompletionsEngine:
    """An endpoint of ``/v1/completions``: one request per prompt, ``num_concurrent`` at a time, with retries.

    What the endpoint serves cannot be hashed: its identity is the address and the model's name there.
    """

    def __init__(self, config: GenerationConfig) -> None:
        given = config.model_args
        arguments = {name: value for name, value in _DEFAULTS.items() if name not in given}
        self.lm = LocalCompletionsAPI(**{**given, **arguments, "batch_size": 1})
        self._decoding = config.decoding
        self._concurrent = int((given | arguments)["num_concurrent"])
        self.max_prompts = config.batch_size or _CHUNK_PER_REQUEST * self._concurrent
        self.max_tokens: int | None = None
        self.defaults: dict[str, object] = {"model_args": arguments, "chunk_prompts": self.max_prompts}

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Characters of each prompt: the tokens are the endpoint's business."""
        return [len(prompt.text) for prompt in prompts]

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt."""
        # Its threads end with the process: an interrupt does not wait for an endpoint that keeps silent.
        with ThreadPool(self._concurrent) as pool:
            return list(pool.imap(self._ask, prompts))

    def release(self) -> None:
        """Nothing to free here."""

    def _ask(self, prompt: Prompt) -> Generated:
        from lm_eval.models.utils import postprocess_generated_text

        start = time.perf_counter()
        response = self._call(prompt)
        try:
            choice, usage = response["choices"][0], response.get("usage") or {}
            text, reason = choice["text"], choice.get("finish_reason")
        except (KeyError, IndexError, TypeError):
            raise UserError(
                f"{self.lm.base_url} does not answer as /v1/completions does", "Check base_url in --model-args"
            ) from None
        # JSON can carry half a surrogate pair, which no file can.
        text = str(text or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Generated(
            str(postprocess_generated_text(text, list(self._decoding.until), None)),
            FinishReason.LENGTH if reason == "length" else FinishReason.STOP,
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
            time.perf_counter() - start,
        )

    def _call(self, prompt: Prompt) -> Any:
        import requests
        from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

        decoding = self._decoding
        settings = decoding.gen_kwargs() | {"seed": answer_seed(decoding.seed, prompt.text, prompt.sample)}
        once = retry(
            stop=stop_after_attempt(self.lm.max_retries),
            wait=wait_exponential(multiplier=0.5, min=0.5, max=10),
            retry=retry_if_exception_type((requests.RequestException, RuntimeError)),
            reraise=True,
        )(self.lm.model_call)
        try:
            response = once(messages=[prompt.text], generate=True, gen_kwargs=settings)
        except (requests.RequestException, RuntimeError) as error:
            raise UserError(
                f"{self.lm.base_url} does not answer: {error}",
                "Start the server, or check base_url in --model-args",
            ) from error
        return response[0] if isinstance(response, list) else response
