"""A gold is asked what besides the text predicts its labels: planted faults are named, and sound golds are not."""

import csv
import json
import re

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.audit.audit import Standing, audit
from maqa_severity.harness.labelling.audit.checked import Weight
from maqa_severity.harness.labelling.audit.circumstances import association
from maqa_severity.harness.labelling.audit.gold_table import read_gold_table
from maqa_severity.harness.labelling.audit.order import order_found, quadratic_kappa
from maqa_severity.harness.languages.sentences import known_again, told
from maqa_severity.tests.auditing import ARABIC, planted
from scipy import stats
from sklearn.metrics import cohen_kappa_score

NAMED = {
    "drift": ("position: change point", "position: neighbours"),
    "runs": ("position: runs", "position: neighbours"),
    "careless": ("careless annotator",),
    "flips": ("label noise",),
    "shuffled": ("text",),
}


def faults(found) -> set[str]:
    return {check.check for check in found.checks if check.weight is not Weight.NONE}


@pytest.mark.parametrize("kind", NAMED)
def test_a_planted_fault_is_named(kind):
    found = audit(planted(kind, 1), ARABIC)
    assert faults(found) & set(NAMED[kind])
    wanted = Standing.UNFIT if kind == "shuffled" else Standing.LIMITED
    assert found.standing is wanted and found.words.startswith(wanted)
    # What a dataset holds in English is said in Arabic again, but for names and figures.
    held = told(known_again(str(found.words), "audit."), "ar")
    assert held == told(found.words, "ar") and not re.search("[a-z]+ [a-z]+", held)


def test_a_sound_gold_is_called_sound():
    found = audit(planted("clean", 1), ARABIC)
    assert (found.standing, faults(found)) == (Standing.SOUND, set())
    assert "agreement cannot be known" in next(check.words for check in found.checks if check.check == "agreement")


def test_two_annotators_give_agreement_and_a_ceiling():
    found = audit(planted("clean", 1, n=200, twice=1.0), ARABIC)
    assert found.ceiling == 1
    mixed = audit(planted("flips", 1, n=200, twice=1.0), ARABIC)
    agreed = next(check for check in mixed.checks if check.check == "agreement")
    assert 0.5 < agreed.effect < 0.95 and mixed.ceiling == pytest.approx(agreed.effect**0.5)


@pytest.mark.weekly
@pytest.mark.slow
def test_twenty_planted_golds_are_found_out_and_sound_ones_left_alone():
    missed = [
        (kind, seed)
        for kind in NAMED
        for seed in range(4)
        if not faults(audit(planted(kind, seed), ARABIC)) & set(NAMED[kind])
    ]
    assert not missed
    suspected = [seed for seed in range(40) if faults(audit(planted("clean", seed, n=300), ARABIC))]
    assert len(suspected) <= 2


def test_tests_of_order_keep_their_level(monkeypatch):
    monkeypatch.setattr("maqa_severity.harness.labelling.audit.order._CELLS", 0)
    rng = np.random.default_rng(0)
    found = [order_found(rng.integers(0, 3, 120).astype(np.int8), seed) for seed in range(60)]
    for name in ("kappa_p", "runs_p", "cut_p"):
        assert sum(getattr(each, name) < 0.05 for each in found) <= 8


def test_kappa_and_chi_square_are_those_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(1)
    first = rng.integers(0, 3, 300)
    second = np.where(rng.random(300) < 0.6, first, rng.integers(0, 3, 300))
    assert quadratic_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    values = [f"v{value}" for value in second]
    found = association("batch", values, first.astype(np.int8))
    table = np.array([[((second == row) & (first == column)).sum() for column in range(3)] for row in range(3)])
    assert found.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert 0.4 < found.v < 0.8


@pytest.fixture
def gold(tmp_path):
    """A gold file with annotators, of the grammar's complaints."""
    made = planted("clean", 3, n=150)
    path = tmp_path / "gold.csv"
    names = ["non_critical", "neutral", "critical"]
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "question", "severity", "rater", "batch"])
        for place, key in enumerate(made.ids):
            annotator = made.columns["annotator"][place]
            table.writerow([key, made.texts[place], names[made.ranks[place]], annotator, place // 50])
    return path


def test_a_gold_file_is_read_with_its_annotators_and_batches(gold):
    found = read_gold_table(gold, ARABIC)
    assert found.annotators and set(found.columns) == {"annotator", "batch"}
    assert (found.codes >= 0).sum() == len(found.ids) == 150


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["q0", "text", "critical", "a0", 1], "labels 'q0' twice by a0"),
        (["new", "text", "sevenish", "a0", 1], "unknown severity 'sevenish'"),
    ],
)
def test_a_gold_that_contradicts_itself_is_one_line(gold, row, problem):
    lines = list(csv.reader(gold.open(encoding="utf-8")))
    if row[0] == "q0":
        row[3] = next(line[3] for line in lines if line[0] == "q0")
        problem = f"labels 'q0' twice by {row[3]}"
    with gold.open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerow(row)
    with pytest.raises(UserError, match=problem):
        read_gold_table(gold, ARABIC)


def test_a_gold_without_texts_asks_for_its_dataset(tmp_path):
    path = tmp_path / "gold.csv"
    path.write_text("id,severity\nq1,critical\n")
    with pytest.raises(UserError, match="Name the dataset"):
        read_gold_table(path, ARABIC)
    path.write_text("name,severity\nq1,critical\n")
    with pytest.raises(UserError, match="has no id and no question"):
        read_gold_table(path, ARABIC)


def test_the_verdict_is_kept_where_board_and_report_find_it(tmp_path, gold):
    import os
    import subprocess
    import sys

    from maqa_severity.harness.data.dataset import open_dataset
    from maqa_severity.harness.labelling.audit.kept import audit_words

    def maqa(*arguments):
        command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"})

    frame = list(csv.DictReader(gold.open(encoding="utf-8")))
    source = tmp_path / "rows.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, ["id", "question", "answer", "severity"], extrasaction="ignore")
        table.writeheader()
        table.writerows({**row, "answer": f"answer {place}"} for place, row in enumerate(frame))
    assert maqa("prepare", source, "--out", tmp_path / "data", "--test", 20, "--validation", 20).returncode == 0
    done = maqa("label", tmp_path / "data", "--audit", gold, "--out", tmp_path / "audit")
    assert done.returncode == 0, done.stderr
    opened = open_dataset(tmp_path / "data")
    words = json.loads((tmp_path / "audit" / "audit.json").read_text())["words"]
    assert audit_words(opened.info) == words and words.split(":")[0] in done.stdout
