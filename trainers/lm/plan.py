"""What a training shows when, and at which learning rate: settled by arm, rows and settings before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...harness.core.errors import UserError
from ..arms import ArmSpec, arm_levels, arm_shares
from .config import StageSettings, TrainConfig
from .order import BLANK, Rows, presentation, spread, stage_passes, steps_for

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plan:
    """The order of a training.

    Attributes:
        order: row numbers, shape (steps × effective batch,), ``BLANK`` where a step is filled up.
        rates: the learning rate of each optimizer step, shape (steps,).
        restarts: steps before which a further stage begins that has a schedule and an optimizer of its own.
        staged: whether its stages are those of the settings, so that epochs, learning rate and steps are its own.
        shared: whether all arms without an order of their own have this one.
    """

    order: Rows
    rates: npt.NDArray[np.float64]
    restarts: tuple[int, ...] = ()
    staged: bool = False
    shared: bool = False

    @property
    def passes(self) -> float:
        """Presentations for each row that is shown at all."""
        shown = self.order[self.order != BLANK]
        return len(shown) / len(np.unique(shown))

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        return len(self.rates)

    @property
    def effective_batch(self) -> int:
        """Examples a step."""
        return len(self.order) // self.steps

    def until(self, step: int) -> Plan:
        """Its first steps, so many."""
        return replace(self, order=self.order[: step * self.effective_batch], rates=self.rates[:step])

    def evaluates_every(self, config: TrainConfig) -> int | None:
        """Steps between two measurements of the validation rows: as asked for, else with ``patience`` once a pass;
        None: none on the way."""
        if config.evaluate_every is None and config.patience is None:
            return None
        return config.evaluate_every or max(1, int(self.steps / max(self.passes, 1)))


def plan_of(spec: ArmSpec, rows: pd.DataFrame, config: TrainConfig, effective_batch: int) -> Plan:
    """The plan of an arm that trains on these rows.

    Raises:
        UserError: a row lacks what the arm needs, a stage has no rows, or the settings show not one example.
    """
    if config.cumulative is not None and config.curriculum is None:
        raise UserError("cumulative is about the stages of curriculum, and there are none", "Leave it out")
    levels = arm_levels(spec, rows, config.seed)
    if levels is not None and config.curriculum is not None:
        plan = _staged(levels, config, config.curriculum, effective_batch)
    else:
        stages = (
            [np.arange(len(rows))]
            if levels is None
            else [np.flatnonzero(levels <= level) for level in np.unique(levels)]
        )
        order = presentation(stages, len(rows), config.epochs, effective_batch, config.seed)
        shares = arm_shares(spec, rows, config.seed)
        if shares is not None and len(order):
            shown = order != BLANK
            order[shown] = spread(shares * (shown.sum() / shares.sum()), config.seed)
        if not len(order):
            raise UserError(f"{config.epochs:g} epochs of {len(rows)} rows are not one example", "Raise epochs")
        steps = len(order) // effective_batch
        plan = Plan(order, rates(config, config.learning_rate, steps), shared=levels is None and shares is None)
    return plan if levels is None or spec.arm.ordered else _unordered(plan, levels, config.seed)


def steps_at_most(spec: ArmSpec, rows: int, config: TrainConfig, effective_batch: int) -> int:
    """Optimizer steps of an arm over so many rows, whatever their severities: of stages by severity as many as
    there would be if every stage had all rows."""
    stages = config.curriculum if spec.arm.staged and config.curriculum else ()
    epochs = [stage.epochs for stage in stages] or [config.epochs]
    return sum(steps_for(rows, each, effective_batch) for each in epochs)


def rates(config: TrainConfig, peak: float, steps: int) -> npt.NDArray[np.float64]:
    """The learning rate of each of so many steps under the schedule of the settings, shape (steps,)."""
    # Here, since whoever counts steps need not wait for torch.
    import torch
    from transformers import get_scheduler

    schedule = get_scheduler(
        str(config.schedule),
        torch.optim.SGD([torch.zeros(1)]),
        num_warmup_steps=warmup_steps(config, steps),
        num_training_steps=steps,
    )
    (factor,) = schedule.lr_lambdas
    return peak * np.array([factor(step) for step in range(steps)])


def warmup_steps(config: TrainConfig, steps: int) -> int:
    """Of a schedule over so many steps."""
    return round(config.warmup_ratio * steps)


def _staged(levels: Rows, config: TrainConfig, stages: Sequence[StageSettings], effective_batch: int) -> Plan:
    orders: list[Rows] = []
    for number, stage in enumerate(stages):
        if not (levels == stage.severity.rank).any():
            raise UserError(
                f"stage {number + 1} of curriculum has no rows: no training row is {stage.severity}",
                "Leave it out, or label the dataset again",
            )
        named = stages[: number + 1] if config.cumulative is not False else [stage]
        shown = np.flatnonzero(np.isin(levels, [each.severity.rank for each in named]))
        orders.append(stage_passes(shown, stage.epochs, effective_batch, config.seed, number))
        if not len(orders[-1]):
            raise UserError(
                f"stage {number + 1} of curriculum shows not one example: {stage.epochs:g} epochs of {len(shown)}",
                "Raise its epochs",
            )
    steps = [len(order) // effective_batch for order in orders]
    found = [rates(config, stage.learning_rate, count) for stage, count in zip(stages, steps, strict=True)]
    restarts = tuple(map(int, np.cumsum(steps)[:-1]))
    return Plan(np.concatenate(orders), np.concatenate(found), restarts, staged=True)


def _unordered(plan: Plan, levels: Rows, seed: int) -> Plan:
    """The same steps at the same rates, each level's rows shown at random and as often as gives them the same sum
    of learning rates."""
    shown = plan.order != BLANK
    rows, rate = plan.order[shown], np.repeat(plan.rates, plan.effective_batch)[shown]
    if not rate.any():
        # A single step is the first of a warm-up.
        rate = np.ones(len(rows))
    sums = np.bincount(levels[rows], weights=rate, minlength=levels.max() + 1)
    times = (sums / np.maximum(np.bincount(levels), 1))[levels] / rate.mean()
    order = plan.order.copy()
    order[shown] = spread(times, seed, levels)
    return replace(plan, order=order)
