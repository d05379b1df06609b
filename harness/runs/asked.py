"""What a run was asked beside its questions, from our manifest or from what plain lm-eval notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.files import sha256_text
from ..generation.examples import Prompting
from .manifest import Manifest


class Asked(Prompting):
    """What stands in front of a run's questions, which rows they are, and what answered instead.

    ``chat_template`` is a digest of it; ``by the server`` where an endpoint applies its own. ``rows`` says in words
    which rows of the data were asked. ``cache`` is the file of ``lm_eval --use_cache``.
    """

    chat_template: str | None = None
    rows: str = "all"
    cache: str | None = None

    def conditions(self) -> dict[str, Any]:
        """What has to be equal in two runs that are compared; what has no effect on the prompt is None."""
        shots = self.num_fewshot > 0
        return {
            "num_fewshot": self.num_fewshot,
            "fewshot_seed": self.fewshot_seed if shots else None,
            "fewshot_as_multiturn": self.fewshot_as_multiturn if shots and self.chat_template else None,
            "system_instruction": self.system_instruction,
            "chat_template": self.chat_template,
        }


def asked_by_manifest(manifest: Manifest) -> Asked:
    """What our own run was asked."""
    prompt = manifest.prompt
    return Asked(
        **prompt.prompting.model_dump(),
        chat_template=_digest(prompt.chat_template),
        rows=_first(manifest.data.limit),
    )


def asked_by_lm_eval(results: Mapping[str, Any], tasks: Iterable[str]) -> Asked:
    """What plain lm-eval's ``results_*.json`` says of our tasks in it; what it does not say is as usual."""
    config, tasks = _mapping(results.get("config")), list(tasks)
    shots, counts = _mapping(results.get("n-shot")), _mapping(results.get("n-samples"))
    seed = config.get("fewshot_seed")
    instruction, template = results.get("system_instruction"), results.get("chat_template")
    return Asked(
        num_fewshot=max((int(shots.get(task) or 0) for task in tasks), default=0),
        **({"fewshot_seed": seed} if isinstance(seed, int) else {}),
        fewshot_as_multiturn=bool(results.get("fewshot_as_multiturn")),
        system_instruction=str(instruction) if instruction else None,
        chat_template=_digest(str(template) if template is not None else None),
        rows=_first(config.get("limit")) if config.get("limit") else _chosen(counts, tasks),
        cache=str(config["use_cache"]) if config.get("use_cache") else None,
    )


def _first(limit: float | None) -> str:
    if limit is None:
        return "all"
    return f"the first {limit:g} a severity" if limit >= 1 else f"the first {100 * limit:g} % of each severity"


def _chosen(counts: Mapping[str, Any], tasks: Iterable[str]) -> str:
    parts = []
    for task in tasks:
        count = _mapping(counts.get(task))
        if count.get("effective") != count.get("original"):
            parts.append(f"{count.get('effective')} of {count.get('original')} of {task}")
    return f"chosen ones: {', '.join(parts)}" if parts else "all"


def _digest(template: str | None) -> str | None:
    if template is None:
        return None
    return sha256_text(template)[:12] if template else "by the server"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
