"""Systems that understand nothing: what they score is the floor that a model must leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import UserError
from .base import Backend, backend

if TYPE_CHECKING:
    from ..config import GenerationConfig
    from ..records import Engine


def _load(config: GenerationConfig) -> Engine:
    from ..engines.floors import TrivialEngine

    return TrivialEngine(config)


def _demand_answer(config: GenerationConfig) -> None:
    if config.answer is None:
        raise ValueError("`constant` needs its answer, such as the referral of the data's language")


def _train(config: GenerationConfig) -> dict[str, Any]:
    from ...data.dataset import open_dataset

    if config.data is None:
        raise UserError("`nearest` needs training answers", "Give the dataset with --data DATASET")
    return {"train": open_dataset(config.data).info.sha256["train"]}


backend(Backend(name="echo", load=_load, floor=True))
backend(
    Backend(
        name="constant",
        load=_load,
        floor=True,
        demands=_demand_answer,
        identity=lambda config: {"answer": config.answer},
    )
)
backend(Backend(name="nearest", load=_load, floor=True, identity=_train))
