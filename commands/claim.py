"""``maqa claim``."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from ..harness.core.console import Terminal
from .app import app
from .options import Changed
from .output import to_output, write_result
from .writing import STDOUT


@app.command()
def claim(
    experiments: list[Path] = typer.Argument(
        None, help="Folders of finished experiments; none, for the claims and what they take."
    ),
    out: Path = to_output("The page to write, in Markdown"),
    anyway: Changed = False,
) -> None:
    """Lay the published claims beside what experiments show.

    Each beside what it would take to test it; what nothing given tests is said to be so.
    """
    from ..harness.core.errors import UserError
    from ..harness.languages.messages import messages, reader
    from ..harness.languages.sentences import told
    from ..leaderboards.claim_findings import findings
    from ..leaderboards.claim_page import claim_page
    from ..leaderboards.evidence import read_evidence
    from ..leaderboards.published_claims import published_claims

    evidence = [read_evidence(folder, anyway) for folder in experiments or []]
    names = [each.name for each in evidence]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(
            f"two experiments are called {twice[0]!r}", "Give each once, or change `name:` in one of them"
        )
    write_result(out, claim_page(evidence))
    console = Terminal()
    say = messages(reader())
    table = Table()
    for heading in (say("published.column"), *names):
        table.add_column(Text(heading))
    for each in published_claims().claims:
        found = (findings(each.asks, one) for one in evidence)
        standings = (dict.fromkeys(told(one.standing.said, reader()) for one in own) for own in found)
        cells = (Text(say.bare("list.comma").join(own)) for own in standings)
        table.add_row(Text(told(each.claim, reader())), *cells)
    console.print(table)
    if out != STDOUT:
        console.print(str(out), markup=False, soft_wrap=True)
