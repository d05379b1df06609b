"""``manifest.json``: everything that identifies a run."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from ... import __version__
from ..core.errors import UserError
from ..core.files import read_json, sha256_text, write_json
from ..core.records import validated
from ..core.settings import Record
from ..generation.backends import BACKENDS
from ..generation.examples import Prompting
from ..labelling.quality.trust import Trust
from ..languages import Language

NAME = "manifest.json"
FORMAT_VERSION = 1
_EVALUATE = "Make the run with `maqa evaluate`"
_LIBRARIES = ("torch", "lm_eval", "peft", "sacrebleu", "datasets", "numpy")
"""Besides those of the backends."""


class ModelRecord(Record):
    """Which model answered. ``identity`` is what changes its answers: revision, weight hash, dtype, template.

    ``training`` is the checkpoint's own training manifest, where it has one.
    """

    kind: str
    name: str
    args: dict[str, Any]
    identity: dict[str, Any]
    training: dict[str, Any] | None = None


class DataRecord(Record):
    """Which rows were asked. ``fingerprint`` is the digest of the test rows; ``labels`` says how right their
    severities are, ``trained_on`` how many of their questions the model was trained on; None where nothing says
    it."""

    source: str
    fingerprint: str
    severity_source: dict[str, Any]
    labels: Trust | None = None
    limit: int | None = None
    shard: str | None = None
    trained_on: int | None = None


class PromptRecord(Record):
    """How the question was put."""

    language: str
    template: str
    sha256: str
    chat_template: str | None = None
    prompting: Prompting = Prompting()

    @classmethod
    def of(
        cls,
        language: Language,
        chat_template: str | None = None,
        template: str | None = None,
        prompting: Prompting | None = None,
    ) -> PromptRecord:
        """The record of a prompt in a language: of ``template``, or the language's own."""
        template = language.prompt if template is None else template
        return cls(
            language=language.code,
            template=template,
            sha256=sha256_text(template + (chat_template or "")),
            chat_template=chat_template,
            prompting=prompting or Prompting(),
        )


class Seal(Record):
    """What a run was when it was written: the SHA-256 of each file of it, and, over these and all else in the
    manifest, ``sha256``. ``open`` are files that were being rewritten when the manifest was."""

    files: dict[str, str]
    open: list[str] = []
    sha256: str


class Manifest(Record):
    """A run's identity, the conditions it was made under, and what it cost.

    ``answers`` counts all of them, and those that a server ``refused`` or cut by its content filter (``filtered``);
    it is empty in runs of earlier versions. ``scoring`` holds the ``encoder``, ``layer``, ``window`` and
    ``references`` that were asked for and the ``signatures`` of all scores as the run was made; scores of a later
    `maqa rescore` are signed in their own file. ``left_out`` says which metrics the language knows too little for.
    ``seal`` is absent in runs of earlier versions.
    """

    format_version: int = FORMAT_VERSION
    maqa_severity: str = __version__
    name: str
    created: str
    results: str
    samples: dict[str, str]
    model: ModelRecord
    data: DataRecord
    prompt: PromptRecord
    decoding: dict[str, Any]
    answers_per_question: int = 1
    answers: dict[str, int] = {}
    scoring: dict[str, Any] = {}
    left_out: list[str] = []
    runtime: dict[str, Any] = {}
    versions: dict[str, str]
    cost: dict[str, float] = {}
    seal: Seal | None = None


def versions() -> dict[str, str]:
    """Versions of Python, the platform and the libraries that can change a number."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    backends = (library for backend in BACKENDS.things() for library in backend.libraries)
    for library in dict.fromkeys((*_LIBRARIES, *backends)):
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``: last of all files of a run, so that a run that has it is whole."""
    write_json(folder / NAME, manifest.model_dump())


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json``.

    Raises:
        UserError: it is missing, of a newer format, or a key is foreign or wrong.
    """
    path = folder / NAME
    raw = read_json(path, _EVALUATE)
    if isinstance(raw, dict) and raw.get("format_version", 0) > FORMAT_VERSION:
        raise UserError(f"{path} has the newer format {raw['format_version']}", "Update maqa-severity")
    return validated(Manifest, raw, str(path), _EVALUATE)
