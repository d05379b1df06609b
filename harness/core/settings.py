"""Settings and records: unknown keys are refused, and each setting says whether it changes the result."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .secrets import is_secret, redact


class Role(StrEnum):
    """``identity`` changes the result, so it belongs in its key; ``runtime`` does not."""

    IDENTITY = "identity"
    RUNTIME = "runtime"


class Record(BaseModel):
    """The base of every typed record: it cannot change, and a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def of_role(self, role: Role) -> dict[str, Any]:
        """The fields declared by ``identity`` or ``runtime``, JSON-ready."""
        names = {
            name
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("role") == role
        }
        return self.model_dump(mode="json", include=names)


def identity(default: Any = ..., **limits: Any) -> Any:
    """A field that changes the result."""
    return Field(default=default, json_schema_extra={"role": Role.IDENTITY}, **limits)


def runtime(default: Any = ..., **limits: Any) -> Any:
    """A field that changes nothing but how the result is reached."""
    return Field(default=default, json_schema_extra={"role": Role.RUNTIME}, **limits)


def first_problem(error: ValidationError) -> tuple[str, str, Any]:
    """What is wrong with the first wrong key of a record: the key with its parents, why, and its value."""
    first = error.errors()[0]
    # What our own validators say, without the name of what they raise it as.
    message = first["msg"].removeprefix("Value error, ")
    return ".".join(str(part) for part in first["loc"]), message, first["input"]


def wrong_value(error: ValidationError) -> str | None:
    """The first wrong value as it may be shown; None where it might hold a secret: of an unknown key, which may be
    that of a secret misspelt, of one that names a secret, and of a key with others in it."""
    first = error.errors()[0]
    names = [str(part) for part in first["loc"]]
    plain = isinstance(first["input"], str | int | float | None)
    if first["type"] == "extra_forbidden" or not plain or any(map(is_secret, names)):
        return None
    return redact(repr(first["input"]))
