"""Runs that a test changed on purpose, sealed as what they have become."""

import json
from pathlib import Path

from maqa_severity.harness.core.files import sha256_file
from maqa_severity.harness.core.sealing import content_digest
from maqa_severity.harness.runs.seals import FILES


def resealed(folder: Path) -> Path:
    """The run folder with a seal of what it holds now."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    names = [manifest["results"], *manifest["samples"].values(), *FILES]
    files = {name: sha256_file(folder / name) for name in names if (folder / name).is_file()}
    manifest["seal"] = {"files": files, "open": [], "sha256": ""}
    manifest["seal"]["sha256"] = content_digest(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder
