"""Make ``lm_eval --tasks maqa_severity`` work from any folder: stub YAMLs inside the installed lm-eval.

lm-eval has no plugin mechanism for tasks; a stub includes our YAML by its absolute path. Where lm-eval's folder
cannot be written, ``--include_path`` with ``tasks/`` does without.
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
from pathlib import Path

import yaml

from ..harness.core.errors import UserError
from ..harness.core.files import write_text
from . import FOLDER, GROUP
from .families import FAMILIES

_MARK = "# Written by `maqa register`; `maqa unregister` removes this folder.\n"


def stub_folder() -> Path:
    """The folder of our stubs inside lm-eval; it may not exist.

    Raises:
        UserError: lm-eval is not installed.
    """
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or spec.origin is None:
        raise UserError("lm-eval is not installed here", "Install it with `pip install lm-eval`")
    return Path(spec.origin).parent / "tasks" / GROUP


def register() -> Path:
    """Write the stubs; doing it again brings them up to date. Returns their folder.

    Raises:
        UserError: lm-eval is not installed, its folder is read-only, or the folder there is not ours.
    """
    folder = _checked(stub_folder())
    try:
        for name, stub in _stubs().items():
            write_text(folder / f"{name}.yaml", _MARK + yaml.safe_dump(stub, allow_unicode=True, sort_keys=False))
    except UserError as error:
        remedy = f"Do without registering: lm_eval --include_path {shlex.quote(str(FOLDER))} --tasks {GROUP}"
        raise UserError(f"lm-eval's own folder takes no tasks: {error.problem}", remedy) from error
    for stale in folder.glob("*.yaml"):
        if stale.stem not in _stubs():
            stale.unlink()
    return folder


def unregister() -> Path:
    """Remove the stubs; nothing happens where there are none. Returns their folder.

    Raises:
        UserError: the folder there is not ours, or cannot be removed.
    """
    folder = _checked(stub_folder())
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise UserError(f"cannot remove {folder}: {error.strerror or error}", "Remove it by hand") from error
    return folder


def is_registered() -> bool:
    """Whether the stubs are there and point to this installation."""
    folder = stub_folder()
    return all(_included(folder / f"{name}.yaml") == stub["include"] for name, stub in _stubs().items())


def _stubs() -> dict[str, dict[str, str]]:
    """What stands in the stub of every group and task."""
    stubs = {}
    for family in FAMILIES.things():
        for name in family.names:
            key = "group" if name == family.group else "task"
            stubs[name] = {"include": str(FOLDER / family.folder / f"{name}.yaml"), key: name}
    return stubs


def _included(stub: Path) -> object:
    try:
        content = yaml.safe_load(stub.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return None
    return content.get("include") if isinstance(content, dict) else None


def _checked(folder: Path) -> Path:
    foreign = [path for path in folder.glob("*") if not _is_stub(path)] if folder.exists() else []
    if foreign:
        raise UserError(f"{foreign[0]} was not written by `maqa register`", f"Move {folder} away")
    return folder


def _is_stub(path: Path) -> bool:
    if path.name == "__pycache__":
        return True
    return path.suffix == ".yaml" and path.read_text(encoding="utf-8").startswith(_MARK)
