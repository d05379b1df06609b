"""What a generation is asked to do; every field is declared either identity (it changes answers) or runtime."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from ..core.secrets import without_secrets
from ..core.settings import Record, identity, runtime
from ..errors import UserError
from .decoding import Decoding


class Kind(StrEnum):
    """Who answers: a model through lm-eval's backend of that name, or a trivial system that shows the floor."""

    HF = "hf"
    VLLM = "vllm"
    COMPLETIONS = "local-completions"
    ECHO = "echo"
    CONSTANT = "constant"
    NEAREST = "nearest"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise UserError(f"nobody is called {value!r}", f"Give --model one of: {', '.join(cls)}")


HUB_TOKENS = frozenset(("token", "hf_token"))
_ENDPOINT = frozenset(("api_key", "token", "auth_token", "header", "base_url"))
SECRET_ARGUMENTS = {Kind.HF: HUB_TOKENS, Kind.VLLM: HUB_TOKENS, Kind.COMPLETIONS: _ENDPOINT}
"""The arguments of each backend that may hold a secret."""


class GenerationConfig(Record):
    """One generation.

    ``model_args`` go to lm-eval's backend; ``arguments.py`` declares each of them. They may be written down:
    ``secrets`` are taken out of them, keys and passwords by the argument they stood in, an address with a password
    as it was given. ``device`` counts by its type alone. ``batch_size`` is a number of prompts, or ``auto`` for
    batches of a fixed number of tokens. ``data`` is the dataset whose training answers ``nearest`` draws on,
    ``answer`` what ``constant`` says. ``samples`` answers are made per question. ``shard`` is ``(i, n)``: only the
    rows that fall to shard i of n. With ``ray``, ``workers`` engines run side by side as Ray actors; None for as
    many as the cluster has room for. With ``retry_refused`` what an endpoint refused before is asked again.
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
    secrets: dict[str, str] = runtime({}, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _secrets_apart(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("model_args"), dict):
            return values
        public, secrets = without_secrets(values["model_args"])
        return {**values, "model_args": public, "secrets": {**values.get("secrets", {}), **secrets}}

    @model_validator(mode="after")
    def _fits_the_backend(self) -> Self:
        if self.kind is Kind.COMPLETIONS and self.ray:
            raise UserError(f"{self.kind} has no engine that Ray could run", "Give num_concurrent= in --model-args")
        if unknown := sorted(self.secrets.keys() - SECRET_ARGUMENTS.get(self.kind, frozenset())):
            what = "with a password" if unknown[0] in self.model_args else "that it knows"
            raise UserError(f"{self.kind} has no argument {unknown[0]} {what}", "Leave it out of --model-args")
        return self

    @model_validator(mode="after")
    def _names_a_model(self) -> Self:
        given = self.model_args
        if self.kind in (Kind.HF, Kind.VLLM) and not given.get("pretrained"):
            raise UserError(f"{self.kind} needs a model", "Give --model-args pretrained=FOLDER_OR_HUB_ID")
        if self.kind is Kind.COMPLETIONS and not (
            given.get("base_url") and (given.get("model") or given.get("pretrained"))
        ):
            raise UserError(
                f"{self.kind} needs an address and a model",
                "Give --model-args base_url=http://HOST:PORT/v1/completions,model=NAME",
            )
        return self

    @model_validator(mode="after")
    def _constant_has_an_answer(self) -> Self:
        if self.kind is Kind.CONSTANT and self.answer is None:
            raise ValueError("`constant` needs its answer, such as the referral of the data's language")
        return self

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.samples > 1 and not self.decoding.do_sample:
            raise UserError(f"{self.samples} samples of a greedy decoding are all the same", "Use --decoding paper")
        return self

    @field_validator("batch_size", mode="before")
    @classmethod
    def _auto(cls, value: Any) -> Any:
        return None if value == "auto" else value
