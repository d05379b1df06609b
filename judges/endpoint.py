"""A judge behind an address of ``/v1/chat/completions``: so many requests at once and a minute."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.pool import ThreadPool
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.secrets import secrets_named, without_secrets
from ..harness.generation.credentials import KEY_VARIABLES, request_headers
from ..harness.generation.decoding import answer_seed
from ..harness.generation.endings import ending
from ..harness.generation.engines.chat_address import PROTOCOL, chat_address
from ..harness.generation.engines.replies import Reply, read_chat_reply
from ..harness.generation.engines.requesting import EndpointError, RefusedError, Server, UnansweredError
from ..harness.generation.engines.waiting import Pace
from ..harness.generation.records import FinishReason, Generated, Prompt
from ..harness.generation.store.lines import canonical
from .asking import Unanswered
from .prompt import Message

KEY_REMEDY = f"Give the key in the environment variable {' or '.join(KEY_VARIABLES)}"
_NUMBERS = {"num_concurrent": 8.0, "max_retries": 5.0, "timeout": 300.0, "rate": 0.0}
_TEXTS = ("base_url", "model", "ca_cert_path")
_KNOWN = (*_TEXTS, *_NUMBERS, "payload", "verify_certificate")
_GIVE_UP = 8
"""So many prompts without an answer, one after the other: then it is not their fault."""


def without_keys(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Model arguments, if none is a secret.

    Raises:
        UserError: one is; its value is not shown.
    """
    public, secrets = without_secrets(arguments)
    if names := sorted(secrets) or _named_within(public):
        name = names[0]
        what = "an address with a secret" if name in public else f"the secret {name}"
        raise UserError(f"--model-args holds {what}", f"Take it out. {KEY_REMEDY}")
    return public


def _named_within(value: Any) -> list[str]:
    """The names of secrets in objects within the arguments; their values are remembered as such."""
    if isinstance(value, Mapping):
        inner, found = without_secrets({str(name): each for name, each in value.items()})
        return sorted(found) or [name for each in inner.values() for name in _named_within(each)]
    if isinstance(value, list):
        return [name for each in value for name in _named_within(each)]
    return secrets_named(value) if isinstance(value, str) else []


class ChatEndpoint:
    """See ``Judge``.

    Args:
        arguments: ``base_url`` and ``model``; ``num_concurrent`` requests at once, ``rate`` a minute (0 for no
            limit), each made ``max_retries`` times at most and given ``timeout`` seconds; ``payload``: what each
            request is to hold besides, null to leave out what it would.
        temperature, max_tokens, seed: of sampling. A server may ignore the seed.

    Raises:
        UserError: an argument is unknown, missing, impossible or a secret.
    """

    def __init__(self, arguments: Mapping[str, Any], temperature: float, max_tokens: int, seed: int) -> None:
        given = without_keys(arguments)
        if unknown := sorted(given.keys() - set(_KNOWN)):
            raise UserError(
                f"a chat endpoint knows no model argument {unknown[0]}", f"It knows {', '.join(_KNOWN)}"
            )
        if not (given.get("base_url") and given.get("model")):
            raise UserError(
                "a judge needs an address and a model",
                f"Give --model-args base_url=http://HOST:PORT{PROTOCOL},model=NAME",
            )
        self.name = str(given["model"])
        numbers = {name: _number(given, name) for name in _NUMBERS}
        self._concurrent = int(numbers["num_concurrent"])
        self._pace = Pace(numbers["rate"])
        self._seed = seed
        url = chat_address(str(given["base_url"]))
        more = given.get("payload") or {}
        if not isinstance(more, dict):
            raise UserError(
                "payload in --model-args is no object",
                'Write --model-args as JSON: {"base_url": ..., "payload": {"max_tokens": null}}',
            )
        self._payload: dict[str, Any] = {
            "model": self.name,
            "temperature": temperature,
            "max_tokens": max_tokens,
            **more,
        }
        self.identity = {"kind": "chat", "base_url": url, "payload": self._payload, "seed": seed}
        self._server = Server(
            url=url,
            address=url,
            headers=request_headers({}),
            attempts=int(numbers["max_retries"]),
            timeout_s=numbers["timeout"],
            verify=given.get("ca_cert_path") or bool(given.get("verify_certificate", True)),
            read=read_chat_reply,
            protocol=PROTOCOL,
            key_remedy=KEY_REMEDY,
            turn=self._turn,
        )
        self._stopped = threading.Event()

    def text(self, messages: Sequence[Message]) -> str:
        """The messages as JSON."""
        return canonical(list(messages))

    def answers(self, prompts: Sequence[Prompt], known: int) -> Iterator[tuple[Prompt, Generated | Unanswered]]:
        """See ``Judge``. Where one prompt after the other gets no answer, the rest is not asked: it ends if that
        leaves more without an answer than with one, else these are handed over as they are. However it ends,
        what was on its way is still handed over."""
        self._stopped = threading.Event()
        silent = answered = 0
        end: EndpointError | None = None
        # Its threads end with the process: an interrupt does not wait for an endpoint that keeps silent.
        with ThreadPool(self._concurrent) as pool:
            try:
                for prompt, found in pool.imap_unordered(self._outcome, prompts):
                    if isinstance(found, EndpointError):
                        end = end or found
                        continue
                    if isinstance(found, Generated):
                        silent = 0
                        answered += 1
                        yield prompt, found
                        continue
                    silent += 1
                    limit = max(_GIVE_UP, 2 * self._concurrent) if known + answered else self._concurrent
                    if silent >= min(limit, len(prompts)) and not self._stopped.is_set():
                        self._stopped.set()
                        if len(prompts) - answered > known + answered:
                            end = end or found.end
                    yield prompt, Unanswered(str(found))
                if end:
                    raise end
            finally:
                self._stopped.set()

    def _outcome(self, prompt: Prompt) -> tuple[Prompt, Generated | UnansweredError | EndpointError]:
        start = time.perf_counter()
        try:
            reply = self._server.ask(self._request(prompt), self._stopped)
        except RefusedError as error:
            return prompt, Generated("", FinishReason.ERROR, 0, 0, 0.0, error=str(error))
        except UnansweredError as error:
            return prompt, error
        except EndpointError as error:
            self._stopped.set()
            return prompt, error
        return prompt, _read(reply, time.perf_counter() - start)

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        request = {"messages": json.loads(prompt.text), **self._payload}
        request.setdefault("seed", answer_seed(self._seed, prompt.text, prompt.sample))
        return {name: value for name, value in request.items() if value is not None}

    def _turn(self) -> None:
        self._pace.turn(self._stopped)

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self._pace.requests


def _read(reply: Reply, seconds: float) -> Generated:
    whole = not reply.limited
    return ending(reply.text, (), whole=whole).generated(reply.prompt_tokens, reply.tokens, seconds)


def _number(given: Mapping[str, Any], name: str) -> float:
    default = _NUMBERS[name]
    try:
        value = float(given.get(name, default))
    except (TypeError, ValueError, OverflowError):
        value = -1.0
    least = {"num_concurrent": 1.0, "max_retries": 1.0, "timeout": 1e-3}.get(name, 0.0)
    # Not more than a thread can wait for, nor more threads than a process can have.
    most = {"num_concurrent": 512.0, "timeout": threading.TIMEOUT_MAX}.get(name, 1e9)
    if not least <= value <= most:
        raise UserError(f"{name} in --model-args is no number that makes sense", f"Give {name}={default:g}")
    return value
