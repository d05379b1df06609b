"""The one exception for what the user can mend."""

from __future__ import annotations


class UserError(Exception):
    """A problem that the user can mend: the command prints one line and exits with status 2.

    Args:
        problem: what is wrong, naming the file, row or key.
        remedy: what to do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = " ".join(problem.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.problem}. {self.remedy}")

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        """So that one of a worker arrives whole where the user is."""
        return type(self), (self.problem, self.remedy)


class Interrupted(UserError):
    """The user ended the work; what was done is kept. No other work is to be begun in its place."""
