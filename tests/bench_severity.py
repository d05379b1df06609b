"""Every severity source against the adjudicated levels of 400 real complaints.

    python -m maqa_severity.tests.bench_severity --encoder DIR

Each row is predicted by a classifier that saw no row of its category and none of nearly its text. Nothing is tuned
on what is reported, but for the rules, whose authors read the half ``development``, and the cost of a missed
emergency. Prints a table, another of 160 unread complaints (``bench_unread``), then ``claim | ours | reference |
ratio | goal | holds``, and exits with 0 only if every claim holds. It needs FALAH-Mix, and for frozen vectors an
encoder, such as the ``multilingual-e5-small`` of ``maqa fetch`` makes.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.prior import filled
from maqa_severity.harness.labelling.quality.check import decided
from maqa_severity.harness.labelling.quality.report_card import Ranks, report_card
from maqa_severity.harness.labelling.sources.decisions import Costs, least_costly, triage_costs
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import CLASS_OF_LEVEL, PROBABILITY_COLUMNS, SEVERITIES
from maqa_severity.harness.statistics.agreement import Scale, agreement
from maqa_severity.tests import bench_unread
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.severity_gold import COST, LEVELS, gold_rows, prepared, sources
from maqa_severity.trainers.classifier.config import ClassifierConfig
from maqa_severity.trainers.classifier.folds import OUT_OF_FOLD
from maqa_severity.trainers.classifier.train import train_classifier
from rich.console import Console

Floats = npt.NDArray[np.float64]
FOLDS = 5


class Line(NamedTuple):
    """One source, in percent but for kappa."""

    name: str
    kappa: float
    recall: float
    over_triage: float
    missed: float
    shares: tuple[float, ...]
    rps: float


def line(name: str, probabilities: Floats, truth: Ranks, costs: Costs | None) -> Line:
    """What a source is worth that decides so by probabilities (n, 3), held against true ranks (n,)."""
    assigned = least_costly(probabilities, costs)
    card = report_card(
        probabilities, truth, source=(name, "", ""), labels="adjudicated", unknown=0, assigned=assigned
    )
    table = np.array(card.confusion)
    return Line(
        name,
        card.measures["quadratic_kappa"].value or 0.0,
        100 * table[2, 2] / table[2].sum(),
        100 * table[:2, 2].sum() / table[:2].sum(),
        100 * table[2, 0] / table[2].sum(),
        tuple(100 * table.sum(axis=0) / table.sum()),
        card.measures["rps"].value or 0.0,
    )


def raters() -> float:
    """Quadratic kappa of the two labellers, of the three classes."""
    codes: npt.NDArray[np.int64] = np.array(
        [
            [CLASS_OF_LEVEL[int(row[who])].rank for who in ("rater_a", "rater_b")]
            for row in csv.DictReader(LEVELS.open(encoding="utf-8"))
        ]
    )
    return float(agreement(codes, 3, Scale.ORDINAL).kappa.value or 0.0)


def lines(encoder: Path | None, complaints: pd.DataFrame, folder: Path) -> Iterator[Line]:
    """Every source with and without costs, as they are done."""
    arabic = language("ar")
    data = dataset_from_rows({"train": gold_rows(complaints)}, folder / "gold", language=arabic, source="FALAH-Mix")
    rules = RulesSource(arabic)
    for name, given in sources(encoder).items():
        if given:
            train_classifier(data, ClassifierConfig.model_validate(given), folder / name, folds=FOLDS)
            frame = pd.read_parquet(folder / name / OUT_OF_FOLD)
            probabilities = frame[list(PROBABILITY_COLUMNS)].to_numpy()
        else:
            frame = data.split("train").rename(columns={"severity": "truth"})
            probabilities = filled(decided(rules, frame["question"].tolist(), arabic), arabic)
        truth = frame["truth"].map({str(each): each.rank for each in SEVERITIES}).to_numpy(np.int8)
        yield line(name, probabilities, truth, None)
        yield line(f"{name}, cost {COST:g}", probabilities, truth, triage_costs(COST))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path)
    encoder: Path | None = parser.parse_args().encoder
    console = Console(highlight=False, soft_wrap=True)
    if not FALAH.is_file():
        console.print(f"skipped: FALAH-Mix is not at {FALAH}", markup=False)
        return 0
    if encoder is None:
        console.print("without frozen vectors: no --encoder is named")
    elif not encoder.is_dir():
        parser.error(f"--encoder {encoder} is no folder; make one with `maqa fetch`")
    truth = [CLASS_OF_LEVEL[int(row["level"])].rank for row in csv.DictReader(LEVELS.open(encoding="utf-8"))]
    shares = 100 * np.bincount(truth, minlength=3) / len(truth)
    names = [str(each) for each in sorted(SEVERITIES, key=lambda each: each.rank)]
    console.print(f"adjudicated, % {', '.join(names)}: {' / '.join(f'{share:.0f}' for share in shares)}")
    console.print("source | kappa | recall of critical | others called so | critical called mild | shares | RPS")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        complaints = prepared(Path(folder) / "falah")
        for each in lines(encoder, complaints, Path(folder)):
            found.append(each)
            said = " / ".join(f"{share:.0f}" for share in each.shares)
            rates = " | ".join(f"{rate:.1f} %" for rate in (each.recall, each.over_triage, each.missed))
            console.print(f"{each.name} | {each.kappa:.2f} | {rates} | {said} | {each.rps:.4f}", markup=False)
        unread = dict(bench_unread.show(encoder, complaints, Path(folder), console))
    best = max(found, key=lambda each: each.kappa)
    within = [each for each in found if each.over_triage <= 35]
    recall, missed = max(within, key=lambda each: each.recall), min(within, key=lambda each: each.missed)
    gap = float(np.abs(np.array(best.shares) - shares).max())
    people = raters()
    moved = bench_unread.moved(unread, {each.name: each for each in found})
    console.print("claim | ours | reference | ratio | goal | holds", markup=False)
    every = True
    for claim, ours, reference, ratio, goal, holds in (
        ("kappa of the best source", f"{best.kappa:.2f} ({best.name})", "-", "-", ">= 0.6", best.kappa >= 0.6),
        (
            "of the labellers' agreement",
            f"{best.kappa:.2f}",
            f"{people:.2f}",
            f"{best.kappa / people:.2f}",
            ">= 0.85",
            best.kappa >= 0.85 * people,
        ),
        ("recall of critical", f"{recall.recall:.0f} % ({recall.name})", "-", "-", ">= 90 %", recall.recall >= 90),
        ("critical called mild", f"{missed.missed:.0f} % ({missed.name})", "-", "-", "<= 3 %", missed.missed <= 3),
        ("shares of the classes", f"{gap:.0f} points off ({best.name})", "-", "-", "<= 5 points", gap <= 5),
    ):
        every &= bool(holds)
        cells = (claim, ours, reference, ratio, goal, "holds" if holds else "falls short")
        console.print(" | ".join(cells), markup=False)
    for claim, here, there, holds in moved:
        every &= holds
        cells = (claim, f"{here:.0f}", f"{there:.0f} on the 400", f"{here - there:+.0f} points", "within 10")
        console.print(" | ".join((*cells, "holds" if holds else "falls short")), markup=False)
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
