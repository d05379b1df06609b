"""The seal of a run: digests of all its files in its manifest, and one of the manifest over these and itself.

A file that was changed, added, taken away or copied from another run no longer fits, nor does a manifest that was
edited. Bytes are what is sealed: rows in another order or a file that was packed anew do not fit either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UserError
from ..core.files import read_json, sha256_file
from ..core.sealing import content_digest
from ..languages.sentences import sentence
from .manifest import NAME as MANIFEST
from .manifest import Manifest, Seal, read_manifest, write_manifest
from .nll import NAME as NLL
from .noise import NAME as NOISE
from .noise import REPEATS
from .samples import GENERATION
from .severities import NAME as SEVERITIES

if TYPE_CHECKING:
    from .run import Saved

SCORES = "scores.parquet"
QUESTIONS = "questions.parquet"
RESCORED = (SCORES, QUESTIONS, GENERATION, REPEATS, NOISE)
"""What new scores rewrite."""
FILES = (*RESCORED, SEVERITIES, NLL)
_MANIFEST_EDITED = f"{MANIFEST} (its content does not fit its own seal)"


def sealed(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest with the seal of all files of the run that are there."""
    files = {name: sha256_file(folder / name) for name in _names(manifest) if (folder / name).is_file()}
    return _with(manifest, files)


@contextmanager
def rewriting(folder: Path, names: Collection[str]) -> Iterator[None]:
    """Within, files of a run are written anew; afterwards its manifest holds their digests.

    Meanwhile the manifest says that they are ``open``: what a kill leaves is told, and the same command mends it.
    What fails before a file was changed leaves the run as it was. All other files keep the digests that they have,
    so what was changed in them is told as before; a manifest that was edited is left alone, and so is a run without
    a seal.
    """
    manifest = read_manifest(folder)
    if manifest.seal is None or not _intact(folder):
        yield
        return
    before = manifest.seal
    _write(folder, manifest, before.files, sorted({*before.open, *names}))
    try:
        yield
    except BaseException:
        if not before.open and not _changed(folder, {name: before.files.get(name) for name in names}):
            _write(folder, manifest, before.files)
        raise
    fresh = {name: sha256_file(folder / name) for name in names if (folder / name).is_file()}
    kept = {name: digest for name, digest in before.files.items() if name not in names}
    _write(folder, manifest, kept | fresh, sorted({*before.open} - {*names}))


def is_open(folder: Path) -> bool:
    """Whether a kill left files of a run that no seal covers yet."""
    seal = read_manifest(folder).seal
    return seal is not None and bool(seal.open)


def changes(folder: Path, manifest: Manifest, without: Collection[str] = ()) -> list[str]:
    """Which files of a run were changed after it was written, with what is known of how; none of a run without a
    seal.

    Args:
        folder: the run's.
        manifest: as it was read.
        without: files that are not looked at.
    """
    seal = manifest.seal
    if seal is None:
        return []
    looked = {name: seal.files.get(name) for name in _names(manifest) if name not in without}
    found = _changed(folder, {name: digest for name, digest in looked.items() if name not in seal.open})
    words = [_in_words(folder, name, seal.files.get(name)) for name in found]
    words += [f"{name} (it was being scored anew, which did not end)" for name in seal.open if name not in without]
    if not _intact(folder):
        words.insert(0, _MANIFEST_EDITED)
    elif {*manifest.samples.values(), SCORES} <= {*found}:
        words.insert(0, f"{MANIFEST} (it is that of other files)")
    return words


def refuse_changed(folder: Path, found: Sequence[str], anyway: bool | None) -> None:
    """Raises:
    UserError: files of a run were changed, and not ``anyway``; None where the command does not offer that.
    """
    if not found or anyway:
        return
    if all(name.split(" ")[0] in RESCORED for name in found):
        remedy = f"Run `maqa rescore {folder}`, or copy back what was written"
    else:
        remedy = (
            f"Copy back what was written; or delete {folder / MANIFEST} and run the same `maqa evaluate` again, "
            "which asks nothing that its store has"
        )
    offered = "" if anyway is None else "; --anyway goes on and says so"
    raise UserError(f"run {folder} was changed after it was written: {', '.join(found)}", remedy + offered)


def changed_words(runs: Iterable[Saved]) -> list[str]:
    """What heads all that is said of runs that were changed, a line each."""
    return [sentence("seal.changed", run=run.name, files=", ".join(run.changed)) for run in runs if run.changed]


def contents(runs: Iterable[Saved]) -> dict[str, str]:
    """By name of a sealed run that was not changed, one digest of its answers and scores: what numbers made from it
    were made from. The same answers and scores have the same one, whenever and wherever they were made."""
    found = {}
    for run in runs:
        if run.manifest and run.manifest.seal and not run.changed:
            files = run.manifest.seal.files
            names = (*sorted(run.manifest.samples.values()), SCORES, GENERATION)
            found[run.name] = content_digest({name: files[name] for name in names if name in files})
    return found


def unsealed_notes(runs: Iterable[Saved]) -> list[str]:
    """Which runs of ours have no seal, in one line: those of earlier versions."""
    names = dict.fromkeys(run.name for run in runs if run.manifest and run.manifest.seal is None)
    return [sentence("seal.none", runs=", ".join(names))] if names else []


def _names(manifest: Manifest) -> list[str]:
    return [manifest.results, *manifest.samples.values(), *FILES]


def _with(manifest: Manifest, files: dict[str, str], rewritten: Sequence[str] = ()) -> Manifest:
    seal = Seal(files=files, open=list(rewritten), sha256="")
    manifest = manifest.model_copy(update={"seal": seal})
    digest = content_digest(manifest.model_dump())
    return manifest.model_copy(update={"seal": seal.model_copy(update={"sha256": digest})})


def _write(folder: Path, manifest: Manifest, files: dict[str, str], rewritten: Sequence[str] = ()) -> None:
    write_manifest(folder, _with(manifest, files, rewritten))


def _intact(folder: Path) -> bool:
    raw = read_json(folder / MANIFEST, "Evaluate the run again")
    return bool(content_digest({**raw, "seal": {**raw["seal"], "sha256": ""}}) == raw["seal"]["sha256"])


def _changed(folder: Path, digests: dict[str, str | None]) -> list[str]:
    paths = {name: folder / name for name in digests}
    return [
        name
        for name, digest in digests.items()
        if (sha256_file(paths[name]) if paths[name].is_file() else None) != digest
    ]


def _in_words(folder: Path, name: str, digest: str | None) -> str:
    if digest is None:
        return f"{name} (it was added)"
    return name if (folder / name).is_file() else f"{name} (it is gone)"
