"""Text that any stream can carry and any reader sees: no sign that its encoding lacks, no hidden control byte."""

from __future__ import annotations

import codecs
import io
import re
import sys

HANDLER = "maqa-readable"
"""The error handler of this module, as ``open`` and ``str.encode`` take it by name."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_HIDDEN = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")
_ALIKE = {
    **dict.fromkeys("‐‑‒–—−", "-"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”«»", '"'),
    "×": "x",
    "·": ".",
    "•": "*",
    "…": "...",
    "±": "+/-",
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "≠": "!=",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "κ": "kappa",
    "\u00a0": " ",
    "\u202f": " ",
}


def visible(text: str) -> str:
    r"""Control characters as ``\x00``, so that none is hidden or steers a terminal; tab and line feed stay."""
    # Hardly any text has one, and to translate takes thirty times as long as to look.
    return text.translate(_CONTROLS) if _HIDDEN.search(text) else text


def encodable(text: str, encoding: str) -> str:
    """What a stream of this encoding shows of a text: visible, and what the encoding lacks in its signs."""
    return visible(text).encode(encoding, HANDLER).decode(encoding)


def make_streams_readable() -> None:
    """Let both standard streams write any text, whatever the locale: what they lack is written in their signs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def _in_signs_alike(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    made = (_ALIKE.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii") for sign in lacking)
    return "".join(made), error.end


codecs.register_error(HANDLER, _in_signs_alike)
