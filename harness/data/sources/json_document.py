"""One JSON document: a list of records, columns, or records nested under a key."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ...core.errors import UserError
from .archives import open_bytes
from .base import Batch, IsHeader, Note, Row, Source, batched
from .encodings import ENCODING, encoding_of
from .finish import check_width
from .jsonl import object_of, open_jsonl
from .readers import source

_LARGEST = 1 << 28
_CHUNK = 1 << 20
_REMEDY = "Write a list of objects, or one JSON object a line (.jsonl)"
_DEPTH = 5


@source(".json", options=[ENCODING], finds_header=True)
def open_json(path: Path, is_header: IsHeader | None = None, encoding: str | None = None) -> Source:
    """Open a JSON file; a list of records is read record by record, of any size.

    Read are a list of records (or of lists, the header first), columns (lists, or pandas's columns by row),
    other forms of pandas, and records under one key, however deep; several JSON values one after the other, too.

    Raises:
        UserError: it is in no known encoding, no JSON, or holds no records, or several lists of different ones.
    """
    found = encoding_of(path, encoding)
    if not is_document(path, found.codec, one_line=True):
        return open_jsonl(path, **({"encoding": encoding} if encoding else {}))
    notes = [Note("reading.encoding", {"encoding": found.found})] if found.found else []
    first = list(islice(_values(path, found.codec), 2))
    if not first:
        raise UserError(f"{path} is empty", _REMEDY)
    listed = _is_list(path, found.codec)
    if isinstance(first[0], dict) and (listed or len(first) > 1):
        return _of_records(path, found.codec, notes)
    if listed and isinstance(first[0], list):
        return _of_table(path, [str(name) for name in first[0]], list(_values(path, found.codec))[1:], notes)
    if listed or not isinstance(first[0], dict):
        raise UserError(f"{path} holds {_kind(first[0])} where records are expected", _REMEDY)
    return _of_object(path, first[0], is_header, notes)


def is_document(path: Path, codec: str, one_line: bool) -> bool:
    """Whether a JSON file is one document (or several over many lines), and not an object a line.

    Args:
        one_line: whether a single line that is an object is a document.
    """
    with io.TextIOWrapper(open_bytes(path), encoding=codec) as stream:
        lines = (line.strip("\ufeff \t\r\n") for line in stream)
        first = next((line for line in lines if line), "")
        if first.startswith("["):
            return True
        try:
            whole = isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            # A line that is cut short is a damaged line.
            return first.endswith(("{", "[", ","))
        return whole and one_line and not any(islice(lines, 1000))


def _is_list(path: Path, codec: str) -> bool:
    with io.TextIOWrapper(open_bytes(path), encoding=codec) as stream:
        text = stream.read(_CHUNK).lstrip("\ufeff \t\r\n")
    return text.startswith("[")


def _values(path: Path, codec: str) -> Iterator[Any]:
    """The elements of a list, or the values that follow each other; one is in memory at a time.

    Raises:
        UserError: it is no JSON; names the value and the character.
    """
    decoder = json.JSONDecoder(object_pairs_hook=object_of)
    number, before = 0, 0
    with io.TextIOWrapper(open_bytes(path), encoding=codec) as stream:
        text, listed, ended = stream.read(_CHUNK).lstrip("\ufeff"), None, False
        place = 0

        def fail(why: object) -> UserError:
            return UserError(
                f"{path} is not JSON at character {before + place} (value {number + 1}): {why}", _REMEDY
            )

        while True:
            place = _past_space(text, place)
            if place >= len(text) and not ended:
                before, text, place = before + len(text), stream.read(_CHUNK), 0
                ended = not text
                continue
            if place >= len(text):
                if listed:
                    raise fail("the file ends in the middle of the list")
                return
            if listed is None and text[place] == "[":
                listed, place = True, place + 1
                continue
            listed = bool(listed)
            if listed and text[place] == "]":
                place = _past_space(text, place + 1)
                if text[place:].strip() or stream.read(_CHUNK).strip():
                    raise fail("something follows the list")
                return
            if number and listed:
                if text[place] != ",":
                    raise fail("a comma is missing")
                if (place := _past_space(text, place + 1)) >= len(text):
                    text += stream.read(_CHUNK)
                    place = _past_space(text, place)
            if number and text[place : place + 1] in ("]", ","):
                raise fail("a comma is followed by no value")
            size = _CHUNK
            while True:
                try:
                    value, end = decoder.raw_decode(text, place)
                    if end < len(text) or ended or isinstance(value, dict | list):
                        break
                except RecursionError:
                    raise fail("it is nested too deep") from None
                except ValueError as error:
                    if ended:
                        raise fail(error) from None
                if len(text) - place > _LARGEST:
                    raise fail(f"a value of more than {_LARGEST:,} characters")
                more = stream.read(size)
                ended, size = not more, 2 * size
                before, text, place = before + place, text[place:] + more, 0
            place = end
            yield value
            number += 1
            if place > _CHUNK:
                before, text, place = before + place, text[place:], 0


def _past_space(text: str, place: int) -> int:
    found = re.compile(r"[ \t\r\n]*").match(text, place)
    return found.end() if found else place


def _of_records(path: Path, codec: str, notes: list[Note]) -> Source:
    keys: dict[str, None] = {}
    count = 0
    for count, record in enumerate(_values(path, codec), start=1):
        if not isinstance(record, dict):
            raise UserError(f"{path} row {count} is {_kind(record)} where a record is expected", _REMEDY)
        keys.update(dict.fromkeys(record))
        check_width(path, len(keys))
    columns = list(keys)

    def rows(places: Sequence[int]) -> Iterator[Row]:
        for number, record in enumerate(_values(path, codec), start=1):
            yield number, [record.get(columns[place]) for place in places]

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        return batched(rows(places), len(places), opened.where)

    opened = Source(path, columns, count, batches, notes=notes)
    return opened


def _of_table(path: Path, columns: list[str], table: Sequence[Any], notes: list[Note]) -> Source:
    for number, cells in enumerate(table, start=1):
        if not isinstance(cells, list) or len(cells) != len(columns):
            raise UserError(f"{path} row {number} is no list of {len(columns)} cells", _REMEDY)

    def batches(places: Sequence[int]) -> Iterator[Batch]:
        rows = ((number, [cells[place] for place in places]) for number, cells in enumerate(table, start=1))
        return batched(rows, len(places), opened.where)

    opened = Source(path, columns, len(table), batches, notes=notes)
    return opened


def _of_object(path: Path, document: Mapping[str, Any], is_header: IsHeader | None, notes: list[Note]) -> Source:
    if (
        is_header is not None
        and is_header(list(document))
        and any(isinstance(each, str) for each in document.values())
    ):
        return _of_list(path, [document], notes)
    names, data = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(isinstance(each, list) for each in data):
        return _of_table(path, [str(name) for name in names], data, notes)
    values = list(document.values())
    if values and all(isinstance(value, list) and not _records(value) for value in values):
        return _of_columns(path, {name: list(value) for name, value in document.items()}, notes)
    if values and all(isinstance(value, dict) for value in values):
        return _of_rows_by_key(path, document, notes)
    if lists := _lists(document):
        return _of_nested(path, lists, notes)
    if any(isinstance(value, str) for value in values):
        return _of_list(path, [document], notes)
    raise UserError(f"{path} holds no list of records", _REMEDY)


def _of_nested(path: Path, lists: Mapping[str, list[dict[str, Any]]], notes: list[Note]) -> Source:
    shapes = {tuple(sorted(set().union(*records[:100]))) for records in lists.values()}
    if len(shapes) > 1:
        raise UserError(
            f"{path} holds several lists of records: {', '.join(lists)}", "Give one of them as a file of its own"
        )
    notes.append(Note("reading.nested", {"keys": ", ".join(lists)}))
    return _of_list(path, [record for records in lists.values() for record in records], notes)


def _of_columns(path: Path, columns: Mapping[str, list[Any]], notes: list[Note]) -> Source:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in list(lengths.items())[:9])
        raise UserError(
            f"{path} has columns of different lengths: {told}", "Give every column a value for each row"
        )
    return _of_table(path, list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)], notes)


def _of_rows_by_key(path: Path, document: Mapping[str, Any], notes: list[Note]) -> Source:
    """Columns by row as pandas writes them, or records by a key of theirs."""
    inner = [set(value) for value in document.values()]
    by_row = all(keys == inner[0] for keys in inner)
    if by_row and all(not isinstance(each, dict | list) for value in document.values() for each in value.values()):
        numbered = all(name.isdigit() for name in inner[0])
        if numbered and not all(name.isdigit() for name in document):
            return _of_columns(path, {name: list(value.values()) for name, value in document.items()}, notes)
        return _of_list(path, list(document.values()), notes)
    if lists := _lists(document):
        return _of_nested(path, lists, notes)
    return _of_list(path, list(document.values()), notes)


def _of_list(path: Path, records: Sequence[Mapping[str, Any]], notes: list[Note]) -> Source:
    columns = list(dict.fromkeys(name for record in records for name in record))
    check_width(path, len(columns))
    return _of_table(path, columns, [[record.get(name) for name in columns] for record in records], notes)


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _lists(document: Mapping[str, Any], depth: int = _DEPTH) -> dict[str, list[dict[str, Any]]]:
    """Lists of records by the path of their keys, those that lie the least deep."""
    found = {name: value for name, value in document.items() if _records(value)}
    if found or not depth:
        return found
    return {
        f"{name}.{key}": records
        for name, value in document.items()
        if isinstance(value, dict)
        for key, records in _lists(value, depth - 1).items()
    }


def _kind(value: Any) -> str:
    return {list: "a list", dict: "an object", str: "text", type(None): "null"}.get(type(value), "a number")
