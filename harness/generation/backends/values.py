"""What a model argument may be. Each rule returns the value to use; its ``ValueError`` says what would be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Value = Callable[[Any], Any]


def anything(value: Any) -> Any:
    """Whatever the engine makes of it."""
    return value


def text(value: Any) -> str:
    """A text; a command line reads a folder called ``7`` as a number."""
    if isinstance(value, bool | dict | list) or not str(value).strip():
        raise ValueError("a text")
    return str(value)


def flag(value: Any) -> bool:
    """Yes or no."""
    if value in (True, False):
        return bool(value)
    raise ValueError("true or false")


def whole(value: Any) -> int:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a whole number")
    try:
        number = float(value)
    except ValueError:
        raise ValueError("a whole number") from None
    if not number.is_integer() or number < 0:
        raise ValueError("a whole number")
    return int(number)


def amount(value: Any) -> float:
    """A number from 0 on, such as a price."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1e9:
        raise ValueError("a number from 0 on")
    return number


def count(value: Any) -> int:
    """A whole number from 1 on."""
    try:
        number = whole(value)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError("a whole number above 0")
    return number


def settings(value: Any) -> dict[str, Any]:
    """A dictionary, which no command line can write."""
    if not isinstance(value, dict):
        raise ValueError("a dictionary, in an experiment's file")
    return value


def one_of(*values: str) -> Value:
    """One of a few words."""

    def rule(value: Any) -> str:
        if value not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return str(value)

    return rule


dtype = one_of("auto", "float16", "half", "bfloat16", "float32", "float", "float64", "double")
"""The type of a model's numbers."""


def arguments(rules: Mapping[str, Value]) -> dict[str, Value]:
    """The rule of each name, from rules by several names with spaces between."""
    return {name: rule for names, rule in rules.items() for name in names.split()}
