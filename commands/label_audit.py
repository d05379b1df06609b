"""``maqa label --audit``: whether people's labels can carry a claim."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .words import ours, say, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.data.dataset import Dataset
    from ..harness.labelling.audit.audit import Audit
    from ..harness.languages import Language

AUDIT = "audit.json"


def audit_before_training(console: Console, dataset: Dataset) -> Audit | None:
    """Say whether a classifier can learn from a dataset's labels; None where these are not people's."""
    from rich.text import Text

    from ..harness.core.errors import UserError
    from ..harness.labelling.audit.audit import Standing, audit
    from ..harness.labelling.audit.gold_table import read_gold_table
    from ..harness.labelling.audit.kept import keep_audit
    from ..harness.labelling.quality.trust import PEOPLE, by_whom

    source = dataset.info.severity_source
    if source.name != PEOPLE:
        console.print(say("audit.none", who=by_whom(source.model_dump())), markup=False)
        return None
    found = audit(read_gold_table(dataset.folder, dataset.language), dataset.language)
    style = {Standing.SOUND: "", Standing.LIMITED: "yellow", Standing.UNFIT: "bold red"}[found.standing]
    console.print(Text(say("audit.before_training", words=found.words), style=style), soft_wrap=True)
    command = f"maqa label {dataset.folder} --audit {dataset.folder}"
    console.print(Text(say("audit.all", command=command)), soft_wrap=True)
    try:
        keep_audit(dataset, found)
    except UserError as error:
        console.print(Text(say("audit.not_kept", why=error.problem)), soft_wrap=True)
    return found


def run_audit(
    console: Console,
    dataset: Dataset | None,
    gold: Path,
    out: Path | None,
    language: Language,
    severity_map: str | None = None,
) -> None:
    """Audit a gold file, print it, keep it in ``out`` and, where the gold is a dataset's, in that dataset."""
    from ..harness.core.files import write_json
    from ..harness.data.dataset import open_dataset
    from ..harness.data.folder import is_dataset
    from ..harness.data.severity_map import read_severity_map
    from ..harness.labelling.audit.audit import audit
    from ..harness.labelling.audit.gold_table import read_gold_table
    from ..harness.labelling.audit.kept import keep_audit

    severities = read_severity_map(severity_map, language)
    found = audit(read_gold_table(gold, language, dataset, severities), language)
    if out is not None:
        write_json(out / AUDIT, found.model_dump(mode="json"))
    whose = open_dataset(gold) if is_dataset(gold) else dataset
    if whose is not None:
        keep_audit(whose, found)
    print_audit(console, found)


def print_audit(console: Console, found: Audit) -> None:
    """A line per check, then the verdict."""
    from rich.table import Table
    from rich.text import Text

    from ..harness.labelling.audit.checked import Weight
    from ..harness.languages.sentences import named_term
    from .tables import print_table

    colours = {Weight.NONE: "", Weight.LIMIT: "yellow", Weight.FATAL: "red"}
    table = Table(title=say("audit.table", n=f"{found.rows:,}"), title_justify="left")
    table.add_column(say("audit.check"), no_wrap=True)
    table.add_column(say("audit.effect"), justify="right", no_wrap=True)
    table.add_column(say("audit.p"), justify="right", no_wrap=True)
    table.add_column(say("audit.says"))
    for check in found.checks:
        effect = "—" if check.effect is None else f"{check.effect:.2f} {check.unit}"
        p = "—" if check.p is None else f"{check.p:.2g}"
        table.add_row(Text(term(check.check)), effect, p, Text(ours(check.words)), style=colours[check.weight])
    print_table(console, table)
    for check in found.checks:
        if check.rows and check.weight is not Weight.NONE:
            first = say("audit.first", check=named_term(check.check), rows=", ".join(check.rows))
            console.print(first, markup=False, soft_wrap=True)
    console.print(Text(ours(found.words)), soft_wrap=True)
