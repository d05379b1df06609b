"""The transformers Trainer with the weighted loss, exact over micro-batches and processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer
from transformers.trainer import TRAINING_ARGS_NAME

from ..losses.modes import LossMode
from ..losses.weighted import answer_lengths
from .exposure import RANK_NAMES
from .finite import Finite
from .validation import METRIC, Validation, best_folder, forget_others


class WeightedTrainer(Trainer):  # type: ignore[misc]
    """Trains a model inside ``weighted_forward`` on batches of ``Collator``.

    The Trainer hands a window's denominator down where it usually hands its token count: it is summed over all
    micro-batches and processes before the first backward pass, so the loss of every micro-batch is final
    (``loss_is_scaled_for_ga``). DDP and FSDP average gradients; multiplying by the number of processes makes that
    the sum.
    """

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        *args: Any,
        loss_mode: LossMode,
        rates: Sequence[float] | None = None,
        validation: Validation | None = None,
        **kwargs: Any,
    ) -> None:
        """``rates`` is the learning rate of each step, where it is not the schedule of the arguments;
        ``validation`` is what is measured on the way, if anything is."""
        super().__init__(*args, **kwargs)
        self._rates = rates
        if self.is_fsdp_enabled:
            # FSDP's own mixed precision would round the weights that go into the forward pass and the loss that
            # comes out of it. Autocast does what it does on one device.
            self.accelerator.state.fsdp_plugin.mixed_precision_policy = None
        self.loss_mode = loss_mode
        self.validation = validation
        self._since_log = _Tally(self.args.device)
        self._finite = Finite(self.args.device)

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> Any:
        """The schedule of the arguments, or the rates that were given."""
        rates, peak = self._rates, self.args.learning_rate
        if rates is None:
            return super().create_scheduler(num_training_steps, optimizer)
        # It is asked for the step after the last one, too.
        made = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer, lambda step: rates[min(step, len(rates) - 1)] / peak
        )
        self.lr_scheduler, self._created_lr_scheduler = made, True
        return made

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], float]:
        """The micro-batches of one step on this process, and the step's denominator over all processes."""
        batches = list(islice(epoch_iterator, num_batches))
        shares = [
            self.loss_mode.denominator(batch["weights"], answer_lengths(batch["labels"])) for batch in batches
        ]
        share = torch.stack(shares).sum() if shares else torch.zeros((), device=device)
        return batches, float(self.accelerator.gather(share.reshape(1)).sum())

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """This micro-batch's part of the step's loss, times the number of processes."""
        lengths = answer_lengths(inputs["labels"])
        output = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            labels=inputs["labels"],
            coefficients=self.loss_mode.coefficients(inputs["weights"], lengths),
        )
        self._since_log.add(inputs, lengths, output["example_nll"])
        # Under `weights`, a step of examples that all weigh nothing has a denominator of 0, and no gradient.
        share = self.accelerator.num_processes / num_items_in_batch if num_items_in_batch else 0.0
        loss = output["loss"] * share
        if "auxiliary" in output:
            # Neither of weights nor of tokens: the mean over the micro-batches of a step, and over the processes.
            loss = loss + output["auxiliary"] / self.args.gradient_accumulation_steps
        self._finite.see(loss, self.state.global_step + 1)
        return (loss, output) if return_outputs else loss

    def autocast_smart_context_manager(self, cache_enabled: bool | None = True) -> Any:
        """Where accelerate itself does not: with FSDP 2. A cache would keep what has been resharded."""
        if self.is_fsdp_enabled and self.args.bf16:
            return torch.autocast(self.args.device.type, torch.bfloat16, cache_enabled=False)
        return super().autocast_smart_context_manager(cache_enabled)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, with the loss per severity and the number of tokens since the last log.

        Raises:
            NotFinite: a step since the last log is not finite.
        """
        if "loss" in logs:
            self._finite.demand(self.accelerator)
            logs |= self._since_log.drain(self.accelerator)
        super().log(logs, start_time)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The likelihood of the validation rows, logged. A new best has its weights kept beside the checkpoints; at
        the end of patience the training stops.

        Raises:
            NotFinite: the training is past a step that is not finite.
        """
        assert self.validation is not None
        self._finite.demand(self.accelerator)
        found = self.validation.measure(self.model_wrapped, self.accelerator)
        self.log(dict(found))
        state = self.state
        if self.validation.patience is not None:
            if state.best_metric is None or found[METRIC] < state.best_metric:
                state.best_metric, state.best_global_step = found[METRIC], state.global_step
                self.save_model(
                    str(best_folder(Path(self.args.output_dir), state.global_step)), _internal_call=True
                )
            self.control.should_training_stop |= self.validation.exhausted(state)
        return found

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)
        if isinstance(norm, Tensor):
            self._finite.see(norm, self.state.global_step + 1)
        return norm

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # What follows a step that is not finite is no checkpoint to go on from.
        self._finite.demand(self.accelerator)
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            # Only now does no checkpoint need the earlier best any more.
            forget_others(Path(self.args.output_dir), self.state.best_global_step)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None) -> None:
        super()._save(output_dir, state_dict)
        # A pickle of settings that the training manifest has in plain text.
        Path(output_dir or self.args.output_dir, TRAINING_ARGS_NAME).unlink(missing_ok=True)


class _Tally:
    """Sums since the last log: unweighted loss and answer tokens per severity, and all tokens that were read."""

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(2 * len(RANK_NAMES) + 1, dtype=torch.float32, device=device)

    def add(self, inputs: dict[str, Tensor], lengths: Tensor, example_nll: Tensor) -> None:
        classes = len(RANK_NAMES)
        self._sums.index_add_(0, inputs["ranks"], example_nll)
        self._sums.index_add_(0, inputs["ranks"] + classes, lengths.float())
        self._sums[-1] += inputs["attention_mask"].sum()

    def drain(self, accelerator: Any) -> dict[str, float]:
        sums = accelerator.gather(self._sums[None]).sum(dim=0).tolist()
        self._sums.zero_()
        classes = len(RANK_NAMES)
        losses = {
            f"loss_{name}": sums[rank] / sums[classes + rank]
            for rank, name in RANK_NAMES.items()
            if sums[classes + rank]
        }
        return {**losses, "answer_tokens": sum(sums[classes:-1]), "tokens": sums[-1]}
