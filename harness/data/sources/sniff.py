"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from ...core.errors import UserError
from .archives import archive_of, is_package, open_bytes, open_seekable, said

_MAGIC = {
    b"PAR1": ".parquet",
    b"SQLite format 3\0": ".sqlite",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ".xls",
    b"ARROW1": ".arrow",
    b"FEA1": ".feather",
    b"\xff\xff\xff\xff": ".arrow",
}
_OTHERS = {
    b"%PDF": ("a PDF", "Save its table as csv or xlsx"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "Unpack it and give what is inside"),
    b"Rar!": ("a RAR archive", "Unpack it and give what is inside"),
    b"\x89PNG": ("a picture", "Give a table of questions and answers"),
    b"\xff\xd8\xff": ("a picture", "Give a table of questions and answers"),
    b"\x80\x02": ("a pickle, which can run code", "Save the table as csv or parquet"),
    b"\x80\x03": ("a pickle, which can run code", "Save the table as csv or parquet"),
    b"\x80\x04": ("a pickle, which can run code", "Save the table as csv or parquet"),
    b"\x80\x05": ("a pickle, which can run code", "Save the table as csv or parquet"),
    b"\x89HDF": ("an HDF5 file", "Save the table as csv or parquet"),
    b"version https://git-lfs": (
        "a pointer to a file that Git LFS keeps",
        "Fetch the file itself with git lfs pull",
    ),
    b"{\\rtf": ("a rich text document", "Save its table as csv or xlsx"),
    b"ORC": ("an ORC file", "Save the table as parquet"),
    b"Obj\x01": ("an Avro file", "Save the table as parquet"),
    b"$FL2": ("an SPSS file", "Save the table as csv"),
    b"<stata": ("a Stata file", "Save the table as csv"),
}
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"|\[\s*[\{\[])')
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html|<table|<head|<body|<meta|<div|<style)", re.IGNORECASE
)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml")
_PACKAGES = {"xl/workbook.xml": ".xlsx", "xl/workbook.bin": ".xlsb", "content.xml": ".ods"}


def kind_of(path: Path) -> str | None:
    """The ending that a file should have by its first bytes, unpacked; None for text of any other kind.

    Raises:
        UserError: it is something that no reader reads, such as a PDF; says what, and the remedy.
    """
    if is_package(path):
        return _of_package(path)
    with open_bytes(path) as stream:
        head = stream.read(4096)
    for magic, (what, remedy) in _OTHERS.items():
        if head.startswith(magic):
            raise UserError(f"{path} is {what}", remedy)
    if head[257:262] == b"ustar":
        raise UserError(f"{path} is a tar archive", "Unpack it, and give a file or the folder")
    if archive_of(path) is not None and head.startswith(b"PK\x03\x04"):
        inside = _of_member(path)
        if inside is None:
            raise UserError(f"{path} is an archive in an archive", "Unpack it, and give a file or the folder")
        return inside
    found = next((ending for magic, ending in _MAGIC.items() if head.startswith(magic)), None)
    if found == ".xls" and b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in _beginning(path):
        raise UserError(f"{path} is a workbook with a password", "Save it without a password")
    if found is not None:
        return found
    if _HTML.match(head) or (_XML.match(head) and b"<html" in head.lower()):
        return ".html"
    if _XML.match(head):
        raise UserError(f"{path} is XML", "Open it in a spreadsheet and save it as xlsx or csv")
    return ".json" if _JSON.match(head) else None


def is_text_table(path: Path) -> bool:
    """Whether a file that is called a workbook is plain text of several lines with a delimiter."""
    with open_bytes(path) as stream:
        head = stream.read(4096)
    mark = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    line = head.replace(b"\0", b"").partition(b"\n")[0]
    return (mark or not head.count(0)) and b"\n" in head and any(each in line for each in (b",", b";", b"\t", b"|"))


def _of_package(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is a damaged zip file: {said(error)}", "Save it again") from None
    for name, ending in _PACKAGES.items():
        if name in names:
            return ending
    if "word/document.xml" in names:
        raise UserError(f"{path} is a Word document", "Save its table as xlsx or csv")
    if any(name.endswith(".iwa") for name in names):
        raise UserError(f"{path} is a Numbers document", "Export it as xlsx or csv")
    return ".xlsx"


def _of_member(path: Path) -> str | None:
    try:
        with open_seekable(path) as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is a damaged zip file: {said(error)}", "Save it again") from None
    return next((ending for name, ending in _PACKAGES.items() if name in names), None)


def _beginning(path: Path) -> bytes:
    with open_bytes(path) as stream:
        return stream.read(1 << 20)
