"""Things of one kind by name: each declared once, where it is defined, and found everywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Generic, TypeVar

from .errors import UserError

_Thing = TypeVar("_Thing")


class Registry(Generic[_Thing]):
    """Declared things in the order of their declaration, which is the order in which tables and help show them.

    Args:
        kind: what they are called in an error, such as ``metric``.
        remedy: how the user chooses another one, such as ``Give --model one of``.
    """

    def __init__(self, kind: str, remedy: str = "Use one of") -> None:
        self.kind, self._remedy = kind, remedy
        self._things: dict[str, _Thing] = {}
        self._places: dict[str, str] = {}

    def add(self, name: str, thing: _Thing, place: str | None = None) -> _Thing:
        """Declare ``thing`` under ``name``; ``place`` says where that is, by default the line of the caller.

        Raises:
            ValueError: the name is taken; says where both are declared.
        """
        if place is None:
            frame = sys._getframe(1)
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if name in self._things:
            raise ValueError(f"two {self.kind}s are called {name!r}: {self._places[name]} and {place}")
        self._things[name], self._places[name] = thing, place
        return thing

    def __getitem__(self, name: str) -> _Thing:
        """The thing of this name.

        Raises:
            UserError: there is none; names those there are.
        """
        try:
            return self._things[name]
        except KeyError:
            raise UserError(f"unknown {self.kind} {name!r}", f"{self._remedy}: {', '.join(self)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def things(self) -> list[_Thing]:
        """The things, in order."""
        return list(self._things.values())
