"""Generation by an OpenAI-compatible chat: a conversation of system text and turns, answered by its next turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..config import GenerationConfig
from ..credentials import request_url
from ..decoding import answer_seed
from ..records import Prompt
from .chat_address import PROTOCOL, chat_address
from .completions import CompletionsEngine
from .replies import read_chat_reply
from .waiting import Pace


class ChatCompletionsEngine(CompletionsEngine):
    """An endpoint of ``/v1/chat/completions``. A prompt is a conversation as JSON, a list of objects with ``role``
    and ``content``; the server puts it into its model's template.

    Among the model arguments, ``rate`` is how many requests may be made a minute, and ``payload`` what each request
    holds besides; null leaves out what it would hold.
    """

    _anything = json.dumps([{"role": "user", "content": "."}])

    def __init__(self, config: GenerationConfig) -> None:
        super().__init__(config)
        given = config.model_args
        self.defaults = {"model_args": {"num_concurrent": 8} if "num_concurrent" not in given else {}}
        self._pace = Pace(float(given.get("rate") or 0.0))
        url = str(given["base_url"])
        self._server = replace(
            self._server,
            url=chat_address(url),
            address=chat_address(request_url(url, config.secrets)),
            read=read_chat_reply,
            protocol=PROTOCOL,
            turn=lambda: self._pace.turn(self._stopped),
        )

    def _begin(self, settings: dict[str, Any]) -> None:
        self._model = str(settings["model"])
        self._more: dict[str, Any] = dict(settings.get("payload") or {})

    def _payload(self, prompt: Prompt, until: Sequence[str], **changes: Any) -> dict[str, Any]:
        decoding = self._decoding
        payload: dict[str, Any] = {
            "model": self._model,
            "messages": json.loads(prompt.text),
            "max_tokens": decoding.max_new_tokens,
            "temperature": decoding.temperature,
            **({"top_p": decoding.top_p} if decoding.do_sample else {}),
            "seed": answer_seed(decoding.seed, prompt.text, prompt.sample, prompt.repeat),
            **({"stop": list(until)} if until else {}),
        }
        return {name: value for name, value in {**payload, **changes, **self._more}.items() if value is not None}
