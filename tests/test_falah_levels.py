"""Two blind readings of 400 real complaints by the manual of severity, checked where the texts are."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.harness.statistics.agreement import Scale, agreement
from maqa_severity.tests.falah_unread import UNREAD, unread

ROOT = Path(__file__).parents[1]
ROWS = list(csv.DictReader((ROOT / "tests" / "data" / "falah_levels.csv").open(encoding="utf-8")))
UNREAD_ROWS = list(csv.DictReader(UNREAD.open(encoding="utf-8")))
FIRST_SEEN = json.loads((ROOT / "tests" / "data" / "falah_first_seen.json").read_text(encoding="utf-8"))


def codes() -> np.ndarray:
    return np.array([[int(row["rater_a"]) - 1, int(row["rater_b"]) - 1] for row in ROWS])


def test_no_text_is_kept_and_differences_went_to_the_more_urgent_level():
    assert len(ROWS) == 400 and set(ROWS[0]) == {"id", "sha256", "rater_a", "rater_b", "level", "half"}
    assert all(int(row["level"]) == min(int(row["rater_a"]), int(row["rater_b"])) for row in ROWS)
    assert {row["half"] for row in ROWS} == {"development", "test"}


@pytest.mark.parametrize("page", ["severity.md", "severity.ar.md"])
def test_the_manual_says_how_far_the_readers_agree(page):
    found = agreement(codes(), 5, Scale.ORDINAL)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for each in (found.kappa, found.alpha, found.ac):
        assert f"{each.value:.2f} [{each.low:.2f}, {each.high:.2f}]" in text


def test_unread_complaints_keep_no_text_and_differences_went_to_the_more_urgent_level():
    columns = {"id", "sha256", "first", "second", "adjudicated", "information"}
    assert len(UNREAD_ROWS) == 160 and set(UNREAD_ROWS[0]) == columns
    assert all(int(row["adjudicated"]) == min(int(row["first"]), int(row["second"])) for row in UNREAD_ROWS)
    assert {row["id"] for row in UNREAD_ROWS}.isdisjoint(row["id"] for row in ROWS)


@pytest.mark.parametrize("page", ["severity.md", "severity.ar.md"])
def test_the_manual_says_how_far_the_reader_of_unread_complaints_repeats_itself(page):
    readings = np.array([[int(row["first"]) - 1, int(row["second"]) - 1] for row in UNREAD_ROWS])
    kappa = agreement(readings, 5, Scale.ORDINAL).kappa
    assert f"{kappa.value:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]" in (ROOT / "docs" / page).read_text(
        encoding="utf-8"
    )


def test_what_the_unread_complaints_first_showed_is_of_the_levels_that_were_frozen():
    first = json.loads(UNREAD.with_name("falah_unread_first_seen.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(UNREAD.read_bytes()).hexdigest() == first["gold_sha256"]
    ranks = [CLASS_OF_LEVEL[int(row["adjudicated"])].rank for row in UNREAD_ROWS]
    for name, card in first["sources"].items():
        table = np.array(card["confusion"])
        assert table.sum(axis=1).tolist() == np.bincount(ranks, minlength=3).tolist(), name
        recall = card["measures"]["critical_recall"]["value"]
        assert recall == pytest.approx(100 * table[2, 2] / table[2].sum()), name


@pytest.mark.parametrize(("page", "percent"), [("severity.md", " %"), ("severity.ar.md", "٪")])
def test_the_manual_says_what_the_rules_first_showed_on_unread_complaints(page, percent):
    first = json.loads(UNREAD.with_name("falah_unread_first_seen.json").read_text(encoding="utf-8"))
    measures, text = first["sources"]["rules"]["measures"], (ROOT / "docs" / page).read_text(encoding="utf-8")
    kappa = measures["quadratic_kappa"]
    assert f"{kappa['value']:.2f} ({kappa['low']:.2f}–{kappa['high']:.2f})" in text
    for name in ("critical_recall", "other_over_triage", "severe_under_triage"):
        rate = measures[name]
        assert f"{rate['value']:.0f}{percent} ({rate['low']:.0f}–{rate['high']:.0f})" in text, name


@pytest.fixture(scope="module")
def dataset(falah, tmp_path_factory):
    """The real complaints as a dataset."""
    from maqa_severity.harness.data.dataset import SPLITS, open_dataset

    folder = tmp_path_factory.mktemp("falah")
    done = maqa("prepare", falah, "--out", folder / "data")
    assert done.returncode == 0, done.stderr
    opened = open_dataset(folder / "data")
    return folder, pd.concat([opened.split(name) for name in SPLITS])


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"})


def test_every_level_is_of_the_text_that_was_read(dataset):
    texts = dict(zip(dataset[1]["id"].astype(str), dataset[1]["question"], strict=True))
    for row in ROWS + UNREAD_ROWS:
        assert hashlib.sha256(texts[row["id"]].encode()).hexdigest() == row["sha256"], row["id"]


def test_the_unread_complaints_are_those_that_were_drawn(dataset):
    assert [row["id"] for row in UNREAD_ROWS] == unread(dataset[1])


def test_the_rules_are_no_worse_on_unread_complaints_than_when_first_seen(dataset):
    folder, _ = dataset
    gold = folder / "gold.csv"
    with gold.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "severity"])
        table.writerows((row["id"], CLASS_OF_LEVEL[int(row["level"])]) for row in ROWS if row["half"] == "test")
    done = maqa("label", folder / "data", "--with", "rules", "--check", gold, "--out", folder / "card")
    assert done.returncode == 0, done.stderr
    (card,) = json.loads((folder / "card" / "report_card.json").read_text(encoding="utf-8"))
    for name in ("quadratic_kappa", "critical_recall"):
        assert card["measures"][name]["value"] >= FIRST_SEEN["test"][name]["value"] - 1e-9, name
    assert card["unknown"] <= 0.1 * card["rows"]
