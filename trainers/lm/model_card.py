"""The card of an exported model: what it was made of, and that nobody has said what may be done with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ...harness.core.files import read_json
from ...harness.generation.checkpoints import BaseRecord

_ORIGIN = "origin.json"
"""In a base that ``maqa fetch`` made: whose terms apply."""


def model_card(
    name: str, record: BaseRecord, place: Path, found: dict[str, str], training: dict[str, Any] | None
) -> str:
    """The card as Markdown.

    Args:
        name: of the model.
        record: of its base.
        place: where the base is.
        found: the base's identity.
        training: the checkpoint's training manifest; None of one that was trained elsewhere.
    """
    on_the_hub = "repository" in found
    base = record.name if on_the_hub else Path(record.name).name
    head: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["maqa-severity"],
    }
    if on_the_hub:
        head["base_model"] = base
    if training and (language := training["dataset"].get("language")):
        head["language"] = language
    which = f"commit {found['commit']}" if on_the_hub else f"a folder whose files have the digest {found['files']}"
    lines = [f"# {_plain(name)}", "", f"A low-rank adapter merged into `{_code(base)}` ({which}), in float32.", ""]
    lines += _about(training) if training else ["It was trained elsewhere: nothing is known of its data.", ""]
    lines += [
        "## Licence and use",
        "",
        f"This card grants no licence. The terms of the base and of the training data apply{_terms(place)}; add a",
        "licence only after having read both.",
        "",
        "Made for research on severity-aware training. It is no medical device, its answers are no medical advice.",
        "",
    ]
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=True)}---\n\n" + "\n".join(lines)


def _about(training: dict[str, Any]) -> list[str]:
    data, config, weights = training["dataset"], training["config"], training.get("weights") or {}
    source = data["severity_source"]
    facts = {
        "arm": training["name"],
        "scheme": training["scheme"],
        "seed": training["seed"],
        "data": data["source"],
        "digest of the training rows": data["train_sha256"],
        "severities by": f"{source.get('name')}, version {source.get('version')}",
        "weights": f"mean {weights['mean']:.3f}, coefficient of variation {weights['cv']:.3f}" if weights else None,
        "method": config["method"],
        "epochs": f"{config['epochs']:g}",
        "learning rate": f"{config['learning_rate']:g}",
        "maqa-severity": training["maqa_severity"],
    }
    rows = [f"| {name} | {_plain(value)} |" for name, value in facts.items() if value is not None]
    return ["| training | |", "|---|---|", *rows, ""]


def _terms(place: Path) -> str:
    path = place / _ORIGIN
    if not path.is_file():
        return ""
    origin = read_json(path, "Fetch the base again")
    named = [_plain(origin[key]) for key in ("licence", "terms") if origin.get(key)]
    return f" (of the base: {', '.join(named)})" if named else ""


def _plain(value: Any) -> str:
    """A text in a line of Markdown that no other can break out of."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(str(value).split()))


def _code(value: str) -> str:
    return " ".join(value.replace("`", "").split())
