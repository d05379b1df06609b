"""What made a run, as pages print it: one list of facts, each under a key of the messages ``provenance.*``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.secrets import redact
from ..languages.sentences import run_on, sentence, together
from .conditions import training_of
from .run import Run

Facts = dict[str, str]

_EXAMPLE = 2_000
"""Signs of the one prompt that is shown."""
_COSTS = ("steps", "seconds", "generation_seconds", "generated_tokens", "tokens_per_s", "peak_memory_bytes", "kwh")


def provenance(run: Run) -> Facts:
    """What is recorded of how a run came about; a fact that nothing recorded is absent.

    ``command`` stands behind the options of the environment that changed a number. A run of plain lm-eval, and one
    that records no command, has no ``command``.
    """
    manifest = run.manifest
    example = _example(run)
    if manifest is None:
        return _told({"path": str(run.path), "decoding": _plain(run.decoding), "example": example})
    training = training_of(run) or {}
    conditions = training.get("conditions") or {}
    identity = manifest.model.identity
    data = manifest.data
    asked = [data.fingerprint[:12], sentence("provenance.questions", n=len(run.answers))]
    if data.limit:
        asked.append(sentence("provenance.limit", n=data.limit))
    return _told(
        {
            "command": recorded_command(run) or "",
            "path": str(run.path),
            "model": f"{manifest.model.kind}: {manifest.model.name}",
            "arm": " ".join(filter(None, (training.get("arm"), training.get("scheme")))),
            "weights": _plain(conditions.get("config.weights") or training.get("weights")),
            "seeds": _seeds(training, manifest.decoding),
            "fingerprint": _plain({k: v for k, v in identity.items() if _is_digest(k)}),
            "data": run_on(f"{data.source} (", together(asked, "list.comma"), ")"),
            "labels": _plain(data.severity_source),
            "label_card": _plain(data.labels.model_dump(mode="json")) if data.labels else "",
            "created": manifest.created,
            "versions": ", ".join(f"{name} {each}" for name, each in _versions(run).items()),
            "cost": _cost(manifest.cost),
            "training_cost": _cost((training.get("cost") or {}).get("training") or {}),
            "prompt": manifest.prompt.template,
            "example": example,
            "decoding": _plain(manifest.decoding),
        }
    )


def recorded_command(run: Run) -> str | None:
    """The command that made a run, behind the environment's options that changed a number; None if not recorded."""
    runtime = run.manifest.runtime if run.manifest else {}
    command = redact(runtime.get("command") or "")
    if not command:
        return None
    options = [f"{name}={shlex.quote(redact(str(value)))}" for name, value in _environment(runtime).items()]
    return " ".join([*options, command])


def side_by_side(rows: Sequence[tuple[str, Facts]]) -> tuple[list[tuple[str, Facts, Facts]], Facts]:
    """Each row's name, all its facts, and those of its own; and the facts that are the same in several rows."""
    common = in_common([facts for _, facts in rows]) if len(rows) > 1 else {}
    own = [{key: value for key, value in facts.items() if key not in common} for _, facts in rows]
    return [(name, facts, alone) for (name, facts), alone in zip(rows, own, strict=True)], common


def in_common(rows: Sequence[Facts]) -> Facts:
    """The facts that are the same in every row."""
    first = rows[0] if rows else {}
    return {key: value for key, value in first.items() if all(row.get(key) == value for row in rows)}


def _environment(runtime: Mapping[str, Any]) -> dict[str, Any]:
    found = runtime.get("environment")
    return dict(sorted(found.items())) if isinstance(found, dict) else {}


def _versions(run: Run) -> dict[str, str]:
    assert run.manifest
    return {"maqa-severity": run.manifest.maqa_severity, **run.manifest.versions}


def _seeds(training: Mapping[str, Any], decoding: Mapping[str, Any]) -> str:
    found = {"training": training.get("seed"), "decoding": decoding.get("seed")}
    told = [sentence(f"provenance.seed.{name}", n=seed) for name, seed in found.items() if seed is not None]
    return together(told, "list.comma")


def _is_digest(name: str) -> bool:
    return any(part in name for part in ("sha256", "hash", "revision", "fingerprint", "weights"))


def _cost(cost: Mapping[str, Any]) -> str:
    told = [sentence(f"provenance.cost.{name}", n=f"{cost[name]:,g}") for name in _COSTS if _number(cost.get(name))]
    return together(told, "list.comma")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _example(run: Run) -> str:
    if "prompt" not in run.answers or run.answers.empty:
        return ""
    first = run.answers.sort_values("id").iloc[0]
    text = str(first["prompt"] or "")
    return text if len(text) <= _EXAMPLE else f"{text[:_EXAMPLE]} […]"


def _plain(value: object) -> str:
    """A recorded value in one line."""
    if not value:
        return ""
    return value if isinstance(value, str) else redact(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _told(facts: Facts) -> Facts:
    return {key: value for key, value in facts.items() if value}
