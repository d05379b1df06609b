"""Lines of a text file."""

from __future__ import annotations

import codecs
from pathlib import Path

from ...core.errors import UserError

_CHUNK = 1 << 20


def count_lines(path: Path) -> int:
    """Lines of a file, and the proof that it is UTF-8.

    Raises:
        UserError: it is not; names the byte and the line.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = offset = 0
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                place = offset - pending + error.start
                line = lines + chunk.count(b"\n", 0, max(error.start - pending, 0)) + 1
                raise UserError(f"{path} is not UTF-8 at byte {place} (line {line})", "Save it as UTF-8") from None
            if not chunk:
                return lines
            lines += chunk.count(b"\n")
            offset += len(chunk)
