"""One engine that answers for several checkpoints of a base: they differ by their adapters, and share its batches.

Each checkpoint's prompts are cut into the chunks that it would have alone, and its answers go into its own store,
which does not show who else was there. The first chunks of all are one batch, the second ones the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from typing import Any

from .checkpoints import loadable
from .records import Prompt
from .repeats import regrouped
from .store.lines import digest
from .stored import StoredModel
from .workers.chunks import chunks
from .workers.failures import kept
from .workers.progress import AnswerProgress

Asked = tuple[list[Prompt], list[Prompt]]
"""What a checkpoint is asked: first, and again."""


def shared_engine(model: StoredModel) -> str | None:
    """A name that the checkpoints of one engine have in common; None of a backend whose engines serve one alone."""
    config = model.config
    if not config.backend.shares or config.ray:
        return None
    identity, loaded = model.identity, loadable(config)
    of_base = {**identity["model_args"], "pretrained": loaded.base or identity["model_args"]["pretrained"]}
    runtime = {**loaded.for_engine, "batch_size": config.batch_size, "device": config.device}
    return digest({**identity, "model_args": of_base, "runtime": runtime})


def answer_together(models: Sequence[StoredModel], asked: Sequence[Asked]) -> None:
    """Let one engine give the answers that the stores of several checkpoints lack, and say in each what it set.

    Where one checkpoint alone lacks some, nothing is done: it has an engine of its own then.

    Args:
        models: of one ``shared_engine``.
        asked: of each, as ``StoredModel.asked`` says.

    Raises:
        UserError: as ``StoredModel.answer``; the answers of all whole batches are kept.
    """
    with ExitStack() as opened:
        for model in models:
            opened.enter_context(kept(opened.enter_context(model.store.opened())))
        missing = [model.missing(parts) for model, parts in zip(models, asked, strict=True)]
        lacking = [number for number, keys in enumerate(missing) if keys]
        if len(lacking) > 1:
            _generate(
                [models[number] for number in lacking],
                [asked[number] for number in lacking],
                [missing[number] for number in lacking],
            )


def _generate(models: Sequence[StoredModel], asked: Sequence[Asked], missing: Sequence[set[str]]) -> None:
    config = models[0].config
    engine: Any = config.backend.load(*(model.config for model in models))
    try:
        number = sum(len(part) for parts in asked for part in parts)
        name = f"{config.kind}, {len(models)} checkpoints"
        with AnswerProgress(name, number, number - sum(map(len, missing))) as progress:
            for batch in _batches(engine, config.decoding.max_new_tokens, asked, missing):
                prompts = [prompt for chunk in batch for prompt in chunk]
                whose = [place for place, chunk in enumerate(batch) for _ in chunk]
                answers = iter(engine.generate(prompts, whose))
                for model, chunk in zip(models, batch, strict=True):
                    if generated := [next(answers) for _ in chunk]:
                        model.store.append(chunk, generated)
                        progress.advance(len(chunk), sum(answer.tokens for answer in generated))
    finally:
        engine.release()
    for model in models:
        model.defaults = engine.defaults


def _batches(
    engine: Any, new_tokens: int, asked: Sequence[Asked], missing: Sequence[set[str]]
) -> Iterator[list[list[Prompt]]]:
    """A chunk of each checkpoint at a time, empty where it has no more; what is asked again comes last."""
    for part in (0, 1):
        plans = []
        for parts, keys in zip(asked, missing, strict=True):
            prompts = list({prompt.key: prompt for prompt in parts[part]}.values())
            plan = chunks(
                prompts,
                engine.lengths(prompts) if prompts else [],
                new_tokens=new_tokens,
                max_prompts=engine.max_prompts,
                max_tokens=engine.max_tokens,
            )
            planned = (
                [prompt for prompt in chunk if prompt.key in keys] for chunk in (regrouped(plan) if part else plan)
            )
            plans.append([chunk for chunk in planned if chunk])
        for batch in zip_longest(*plans, fillvalue=()):
            yield [list(chunk) for chunk in batch]
