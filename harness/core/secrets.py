"""Keys and passwords: used where they are needed, and never written down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from .errors import UserError

HIDDEN = "***"
"""What stands where a secret stood."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALWAYS = _names(
    """apikey authtoken accesstoken password passwd passphrase pwd secret credential credentials authorization
    bearer header headers cookie jwt"""
)
_IN_QUERIES = _names("key token pass code auth sig signature session")
"""What ends the name of a secret in an address, where no tokenizer and no column is named."""
_TOKEN_OWNERS = _names("api auth access hf hub id refresh security session use private service")
"""Whose ``token`` is a secret: that of a tokenizer, such as ``eos_token``, is none."""
_KEY_OWNERS = _names("api access private subscription functions auth account service")

# A longer one is unlikely to be anything else; a shorter one could be any word of a sentence.
_SHORTEST, _WITHIN_WORDS = 4, 8
_known: set[str] = set()

# Looking ahead: the value of one that is no secret, such as an address, may hold one that is.
_PAIR = re.compile(r"(?<![\w%-])([\w%-]+)=(?=((?:\"[^\"]*\"|'[^']*'|[^\s,&'\"<>])+))")
_HEADER = re.compile(r"(?i)(?<![\w-])(headers?)=(?!\*\*\*|\s)(?:\{[^}]*\}?|[^,'\"<>]+)")
# JSON within JSON has its quotation marks escaped.
_QUOTED = re.compile(
    r"""(\\*['"])([\w-]+)\1(\s*:\s*)(?!\1(?:\*\*\*)?\1)(?:\\+"[^"]*?\\+"|"[^"]*"|'[^']*'|\d+|\{[^}]*\})"""
)
# Of two words with a colon between, only what looks like a key: the words of a server shall be read.
_NAMED = re.compile(r"""(?<![\w-])([\w-]+)(\s*:\s*|\s+=\s+)(?=[^\s<>]*\d)(['"]?[\w.~+/=-]{8,}['"]?)""")
# With one slash it is an address that was taken for a path.
_USERINFO = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:/|https?:)/)(?!\*\*\*@)[^/\s?#'\"<>]*@")
_SCHEME = re.compile(r"(?i)\b((?:bearer|basic)\s+)(?=\S*\d)[\w.~+/=-]{8,}")


def is_secret(name: str, *, in_query: bool = False) -> bool:
    """Whether an argument, a header or (``in_query``) a query's parameter of that name holds a secret."""
    parts = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    if not parts or parts[-1] == "file":
        return False
    *owners, last = parts
    return (
        bool(_ALWAYS & set(parts))
        or (last == "token" and (not owners or bool(_TOKEN_OWNERS & set(owners))))
        or (last == "key" and bool(_KEY_OWNERS & set(owners)))
        or (in_query and last in _IN_QUERIES)
    )


def without_secrets(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Model arguments in two parts: those that may be written down, and the secrets.

    A secret is an argument that ``is_secret`` names, or an address that holds one: the first part has that without.
    The secrets are remembered for ``redact``.

    Raises:
        UserError: an address cannot be taken apart, or a secret is no text; it is not shown.
    """
    public: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for name, value in arguments.items():
        if is_secret(name):
            if text := _text(name, value):
                secrets[name] = text
                remember(text)
        elif isinstance(value, str) and ("://" in value or name == "base_url"):
            public[name] = public_url(value, name)
            if public[name] != value:
                secrets[name] = value
                remember(*_secrets_of_url(value))
        else:
            public[name] = value
    return public, secrets


def as_written(text: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Parsed ``name=value,...`` with each secret as it was written: a key of digits is no number."""
    written = dict(part.strip().partition("=")[::2] for part in text.split(","))
    return {
        name: written[name].strip() if is_secret(name) and type(value) in (int, float) else value
        for name, value in arguments.items()
    }


def public_url(url: str, name: str = "base_url") -> str:
    """An address without user, password and the secrets of its query; one that has none as it is.

    Raises:
        UserError: it cannot be taken apart; it is not shown.
    """
    try:
        parts = urlsplit(url)
        if "://" not in url or not (parts.port or parts.netloc):
            raise ValueError
    except ValueError:
        raise UserError(
            f"{name} in --model-args is no address",
            "Write http://HOST:PORT/PATH; in a password, / is %2F, # is %23, ? is %3F and @ is %40",
        ) from None
    pairs = re.split("[&;]", parts.query)
    kept = [pair for pair in pairs if not is_secret(unquote(pair.partition("=")[0]), in_query=True)]
    place = parts.netloc.rpartition("@")[2]
    if kept != pairs or place != parts.netloc:
        url = urlunsplit(parts._replace(netloc=place, query="&".join(kept)))
    # Parameters stand in paths and behind `#` too.
    return _without_named(url)


def remember(*secrets: str) -> None:
    """From now on ``redact`` hides these texts, in whatever form an address or JSON gives them."""
    for secret in secrets:
        plain = {secret, unquote(secret)}
        forms = plain | {quote(one, safe=safe) for one in plain for safe in ("", "/")}
        forms |= {json.dumps(form)[1:-1] for form in forms}
        _known.update(form for form in forms if len(form) >= _SHORTEST and form != HIDDEN)


def redact(text: str) -> str:
    """A text without secrets: neither those that are known nor what is one by its name or place."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            exact = re.escape(secret)
            text = re.sub(exact if len(secret) >= _WITHIN_WORDS else rf"(?<!\w){exact}(?!\w)", HIDDEN, text)
    return _without_named(text)


def _without_named(text: str) -> str:
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1={HIDDEN}", text)
    for pair in reversed([pair for pair in _PAIR.finditer(text) if _is_secret_pair(pair)]):
        text = text[: pair.start(2)] + HIDDEN + text[pair.end(2) :]
    text = _QUOTED.sub(_hidden_item, text)
    text = _NAMED.sub(lambda found: f"{found[1]}{found[2]}{HIDDEN}" if is_secret(found[1]) else found[0], text)
    return _SCHEME.sub(rf"\1{HIDDEN}", text)


def secrets_named(text: str) -> list[str]:
    """The names of the secrets that stand in a text in clear, each once."""
    names = ["a password in an address"] if _USERINFO.search(text) else []
    names += [found[1] for found in _HEADER.finditer(text)]
    names += [pair[1] for pair in _PAIR.finditer(text) if _is_secret_pair(pair)]
    names += [item[2] for item in _QUOTED.finditer(text) if is_secret(item[2])]
    names += [found[1] for found in _NAMED.finditer(text) if is_secret(found[1])]
    return list(dict.fromkeys(names))


def _is_secret_pair(pair: re.Match[str]) -> bool:
    in_query = pair.start() > 0 and pair.string[pair.start() - 1] in "?&;#"
    return is_secret(unquote(pair[1]), in_query=in_query) and not _is_hidden(pair[2].strip("\"'"))


def _is_hidden(value: str) -> bool:
    # On a page more may follow, up to the next quotation mark.
    return value == "?" or value.startswith(HIDDEN)


def _hidden_item(item: re.Match[str]) -> str:
    mark = item[1]
    return f"{mark}{item[2]}{mark}{item[3]}{mark}{HIDDEN}{mark}" if is_secret(item[2]) else item[0]


def _secrets_of_url(url: str) -> list[str]:
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    named = [pair[2] for pair in _PAIR.finditer(url) if _is_secret_pair(pair)]
    return [password or user, *named]


def _text(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, dict) and "header" in name.lower():
        return json.dumps(value)
    if isinstance(value, dict | list):
        raise UserError(f"{name} in --model-args is no text", "Give one")
    return str(value).strip()
