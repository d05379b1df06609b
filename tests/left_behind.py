"""What a command left, in a form that is equal for two runs of it: bytes, without measured times."""

import json
from pathlib import Path
from typing import Any

_VARIES = ("created", "cost", "seconds", "tokens_per_s", "peak_memory_bytes", "seal", "check")
"""Keys of JSON that differ between two undisturbed runs: moments, measured time and memory, digests of these."""
_OTHERWISE = ("cost.json", "labelling_cost.json", "curves.html", "model.skops")
"""Files that hold or draw measured time and memory, or hold addresses in memory: they have to be there. The digest
of a classifier's content stands in its ``classifier.json``."""


def left(folder: Path) -> dict[str, Any]:
    """Every file below a folder by its path: its bytes, without what varies."""
    return {str(path.relative_to(folder)): _content(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The files that are in one alone, or not equal."""
    return [name for name in sorted({*one, *other}) if one.get(name, "") != other.get(name, "")]


def _content(path: Path) -> Any:
    raw = path.read_bytes()
    if path.name in _OTHERWISE:
        return None
    match path.suffix:
        case ".json":
            return _steady(json.loads(raw))
        case ".jsonl":
            return [_steady(json.loads(line)) for line in raw.splitlines()]
    return raw


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _steady(each) for key, each in value.items() if key not in _VARIES}
    return [_steady(each) for each in value] if isinstance(value, list) else value
