"""The likelihood of the validation rows while a training runs, and when it stops for it.

It is what every arm is stopped by, plain and over tokens, whatever the arm's own loss: a weighted validation loss
is another quantity under every scheme, and arms that each stop by their own could not be compared.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ...harness.core.errors import UserError
from ...harness.core.files import read_json
from ...harness.runs.nll import summary
from ...harness.statistics import OVERALL
from .batches import Collator
from .encoding import Encoded, encode
from .nll import forward_of, likelihoods, measuring, token_budget
from .preparation import Training

METRIC = "eval_nll"
"""In logs: the mean over the tokens of all rows; those of a severity have its name behind."""

_BEST = "best-"


@dataclass(frozen=True)
class Validation:
    """The validation rows, encoded, with their severities (n,); measured every ``every`` steps. ``patience``: after
    how many measurements without a new best the training stops; None: never."""

    encoded: Encoded
    severities: pd.Series
    collator: Collator
    budget: int
    filler: int
    every: int
    patience: int | None

    def measure(self, model: Any, accelerator: Any) -> dict[str, float]:
        """The likelihood per severity and of all rows, in nats per token, each process reading its share."""
        share = (int(accelerator.process_index), int(accelerator.num_processes))
        with measuring(model):
            sums = likelihoods(
                forward_of(model, accelerator.device), self.encoded, self.collator, self.budget, self.filler, share
            )
        # Every row is one process's alone, so the sum is exact in float32, too.
        parts = torch.from_numpy(sums.astype(np.float32)).to(accelerator.device)
        whole = accelerator.reduce(parts, "sum").double().cpu().numpy()
        frame = pd.DataFrame(
            {"severity": self.severities.to_numpy(), "tokens": self.encoded.answer_lengths, "nll": whole}
        )
        means = {name: float(each["token_mean"]) for name, each in summary(frame).items()}
        return {METRIC: means.pop(OVERALL), **{f"{METRIC}_{name}": mean for name, mean in means.items()}}

    def due(self, step: int, last: int) -> bool:
        """Whether a step is followed by a measurement."""
        return step % self.every == 0 or step >= last

    def exhausted(self, state: Any) -> bool:
        """Whether a trainer's state says that patience is at its end: all that this takes is in its checkpoint."""
        if self.patience is None or not state.best_global_step:
            return False
        return bool((state.global_step - state.best_global_step) // self.every >= self.patience)


def validation_of(training: Training, tokenizer: Any, every: int | None) -> Validation | None:
    """The validation of a training; None where nothing is measured on its way.

    Raises:
        UserError: it is asked for, and there are no validation rows.
    """
    config, dataset = training.config, training.dataset
    if every is None:
        return None
    rows = dataset.split("validation")
    if rows.empty:
        raise UserError(
            f"{dataset.folder}/validation.parquet has no rows to measure or to stop by",
            "Prepare the dataset with a --validation share, or leave patience and evaluate_every out",
        )
    prompts = [dataset.language.ask(question) for question in rows["question"]]
    encoded = encode(tokenizer, prompts, rows["answer"].tolist(), config.max_length)
    return Validation(
        encoded,
        rows["severity"],
        Collator(tokenizer.pad_token_id),
        token_budget(config),
        tokenizer.eos_token_id,
        every,
        config.patience,
    )


def best_folder(state: Path, step: int) -> Path:
    """Where the weights of the best step are kept until the training is over."""
    return state / f"{_BEST}{step}"


def forget_others(state: Path, step: int | None) -> None:
    """Take away the weights that were best once, or that a kill left behind."""
    for folder in state.glob(f"{_BEST}*"):
        if step is None or folder != best_folder(state, step):
            shutil.rmtree(folder, ignore_errors=True)


def stopped_record(validation: Validation, state: Any, planned: int) -> dict[str, Any]:
    """What ``training.json`` says of early stopping."""
    return {
        "patience": validation.patience,
        "evaluate_every": validation.every,
        "planned_steps": planned,
        "steps": state.global_step,
        "best_step": state.best_global_step,
        "validation_nll": state.best_metric,
    }


def state_of(checkpoint: Path) -> Any:
    """The trainer's state in a whole checkpoint."""
    from transformers import TrainerState

    path = checkpoint / "trainer_state.json"
    read_json(path, "Train again")
    return TrainerState.load_from_json(str(path))
