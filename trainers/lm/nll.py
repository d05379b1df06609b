"""The likelihood of reference answers under a model, by the prompt and the chunked head of the training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from rich.progress import Progress
from torch import Tensor

from ...harness.core.console import Terminal
from ...harness.core.errors import UserError
from ...harness.data.dataset import Dataset
from ...harness.runs.nll import METRIC, SPLITS, Likelihoods, rows_sha256, summary
from ...harness.runs.trained_on import trained_on
from ...harness.scores.signatures import LOWER_IS_BETTER
from .batches import Collator, Examples
from .causal import weighted_forward
from .chat import chat_of
from .config import TrainConfig
from .encoding import Encoded, encode
from .order import BLANK

Forward = Callable[[dict[str, Tensor]], Tensor]
"""From a batch of ``Collator`` to the summed likelihood of each of its answers, (B,)."""

_NO_RANK = 0
_TOKENS = 2**14


def measure(
    model: Any,
    tokenizer: Any,
    dataset: Dataset,
    config: TrainConfig,
    progress: Callable[[int], None] = lambda rows: None,
    splits: Sequence[str] = SPLITS,
) -> Likelihoods:
    """The likelihood of the reference answers of a dataset's splits, row by row.

    Every number is of the answer as it would be trained on: after the same prompt, cut at ``max_length``, its end
    token among its tokens.

    Args:
        model: causal, on the device that computes.
        config: ``max_length`` says where texts are cut; ``batch_size`` times this is how many tokens go at once.
        progress: called with the number of rows that were measured since the last call.

        splits: of these the last is what the signature says the ids of.

    Raises:
        UserError: the head of this architecture is none that the loss knows, or a likelihood is not finite.
    """
    tongue = dataset.language
    rows = pd.concat([dataset.split(name).assign(split=name) for name in splits], ignore_index=True)
    encoded = encode(
        tokenizer,
        [tongue.ask(question) for question in rows["question"]],
        rows["answer"].tolist(),
        config.max_length,
        chat=chat_of(config, tokenizer, tongue),
    )
    device = next(model.parameters()).device
    with weighted_forward(model), measuring(model):
        sums = likelihoods(
            forward_of(model, device),
            encoded,
            Collator(tokenizer.pad_token_id),
            token_budget(config),
            tokenizer.eos_token_id,
            progress=progress,
        )
    if (bad := ~np.isfinite(sums)).any():
        raise UserError(
            f"the likelihood of {bad.sum()} reference answers is not finite (first: {rows['id'][bad.argmax()]!r})",
            "The model is damaged: train it again with a lower learning_rate, or with precision fp32",
        )
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    ids = _ids_sha256(encoded, np.flatnonzero(rows["split"] == splits[-1]))
    signature = f"{METRIC}|unit:nats/token|of:references|ids:{ids[:16]}|dtype:{dtype}|{LOWER_IS_BETTER}|version:1"
    frame = rows[["id", "severity", "split"]].assign(tokens=encoded.answer_lengths, nll=sums)
    digests = {name: rows_sha256(dataset.split(name)) for name in splits}
    return Likelihoods(frame, signature, digests)


def measured(model: Any, tokenizer: Any, dataset: Dataset, config: TrainConfig) -> Likelihoods:
    """As ``measure``, with a bar on the error stream.

    Raises:
        UserError: as ``measure``.
    """
    console = Terminal(stderr=True)
    total = sum(dataset.info.counts[name]["rows"] for name in SPLITS)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("measuring likelihoods", total=total)
        return measure(model, tokenizer, dataset, config, lambda rows: bar.advance(task, rows))


def _ids_sha256(encoded: Encoded, rows: npt.NDArray[np.int64]) -> str:
    """Digest of the token ids of some rows: models that read the same ids were asked the same, whatever prompt and
    tokenizer made them, and a mean over other tokens is comparable to none."""
    digest = hashlib.sha256(encoded.prompts[rows].astype("<i8").tobytes())
    for row in rows:
        digest.update(encoded.ids(int(row)).astype("<i4").tobytes())
    return digest.hexdigest()


def described(found: Likelihoods, dataset: Dataset, checkpoint: Path) -> dict[str, Any]:
    """What ``training.json`` says of likelihoods: the signature, and of each split its ``strata`` and how many of
    its questions the model was ``trained_on`` (None where it does not say)."""
    splits = {}
    for name in found.rows_sha256:
        questions = dataset.split(name)["question"]
        splits[name] = {
            "strata": summary(found.frame[found.frame["split"] == name]),
            "trained_on": trained_on(checkpoint, questions, dataset.language),
        }
    return {"signature": found.signature, "splits": splits}


def trained_words(described_nll: dict[str, Any], name: str) -> list[str]:
    """A line for each split some of whose questions the model was trained on."""
    return [
        f"{split['trained_on']} of the {split['strata']['overall']['rows']} {which} questions were in the training "
        f"of {name}: on these its likelihood is no test"
        for which, split in described_nll["splits"].items()
        if split["trained_on"]
    ]


def token_budget(config: TrainConfig) -> int:
    """Tokens of a batch: as many as a batch of the training has at most, whose gradients need more memory, and no
    more than use the device well."""
    return max(config.max_length, min(config.batch_size * config.max_length, _TOKENS))


def likelihoods(
    forward: Forward,
    encoded: Encoded,
    collator: Collator,
    budget: int,
    filler: int,
    share: tuple[int, int] = (0, 1),
    progress: Callable[[int], None] = lambda rows: None,
) -> npt.NDArray[np.float64]:
    """Summed negative log-likelihood of each answer, (n,), in batches of like lengths.

    Args:
        forward: the model.
        budget: tokens of a batch, padding included; an example that is longer goes alone.
        filler: the token of a blank example.
        share: which process of how many this is. Each makes equally many passes, as sharded models need, and leaves
            0 for the rows of others.
    """
    place, of = share
    count = len(encoded)
    examples = Examples(
        encoded, np.ones(count), np.full(count, _NO_RANK), np.append(np.arange(count), BLANK), filler
    )
    sums = np.zeros(count)
    batches = by_length(np.diff(encoded.offsets), budget)
    batches += [np.array([count])] * (-len(batches) % of)
    with torch.no_grad():
        for rows in batches[place::of]:
            found = forward(collator([examples[int(row)] for row in rows])).double().cpu().numpy()
            real = rows < count
            sums[rows[real]] = found[real]
            progress(int(real.sum()))
    return sums


def by_length(lengths: npt.NDArray[np.int64], budget: int) -> list[npt.NDArray[np.int64]]:
    """Rows in batches of at most ``budget`` padded tokens, for lengths (n,) in tokens; the longest first, so that
    what does not fit into memory fails at once."""
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        size = max(1, budget // int(lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def forward_of(model: Any, device: Any) -> Forward:
    """A model inside ``weighted_forward`` as ``likelihoods`` calls it."""

    def forward(batch: dict[str, Tensor]) -> Tensor:
        output = model(
            input_ids=batch["input_ids"].to(device),
            attention_mask=batch["attention_mask"].to(device),
            labels=batch["labels"].to(device),
            coefficients=batch["weights"].to(device),
        )
        found: Tensor = output["example_nll"]
        return found

    return forward


@contextmanager
def measuring(model: Any) -> Iterator[None]:
    """The model without dropout; afterwards as it was."""
    # On a CPU, bitsandbytes packs the weights of a module that leaves training for good.
    parts = [
        part for part in model.modules() if part.training and not type(part).__module__.startswith("bitsandbytes")
    ]
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part in parts:
            part.training = True
