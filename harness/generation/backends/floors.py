"""Systems that understand nothing: what they score is the floor that a model must leave behind."""

from __future__ import annotations

from typing import Any

from ...core.errors import UserError
from .base import Asked, Backend, backend, engine


def _demand_answer(config: Asked) -> None:
    if config.answer is None:
        raise ValueError("`constant` needs its answer, such as the referral of the data's language")


def _train(config: Asked) -> dict[str, Any]:
    from ...data.dataset import open_dataset

    if config.data is None:
        raise UserError("`nearest` needs training answers", "Give the dataset with --data DATASET")
    return {"train": open_dataset(config.data).info.sha256["train"]}


backend(Backend(name="echo", load=engine("floors", "TrivialEngine"), floor=True))
backend(
    Backend(
        name="constant",
        load=engine("floors", "TrivialEngine"),
        floor=True,
        demands=_demand_answer,
        identity=lambda config: {"answer": config.answer},
    )
)
backend(Backend(name="nearest", load=engine("floors", "TrivialEngine"), floor=True, identity=_train))
