"""How a request proves who asks: by a key, a password or headers, from arguments, a file or the environment."""

from __future__ import annotations

import ast
import base64
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from ..core.errors import UserError
from ..core.secrets import remember
from .backends import HUB_TOKENS
from .config import GenerationConfig

KEY_VARIABLES = ("MAQA_API_KEY", "OPENAI_API_KEY")
"""Environment variables that hold an endpoint's key; the first that is set counts."""

_KEYS = ("api_key", "auth_token", "token")
_HEADER_FORM = 'Write it as NAME: VALUE, or with --model-args in JSON as {"NAME": "VALUE"}'


def request_url(url: str, secrets: Mapping[str, str]) -> str:
    """The address to send to: with the secrets of its query, without user and password, which go into a header."""
    parts = urlsplit(secrets.get("base_url", url))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def request_headers(secrets: Mapping[str, str], key_file: str | None = None) -> dict[str, str]:
    """The headers that carry what the endpoint asks for; none where nothing is known.

    A header given by name comes first, then a key among the arguments, in a file, the user and password of the
    address, and a key of the environment.

    Raises:
        UserError: a header or a key cannot be sent, or the file cannot be read; no secret is shown.
    """
    given = headers_of(secrets["header"]) if "header" in secrets else {}
    if any(name.lower() == "authorization" for name in given):
        return given
    for name in _KEYS:
        if name in secrets:
            return given | _bearer(secrets[name], f"{name}= in --model-args")
    if key_file:
        return given | _bearer(_key_in(Path(key_file).expanduser()), f"the key in {key_file}")
    if userinfo := urlsplit(secrets.get("base_url", "")).netloc.rpartition("@")[0]:
        return given | _basic(userinfo)
    for name in KEY_VARIABLES:
        if key := os.environ.get(name, "").strip():
            return given | _bearer(key, f"the key in {name}")
    return given


def headers_of(value: str) -> dict[str, str]:
    """The headers that ``header=`` means: ``Name: value``, or a dictionary of them.

    Raises:
        UserError: it is anything else, or holds what no request can carry; it is not shown.
    """
    try:
        found = ast.literal_eval(value) if value.startswith("{") else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        found = {}
    if not isinstance(found, dict):
        name, _, content = value.partition(":")
        found = {name: content}
    headers = {str(name).strip(): str(content).strip() for name, content in found.items()}
    if not headers or not all(_is_header_name(name) and content for name, content in headers.items()):
        raise UserError("header= in --model-args is no header", _HEADER_FORM)
    return {name: _sendable(content, f"the header {name}") for name, content in headers.items()}


def use_hub_token(config: GenerationConfig) -> None:
    """Let the hub's library, which downloads for every backend, use a token among the arguments."""
    for name in HUB_TOKENS if config.backend.weights else ():
        if name in config.secrets:
            os.environ["HF_TOKEN"] = _sendable(config.secrets[name], f"{name}= in --model-args")


def _bearer(key: str, what: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {_sendable(key, what)}"}


def _basic(userinfo: str) -> dict[str, str]:
    user, _, password = userinfo.partition(":")
    code = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    remember(unquote(password or user), code)
    return {"Authorization": f"Basic {code}"}


def _key_in(path: Path) -> str:
    remedy = "Let api_key_file= in --model-args name a file that holds the key alone"
    try:
        lines = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}", remedy) from None
    except UnicodeDecodeError:
        raise UserError(f"{path} holds no key", remedy) from None
    if len(lines) != 1:
        raise UserError(f"{path} holds {'no key' if not lines else 'more than a key'}", remedy)
    return lines[0]


def _is_header_name(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _sendable(secret: str, what: str) -> str:
    remember(secret)
    if not (secret.isascii() and secret.isprintable()):
        raise UserError(f"{what} holds a character that a request cannot carry", "Give it without")
    return secret
