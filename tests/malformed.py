"""Malformed inputs for every reader: valid files of each format, damaged at random, and files made to hurt."""

import bz2
import gzip
import io
import json
import random
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from maqa_severity.tests.malformed_models import hostile_models, safetensors_seed, skops_seed

ROWS = [
    {
        "question": f"صداع منذ {number} أيام، هل هذا خطير؟",
        "answer": f"راجع الطبيب بعد {number} أيام.",
        "severity": mark,
    }
    for number, mark in enumerate(("critical", "neutral", "non_critical") * 3)
]
HOSTILE = [
    *(
        b"\x00",
        b"\xff\xfe",
        b'"',
        b"\n",
        b"\r",
        b",",
        b"=cmd()",
        b"\xd8",
        b"-1",
        b"NaN",
        b"1e999",
        b"&#0;",
        b"\x1a",
    ),
    *(b"9" * 40, b"{" * 3000, b"[" * 3000, b"x" * 70_000, b"\\ud800", b"\xef\xbb\xbf", "\u202e".encode()),
    b'<!DOCTYPE a [<!ENTITY b "cc">]>&b;',
]
"""What is put in somewhere."""
_ODS = (
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="a">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)
_CELL = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
_YAML = "base: x\narms: [ce, severity]\nseeds: [1, 2]\ntrain: {method: full, epochs: 1}\n"
_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{% endfor %}"
    "{% if add_generation_prompt %}<|a|>{% endif %}"
)


def _ods() -> bytes:
    rows = "".join(
        f"<table:table-row>{''.join(_CELL.format(value) for value in row)}</table:table-row>"
        for row in [list(ROWS[0]), *(row.values() for row in ROWS)]
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", _ODS.format(rows=rows))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
    return stream.getvalue()


def _zipped(inside: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _sqlite(folder: Path) -> bytes:
    path = folder / "seed.sqlite"
    with sqlite3.connect(path) as base:
        pd.DataFrame(ROWS).to_sql("rows", base, index=False, if_exists="replace")
    return path.read_bytes()


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def valid(folder: Path) -> dict[str, bytes]:
    """A valid file of each format that can be read, by the end of its name; ``folder`` is for scratch."""
    frame, arrow = pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS)
    csv = frame.to_csv(index=False)
    jsonl = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    turns = (("user", "question"), ("assistant", "answer"))
    chats = [{"messages": [{"role": role, "content": row[name]} for role, name in turns]} for row in ROWS]
    feather = _written(lambda stream: pa.feather.write_feather(arrow, stream))
    return {
        "csv": csv.encode(),
        "tsv": frame.to_csv(index=False, sep="\t").encode(),
        "txt": frame.to_csv(index=False, sep=";").encode(),
        "cp1256.csv": csv.encode("cp1256", "replace"),
        "utf16.csv": csv.encode("utf-16"),
        "sig.csv": csv.encode("utf-8-sig"),
        "jsonl": jsonl.encode(),
        "chat.jsonl": "".join(json.dumps(chat) + "\n" for chat in chats).encode(),
        "json": json.dumps(ROWS, ensure_ascii=False).encode(),
        "nested.json": json.dumps({"data": ROWS}).encode(),
        "columns.json": json.dumps(frame.to_dict("list")).encode(),
        "html": frame.to_html(index=False).encode(),
        "xlsx": _written(lambda stream: frame.to_excel(stream, index=False)),
        "ods": _ods(),
        "parquet": _written(lambda stream: pq.write_table(arrow, stream)),
        "feather": feather,
        "sqlite": _sqlite(folder),
        "csv.gz": gzip.compress(csv.encode()),
        "csv.bz2": bz2.compress(csv.encode()),
        "csv.zst": bytes(pa.compress(csv.encode(), "zstd", asbytes=True)),
        "csv.zip": _zipped({"a.csv": csv.encode()}),
        "parts.zip": _zipped({"a.csv": csv.encode(), "b.jsonl": jsonl.encode()}),
        "yaml": _YAML.encode(),
        "jinja": _TEMPLATE.encode(),
        "skops": skops_seed(),
        "safetensors": safetensors_seed(),
    }


def hostile() -> list[tuple[str, bytes]]:
    """Files that are small and stand for much, or whose numbers are lies: the end of the name, and the bytes."""
    many = _written(
        lambda stream: pq.write_table(
            pa.table({"question": pa.array(["س"] * 20_000), "answer": pa.array(["ج"] * 20_000)}),
            stream,
            row_group_size=20_000,
        )
    )
    layers = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    sheet = (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
        + ']><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        '<c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData></worksheet>'
    )
    repeated = f'<table:table-row table:number-rows-repeated="1000000000">{_CELL.format("x") * 3}</table:table-row>'
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    loops = "".join(f"{{% for {name} in range(9999) %}}" for name in "abc") + "{% endfor %}" * 3
    return [
        ("parquet", many),
        ("yaml", layers.encode()),
        ("yaml", b"{" * 200_000),
        ("yaml", b"a: !!python/object/apply:os.system ['true']\n"),
        ("xlsx", _zipped({"xl/worksheets/sheet1.xml": sheet.encode()})),
        ("ods", _zipped({"mimetype": kind, "content.xml": _ODS.format(rows=repeated).encode()})),
        ("csv.gz", gzip.compress(b"question,answer\n" + b"x" * 300_000_000, 1)),
        ("csv.zip", _zipped({"../../up.csv": b"question,answer\nx,y\n"})),
        ("csv", b"question,answer\n" + b'"' + b"x" * 30_000_000),
        ("csv", b"," * 5_000_000),
        ("jsonl", b'{"question": ' + b"[" * 1_000_000),
        ("json", b"[" * 1_000_000),
        ("json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        ("json", b'[{"question": "x", "answer": ' + b"9" * 1_000_000 + b"}]"),
        ("html", b"<table>" * 50_000 + b"<tr><td>x"),
        ("html", b'<table><tr><td colspan="1000000000" rowspan="1000000000">x</table>'),
        ("jinja", loops.encode()),
        ("jinja", b"{{ 'x' * 10 ** 12 }}"),
        ("jinja", b"{{ ''.__class__.__mro__[1].__subclasses__() }}"),
        ("jinja", b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
        ("safetensors", struct.pack("<Q", 2**63 - 1) + b"{}"),
        ("safetensors", struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,99999999]}}'),
        ("safetensors", struct.pack("<Q", 1_000_000) + b'{"a":' * 200_000),
        *hostile_models(),
    ]  # fmt: skip


def damaged(end: str, seeds: dict[str, bytes], draw: random.Random) -> bytes:
    """A valid file, changed at random in up to four places; what is packed is damaged inside in half of them."""
    content = seeds[end]
    if end.endswith((".zip", "xlsx", "ods", "skops")) and draw.random() < 0.5:
        inside = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = {name: archive.read(name) for name in archive.namelist()}
        name = draw.choice([*inside])
        inside[name] = _damaged(inside[name], seeds, draw)
        return _zipped(inside)
    if end.endswith(".gz") and draw.random() < 0.5:
        return gzip.compress(_damaged(gzip.decompress(content), seeds, draw))
    return _damaged(content, seeds, draw)


def _damaged(content: bytes, seeds: dict[str, bytes], draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(content) + 1)
        # What says how much there is stands at the end of some formats.
        at = max(0, len(content) - draw.randrange(1, 400)) if draw.random() < 0.3 else at
        size = draw.choice((1, 2, 8, 60, len(content) // 3))
        match draw.randrange(7):
            case 0:
                content = content[:at]
            case 1:
                content = content[:at] + content[at + size :]
            case 2:
                content = content[:at] + draw.randbytes(min(size, 60)) + content[at + min(size, 60) :]
            case 3:
                content = content[:at] + draw.choice(HOSTILE) + content[at:]
            case 4:
                content = content[:at] + content[at : at + size] * draw.randint(2, 20) + content[at:]
            case 5:
                other = draw.choice([*seeds.values()])
                content = content[:at] + other[draw.randrange(len(other)) :]
            case _:
                content = content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
    return content
