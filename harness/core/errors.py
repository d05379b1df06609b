"""The one exception for what the user can mend."""

from __future__ import annotations

_LONGEST = 4000


class UserError(Exception):
    """A problem that the user can mend: the command prints one line and exits with status 2.

    Args:
        problem: what is wrong, naming the file, row or key.
        remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = _bounded(" ".join(problem.split()))
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.problem}. {self.remedy}")

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        """So that one of a worker arrives whole where the user is."""
        return type(self), (self.problem, self.remedy)


def _bounded(line: str) -> str:
    """The two ends of a line that somebody's file or server made too long to be read."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"


class Interrupted(UserError):
    """The user ended the work; what was done is kept. No other work is to be begun in its place."""
