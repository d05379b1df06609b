"""What a generation is asked to do; every field is declared either identity (it changes answers) or runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from ..core.errors import UserError
from ..core.secrets import without_secrets
from ..core.settings import Record, identity, runtime
from .backends import BACKENDS, Backend
from .decoding import Decoding
from .kinds import Kind
from .repeats import demand_share

__all__ = ["GenerationConfig", "Kind"]


class GenerationConfig(Record):
    """One generation.

    ``model_args`` go to lm-eval's backend; the backend declares each of them. They may be written down:
    ``secrets`` are taken out of them, keys and passwords by the argument they stood in, an address with a password
    as it was given. ``device`` counts by its type alone. ``batch_size`` is a number of prompts, or ``auto`` for
    batches of a fixed number of tokens. ``data`` is the dataset whose training answers ``nearest`` draws on,
    ``answer`` what ``constant`` says. ``samples`` answers are made per question. ``shard`` is ``(i, n)``: only the
    rows that fall to shard i of n. With ``ray``, ``workers`` engines run side by side as Ray actors; None for as
    many as the cluster has room for. With ``retry_refused`` what an endpoint refused before is asked again. Of
    ``repeat_share`` of the questions is seen whether their answers change when they are asked again.
    """

    kind: Kind = identity()
    model_args: dict[str, Any] = identity({})
    decoding: Decoding = identity()
    chat_template: bool = identity(False)
    data: Path | None = identity(None)
    answer: str | None = identity(None)
    device: str | None = identity(None)
    samples: int = runtime(1, ge=1, le=10_000)
    batch_size: Annotated[int, Field(ge=1, le=2**20)] | None = runtime(None)
    store: Path = runtime()
    shard: tuple[int, int] | None = runtime(None)
    ray: bool = runtime(False)
    workers: Annotated[int, Field(ge=1, le=10_000)] | None = runtime(None)
    retry_refused: bool = runtime(False)
    repeat_share: float | None = runtime(None)
    secrets: dict[str, str] = runtime({}, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _secrets_apart(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("model_args"), dict):
            return values
        public, secrets = without_secrets(values["model_args"])
        if (kind := str(values.get("kind"))) in BACKENDS:
            public = BACKENDS[kind].checked(public)
            if BACKENDS[kind].turns:
                values = {**values, "chat_template": True}
        return {**values, "model_args": public, "secrets": {**values.get("secrets", {}), **secrets}}

    @model_validator(mode="after")
    def _fits_the_backend(self) -> Self:
        backend = self.backend
        if self.ray and not backend.parallel:
            raise UserError(f"{self.kind} has no engine that Ray could run", "Give num_concurrent= in --model-args")
        if unknown := sorted(self.secrets.keys() - backend.secret_args):
            what = "with a password" if unknown[0] in self.model_args else "that it knows"
            raise UserError(f"{self.kind} has no argument {unknown[0]} {what}", "Leave it out of --model-args")
        backend.demands(self)
        return self

    @property
    def backend(self) -> Backend:
        """Who answers, by what it declares."""
        return BACKENDS[str(self.kind)]

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.samples > 1 and not self.decoding.do_sample:
            raise UserError(f"{self.samples} samples of a greedy decoding are all the same", "Use --decoding paper")
        return self

    @field_validator("repeat_share")
    @classmethod
    def _is_share(cls, share: float | None) -> float | None:
        if share is not None:
            demand_share(share)
        return share

    @field_validator("batch_size", mode="before")
    @classmethod
    def _auto(cls, value: Any) -> Any:
        return None if value == "auto" else value
