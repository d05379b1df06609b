"""The changes that ``docs/extend.md`` shows, so that tests can make them."""

import re
from dataclasses import dataclass
from pathlib import Path

from maqa_severity.tests.scratch import ROOT

PAGE = ROOT / "docs" / "extend.md"
_BLOCK = re.compile(r"^(?:New file|(Change) in) `([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Change:
    """A file of the package: its whole ``text`` where it is ``new``, else a diff."""

    path: str
    new: bool
    text: str

    @property
    def added(self) -> list[str]:
        """The lines that a diff adds."""
        return [line[1:] for line in self.text.splitlines() if line.startswith("+")]

    def make(self, package: Path) -> None:
        """Change a copy of the package. The lines that a diff leaves alone must stand there once, in one piece."""
        path = package / self.path
        if self.new:
            assert not path.exists(), f"{self.path} exists"
            path.parent.mkdir(exist_ok=True)
            path.write_text(self.text, encoding="utf-8")
            return
        marks = {line[:1] for line in self.text.splitlines()}
        assert marks <= {" ", "+"} and "+" in marks, f"{self.path}: {self.text}"
        before = "".join(f"\n{line[1:]}" for line in self.text.splitlines() if line.startswith(" ")) + "\n"
        after = "".join(f"\n{line[1:]}" for line in self.text.splitlines()) + "\n"
        found = "\n" + path.read_text(encoding="utf-8")
        assert found.count(before) == 1, f"{self.path} does not hold {before!r} once"
        path.write_text(found.replace(before, after)[1:], encoding="utf-8")


def sections() -> dict[str, list[Change]]:
    """The changes under each heading, such as ``A metric``."""
    _, *parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        heading: [Change(path, not change, text) for change, path, text in _BLOCK.findall(body)]
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def extend(package: Path, *headings: str) -> None:
    """Make the changes of these sections in a copy of the package."""
    every = sections()
    for change in (change for heading in headings for change in every[heading]):
        change.make(package)
