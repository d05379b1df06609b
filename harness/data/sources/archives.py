"""Bytes of a file as they are, or out of gzip, bzip2, xz, zstandard and zip; known by their first bytes."""

from __future__ import annotations

import bz2
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO

from ...core.errors import UserError

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
ENDINGS = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".zip")
_CHUNK = 1 << 18
# Text shrinks to a tenth or so. What swells beyond this is made to fill a disk.
_FREE, _RATIO = 1 << 28, 200
_FREE_PART, _RATIO_PART, _LARGEST_PART = 1 << 27, 100, 1 << 31
_XZ_MEMORY = 1 << 28
_DAMAGE = (
    *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError, KeyError, MemoryError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
_LONGEST_LINE = 400
_REMEDY = "Get the file again, or unpack it and give what is inside"


def compression(path: Path) -> str | None:
    """``gzip``, ``bzip2``, ``xz``, ``zstandard`` or ``zip``, by the first bytes; None of what is not compressed."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        head = stream.read(6)
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def bare_name(path: Path) -> str:
    """The name without the ending of a compression, in small letters: ``data.csv`` of ``data.csv.gz``."""
    name = path.name.lower()
    ending = next((each for each in ENDINGS if name.endswith(each)), "")
    return name.removesuffix(ending)


def members(path: Path) -> list[str]:
    """Files in a zip archive by name, sorted; without those that systems hide.

    Raises:
        UserError: it is damaged, or asks for a password.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except _DAMAGE as error:
        raise UserError(f"{path} is a damaged zip file: {said(error)}", _REMEDY) from None
    if any(info.flag_bits & 1 for info in infos):
        raise UserError(f"{path} asks for a password", "Unpack it and give what is inside")
    return sorted(info.filename for info in infos if not _hidden(info.filename))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def archive_of(path: Path) -> tuple[Path, str] | None:
    """The zip archive and the member that a path such as ``data.zip/one.csv`` names; None for every other."""
    for parent in path.parents:
        if parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def open_bytes(path: Path) -> BinaryIO:
    """The bytes of a file, decompressed as they are read, or of a member of a zip archive.

    Raises:
        UserError: here or while reading: it is damaged, or swells to more than 200 times its size.
        OSError: the file cannot be read.
    """
    if (found := archive_of(path)) is not None:
        return _member(path, *found)
    kind = compression(path)
    if kind is None:
        return path.open("rb")
    if kind == "zip":
        inside = members(path)
        if len(inside) != 1:
            raise UserError(f"{path} holds {len(inside)} files", "Give a zip file of one file, or of alike parts")
        return _member(path, path, inside[0])
    read = _OPENERS[kind](path)
    return io.BufferedReader(_Bounded(path, kind, path.stat().st_size, read), _CHUNK)


def open_seekable(path: Path) -> IO[bytes]:
    """The bytes of a file, to go back and forth in; those out of an archive stand in a temporary file."""
    plain = compression(path) is None or (compression(path) == "zip" and not path.name.lower().endswith(".zip"))
    if archive_of(path) is None and (plain or is_package(path)):
        return path.open("rb")
    unpacked = tempfile.SpooledTemporaryFile(max_size=1 << 26)  # noqa: SIM115
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            unpacked.write(chunk)
    unpacked.seek(0)
    return unpacked


def is_package(path: Path) -> bool:
    """Whether a zip file is itself a document, such as xlsx, and no archive of files."""
    if archive_of(path) is not None or compression(path) != "zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except _DAMAGE:
        return False
    return bool(names & {"[Content_Types].xml", "content.xml", "xl/workbook.xml", "xl/workbook.bin", "mimetype"})


def check_package(
    path: Path, stream: IO[bytes], remedy: str = "Save the sheet as csv if you trust the file"
) -> None:
    """Demand of a document that is a zip file that its parts unpack to no more than sheets do.

    Raises:
        UserError: one does.
        BadZipFile: it is no zip file.
    """
    with zipfile.ZipFile(stream) as archive:
        infos = archive.infolist()
    stream.seek(0)
    for info in infos:
        swollen = info.file_size > _FREE_PART and info.file_size > _RATIO_PART * info.compress_size
        if swollen or info.file_size > _LARGEST_PART:
            raise UserError(
                f"{path} swells: its part {info.filename} unpacks from {info.compress_size:,} to"
                f" {info.file_size:,} bytes",
                remedy,
            )


def said(error: BaseException) -> str:
    """The first line of what an error says, as far as a line of ours bears it."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:_LONGEST_LINE] if lines else type(error).__name__


def _member(path: Path, archive: Path, name: str) -> BinaryIO:
    members(archive)
    try:
        opened = zipfile.ZipFile(archive)
        info = opened.getinfo(name)
        stream = opened.open(info)
    except _DAMAGE as error:
        raise UserError(f"{path} cannot be read: {said(error)}", _REMEDY) from None
    return io.BufferedReader(_Bounded(path, "zip", info.compress_size, stream.read, opened.close), _CHUNK)


class _Bounded(io.RawIOBase):
    """A stream out of an archive that ends in one error where the archive is damaged or a bomb."""

    def __init__(
        self, path: Path, kind: str, size: int, read: Callable[[int], bytes], close: Callable[[], Any] | None = None
    ) -> None:
        self._path, self._kind, self._size = path, kind, size
        self._read, self._end = read, close
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self._read(len(buffer))
        except UserError:
            raise
        except _DAMAGE as error:
            raise UserError(f"{self._path} is a damaged {self._kind} file: {said(error)}", _REMEDY) from None
        self._out += len(chunk)
        if self._out > _FREE and self._out > _RATIO * self._size:
            raise UserError(
                f"{self._path} swells from {self._size:,} bytes to more than {self._out:,}",
                "Unpack it yourself if you trust it, and give what is inside",
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if self._end is not None:
            self._end()
        super().close()


def _gzip(path: Path) -> Callable[[int], bytes]:
    import gzip

    return gzip.open(path, "rb").read


def _xz(path: Path) -> Callable[[int], bytes]:
    # The library's own file object sets no bound to the memory that the file asks for.
    source = path.open("rb")
    engine = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(size: int) -> bytes:
        nonlocal engine
        while True:
            if engine.eof:
                rest = engine.unused_data.lstrip(b"\0") or source.read(_CHUNK).lstrip(b"\0")
                if not rest:
                    return b""
                engine = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
                found = engine.decompress(rest, size)
            else:
                fed = source.read(_CHUNK) if engine.needs_input else b""
                if engine.needs_input and not fed:
                    raise EOFError("the file ends in the middle")
                found = engine.decompress(fed, size)
            if found:
                return found

    return read


def _zstandard(path: Path) -> Callable[[int], bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")

    def read(size: int) -> bytes:
        found: bytes = stream.read(size)
        return found

    return read


def _bzip2(path: Path) -> Callable[[int], bytes]:
    return bz2.BZ2File(path).read


_OPENERS: dict[str, Callable[[Path], Callable[[int], bytes]]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstandard": _zstandard,
}
