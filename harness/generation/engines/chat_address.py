"""The address of a chat, from as much of it as somebody gives."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from ...core.errors import UserError

PROTOCOL = "/v1/chat/completions"


def chat_address(base_url: str) -> str:
    """The address to send to; of a server alone, or up to its version, the rest is added."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if path.endswith("/completions") and not path.endswith("/chat/completions"):
        raise UserError(f"{base_url} is an address of /v1/completions", f"Give base_url=http://HOST:PORT{PROTOCOL}")
    if not path:
        path = PROTOCOL
    elif not path.endswith("/chat/completions"):
        path = f"{path}/chat/completions"
    return urlunsplit(parts._replace(path=path))
