"""Turn what pydantic says of an option into one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..harness.core.errors import UserError


@contextmanager
def checked(help_command: str) -> Iterator[None]:
    """Within, a wrong option is a ``UserError`` that names it."""
    # Here, since `--help` checks nothing and would load all of pydantic.
    from pydantic import ValidationError

    from ..harness.core.settings import first_problem, wrong_value

    try:
        yield
    except ValidationError as error:
        option, problem, _ = first_problem(error)
        value = wrong_value(error)
        given = f" with the value {value}" if value else ""
        raise UserError(f"option {option!r}{given}: {problem}", f"See `{help_command}`") from None
    except ValueError as error:
        raise UserError(str(error), f"See `{help_command}`") from None
