"""One question to a server, with as many attempts as allowed and no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...core.errors import UserError
from ..credentials import KEY_VARIABLES
from .replies import FilteredError, MalformedError, Reply, one_line, read_reply, status_words
from .waiting import back_off_s, retry_after_s

if TYPE_CHECKING:
    import requests

_LARGEST_BODY = 64 * 2**20
_TOO_MANY, _NO_PAYMENT, _NO_KEY = 429, 402, 401
_UNKNOWN = frozenset((403, 404, 405, 410))
_LATER = frozenset((408, 425, _TOO_MANY))


class EndpointError(UserError):
    """The server cannot be used: the generation ends."""


class RefusedError(Exception):
    """The server will not answer this prompt; the text holds its words."""


class UnansweredError(Exception):
    """No answer after all attempts; whose fault it is shows when the server answers others.

    Args:
        words: of the last attempt.
        end: what to say if it is the server's fault.
        blameless: whether it is never the prompt's fault.
    """

    def __init__(self, words: str, end: EndpointError, *, blameless: bool = False) -> None:
        super().__init__(words)
        self.end = end
        self.blameless = blameless


@dataclass(frozen=True)
class Server:
    """Where and how to ask. ``url`` may be shown, ``address`` and ``headers`` may hold secrets.

    ``protocol`` names the address whose replies ``read`` takes apart, ``key_remedy`` says how a key is given, and
    ``turn`` is called before every request.
    """

    url: str
    address: str
    headers: Mapping[str, str]
    attempts: int
    timeout_s: float
    verify: bool | str = True
    read: Callable[[bytes], Reply] = read_reply
    protocol: str = "/v1/completions"
    key_remedy: str = (
        f"Give the key in {' or '.join(KEY_VARIABLES)}, or in a file that api_key_file= in --model-args names"
    )
    turn: Callable[[], None] = lambda: None

    def ask(self, payload: Mapping[str, Any], stopped: threading.Event, attempts: int | None = None) -> Reply:
        """Post until there is an answer. Waits between attempts; once ``stopped`` is set there is no further one.

        Raises:
            RefusedError: the server, or its content filter, will not answer this.
            UnansweredError: none of the attempts brought an answer.
            EndpointError: the server takes no question at all: no key, no address.
        """
        allowed = attempts or self.attempts
        if stopped.is_set():
            raise UnansweredError("not asked", self._ended(0, "not asked"))
        for attempt in range(1, allowed + 1):
            try:
                return self._attempt(payload)
            except _AgainError as failed:
                if attempt == allowed or stopped.wait(failed.wait_s or back_off_s(attempt)):
                    raise failed.unanswered from None
        raise ValueError("at least one attempt is needed")

    def _attempt(self, payload: Mapping[str, Any]) -> Reply:
        status, headers, body = self._post(payload)
        if status // 100 == 2:
            try:
                return self.read(body)
            except FilteredError as error:
                raise RefusedError(str(error)) from None
            except MalformedError as error:
                end = EndpointError(
                    f"{self.url} does not answer as {self.protocol} does: {error}", "Check base_url in --model-args"
                )
                raise _AgainError(UnansweredError(f"malformed answer: {error}", end)) from None
        words = status_words(status, body)
        if status // 100 == 3:
            to = one_line(headers.get("Location", "another address"))
            raise EndpointError(f"{self.url} sends to {to}: {words}", "Give that as base_url in --model-args")
        if status in (_NO_KEY, _NO_PAYMENT, 407):
            raise self._no_access(words)
        if status in _UNKNOWN:
            known = EndpointError(
                f"{self.url} does not serve this: {words}", "Check model= and base_url= in --model-args"
            )
            raise UnansweredError(words, self._no_access(words) if status == 403 else known)
        if status in _LATER or status >= 500:
            wait_s = retry_after_s(headers.get("Retry-After", ""), datetime.now(UTC))
            raise _AgainError(
                UnansweredError(words, self._ended(status, words), blameless=status == _TOO_MANY), wait_s
            )
        raise RefusedError(words)

    def _post(self, payload: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        import requests
        from urllib3.exceptions import HTTPError

        self.turn()
        deadline = time.monotonic() + self.timeout_s
        try:
            with requests.post(
                self.address,
                json=payload,
                # Given as `auth` too, or a password for this host in ~/.netrc would take their place.
                headers=self.headers,
                auth=_as_it_is,
                verify=self.verify,
                timeout=self.timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers, _body(response, deadline)
        except ValueError as error:
            raise EndpointError(
                f"{self.url} is no address to ask: {_line(error)}",
                f"Give base_url=http://HOST:PORT{self.protocol} in --model-args",
            ) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._silent(error) from None

    def _silent(self, error: Exception) -> _AgainError:
        import requests
        from urllib3.exceptions import TimeoutError as Silence

        late = isinstance(error, requests.Timeout | Silence | TimeoutError)
        words = f"no answer within {self.timeout_s:g} s" if late else _line(error)
        return _AgainError(UnansweredError(words, self._ended(0, words)))

    def _ended(self, status: int, words: str) -> EndpointError:
        if status == _TOO_MANY:
            return EndpointError(
                f"{self.url} answers no more for now: {words}",
                "Wait, or give a smaller num_concurrent= or a larger max_retries= in --model-args; then run the "
                "same command again",
            )
        return EndpointError(
            f"{self.url} does not answer: {words}",
            "Start the server, or check base_url in --model-args; then run the same command again",
        )

    def _no_access(self, words: str) -> EndpointError:
        return EndpointError(f"{self.url} does not let you in: {words}", self.key_remedy)


class _AgainError(Exception):
    """An attempt failed and another may help."""

    def __init__(self, unanswered: UnansweredError, wait_s: float = 0.0) -> None:
        super().__init__(str(unanswered))
        self.unanswered = unanswered
        self.wait_s = wait_s


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _body(response: requests.Response, deadline: float) -> bytes:
    """All of the body, unless it comes in drops for longer than allowed, or has no end."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(2**16, decode_content=True):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TimeoutError
        if size > _LARGEST_BODY:
            break
    return b"".join(parts)


def _line(error: Exception) -> str:
    """The innermost reason of an error of the network, which repeats the address around it."""
    reason = getattr(error.args[0] if error.args else error, "reason", error)
    inner = str(reason).partition("(Caused by")[0].rpartition("): ")[2].rpartition("connection: ")[2]
    return one_line(inner) or type(error).__name__
