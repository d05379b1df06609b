"""Frozen vectors, stacking, an ordinal loss, costs and grouped folds: what a classifier may be made of."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.quality.report_card import REPORT_CARD
from maqa_severity.harness.labelling.sources.classifier import NOTE, open_classifier
from maqa_severity.harness.labelling.sources.classifier_embedding import ENCODER
from maqa_severity.harness.labelling.sources.classifier_stacked import FEATURES
from maqa_severity.harness.labelling.sources.decisions import called, triage_costs
from maqa_severity.harness.labelling.sources.text_encoder import TextEncoder
from maqa_severity.harness.severity import PROBABILITY_COLUMNS
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.classifier import inner as inner_module
from maqa_severity.trainers.classifier.calibration import fit_calibration
from maqa_severity.trainers.classifier.config import ClassifierConfig, Loss
from maqa_severity.trainers.classifier.folds import OUT_OF_FOLD
from maqa_severity.trainers.classifier.groups import group_rows
from maqa_severity.trainers.classifier.inner import inner_folds
from maqa_severity.trainers.classifier.rows import Rows
from maqa_severity.trainers.classifier.tfidf import rotated
from maqa_severity.trainers.classifier.train import train_classifier
from maqa_severity.trainers.classifier.transformer import Criterion
from pydantic import ValidationError
from scipy.special import softmax

ROWS = [row for row in handwritten_rows(ARABIC) if int(row["id"].split("-")[1]) % 2]
QUESTIONS = [row["question"] for row in ROWS[:40]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return dataset_from_rows(
        {"train": ROWS}, tmp_path_factory.mktemp("data") / "d", language=ARABIC, source="sample"
    )


@pytest.fixture(scope="module")
def stacked(dataset, encoder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("models") / "stacked"
    config = ClassifierConfig.model_validate(
        {"kind": "stacked", "base": str(encoder), "prefix": "query: ", "under_triage_cost": 9}
    )
    train_classifier(dataset, config, out, folds=2)
    return out


def test_a_stacked_classifier_loads_again_as_it_was_and_copies_no_encoder(stacked, encoder, tmp_path):
    source = open_classifier(stacked)
    found = source.probabilities(QUESTIONS)
    assert found.sum(axis=1) == pytest.approx(1)
    assert source.probabilities(QUESTIONS[::-1]) == pytest.approx(found[::-1], abs=1e-6)
    assert source.probabilities([]).shape == (0, 3)
    note = json.loads((stacked / NOTE).read_text("utf-8"))
    assert note["kind"] == "stacked" and set(note["chosen"]) == {"tfidf", "embedding", "stacked"}
    assert len(note["chosen"]["tfidf"]["rps"]) == 6
    best = note["chosen"]["stacked"]
    assert best["rps"][f"C {best['C']}"] == min(best["rps"].values())
    known = json.loads((stacked / "embedding" / ENCODER).read_text("utf-8"))
    assert known["base"] == str(encoder) and known["prefix"] == "query: " and len(known["sha256"]) == 64
    files = [path for path in stacked.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.suffix == ".safetensors") < 300_000
    assert all(path.read_bytes()[:1] != b"\x80" for path in files)


@pytest.mark.slow
def test_what_a_stacked_classifier_stands_on_may_not_change(stacked, encoder, tmp_path):
    copy = Path(shutil.copytree(stacked, tmp_path / "copy"))
    path = copy / "embedding" / ENCODER
    known = json.loads(path.read_text("utf-8"))
    moved = Path(shutil.copytree(encoder, tmp_path / "moved"))
    path.write_text(json.dumps(known | {"base": str(moved)}))
    assert open_classifier(copy).probabilities(QUESTIONS) == pytest.approx(
        open_classifier(stacked).probabilities(QUESTIONS)
    )
    for changes, named in (
        ({"base": str(tmp_path / "gone")}, "cannot load the encoder"),
        ({"sha256": "0" * 64}, "not 000000000000"),
        ({"prefix": "passage: "}, "was changed since"),
    ):
        path.write_text(json.dumps(known | changes))
        with pytest.raises(UserError, match=named):
            open_classifier(copy)
    path.write_text(json.dumps(known))
    features = copy / FEATURES
    features.write_text(json.dumps(json.loads(features.read_text("utf-8")) | {"rules_sha256": "0" * 64}))
    with pytest.raises(UserError, match="was trained with the rules"):
        open_classifier(copy)


def test_labels_and_cards_follow_the_costs_and_the_predictions_are_kept(stacked, dataset):
    kept = pd.read_parquet(stacked / OUT_OF_FOLD)
    assert list(kept.columns) == ["id", "truth", *PROBABILITY_COLUMNS, "fold"]
    assert sorted(kept["id"]) == sorted(row["id"] for row in ROWS) and set(kept["fold"]) == {1, 2}
    category = {row["id"]: row["category"] for row in ROWS}
    folds = {fold: {category[key] for key in part["id"]} for fold, part in kept.groupby("fold")}
    assert folds[1].isdisjoint(folds[2])
    source = open_classifier(stacked)
    assert source.costs == triage_costs(9) and source.version.endswith("+under9")
    card = next(c for c in json.loads((stacked / REPORT_CARD).read_text("utf-8")) if c["source"] == "classifier")
    ranks = called(source, kept[list(PROBABILITY_COLUMNS)].to_numpy(), np.zeros(len(kept), bool))
    truth = kept["truth"].map({"non_critical": 0, "neutral": 1, "critical": 2}).to_numpy()
    assert np.bincount(3 * truth + ranks, minlength=9).reshape(3, 3).tolist() == card["confusion"]
    likeliest = kept[list(PROBABILITY_COLUMNS)].to_numpy().argmax(axis=1)
    assert (ranks == 2).sum() > (likeliest == 2).sum()


def test_out_of_fold_means_that_no_model_saw_the_group(dataset, tmp_path, monkeypatch):
    rows = Rows(QUESTIONS, np.array([0, 1, 2, 1] * 10, dtype=np.int8), [str(at // 4) for at in range(40)])
    found = inner_folds(rows, 0)
    assert len(found.folds) == 5 and found.words == "40 rows in 5 folds grouped by category"
    for seen, unseen in found.folds:
        assert {rows.groups[at] for at in seen}.isdisjoint(rows.groups[at] for at in unseen)
    one = inner_folds(Rows(QUESTIONS, rows.ranks, ["a"] * 40), 0)
    assert "not grouped: too few groups" in one.words
    monkeypatch.setattr(inner_module, "MOST_ROWS", 20)
    assert inner_folds(rows, 0).words.startswith("20 rows drawn from 40 in")


def frame(ids, categories, questions=None):
    texts = questions or [hashlib.sha256(each.encode()).hexdigest() for each in ids]
    return pd.DataFrame({"id": ids, "question": texts, "category": categories})


def test_groups_are_categories_with_near_duplicates_where_most_of_them_are():
    texts = [*QUESTIONS[:5], QUESTIONS[0], QUESTIONS[0]]
    groups, words = group_rows(frame(list("abcdefg"), list("xxyyzzz"), texts), np.zeros(7, np.int8), ARABIC)
    assert groups == ["z", "x", "y", "y", "z", "z", "z"]
    assert words == "category, near-duplicates together"


def test_blocks_of_the_file_stand_in_where_categories_do_not_help_or_its_order_tells_of_the_label():
    rng = np.random.default_rng(0)
    ids = [str(at) for at in range(200)]
    order = rng.permutation(200)
    batches = np.repeat([0, 1, 2, 1], 50).astype(np.int8)
    for ranks, categories, words in (
        (batches, ["x", "y"] * 100, "blocks of neighbouring rows (the file's order tells of the label)"),
        (rng.permutation(batches), ["x"] * 200, "blocks of neighbouring rows"),
        (rng.permutation(batches), ["x", "y"] * 100, "category"),
    ):
        mixed = frame(ids, categories).iloc[order]
        groups, found = group_rows(mixed, ranks[order], ARABIC)
        assert found == f"{words}, near-duplicates together"
        if "blocks" in words:
            assert groups == [f"block {int(key) // 20}" for key in mixed["id"]]
    unnumbered = frame([f"{at:x}z" for at in range(200)], ["x"] * 200)
    assert group_rows(unnumbered, batches, ARABIC)[1] == "near-duplicates"


def test_a_turned_regression_is_the_same_regression():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    ranks = np.array([0, 1, 2, 1] * 10)
    features = vectorizer.fit_transform(QUESTIONS)
    asked = vectorizer.transform(["عندي ألم شديد في صدري", "حكة خفيفة"])
    tight = {"C": 2.0, "class_weight": "balanced", "tol": 1e-10, "max_iter": 10_000}
    plain = LogisticRegression(**tight).fit(features, ranks).decision_function(asked)
    one, other = rotated(features, asked)
    assert one.shape[1] <= 40
    assert LogisticRegression(**tight).fit(one, ranks).decision_function(other) == pytest.approx(plain, abs=1e-4)


def test_the_bias_gives_back_the_shares_that_balanced_weights_took():
    rng = np.random.default_rng(0)
    true = softmax(rng.normal(size=(4_000, 3)) + np.log([0.6, 0.34, 0.06]), axis=1)
    ranks = np.array([rng.choice(3, p=row) for row in true], dtype=np.int8)
    found = fit_calibration(2 * (np.log(true) - np.log([0.6, 0.34, 0.06])), ranks)
    assert found.temperature == pytest.approx(2, rel=0.15)
    assert np.array(found.bias) == pytest.approx(np.log([0.6, 0.34, 0.06]) - np.log(0.34), abs=0.25)


def test_the_ordinal_loss_is_least_for_true_probabilities_and_dearer_two_steps_off():
    ordinal = Criterion(Loss.ORDINAL, torch.ones(3))
    sure = [
        ordinal(torch.tensor([row]) * 20.0, torch.tensor([2])).item() for row in ([0, 0, 1], [0, 1, 0], [1, 0, 0])
    ]
    assert sure == pytest.approx([0, 0.5, 1], abs=1e-6)
    target = torch.tensor([0] * 5 + [1] * 3 + [2] * 2)
    logits = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200)

    def step():
        optimiser.zero_grad()
        loss = ordinal(logits.expand(10, 3), target)
        loss.backward()
        return loss

    optimiser.step(step)
    assert logits.softmax(0).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=1e-3)
    weighed = Criterion(Loss.CROSS_ENTROPY, torch.tensor([1.0, 2.0, 3.0]))
    given = torch.randn(10, 3)
    plain = torch.nn.functional.cross_entropy(given, target, weight=torch.tensor([1.0, 2.0, 3.0]))
    assert weighed(given, target).item() == pytest.approx(plain.item())


def test_vectors_are_means_over_the_tokens_whatever_shares_their_batch(encoder):
    reader = TextEncoder(str(encoder), None, "", 64)
    texts = ["صداع", "عندي ألم في صدري من أمس", ""]
    together = reader.vectors(texts)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert together == pytest.approx(np.concatenate([reader.vectors([text]) for text in texts]), abs=1e-5)
    batch = reader.tokenizer([texts[1]], return_tensors="pt")
    with torch.inference_mode():
        hidden = reader.network(**batch).last_hidden_state[0].mean(dim=0).numpy()
    assert together[1] == pytest.approx(hidden / np.linalg.norm(hidden), abs=1e-5)
    assert not np.allclose(together, TextEncoder(str(encoder), None, "query: ", 64).vectors(texts))


def test_a_given_c_is_not_chosen(dataset, tmp_path):
    train_classifier(dataset, ClassifierConfig(inverse_regularisation=3.0), tmp_path / "out", folds=2)
    chosen = json.loads((tmp_path / "out" / NOTE).read_text("utf-8"))["chosen"]
    assert chosen["C"] == 3.0 and len(chosen["rps"]) == 2


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kind": "embedding"}, "kind embedding needs the folder or hub id"),
        ({"kind": "transformers"}, "kind transformers needs"),
        ({"kind": "tfidf", "base": "x"}, "kind tfidf has no base"),
        ({"kind": "magic"}, "'tfidf', 'embedding', 'stacked' or 'transformers'"),
        ({"under_triage_cost": 0.5}, "greater than or equal to 1"),
        ({"loss": "hinge"}, "'ordinal' or 'cross-entropy'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, named):
    with pytest.raises(ValidationError, match=named):
        ClassifierConfig.model_validate(given)


def test_a_base_alone_is_fine_tuned_and_none_is_tfidf():
    assert ClassifierConfig(base="x").kind == "transformers"
    assert ClassifierConfig().kind == "tfidf"
