"""Several evaluations whose checkpoints one engine can serve: it is loaded once, and answers them all at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..generation.config import GenerationConfig
from ..generation.sharing import answer_together, shared_engine
from ..generation.stored import StoredModel
from .as_trained import as_trained
from .evaluate import answers_kept, claimed
from .lm_eval_tasks import requests_of
from .options import EvaluationOptions


@dataclass(frozen=True)
class Wanted:
    """One evaluation, as ``evaluate`` takes it."""

    config: GenerationConfig
    options: EvaluationOptions


def together(wanted: Sequence[Wanted]) -> list[list[int]]:
    """The places of those evaluations that share an engine, two at least in a group."""
    groups: dict[str, list[int]] = {}
    for place, each in enumerate(wanted):
        if each.config.backend.shares and (name := shared_engine(StoredModel(each.config))):
            groups.setdefault(name, []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def answer_ahead(wanted: Sequence[Wanted], tasks: Path, group: str) -> list[dict[str, object]]:
    """Fill the stores of evaluations that share an engine, so that ``evaluate`` has nothing left to generate.

    Returns what the engine set, for each of them; nothing where it was whole.

    Raises:
        UserError: as ``evaluate``.
    """
    wanted = [Wanted(each.config, as_trained(each.config, each.options)) for each in wanted]
    models = [StoredModel(each.config) for each in wanted]
    with ExitStack() as held:
        open_places = []
        for place, (model, each) in enumerate(zip(models, wanted, strict=True)):
            if not held.enter_context(claimed(model, each.options)):
                open_places.append(place)
            held.enter_context(answers_kept(each.config))
        if len(open_places) > 1:
            asked = [
                models[place].asked(requests_of(models[place], tasks, group, wanted[place].options))
                for place in open_places
            ]
            answer_together([models[place] for place in open_places], asked)
    return [model.defaults for model in models]
