"""How answers are decoded: the presets, and what of them lm-eval is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator

from ..core.errors import UserError
from ..core.settings import Record
from ..languages import Language, Style


class Preset(StrEnum):
    """``greedy`` is what boards compare; the other two are the decodings of arXiv 2604.06346."""

    GREEDY = "greedy"
    PAPER = "paper"
    PAPER_CURRICULUM = "paper-curriculum"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise UserError(f"no decoding is called {value!r}", f"Use one of: {', '.join(cls)}")


class Decoding(Record):
    """One way of decoding. Temperature 0 is greedy; an answer ends at any string of ``until``, as ``endings`` says.

    Sampling draws from the softmax at ``temperature`` cut to the nucleus ``top_p``, with no other truncation. Every
    answer has a random seed of its own (``answer_seed``), so it does not depend on what else is in its batch.
    """

    max_new_tokens: int = Field(default=128, ge=1, le=2**20)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    until: tuple[str, ...] = ()
    seed: int = Field(default=1234, ge=0, lt=2**63)

    @field_validator("until")
    @classmethod
    def _not_empty(cls, until: tuple[str, ...]) -> tuple[str, ...]:
        if "" in until:
            raise ValueError("an empty stop string would end every answer at once")
        return until

    @property
    def do_sample(self) -> bool:
        """Whether answers are drawn at random."""
        return self.temperature > 0

    def gen_kwargs(self) -> dict[str, Any]:
        """The same in the words of lm-eval's ``generation_kwargs``."""
        kwargs: dict[str, Any] = {
            "until": list(self.until),
            "do_sample": self.do_sample,
            "max_gen_toks": self.max_new_tokens,
        }
        if self.do_sample:
            kwargs |= {"temperature": self.temperature, "top_p": self.top_p}
        return kwargs


_PRESETS: dict[Preset, dict[str, Any]] = {
    Preset.GREEDY: {},
    Preset.PAPER: {"temperature": 0.7, "max_new_tokens": 50},
    Preset.PAPER_CURRICULUM: {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 200},
}


def decoding(
    preset: Preset,
    language: Language,
    style: Style = Style.PLAIN,
    until: Iterable[str] | None = None,
    **changes: Any,
) -> Decoding:
    """A preset with its stop strings.

    Args:
        preset: which.
        language: of the prompts.
        style: of the prompts; with the language it decides the stop strings.
        until: stop strings instead of those; none may be empty.
        changes: override single fields.
    """
    stop = language.stop.of(style) if until is None else tuple(until)
    return Decoding(**{"until": stop, **_PRESETS[Preset(preset)], **changes})


def max_new_tokens(preset: Preset) -> int:
    """How many tokens an answer of this preset may have, whatever its language."""
    return Decoding(**_PRESETS[Preset(preset)]).max_new_tokens


def answer_seed(seed: int, prompt: str, sample: int, repeat: int = 0) -> int:
    """The random seed of one answer, 32 bits: a function of nothing but the decoding's seed, prompt and sample, and
    another one where it is asked again."""
    number = f"{sample}+{repeat}" if repeat else f"{sample}"
    digest = hashlib.sha256(f"{seed}\0{number}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big")
