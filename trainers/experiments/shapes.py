"""The shape of a base, found without loading it: from its folder, the hub's cache, or what is known of it."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path

from pydantic import Field

from ...harness.core.errors import UserError
from ...harness.core.files import read_json
from ...harness.core.hub import in_cache
from ...harness.core.settings import Record

_KNOWN = Path(__file__).parent / "known_bases.json"
"""The paper's bases, from their published model cards and configurations: parameters (a head that is the embeddings
counted once), layers, width, vocabulary, and bytes per stored weight. Bases that are here are read instead."""
_REMEDY = "Give a folder that holds a model in transformers' format"
_WIDTH = ("hidden_size", "n_embd", "d_model", "dim")
_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_HEADER_LIMIT = 100 * 2**20


class Shape(Record):
    """How large a base is. ``stored_bytes`` is what a weight takes in its files, ``here`` that these are on this
    machine."""

    parameters: int = Field(ge=1)
    layers: int = Field(ge=1)
    width: int = Field(ge=1)
    vocabulary: int = Field(ge=1)
    stored_bytes: float = Field(gt=0)
    here: bool = False

    @property
    def file_bytes(self) -> int:
        """Of its weights as they are stored."""
        return round(self.parameters * self.stored_bytes)


def shape_of(base: str, revision: str | None) -> Shape | None:
    """The shape of a folder or a hub id; None of an id that is neither in the hub's cache nor known.

    Raises:
        UserError: a folder's configuration or weights cannot be read.
    """
    folder = Path(base).expanduser()
    if folder.is_dir():
        return _read(folder)
    cached = _cached(base, revision)
    return _read(cached) if cached else _known().get(base)


@cache
def _known() -> dict[str, Shape]:
    return {name: Shape.model_validate(values) for name, values in read_json(_KNOWN, "Install again").items()}


def _cached(base: str, revision: str | None) -> Path | None:
    found = in_cache(base, revision=revision)
    folder = found.parent if found else None
    return folder if folder and any(folder.glob("*.safetensors")) else None


def _read(folder: Path) -> Shape | None:
    config = folder / "config.json"
    files = sorted(folder.glob("*.safetensors"))
    if not config.is_file() or not files:
        return None
    values = read_json(config, _REMEDY)
    values |= values.get("text_config") or {}
    width, layers = (_first(values, names) for names in (_WIDTH, _LAYERS))
    vocabulary = values.get("vocab_size")
    if width is None or layers is None or not isinstance(vocabulary, int):
        return None
    counts = [_header(path) for path in files]
    parameters, stored = sum(count for count, _ in counts), sum(size for _, size in counts)
    return Shape(
        parameters=parameters,
        layers=layers,
        width=width,
        vocabulary=vocabulary,
        stored_bytes=stored / parameters,
        here=True,
    )


def _first(values: dict[str, object], names: tuple[str, ...]) -> int | None:
    found = (values[name] for name in names if isinstance(values.get(name), int))
    return next((number for number in found if isinstance(number, int)), None)


def _header(path: Path) -> tuple[int, int]:
    """Weights and bytes of a safetensors file, from its header alone."""
    broken = UserError(f"{path} is no whole safetensors file", _REMEDY)
    with path.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:
            raise broken
        (length,) = struct.unpack("<Q", start)
        if length > _HEADER_LIMIT:
            raise broken
        try:
            header = json.loads(stream.read(length))
            tensors = [each for name, each in header.items() if name != "__metadata__"]
            counts = [_product(each["shape"]) for each in tensors]
            sizes = [each["data_offsets"][1] - each["data_offsets"][0] for each in tensors]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise broken from None
    if not sum(counts):
        raise broken
    return sum(counts), sum(sizes)


def _product(shape: list[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
