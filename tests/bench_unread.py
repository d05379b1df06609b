"""Every severity source on 160 real complaints that neither a rule's author nor a classifier met.

    python -m maqa_severity.tests.bench_unread --encoder DIR [--json FILE]

Classifiers are trained on the 400 complaints of ``falah_levels.csv``. Their labellers are not the reader of
these 160, so a difference between the two sets is one of complaints and of readers. ``bench_severity`` prints the
same after its own table. ``--json`` keeps the cards; ``data/falah_unread_first_seen.json`` has the first ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.data.labels import most_likely
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.prior import filled
from maqa_severity.harness.labelling.quality.check import decided
from maqa_severity.harness.labelling.quality.report_card import Measure, Ranks, ReportCard, report_card
from maqa_severity.harness.labelling.sources.classifier import open_classifier
from maqa_severity.harness.labelling.sources.decisions import least_costly, triage_costs
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.falah_unread import UNREAD
from maqa_severity.tests.severity_gold import COST, RULES, gold_rows, prepared, sources
from maqa_severity.trainers.classifier.config import ClassifierConfig
from maqa_severity.trainers.classifier.train import train_classifier
from rich.console import Console

LABELS = "adjudicated, 160 unread complaints"
RATES = ("critical_recall", "other_over_triage", "severe_under_triage")
WITHIN = 10.0
"""Points in percent, and hundredths of kappa, by which a figure may differ from that of the 400."""


class Seen(Protocol):
    """A source's figures on the 400, in percent but for kappa."""

    @property
    def kappa(self) -> float: ...
    @property
    def recall(self) -> float: ...
    @property
    def over_triage(self) -> float: ...
    @property
    def missed(self) -> float: ...


def cards(encoder: Path | None, complaints: pd.DataFrame, folder: Path) -> Iterator[tuple[str, ReportCard]]:
    """Every source with and without costs; classifiers that ``folder`` has are not trained anew."""
    arabic = language("ar")
    unread = gold_rows(complaints, UNREAD, "adjudicated")
    rows = {"train": gold_rows(complaints), "test": unread}
    data = dataset_from_rows(rows, folder / "unread", language=arabic, source="FALAH-Mix")
    truth: Ranks = np.array([Severity(str(row["severity"])).rank for row in unread], dtype=np.int8)
    questions = [str(row["question"]) for row in unread]
    for name, given in sources(encoder).items():
        if given and not (folder / name).is_dir():
            train_classifier(data, ClassifierConfig.model_validate(given), folder / name)
        source = open_classifier(folder / name) if given else RulesSource(arabic)
        known = decided(source, questions, arabic)
        unknown = np.isnan(known).any(axis=1)
        probabilities = filled(known, arabic)
        for called, costs in ((name, None), (f"{name}, cost {COST:g}", triage_costs(COST))):
            yield (
                called,
                report_card(
                    probabilities,
                    truth,
                    source=(called, source.version, source.sha256),
                    labels=LABELS,
                    unknown=int(unknown.sum()),
                    assigned=np.where(unknown, most_likely(probabilities), least_costly(probabilities, costs)),
                ),
            )


def show(
    encoder: Path | None, complaints: pd.DataFrame, folder: Path, console: Console
) -> Iterator[tuple[str, ReportCard]]:
    """The cards, each printed as it is done."""
    console.print("160 unread complaints, classifiers trained on all 400", markup=False)
    console.print(
        "source | kappa | recall of critical | others called so | critical called mild | unknown | shares"
    )
    for at, (name, card) in enumerate(cards(encoder, complaints, folder)):
        if not at:
            console.print(f"adjudicated | | | | | | {shares(card, axis=1)}", markup=False)
        rates = " | ".join(_said(card.measures[rate]) for rate in RATES)
        unknown = f"{100 * card.unknown / card.rows:.1f} %"
        kappa = _said(card.measures["quadratic_kappa"], 2)
        console.print(f"{name} | {kappa} | {rates} | {unknown} | {shares(card)}", markup=False)
        yield name, card


def shares(card: ReportCard, axis: int = 0) -> str:
    """Percent of rows called each class, mildest first; with ``axis`` 1 of rows that are of it."""
    return " / ".join(f"{100 * count / card.rows:.1f}" for count in np.array(card.confusion).sum(axis=axis))


def _said(measure: Measure, decimals: int = 0) -> str:
    if measure.value is None or measure.low is None or measure.high is None:
        return "-"
    value, low, high = (f"{each:.{decimals}f}" for each in (measure.value, measure.low, measure.high))
    return f"{value} ({low}-{high}) {measure.unit}".rstrip()


def moved(unread: Mapping[str, ReportCard], seen: Mapping[str, Seen]) -> Iterator[tuple[str, float, float, bool]]:
    """Claim, figure on the unread, on the 400, and whether they are within ``WITHIN``: rules and the best."""
    best = max(seen, key=lambda name: seen[name].kappa)
    for name in dict.fromkeys((RULES, best)):
        measures, there = unread[name].measures, seen[name]
        pairs = (
            ("100 x kappa", 100 * (measures["quadratic_kappa"].value or 0.0), 100 * there.kappa),
            ("recall of critical", measures["critical_recall"].value or 0.0, there.recall),
            ("others called so", measures["other_over_triage"].value or 0.0, there.over_triage),
            ("critical called mild", measures["severe_under_triage"].value or 0.0, there.missed),
        )
        for what, ours, reference in pairs:
            yield f"unread, {name}: {what}", ours, reference, abs(ours - reference) <= WITHIN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    if not FALAH.is_file():
        console.print(f"skipped: FALAH-Mix is not at {FALAH}", markup=False)
        return 0
    encoder: Path | None = given.encoder
    if encoder is None:
        console.print("without frozen vectors: no --encoder is named")
    elif not encoder.is_dir():
        parser.error(f"--encoder {encoder} is no folder; make one with `maqa fetch`")
    with tempfile.TemporaryDirectory() as folder:
        found = dict(show(encoder, prepared(Path(folder) / "falah"), Path(folder), console))
    if given.json is not None:
        keep = {"rows", "unknown", "version", "sha256", "measures", "confusion"}
        write_json(given.json, {name: card.model_dump(include=keep) for name, card in found.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
