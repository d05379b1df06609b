"""Wheels by pip into a cache. Nothing of a package is installed, built or run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..harness.core.errors import UserError
from ..harness.core.files import sha256_file
from ..harness.core.folders import demand_space
from ..harness.core.holding import sole
from .catalogue import Wheel

_ELSEWHERE = "run `pip download --no-deps PACKAGE==VERSION` where a registry answers and give its folder as --from"


def cache_folder(given: Path | None = None) -> Path:
    """Where wheels are kept: what is given, else ``maqa/wheels`` in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return given or (Path(base) if base else Path.home() / ".cache") / "maqa" / "wheels"


def downloaded(wheels: Sequence[Wheel], cache: Path, report: Callable[[str, int, int | None], None]) -> list[Path]:
    """The wheels in the cache, those that are missing downloaded by pip from its configured index.

    A wheel is in the cache under its name only if its digest is right, so an interrupted download goes on with the
    wheel at which it stopped.

    Raises:
        UserError: pip is not there or cannot download, the digest is another, or the disk is full.
    """
    missing = [wheel for wheel in wheels if not _is_here(cache / wheel.file, wheel)]
    if missing:
        # pip writes a wheel to a temporary place before it stands in its folder.
        largest = max(wheel.size_bytes for wheel in missing)
        demand_space(cache, sum(wheel.size_bytes for wheel in missing) + largest, "the download")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with sole(cache, f"another process is downloading into {cache}"):
                for number, wheel in enumerate(missing):
                    report(f"downloading {wheel.package}", number, len(missing))
                    _download(wheel, cache)
        except OSError as error:
            raise UserError(f"cannot write {cache}: {error.strerror or error}", "Choose another --cache") from error
    return [cache / wheel.file for wheel in wheels]


def _is_here(path: Path, wheel: Wheel) -> bool:
    return path.is_file() and path.stat().st_size == wheel.size_bytes and sha256_file(path) == wheel.sha256


def _download(wheel: Wheel, cache: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise UserError(f"this Python has no pip to download {wheel.package} with", f"Install pip, or {_ELSEWHERE}")
    work = cache / ".partial"
    # Whoever was killed here held the lock that is held now.
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    platform = ["--platform", wheel.platform] if wheel.platform else []
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", *platform, "--dest", str(work)]
    try:
        done = subprocess.run(
            [*command, f"{wheel.package}=={wheel.version}"],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "TMPDIR": str(work)},
            check=False,
        )
        if done.returncode:
            raise UserError(
                f"pip cannot download {wheel.package}=={wheel.version}: {_reason(done.stderr)}",
                f"See `pip config list` for its index, or {_ELSEWHERE}",
            )
        found = work / wheel.file
        if not found.is_file():
            others = ", ".join(sorted(path.name for path in work.glob("*.whl"))) or "nothing"
            raise UserError(f"pip found {others}, not {wheel.file}", f"Use an index that has it, or {_ELSEWHERE}")
        demand_digest(found, wheel.sha256, wheel.file)
        found.replace(cache / wheel.file)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def demand_digest(path: Path, sha256: str, name: str) -> None:
    """Raises:
    UserError: the file has another digest than the one that is declared.
    """
    if (found := sha256_file(path)) != sha256:
        raise UserError(
            f"{name} has sha256 {found}, not {sha256}",
            "It is another file than the one that was tried: do not use it; download it again from an index that "
            "you trust",
        )


def _reason(stderr: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    return (errors or stderr.strip().splitlines() or ["it says nothing"])[-1].rstrip(".")
