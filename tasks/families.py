"""Families of lm-eval tasks: each is a group of one task per severity, from which its YAML files are written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

from ..harness.core.registry import Registry
from ..harness.severity import SEVERITIES, Severity


@dataclass(frozen=True)
class Family:
    """One way of asking the questions of every severity.

    ``group`` is what ``lm_eval --tasks`` is given. ``task`` is the name of a severity's task, with ``{severity}``
    in it, and ``former`` what it was called before, which still works. ``documents`` and ``prompt`` name the
    functions that make a severity's documents and the text that is asked, as ``package.module.function``. The YAML
    files are written to ``folder``, beside this file. An answer may have ``max_new_tokens`` unless the user says
    otherwise. ``version`` rises whenever the same model would be asked otherwise.
    """

    group: str
    task: str
    documents: str
    prompt: str
    folder: str
    max_new_tokens: int
    version: float
    former: str | None = None

    @property
    def tasks(self) -> dict[Severity, str]:
        """The task of every severity."""
        return {severity: self.task.format(severity=severity) for severity in SEVERITIES}

    def former_name(self, severity: Severity) -> str | None:
        """What the task of a severity was called before."""
        return self.former.format(severity=severity) if self.former else None

    @property
    def names(self) -> list[str]:
        """All names that lm-eval writes files under: the group's and its tasks'."""
        return [self.group, *self.tasks.values()]


FAMILIES: Registry[Family] = Registry("task family", "Use one of")


def add_family(family: Family) -> Family:
    """Declare a family under its group's name.

    Raises:
        ValueError: the name is taken, a severity has no task of its own, or ``samples_<name>_*`` of one name would
            also match the files of another, so that who looks for a group's samples would take one severity's.
    """
    FAMILIES.add(family.group, family, place=f"tasks/{family.folder}")
    names = [name for known in FAMILIES.things() for name in known.names]
    for one, other in permutations(names, 2):
        if other == one or other.startswith(f"{one}_"):
            raise ValueError(f"samples_{one}_* would match the samples of {other!r}")
    return family
