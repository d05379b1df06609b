"""What a backend declares about itself: who answers, what it is told, and what of that changes an answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ...core.errors import UserError
from ...core.registry import Registry
from ..records import Engine
from .values import Value

BACKENDS: Registry[Backend] = Registry("backend", "Give --model one of")
"""All that can answer, in the order of help texts and boards."""

HUB_TOKENS = frozenset(("token", "hf_token"))
"""Arguments that let the hub's library in."""


class Asked(Protocol):
    """What a backend may look at of a generation (``GenerationConfig``, which reads what the backend declares)."""

    @property
    def kind(self) -> str: ...

    @property
    def model_args(self) -> dict[str, Any]: ...

    @property
    def data(self) -> Path | None: ...

    @property
    def answer(self) -> str | None: ...


def engine(module: str, name: str) -> Callable[..., Engine]:
    """The class ``name`` of ``engines/<module>.py``, imported when a generation asks for it."""

    def load(*configs: Any) -> Engine:
        loaded: Engine = getattr(import_module(f"..engines.{module}", __package__), name)(*configs)
        return loaded

    return load


def _nothing(_: Asked) -> None:
    return None


@dataclass(frozen=True)
class Backend:
    """Somebody who answers. Its module imports no engine; ``load`` does.

    Attributes:
        name: what ``--model`` calls it.
        load: makes the engine of a ``GenerationConfig``, ready to answer.
        floor: whether it is a trivial system, which shows what no understanding at all scores.
        identity_args: the model arguments that change an answer, each with what it may be.
        runtime_args: those that change nothing but how it comes about.
        secret_args: those that may hold a secret.
        more_args: further names that the installed engine knows, asked for only if one is not declared here; they
            count as identity.
        weights: the arguments that name a folder or a repository of the hub, whose content counts. A backend with
            some can load a checkpoint.
        keeps_dtype: whether it computes in the type in which weights are saved, unless ``dtype`` says otherwise.
        libraries: the distributions that generate; the version of the first that is installed changes answers.
        environment: variables that change its arithmetic.
        device: whether it computes on a device of this machine.
        gpus: how many it takes, if there are any, by its model arguments.
        parallel: whether several engines of it can share the work.
        shares: whether one engine of it can answer for several checkpoints of a base: ``load`` takes further
            generations then, and ``generate`` whose each prompt is.
        chat: whether it has the tokenizer that brings a chat template.
        turns: whether it is asked by conversations, which the server puts into its own template.
        demands: looks whether a generation says all that it needs.
        identity: what else changes its answers.
        check: looks whether this machine can run it; says what it found, or raises a ``UserError``.
        extra: the optional dependencies that it needs.
        title: its name in the findings of ``maqa doctor``.
    """

    name: str
    load: Callable[..., Engine]
    floor: bool = False
    identity_args: Mapping[str, Value] | None = None
    runtime_args: Mapping[str, Value] | None = None
    secret_args: frozenset[str] = frozenset()
    more_args: Callable[[], frozenset[str]] = frozenset
    weights: tuple[str, ...] = ()
    keeps_dtype: bool = False
    libraries: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    device: bool = False
    gpus: Callable[[Mapping[str, Any]], int] = lambda _: 0
    parallel: bool = True
    shares: bool = False
    chat: bool = False
    turns: bool = False
    demands: Callable[[Asked], None] = _nothing
    identity: Callable[[Asked], dict[str, Any]] = lambda _: {}
    check: Callable[[], str] = lambda: ""
    extra: str = ""
    title: str = ""

    @property
    def arguments(self) -> dict[str, Value]:
        """Every declared argument with what it may be."""
        return {**(self.identity_args or {}), **(self.runtime_args or {})}

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Model arguments as the engine is to get them.

        Raises:
            UserError: it does not know one, or a value is impossible.
        """
        known = self.arguments
        unknown = given.keys() - known.keys()
        if unknown and (unknown := unknown - self.more_args()):
            first = min(unknown)
            alike = get_close_matches(first, known, n=1)
            meant = f"Did you mean {alike[0]}=? " if alike else ""
            raise UserError(
                f"{self.name} knows no model argument {first}",
                f"{meant}It knows {', '.join(sorted(known))}" if known else "It takes none: leave --model-args out",
            )
        return {name: self._value(name, value) for name, value in given.items()}

    def _value(self, name: str, value: Any) -> Any:
        rule = self.arguments.get(name)
        if rule is None or value is None:
            return value
        try:
            return rule(value)
        except ValueError as error:
            raise UserError(f"{self.name} cannot use {name}={value}", f"Give {error}") from None


def backend(declared: Backend) -> Backend:
    """Declare a backend, for everybody who goes through ``BACKENDS``."""
    caller = sys._getframe(1)
    return BACKENDS.add(declared.name, declared, f"{caller.f_code.co_filename}:{caller.f_lineno}")


def floor_names() -> tuple[str, ...]:
    """The names of the trivial systems."""
    return tuple(one.name for one in BACKENDS.things() if one.floor)
