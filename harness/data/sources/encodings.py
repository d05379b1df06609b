"""In which encoding a text file is written: what its bytes prove, or one that the user names."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...core.errors import UserError
from .archives import open_bytes
from .readers import Option

ENCODING = Option("encoding", "Encoding of a text file, such as windows-1256.", among="encodings")
_CHUNK = 1 << 20
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_ARABIC_BYTES = {"cp1256": "Windows-1256", "iso8859_6": "ISO-8859-6", "mac_arabic": "MacArabic"}
# Alef and lam are a quarter of Arabic text.
_ARABIC, _COMMON, _OTHER = (
    re.compile("[\u0621-\u063a\u0641-\u064a]"),
    re.compile("[\u0627\u0644]"),
    re.compile(
        "[^\x00-\x7f\u0621-\u063a\u0640-\u0652\u060c\u061b\u061f\u0660-\u0669\u066a-\u066c\xa0\u200c-\u200f]"
    ),
)
_WORD = re.compile("[\u0621-\u063a\u0641-\u064a]+")
_FEWEST_LETTERS, _FEWEST_ARTICLES, _CLEAR = 12, 0.02, 3


@dataclass(frozen=True)
class Encoding:
    """The codec of a text file with its lines; ``found``: its name where nobody named it and it is not UTF-8."""

    codec: str
    lines: int
    found: str | None = None


def encoding_of(path: Path, given: str | None) -> Encoding:
    """The encoding of a file, which all its bytes are proven to be in.

    Decided are byte order marks, UTF-8, UTF-16 without a mark, and an Arabic encoding of one byte a letter, if
    exactly one gives Arabic letters in the shares that Arabic text has.

    Raises:
        UserError: it is in none of them, or not in the given one; names the byte, and the candidates.
    """
    if given is not None:
        try:
            codec = codecs.lookup(given)
            if not codec._is_text_encoding:
                raise LookupError
        except (LookupError, ValueError):
            remedy = "Give one such as utf-8, utf-16, windows-1256 or iso-8859-6"
            raise UserError(f"--encoding {given!r} is no encoding that is known", remedy) from None
        name = "utf-8-sig" if codec.name == "utf-8" else codec.name
        lines, error = _proven(path, name)
        if error:
            raise UserError(f"{path} is not in {given}: {error}", "Correct --encoding")
        return Encoding(name, lines)
    with open_bytes(path) as stream:
        sample = _read(stream, _CHUNK)
    for mark, codec_name in _MARKS.items():
        if sample.startswith(mark):
            lines, error = _proven(path, codec_name)
            if error:
                raise UserError(f"{path} is not {_shown(codec_name)}: {error}", f"Save it as {_shown(codec_name)}")
            return Encoding(codec_name, lines, None if codec_name == "utf-8-sig" else _shown(codec_name))
    if (wide := _without_mark(sample)) is not None and not (proof := _proven(path, wide))[1]:
        return Encoding(wide, proof[0], f"{wide.upper()} without a byte order mark")
    lines, error = _proven(path, "utf-8")
    if not error:
        return Encoding("utf-8", lines)
    plausible = {name: share for name in _ARABIC_BYTES if (share := _articles(sample, name)) is not None}
    proven = sorted((name for name in plausible if not _proven(path, name)[1]), key=lambda name: -plausible[name])
    best, *others = proven or [""]
    clear = [name for name in others if sample.decode(name) != sample.decode(best)]
    if (
        best
        and plausible[best] >= _FEWEST_ARTICLES
        and all(plausible[best] >= _CLEAR * plausible[name] for name in clear)
    ):
        return Encoding(best, _proven(path, best)[0], _ARABIC_BYTES[best])
    candidates = ", ".join(_ARABIC_BYTES[name] for name in proven) or "windows-1256, iso-8859-6, windows-1252"
    if not proven and len(_ARABIC.findall(sample.decode("utf-8", "ignore"))) >= _FEWEST_LETTERS:
        raise UserError(
            f"{path} is UTF-8 but for bytes of another encoding, the first at {error}",
            "Correct the text there, or take out what was pasted from another file",
        )
    raise UserError(
        f"{path} is not UTF-8 at {error}",
        f"Save it as UTF-8, or name its encoding with --encoding (it may be {candidates})",
    )


def _proven(path: Path, codec: str) -> tuple[int, str]:
    """Lines of a file, and where it is not in an encoding; empty if it is."""
    decoder = codecs.getincrementaldecoder(codec)()
    lines = offset = 0
    with open_bytes(path) as stream:
        while True:
            chunk = _read(stream, _CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                place = offset - pending + error.start
                line = lines + chunk.count(b"\n", 0, max(error.start - pending, 0)) + 1
                return lines, f"byte {place} (line {line})"
            except UnicodeError as error:
                return lines, str(error)
            if not chunk:
                return lines, ""
            lines += text.count("\n")
            offset += len(chunk)


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, if there are: a decompressed stream may give fewer at a time."""
    parts, left = [], size
    while left and (chunk := stream.read(left)):
        parts.append(chunk)
        left -= len(chunk)
    return b"".join(parts)


def _without_mark(sample: bytes) -> str | None:
    """UTF-16 by its NUL bytes, which all stand at even or at odd places."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if even + odd < max(2, 0.02 * len(sample)):
        return None
    if not even or odd > 50 * even:
        return "utf-16-le"
    return "utf-16-be" if not odd or even > 50 * odd else None


def _articles(sample: bytes, codec: str) -> float | None:
    """The share of the words that begin with the article, of what reads as Arabic in an encoding; None of what does
    not."""
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return None
    letters = len(_ARABIC.findall(text))
    if (
        letters < _FEWEST_LETTERS
        or len(_OTHER.findall(text)) > 0.03 * letters
        or len(_COMMON.findall(text)) < 0.15 * letters
    ):
        return None
    words = _WORD.findall(text)
    articles = sum(word.startswith("\u0627\u0644") for word in words)
    return float(articles / len(words))


def _shown(codec: str) -> str:
    return codec.removesuffix("-sig").upper()
