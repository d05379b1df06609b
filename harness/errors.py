"""The one exception for what the user can mend."""


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
