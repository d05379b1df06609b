"""The claims about what the statistics may be trusted for, by simulation: ``make bench-validity``.

Every ``validity_*.py`` beside this file has a function ``claims``, which gives its claims one by one or as a list.
Prints ``claim | ours | reference | ratio | goal | holds`` and exits with 0 only if every claim holds. Words after
the command choose among the files: ``python tests/bench_validity.py small``.
"""

import importlib
import sys
from pathlib import Path

from maqa_severity.tests.claim import HEADING
from rich.console import Console


def main(chosen: list[str]) -> int:
    console = Console(highlight=False, soft_wrap=True)
    topics = sorted(path.stem.removeprefix("validity_") for path in Path(__file__).parent.glob("validity_*.py"))
    console.print(HEADING, markup=False)
    held = []
    for topic in chosen or topics:
        for claim in importlib.import_module(f"maqa_severity.tests.validity_{topic}").claims():
            held.append(claim.holds)
            console.print(str(claim), markup=False)
    return 0 if held and all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
