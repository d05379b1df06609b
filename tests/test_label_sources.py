"""Several severity sources: side by side, as one, people's and a model's; and what each may not be checked by."""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from maqa_severity import cli
from maqa_severity.harness.data.dataset import SPLITS, Dataset, open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.sources.combined import CombinedSource, Method, Votes
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.triage.manual import load_manual, signs
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.harness.statistics.agreement import Scale, agreement, pair_agreement
from maqa_severity.harness.statistics.dawid_skene import dawid_skene, majority_shares
from maqa_severity.judges.labelling import STORE
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.judging import data_of
from maqa_severity.tests.serving import chat, error, serving
from maqa_severity.tests.tongues import ARABIC

ROWS = random.Random(0).sample(handwritten_rows(ARABIC), 90)
WORDS = {"critical": "حرجة", "neutral": "متوسطة", "non_critical": "بسيطة"}


@pytest.fixture
def maqa(monkeypatch, capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    rows = [{**row, "severity": None} for row in ROWS]
    return dataset_from_rows({"train": rows[:60], "test": rows[60:]}, tmp_path / "in", language=ARABIC, source="s")


def people(path: Path, right: float, seed: int, rows=ROWS) -> Path:
    """Labels of somebody who is right so often, and else says anything."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "severity"])
        for row in rows:
            said = row["severity"] if rng.random() < right else rng.choice(sorted(WORDS))
            table.writerow([row["id"], WORDS[said]])
    return path


def planted(n=600, seed=0):
    """Truths, and the votes of four labellers of known errors, one of whom leans to the severe."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    good, fair, poor = ([[a, (1 - a) * 0.8, (1 - a) * 0.2], [(1 - a) / 2, a, (1 - a) / 2],
                         [(1 - a) * 0.2, (1 - a) * 0.8, a]] for a in (0.9, 0.75, 0.55))  # fmt: skip
    severe = [[0.5, 0.3, 0.2], [0.05, 0.55, 0.4], [0.0, 0.1, 0.9]]
    tables = np.array([good, fair, poor, severe])
    votes = np.array([[rng.choice(3, p=table[rank]) for table in tables] for rank in truth])
    votes[rng.random(votes.shape) < 0.2] = -1
    return truth, votes, tables


def test_dawid_and_skene_find_planted_errors_and_beat_the_majority():
    truth, votes, tables = planted(3_000)
    found = dawid_skene(votes, 3)
    assert np.abs(found.confusion - tables).max() < 0.1
    assert np.abs(found.prevalence - [0.5, 0.3, 0.2]).max() < 0.05
    voted = (votes >= 0).any(axis=1)
    right = (found.posterior(votes).argmax(axis=1) == truth)[voted].mean()
    assert right > (majority_shares(votes, 3).argmax(axis=1) == truth)[voted].mean() + 0.02


def test_dawid_and_skene_give_the_published_estimate():
    # Anaesthetists, five observers, 45 patients (Dawid and Skene 1979, table 1), observer 1 with three ratings.
    table = """
    111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3
    232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1
    222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2
    111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3
    221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
    """
    votes = np.array(
        [[int(d) for d in cell.replace(" ", "")] for cell in re.split(r"[|\n]", table) if cell.strip()]
    )
    found = dawid_skene(votes[:, [0, 3, 4, 5, 6]] - 1, 4, prior=0)
    # With one rating of observer 1 instead of three the shares lie near the published .40 .42 .11 .07.
    assert votes.shape == (45, 7)
    assert found.prevalence == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.05)


def test_two_labellers_agree_as_the_general_coefficient_says():
    _, votes, _ = planted(400)
    pair, general = pair_agreement(votes[:, 0], votes[:, 1], 3), agreement(votes[:, :2], 3, Scale.ORDINAL)
    assert pair.units == general.units
    assert pair.exact.value == pytest.approx(general.exact.value) and pair.kappa.value == pytest.approx(
        general.kappa.value
    )
    assert pair.kappa.low == pytest.approx(general.kappa.low, abs=0.02)
    assert pair_agreement(votes[:0, 0], votes[:0, 1], 3).kappa.value is None


def test_several_sources_stand_side_by_side_and_their_agreement_is_kept(maqa, dataset, tmp_path):
    x, y = people(tmp_path / "x.csv", 0.6, 1), people(tmp_path / "y.csv", 0.9, 2, ROWS[:50])
    status, out, _ = maqa(
        "label", dataset.folder, "--with", "rules", "--with", x, "--with", y, "--compare", "--out", tmp_path / "c"
    )
    assert status == 0 and "x.csv" in out and "Agreement is not truth" in out
    found = json.loads((tmp_path / "c" / "agreement.json").read_text())
    pair = next(each for each in found["pairs"] if (each["one"], each["other"]) == ("x.csv", "y.csv"))
    assert pair["rows"] == 50 and pair["kappa"][1] < pair["kappa"][0] < pair["kappa"][2]
    assert open_dataset(dataset.folder).info.severity_source.name == "none"


@pytest.mark.parametrize("method", ["majority", "dawid-skene"])
def test_a_combination_labels_and_has_a_card_like_any_source(maqa, dataset, tmp_path, method):
    files = [people(tmp_path / f"{seed}.csv", right, seed) for seed, right in ((1, 0.6), (2, 0.8), (3, 0.8))]
    named = [word for file in files for word in ("--with", file)]
    gold = people(tmp_path / "gold.csv", 1.0, 9)
    out = tmp_path / "out"
    assert maqa("label", dataset.folder, *named, "--combine", method, "--out", out)[0] == 0
    labelled = open_dataset(out)
    assert labelled.info.severity_source.name == method
    probabilities = np.concatenate([labelled.split(name).filter(like="p_").to_numpy(float) for name in SPLITS])
    assert (probabilities < 1).all() and np.allclose(probabilities.sum(axis=1), 1)
    status, shown, _ = maqa("label", out, *named, "--combine", method, "--check", gold, "--out", out)
    assert status == 0 and method in shown and "1.csv" in shown
    cards = {card["version"]: card for card in json.loads((out / "report_card.json").read_text())}
    combined = next(card for version, card in cards.items() if "over" in version)
    assert combined["measures"]["accuracy"]["value"] > cards["1.csv"]["measures"]["accuracy"]["value"]
    from maqa_severity.harness.labelling.quality.trust import dataset_trust

    assert dataset_trust(open_dataset(out), []).checked


def test_a_combination_keeps_the_levels_of_the_source_that_agrees(dataset):
    texts = [row["question"] for row in ROWS]
    rules = RulesSource(ARABIC)
    combined = CombinedSource(Method.MAJORITY, Votes([rules], ARABIC), texts)
    known = rules.labels(texts).levels > 0
    assert (combined.labels(texts).levels[known] == rules.labels(texts).levels[known]).all() and known.any()


def test_what_people_do_not_label_stays_unlabelled(maqa, dataset, tmp_path):
    out = tmp_path / "out"
    assert (
        maqa("label", dataset.folder, "--with", people(tmp_path / "p.csv", 1.0, 1, ROWS[:40]), "--out", out)[0] == 0
    )
    info = open_dataset(out).info
    assert info.severity_source.name == "people"
    assert sum(counts["unlabelled"] for counts in info.counts.values()) == 50


@pytest.mark.slow
def test_a_gold_that_a_classifier_was_trained_on_is_refused(maqa, tmp_path):
    rows = handwritten_rows(ARABIC)
    train, rest = rows[::2], rows[1::2]
    splits = {"train": train, "validation": rest[::2], "test": rest[1::2]}
    expert = dataset_from_rows(splits, tmp_path / "expert", language=ARABIC, source="s")
    assert maqa("train", "classifier", expert.folder, "--out", tmp_path / "model")[0] == 0
    gold, clean = (
        people(tmp_path / "gold.csv", 1.0, 0, train[:20] + rest[:9]),
        people(tmp_path / "c.csv", 1, 0, rest[1::2]),
    )
    cut = [{**row, "id": f"new{row['id']}"} for row in rows]
    anew = dataset_from_rows({"test": cut}, tmp_path / "anew", language=ARABIC, source="s")
    new = people(tmp_path / "n.csv", 1, 0, cut[:40:2])
    # Of the first gold 20 are of the training split and 5 of the validation split, which is trained on too.
    for where, path, seen in ((expert.folder, gold, 25), (anew.folder, new, 20)):
        for extra in ([tmp_path / "model"], ["hybrid", "--classifier", tmp_path / "model"]):
            status, _, said = maqa("label", where, "--with", *extra, "--check", path)
            assert status == 2 and f"{seen} of its" in said and "were in the training of" in said
            assert "Leave these rows out of the gold" in said and len(said.strip().splitlines()) == 1
    assert maqa("label", expert.folder, "--with", tmp_path / "model", "--check", clean)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--with", "rules", "--with", "X"], "--with names 2 sources"),
        (["--with", "X", "--with", "X", "--compare"], "stands twice"),
        (["--with", "X", "--compare"], "--compare takes several"),
        (["--combine", "majority"], "--combine takes several"),
        (["--with", "rules", "--with", "column", "--compare"], "has no labels by people"),
        (["--with", "rules", "--with", "X", "--combine", "majority", "--engine", "ray"], "--engine ray goes with"),
        (["--with", "X", "--severity-map", "حرجة=1"], "severity map does not name"),
        (["--with", "A", "--with", "B", "--compare"], "have no complaint in common"),
        (["--with", "llm", "--model-args", "base_url=http://x/v1,model=m,api_key=sk-secret"], "holds the secret"),
    ],
)
def test_what_does_not_fit_together_is_one_line(maqa, dataset, tmp_path, arguments, problem):
    paths = {
        "X": people(tmp_path / "x.csv", 0.5, 1),
        "A": people(tmp_path / "a.csv", 1, 1, ROWS[:10]),
        "B": people(tmp_path / "b.csv", 1, 1, ROWS[10:20]),
    }
    status, _, said = maqa(
        "label", dataset.folder, *(paths.get(word, word) for word in arguments), "--out", tmp_path / "o"
    )
    assert status == 2 and problem in said and len(said.strip().splitlines()) == 1
    assert "sk-secret" not in said


LEVEL = {"critical": 2, "neutral": 3, "non_critical": 5}
TRUTH = {row["question"]: row["severity"] for row in ROWS}


def labeller(body, nth=0):
    """A model that labels right, quotes the complaint, and fails on some as models do."""
    complaint = data_of(body)["complaint"]
    if complaint == ROWS[0]["question"]:
        return chat("I am not sure.")
    if complaint == ROWS[1]["question"]:
        return error(400, "refused by a filter")
    said = {"level": LEVEL[TRUTH[complaint]], "evidence": " ".join(complaint.split()[:2]), "note": "x"}
    return chat("Here: " + json.dumps(said, ensure_ascii=False))


def test_a_model_labels_by_the_manual_and_is_asked_once(maqa, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("MAQA_API_KEY", "sk-very-secret")
    gold = people(tmp_path / "gold.csv", 1.0, 0, ROWS[2:])
    with serving(labeller) as server:
        url = server.url.replace("/v1/completions", "/v1")
        llm = ["--with", "llm", "--model-args", f"base_url={url},model=m,max_retries=1"]
        out = tmp_path / "out"
        status, _, complained = maqa("label", dataset.folder, *llm, "--out", out)
        assert status == 0, complained
        asked = len(server.asked)
        assert maqa("label", dataset.folder, *llm, "--check", gold, "--out", tmp_path / "card")[0] == 0
        assert len(server.asked) == asked
        assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
        told = server.asked[0]["messages"][0]["content"]
    assert load_manual(ARABIC).levels["1"].follows in told and signs(ARABIC)[0].named[0][0] in told
    labelled = open_dataset(out)
    frame = labelled.split("train")
    right = [TRUTH[row["question"]] == row["severity"] for _, row in frame.iterrows()]
    assert sum(right) >= len(right) - 2
    assert labelled.info.labelling["unknown"] == 2
    reasons = labelled.reasons("train").dropna(subset=["discriminators"])
    level = json.loads(reasons["discriminators"].iloc[0])[0]
    assert (
        level["id"] == "llm"
        and level["words"]
        and CLASS_OF_LEVEL[level["level"]] == frame["severity"][reasons.index[0]]
    )
    (card,) = json.loads((tmp_path / "card" / "report_card.json").read_text())
    assert card["measures"]["accuracy"]["value"] == 100 and card["source"] == "llm"
    for path in [p for folder in (dataset.folder, out) for p in folder.rglob("*") if p.is_file()]:
        assert b"very-secret" not in path.read_bytes()
    assert (dataset.folder / STORE).is_dir()


def test_a_model_that_stops_answering_writes_no_labels_and_the_same_command_goes_on(maqa, dataset, tmp_path):
    dead = {"now": True}

    def moody(body, nth):
        if dead["now"] and data_of(body)["complaint"] in [row["question"] for row in ROWS[5:12]]:
            return error(503, "busy", Retry_After="0")
        return labeller(body)

    with serving(moody) as server:
        url = server.url.replace("/v1/completions", "/v1")
        llm = ["--with", "llm", "--model-args", f"base_url={url},model=m,max_retries=1,num_concurrent=2"]
        command = ["label", dataset.folder, *llm, "--out", tmp_path / "out"]
        status, _, said = maqa(*command)
        assert status == 2 and "same command" in said and not (tmp_path / "out" / "dataset.json").exists()
        asked, dead["now"] = len(server.asked), False
        assert maqa(*command)[0] == 0
        again = [data_of(body)["complaint"] for body in server.asked[asked:]]
        assert len(again) < 45 and not {row["question"] for row in ROWS[12:40]} & set(again)
    assert open_dataset(tmp_path / "out").info.severity_source.name == "llm"


def test_the_manuals_short_form_stands_in_both_languages():
    for code in ("ar", "en"):
        manual, levels = load_manual(language(code)), signs(language(code))
        assert set(manual.levels) == set("12345") and [each.level for each in levels][:3] == [1, 2, 3]
        assert all(name for each in levels for name, _ in each.named)
    assert len(load_manual(language("ar")).steps) == len(load_manual(language("en")).steps)
