"""``maqa label --check`` and ``--stress``: looks into severity sources that label nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.data.dataset import Dataset
    from ..harness.data.severity_map import SeverityMap
    from ..harness.labelling.sources.base import SeveritySource
    from ..harness.severity import Weights


def run_check(
    console: Console,
    opened: Dataset,
    sources: list[SeveritySource],
    gold: Path,
    out: Path | None,
    severities: SeverityMap,
    json: Path | None,
) -> None:
    """Print the report cards of sources on a gold; keep them, and their reliability curves, in ``out``.

    ``json`` is where the cards go too, as ``write_json_result`` takes it.
    """
    from ..harness.core.files import write_json
    from ..harness.data.dataset import open_dataset
    from ..harness.data.folder import is_dataset
    from ..harness.labelling.audit.gold_table import read_gold_table
    from ..harness.labelling.overlap import refuse_overlap
    from ..harness.labelling.quality.check import check
    from ..harness.labelling.quality.reliability import RELIABILITY, plot_reliability
    from ..harness.labelling.quality.report_card import REPORT_CARD
    from ..harness.labelling.quality.trust import card_for
    from .card_tables import card_tables, not_by_people
    from .output import write_json_result

    table = read_gold_table(gold, opened.language, opened, severities)
    for source in sources:
        refuse_overlap(source, opened, table.ids, gold)
    cards = [check(opened, source, table, gold) for source in sources]
    dumped = [card.model_dump() for card in cards]
    if json is not None:
        write_json_result(json, dumped)
    if out is not None:
        write_json(out / REPORT_CARD, dumped)
        plot_reliability(cards, out / RELIABILITY)
    console.print(card_tables(cards))
    if is_dataset(gold) and (warning := not_by_people(open_dataset(gold).info)):
        console.print(warning, markup=False, soft_wrap=True)
    if card_for(cards, opened.info.severity_source.model_dump()) and out != opened.folder:
        console.print(
            f"To let this card travel with the dataset into its runs: the same command with --out {opened.folder}",
            markup=False,
            soft_wrap=True,
        )


def run_stress(
    console: Console,
    opened: Dataset,
    source: SeveritySource,
    weights: Weights,
    pairs: Path | None,
    out: Path | None,
) -> None:
    """Print how labels follow the wording, and keep table and plot in ``out``."""
    from ..harness.core.errors import UserError
    from ..harness.core.files import write_json
    from ..harness.labelling.quality.perturb import perturbations
    from ..harness.labelling.quality.stress import MAX_ROWS, read_pairs, stress_dataset
    from ..harness.labelling.quality.stress_plot import plot_stress
    from .label_tables import stress_table
    from .progress import rows_bar

    if out is None:
        raise UserError("--stress has no folder for its table and plot", "Name one with --out")
    language = opened.language
    given = read_pairs(pairs, language) if pairs else []
    rows = min(MAX_ROWS, sum(counts["rows"] for counts in opened.info.counts.values()))
    with rows_bar("rewriting", rows * len(perturbations(language)) + len(given)) as advance:
        report = stress_dataset(opened, source, weights, pairs=given, progress=advance)
    write_json(out / "stress.json", report.model_dump())
    plot_stress(report, out / "stress.png")
    console.print(stress_table(report))
    warn_if_seen(console, source, opened)
    console.print(f"Written to {out / 'stress.json'} and {out / 'stress.png'}", markup=False, soft_wrap=True)


def warn_if_seen(console: Console, source: SeveritySource, opened: Dataset) -> None:
    """Say where a source labels complaints that it was trained on."""
    from .label_tables import seen_in_training

    if note := seen_in_training(source, opened.info):
        console.print(note, markup=False, soft_wrap=True)
