"""Generation by an OpenAI-compatible endpoint, with the requests that lm-eval's ``local-completions`` makes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from typing import Any

from lm_eval.models.openai_completions import LocalCompletionsAPI

from ...core.errors import UserError
from ..config import GenerationConfig
from ..credentials import request_headers, request_url
from ..decoding import answer_seed
from ..endings import ending
from ..records import FinishReason, Generated, Prompt
from ..thoughts import opened
from ..workers.failures import loading
from .replies import Reply
from .requesting import EndpointError, RefusedError, Server, UnansweredError

# Text is sent, not tokens: the endpoint knows its tokenizer better than we do.
_DEFAULTS = {"tokenizer_backend": "None", "tokenized_requests": False, "num_concurrent": 8}
_OURS = (
    "num_concurrent",
    "max_retries",
    "timeout",
    "verify_certificate",
    "ca_cert_path",
    "api_key_file",
    "think_end_token",
)
_MOST_STOPS = 4
"""More stop strings than that in a request are refused by some servers; the answer is cut here all the same."""


class CompletionsEngine:
    """An endpoint of ``/v1/completions``: one request per prompt, ``num_concurrent`` at a time.

    A request is made ``max_retries`` times at most, and each answer is handed over as soon as it is there. What the
    endpoint serves cannot be hashed: its identity is the address and the model's name there.
    """

    max_prompts = 1
    max_tokens: int | None = None
    _anything = "."
    """A prompt by which to see whether anybody is answered."""

    def __init__(self, config: GenerationConfig) -> None:
        given = config.model_args
        arguments = {name: value for name, value in _DEFAULTS.items() if name not in given}
        self.defaults: dict[str, object] = {"model_args": arguments}
        settings = given | arguments
        self._concurrent = int(_number(settings, "num_concurrent", 8))
        self._server = Server(
            url=str(given["base_url"]),
            address=request_url(str(given["base_url"]), config.secrets),
            headers=request_headers(config.secrets, given.get("api_key_file")),
            attempts=int(_number(settings, "max_retries", 3)),
            timeout_s=_number(settings, "timeout", 300),
            verify=given.get("ca_cert_path") or bool(given.get("verify_certificate", True)),
        )
        self._decoding = config.decoding
        self._begin(settings)
        self._think_end = str(given.get("think_end_token") or "")
        self._stopped = threading.Event()
        self._turn = threading.Condition()
        self._unseen = 0
        self._answered = ""

    def _begin(self, settings: dict[str, Any]) -> None:
        with loading(settings.get("model") or settings.get("pretrained")):
            self.lm = LocalCompletionsAPI(
                **{name: value for name, value in settings.items() if name not in _OURS} | {"batch_size": 1}
            )

    def lengths(self, prompts: Sequence[Prompt]) -> list[int]:
        """Characters of each prompt: the tokens are the endpoint's business."""
        return [len(prompt.text) for prompt in prompts]

    def generate(self, prompts: Sequence[Prompt]) -> list[Generated]:
        """One answer per prompt."""
        answers = {prompt.key: answer for prompt, answer in self.stream(prompts)}
        return [answers[prompt.key] for prompt in prompts]

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[tuple[Prompt, Generated]]:
        """Each answer as soon as it is there; one that was refused is handed over with the server's words.

        A prompt that got no answer in all its attempts counts as refused as soon as the server answers another.

        Raises:
            EndpointError: the server does not let us in, or answers nothing any more, or still limits how often it
                may be asked when all other prompts are answered.
        """
        self._stopped = threading.Event()
        self._unseen = 0
        unclear: list[tuple[Prompt, UnansweredError]] = []
        limited: list[UnansweredError] = []

        def cleared() -> Iterator[tuple[Prompt, Generated]]:
            for prompt, error in unclear:
                if error.blameless:
                    limited.append(error)
                else:
                    yield prompt, _refusal(str(error))
            unclear.clear()

        # Its threads end with the process: an interrupt does not wait for an endpoint that keeps silent.
        with ThreadPool(self._concurrent) as pool:
            try:
                for prompt, answer in pool.imap_unordered(self._outcome, prompts):
                    if isinstance(answer, EndpointError):
                        raise answer
                    if isinstance(answer, UnansweredError):
                        unclear.append((prompt, answer))
                        if len(unclear) >= self._concurrent:
                            self._demand_life(answer)
                            yield from cleared()
                        with self._turn:
                            self._unseen -= 1
                            self._turn.notify_all()
                        continue
                    yield prompt, answer
                    if answer.finish_reason is not FinishReason.ERROR:
                        self._answered = prompt.text
                        yield from cleared()
                if unclear:
                    self._demand_life(unclear[0][1])
                    yield from cleared()
                if limited:
                    raise limited[0].end
            finally:
                self._stopped.set()
                with self._turn:
                    self._turn.notify_all()

    def release(self) -> None:
        """Nothing to free here."""

    def _outcome(self, prompt: Prompt) -> tuple[Prompt, Generated | UnansweredError | EndpointError]:
        # Before another question is asked it shall be settled whose fault it is that the last one got no answer.
        with self._turn:
            self._turn.wait_for(lambda: not self._unseen or self._stopped.is_set())
        try:
            return prompt, self._answer(prompt)
        except RefusedError as error:
            return prompt, _refusal(str(error))
        except UnansweredError as error:
            with self._turn:
                self._unseen += 1
            return prompt, error
        except EndpointError as error:
            self._stopped.set()
            return prompt, error

    def _answer(self, prompt: Prompt) -> Generated:
        start = time.perf_counter()
        until = self._decoding.until
        # In thoughts that are sure to come a stop string ends nothing.
        sent = () if opened(prompt.text, self._think_end) else until[:_MOST_STOPS]
        reply = self._server.ask(self._payload(prompt, sent), self._stopped)
        answer = self._read(prompt, reply, start)
        if sent and not answer.text.strip() and not reply.limited:
            # A stop string at the very start, or within thoughts, ended it there: only here it can be told apart.
            reply = self._server.ask(self._payload(prompt, ()), self._stopped)
            answer = self._read(prompt, reply, start)
        if not reply.filtered or answer.stop:
            return answer
        if not answer.text.strip():
            raise RefusedError("content_filter")
        return replace(answer, finish_reason=FinishReason.FILTERED)

    def _read(self, prompt: Prompt, reply: Reply, start: float) -> Generated:
        until = self._decoding.until
        # Without the stop string that the server cut off nobody could tell what ended the answer.
        text = reply.text + (reply.stop if reply.stop in until else "")
        answer = ending(text, until, prompt=prompt.text, think_end=self._think_end, whole=not reply.limited)
        return answer.generated(reply.prompt_tokens, reply.tokens, time.perf_counter() - start)

    def _payload(self, prompt: Prompt, until: Sequence[str], **changes: Any) -> dict[str, Any]:
        decoding = self._decoding
        seed = answer_seed(decoding.seed, prompt.text, prompt.sample, prompt.repeat)
        payload: dict[str, Any] = self.lm._create_payload(
            self.lm.create_message([prompt.text]),
            generate=True,
            gen_kwargs=decoding.gen_kwargs() | {"until": list(until), "seed": seed},
            seed=decoding.seed,
            eos=self.lm.eos_string,
        )
        if not payload["stop"]:
            del payload["stop"]
        return payload | changes

    def _demand_life(self, error: UnansweredError) -> None:
        """Ask for one token of an answer that was given before.

        Raises:
            EndpointError: the server does not give it, so that it is not the fault of the prompts.
        """
        known = Prompt("", self._answered or self._anything, 0, "", "", "")
        try:
            self._server.ask(self._payload(known, (), max_tokens=1), self._stopped, attempts=1)
        except (UnansweredError, RefusedError):
            raise error.end from None


def _refusal(words: str) -> Generated:
    return Generated("", FinishReason.ERROR, 0, 0, 0.0, error=words)


def _number(settings: dict[str, Any], name: str, default: float) -> float:
    try:
        value = float(settings.get(name, default))
    except (TypeError, ValueError, OverflowError):
        value = 0.0
    # Not more than a thread can wait for.
    if not 0 < value <= threading.TIMEOUT_MAX or (name != "timeout" and value < 1):
        raise UserError(
            f"{name}={settings[name]} in --model-args is no number that makes sense", f"Give {name}={default:g}"
        )
    return value
