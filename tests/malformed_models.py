"""Malformed parquet, skops and safetensors: what lies about its size, holds too much, or would run something."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_LARGE = 2**28
"""Bytes of zeros that a zip holds in a thousandth of them."""


@cache
def skops_seed() -> bytes:
    """A small classifier of three severities, as `maqa train classifier` keeps it."""
    import skops.io
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = [f"{word} {number}" for word in ("chest pain", "a cough", "dry skin") for number in range(4)]
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), LogisticRegression())
    return skops.io.dumps(model.fit(texts, [number // 4 for number in range(12)]))


@cache
def safetensors_seed() -> bytes:
    """The weights of a tiny model."""
    from maqa_severity.tests.training import causal_model
    from safetensors.torch import save

    weights = causal_model("gpt2").state_dict()
    return save({name: each for name, each in weights.items() if name != "lm_head.weight"}, {"format": "pt"})


def hostile_models() -> list[tuple[str, bytes]]:
    """By the end of the name, files of each kind."""
    return [
        *(("parquet", content) for content in _parquets()),
        *(("skops", content) for content in _skops()),
        *(("safetensors", content) for content in _safetensors()),
    ]


def _parquets() -> list[bytes]:
    nested = pa.array([1])
    for _ in range(90):
        nested = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), nested)
    text = pa.array(["x" * 1000])
    one = pa.table({"question": text, "answer": text})
    rows = pa.DictionaryArray.from_arrays(pa.array(np.zeros(30_000, np.int8)), text)
    whole = _parquet(one)
    (length,) = struct.unpack("<I", whole[-8:-4])
    return [
        # Thirty thousand rows of a thousand signs in a file of kilobytes.
        _parquet(pa.table({"question": rows, "answer": rows}), use_dictionary=True),
        _parquet(pa.table({"question": nested, "answer": nested})),
        _parquet(pa.table({f"column {number}": pa.array(["x"]) for number in range(3000)})),
        _parquet(pa.table({"question" * 100_000: text, "answer": text})),
        _parquet(one.replace_schema_metadata({"ARROW:schema": "A" * 100_000, "pandas": "{" * 100_000})),
        _parquet(pa.table({"question": pa.array([b"\xff" * 1000]), "answer": pa.array([b"\x00"])})),
        _parquet(pa.table([text, text, text], ["question", "question", "answer"])),
        whole[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1",
        whole[:-8] + struct.pack("<I", 0) + b"PAR1",
        whole[: -8 - length] + b"\x19" * length + whole[-8:],
        b"PAR1" + b"\x15\x04" * 100_000 + struct.pack("<I", 200_000) + b"PAR1",
        b"PAR1PAR1",
    ]


def _parquet(table: pa.Table, **how: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **how)
    return stream.getvalue()


def _skops() -> list[bytes]:
    seed = skops_seed()
    schema = json.loads(zipfile.ZipFile(io.BytesIO(seed)).read("schema.json"))
    head = {name: schema[name] for name in ("protocol", "_skops_version") if name in schema}
    run = {
        **head,
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "__id__": 1,
        "content": "system",
    }
    itself = {
        **head,
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "__id__": 1,
        "content": [],
    }
    itself["content"] = [{**itself, "content": [{"__loader__": "CachedNode", "__id__": 1}]}]
    deep = b'{"content": [' * 200_000 + b"]}" * 200_000
    claims = io.BytesIO()
    np.lib.format.write_array_header_1_0(claims, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], object), allow_pickle=True)
    array = next(name for name in zipfile.ZipFile(io.BytesIO(seed)).namelist() if name.endswith(".npy"))
    return [
        _changed(seed, "schema.json", json.dumps(run).encode()),
        _changed(seed, "schema.json", json.dumps({**schema, "__class__": "x" * 1_000_000}).encode()),
        _changed(seed, "schema.json", json.dumps({**schema, "__loader__": "../../up"}).encode()),
        _changed(seed, "schema.json", json.dumps({**schema, "protocol": 10**9}).encode()),
        _changed(seed, "schema.json", json.dumps({**schema, "content": None}).encode()),
        _changed(seed, "schema.json", json.dumps(itself).encode()),
        _changed(seed, "schema.json", deep),
        _changed(seed, "schema.json", b"[]"),
        _changed(seed, "schema.json", bytes(_LARGE)),
        _changed(seed, array, bytes(_LARGE)),
        _changed(seed, array, claims.getvalue()),
        _changed(seed, array, pickled.getvalue()),
        _changed(seed, array, b""),
        seed[:-30],
        b"\x80\x04cos\nsystem\n.",
    ]


def _changed(archive: bytes, name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each))
    return stream.getvalue()


def _safetensors() -> list[bytes]:
    def made(header: object, data: bytes = b"") -> bytes:
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(raw)) + raw + data

    def tensor(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, object]:
        return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}

    seed = safetensors_seed()
    (length,) = struct.unpack("<Q", seed[:8])
    header, data = json.loads(seed[8 : 8 + length]), seed[8 + length :]
    first = next(name for name in header if name != "__metadata__")
    return [
        made({"a": tensor([10**18, 10**18], 0, 4)}, bytes(4)),
        made({"a": tensor([2**62, 4], 0, 0)}),
        made({"a": tensor([1], 0, 4), "b": tensor([1], 0, 4)}, bytes(4)),
        made({"a": tensor([1], 4, 0)}, bytes(4)),
        made({"a": tensor([1], 0, 4, "X99")}, bytes(4)),
        made({"a" * 1_000_000: tensor([0], 0, 0)}),
        made({f"t{number}": tensor([0], 0, 0) for number in range(20_000)}),
        made(b'{"a":' + b"[" * 200_000),
        made(b'{"a": 1, "a": 2}'),
        made({**header, first: tensor([1], *header[first]["data_offsets"])}, data),
        made({**header, first: {**header[first], "shape": [*reversed(header[first]["shape"]), 1]}}, data),
        made({name: each for name, each in header.items() if name != first}, data),
        made({**header, "__metadata__": {"format": "x" * 100_000}}, data),
        made(header, data[:-4]),
        made(header, np.full(len(data) // 4, np.nan, np.float32).tobytes()),
        b"",
        struct.pack("<Q", 0),
    ]
