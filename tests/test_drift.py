"""Where a label decides nothing: drift from a classifier's training text, and weights that hardly differ."""

from __future__ import annotations

import random
import shutil

import maqa_severity.commands.demo
import maqa_severity.commands.label  # noqa: F401
import numpy as np
import pandas as pd
import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import open_dataset, write_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.audit.audit import Audit, Standing
from maqa_severity.harness.labelling.audit.kept import keep_audit
from maqa_severity.harness.labelling.drift import _auc, drift_of, drift_words, told_apart
from maqa_severity.harness.labelling.quality.trust import Trust, dataset_trust, in_words
from maqa_severity.harness.labelling.sources.choose import open_source
from maqa_severity.harness.labelling.sources.hybrid import HybridSource
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.stream import label_dataset
from maqa_severity.harness.labelling.training_text import TRAINING_TEXT, bags_of, read_training_text, training_text
from maqa_severity.harness.labelling.weights import by_scheme, flat_in_words
from maqa_severity.harness.languages.text import Profile, normalise, words
from maqa_severity.harness.severity import PROBABILITY_COLUMNS, SCHEMES
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tasks.sample.grammar import everyday_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.arms import ArmSpec, arm_weights, flat_warning
from maqa_severity.trainers.classifier.config import ClassifierConfig
from maqa_severity.trainers.classifier.train import train_classifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

ROWS = handwritten_rows(ARABIC)
QUESTIONS = [row["question"] for row in ROWS]
SHUFFLED = random.Random(0).sample(QUESTIONS, len(QUESTIONS))
EVERYDAY = [row["question"] for row in everyday_rows(ARABIC)]


class Trained:
    """A source that was trained on a text."""

    name, version, sha256, keeps_expert_labels = "classifier", "test", "0" * 64, False

    def __init__(self, texts):
        self.training_text = training_text(texts, ARABIC)

    def probabilities(self, questions):
        return np.full((len(questions), 3), 1 / 3)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drift")
    splits = {"train": ROWS[::2], "validation": ROWS[1::4], "test": ROWS[3::4]}
    data = dataset_from_rows(splits, folder / "data", language=ARABIC, source="sample")
    train_classifier(data, ClassifierConfig(), folder / "tfidf")
    return folder / "tfidf"


@pytest.fixture
def unlabelled(tmp_path):
    rows = [{**row, "severity": None} for row in ROWS]
    splits = {"train": rows[:200], "test": rows[200:]}
    return dataset_from_rows(splits, tmp_path / "in", language=ARABIC, source="sample")


def test_more_of_the_same_text_is_close_and_another_kind_is_told_apart():
    same = drift_of(Trained(SHUFFLED[:150]), SHUFFLED[150:], ARABIC)
    assert same.auc_low < 0.6 and "is close to" in same.words
    assert same.new_words_low - 5 < same.new_words_expected_pct < same.new_words_high + 10
    assert same.distance < same.distance_expected + 0.1
    other = drift_of(Trained(QUESTIONS), EVERYDAY, ARABIC)
    assert other.auc_low > 0.8 and "of another kind" in other.words
    assert other.new_words_low > other.new_words_expected_pct and other.distance > other.distance_expected


def test_a_text_has_not_drifted_from_itself():
    found = drift_of(Trained(QUESTIONS), QUESTIONS, ARABIC)
    assert found.new_words_pct == 0 and found.distance < found.distance_expected
    assert found.auc_low <= 0.5 <= found.auc_high


def test_of_several_classifiers_the_farthest_is_told():
    class Combined:
        name, version, sha256, keeps_expert_labels = "majority", "1", "", False

        def __init__(self, *sources):
            self.sources = sources

        def probabilities(self, questions):
            return np.full((len(questions), 3), np.nan)

    near, far, rules = Trained(SHUFFLED[:150]), Trained(EVERYDAY), RulesSource(ARABIC)
    found = drift_of(Combined(rules, near, far), SHUFFLED[150:], ARABIC)
    assert found.auc == drift_of(far, SHUFFLED[150:], ARABIC).auc
    assert found.words.startswith("drift, from the farthest of the 2 classifiers' texts: ")
    assert drift_of(Combined(rules, near), SHUFFLED[150:], ARABIC) == drift_of(near, SHUFFLED[150:], ARABIC)
    assert "the source majority has no training text" in drift_of(Combined(rules), QUESTIONS, ARABIC).words


def test_the_share_of_new_words_is_that_of_counting_them():
    one, other = SHUFFLED[:100], SHUFFLED[100:]
    known = {word for text in one for word in words(text, Profile.METRIC, ARABIC)}
    asked = [word for text in other for word in words(text, Profile.METRIC, ARABIC)]
    found = drift_of(Trained(one), other, ARABIC)
    assert found.new_words_pct == pytest.approx(100 * np.mean([word not in known for word in asked]))
    assert found.new_words_low < found.new_words_pct < found.new_words_high


def test_the_distance_is_that_of_scikit_learns_vectors():
    one, other = SHUFFLED[:270], SHUFFLED[270:]
    texts = [[normalise(text, Profile.METRIC, ARABIC) for text in side] for side in (one, other)]
    every = sorted({word for side in texts for text in side for word in text.split()})
    # Words that the training text lacks have the weight of a frequency of 0, which only a given vocabulary has.
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", vocabulary=every, lowercase=False).fit(texts[0])
    first, second = (np.asarray(vectorizer.transform(side).mean(axis=0)).ravel() for side in texts)
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    kept = training_text(one, ARABIC)
    assert kept.held_out >= len(other)
    assert kept.distance_of(bags_of(other, ARABIC)) == pytest.approx(1 - cosine, abs=1e-6)


def test_the_auc_is_scikit_learns_and_its_interval_covers():
    rng = np.random.default_rng(0)
    truth, inside = 0.7602499389065233, 0  # of two normal samples one deviation apart: the normal share below 1/√2
    for _ in range(400):
        higher, lower = rng.normal(1, 1, 40), rng.normal(0, 1, 60)
        found, low, high = _auc(higher, lower)
        inside += low <= truth <= high
    labels = np.repeat([1, 0], [40, 60])
    assert found == pytest.approx(roc_auc_score(labels, np.concatenate([higher, lower])))
    assert 0.92 < inside / 400 < 0.985
    found, low, high = _auc(np.ones(20) + rng.random(20), rng.random(20) * 0.5)
    assert (found, high) == (1, pytest.approx(1)) and 0.8 < low < 0.95
    assert _auc(np.zeros(20), np.ones(20)) == pytest.approx((0, 0, 1 - low))


def test_few_rows_are_not_told_apart():
    assert told_apart(np.ones((19, 4)), np.zeros((50, 4))) is None
    assert told_apart(np.ones((50, 4)), np.zeros((50, 4))) is None
    found = drift_of(Trained(QUESTIONS), QUESTIONS[:5], ARABIC)
    assert found.auc is None and "too few rows" in found.words


def test_a_classifier_keeps_its_text_in_numbers_alone(classifier):
    kept = read_training_text(classifier)
    # The train and the validation split, both of which a classifier is fitted to.
    fitted = len(ROWS[::2]) + len(ROWS[1::4])
    assert kept.rows == fitted
    with np.load(classifier / TRAINING_TEXT, allow_pickle=False) as file:
        kinds = {name: file[name].dtype.kind for name in file.files}
    assert {name for name, kind in kinds.items() if kind not in "uif"} == {"reading"}
    source = open_source(str(classifier), ARABIC)
    assert drift_of(source, QUESTIONS, ARABIC).training_rows == fitted
    assert drift_of(HybridSource(RulesSource(ARABIC), source), QUESTIONS, ARABIC).known


def test_what_cannot_be_known_is_said(classifier, tmp_path, english):
    assert "rules have no training text" in drift_of(RulesSource(ARABIC), QUESTIONS, ARABIC).words
    assert "people have no training text" in drift_of(open_source("column", ARABIC), QUESTIONS, ARABIC).words
    old = shutil.copytree(classifier, tmp_path / "old")
    (old / TRAINING_TEXT).unlink()
    words = drift_of(open_source(str(old), ARABIC), QUESTIONS, ARABIC).words
    assert words == "drift: cannot be known (trained by an earlier version)"
    source = open_source(str(classifier), ARABIC)
    assert "cannot be known (no complaint has a word)" in drift_of(source, ["؟", ""], ARABIC).words
    assert "cannot be known (the training text was read as" in drift_of(source, QUESTIONS, english).words
    assert training_text(["ا", "ب"], ARABIC) is None and training_text(["؟"] * 9, ARABIC) is None


@pytest.fixture(scope="module")
def english():
    from maqa_severity.harness.languages import language

    return language("en")


def test_a_damaged_profile_is_one_line(classifier, tmp_path):
    path = shutil.copytree(classifier, tmp_path / "damaged") / TRAINING_TEXT
    with np.load(path) as file:
        whole = dict(file)
    for spoil in (
        lambda: path.write_bytes(path.read_bytes()[:-200]),
        lambda: path.write_bytes(b"no archive"),
        lambda: np.savez(path, **{**whole, "digests": whole["digests"][:-1]}),
        lambda: np.savez(path, **{**whole, "sketches": whole["sketches"][:, :3]}),
        lambda: np.savez(path, **{name: each for name, each in whole.items() if name != "rows"}),
        lambda: np.savez(path, **{**whole, "centroid": np.array([{}], dtype=object)}),
    ):
        spoil()
        with pytest.raises(UserError, match=f"{TRAINING_TEXT} cannot be read"):
            read_training_text(path.parent)


def test_a_labelled_dataset_keeps_weights_of_every_scheme_unknown_rows_and_drift(unlabelled, classifier, tmp_path):
    out = tmp_path / "out"
    shown = CliRunner().invoke(
        app, ["label", str(unlabelled.folder), "--with", str(classifier), "--out", str(out)], env={"COLUMNS": "200"}
    )
    assert shown.exit_code == 0, shown.output
    labelled = open_dataset(out)
    kept = labelled.info.labelling
    frames = {name: labelled.split(name) for name in ("train", "validation", "test")}
    probabilities = frames["train"][list(PROBABILITY_COLUMNS)].to_numpy()
    assert set(kept["weights"]) == set(SCHEMES)
    for name, scheme in SCHEMES.items():
        weights = scheme.of(probabilities)
        assert kept["weights"][name]["cv"] == pytest.approx(weights.std() / weights.mean())
        assert kept["weights"][name]["effective_rows"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
        assert f"{kept['weights'][name]['cv']:.4f}" in shown.output
    assert f"Unknown: {kept['unknown_pct']:.1f} % of the rows" in shown.output
    assert drift_words(labelled.info) in shown.output and kept["drift"]["auc"] is not None
    trust = dataset_trust(labelled, [])
    assert in_words(labelled.info.severity_source.model_dump(), trust).endswith(kept["drift"]["words"])


def test_what_is_kept_beside_the_counts_keeps_nobody_from_labelling_again(unlabelled):
    labelled, counts = label_dataset(unlabelled, RulesSource(ARABIC), unlabelled.folder)
    keep_audit(labelled, Audit(rows=1, standing=Standing.SOUND, words="sound", ceiling=None, checks=()))
    assert label_dataset(open_dataset(unlabelled.folder), RulesSource(ARABIC), unlabelled.folder)[1] == counts


def test_labels_of_an_earlier_version_have_no_drift(unlabelled):
    labelled, _ = label_dataset(unlabelled, RulesSource(ARABIC), unlabelled.folder)
    info = labelled.info.model_copy(update={"labelling": {}})
    assert drift_words(info) == "drift: not measured (labelled by an earlier version)"
    assert dataset_trust(labelled, []).drift == "" and Trust().drift == ""


def test_no_row_with_probabilities_has_no_weights(unlabelled):
    assert by_scheme({name: unlabelled.split(name) for name in ("train", "validation", "test")}) == {}


def flat(dataset, folder):
    """The dataset with probabilities that hardly differ."""
    frames = {}
    for name in ("train", "validation", "test"):
        frame = dataset.split(name)
        given = np.random.default_rng(0).dirichlet([900, 1000, 900], len(frame))
        frames[name] = frame.assign(
            severity="neutral", **dict(zip(PROBABILITY_COLUMNS, given.T.tolist(), strict=True))
        )
    return write_dataset(folder, frames, dataset.info)


def test_an_arm_under_a_flat_weighting_is_named_and_one_that_is_even_on_purpose_is_not(unlabelled, tmp_path):
    rows = flat(unlabelled, tmp_path / "flat").split("train")
    for arm in ("severity", "shuffled"):
        spec = ArmSpec.of(arm)
        cv = rows[list(PROBABILITY_COLUMNS)].to_numpy() @ np.array([0.5, 1, 1.5])
        said = flat_in_words(f"{arm}-balanced", cv.std() / cv.mean())
        assert flat_warning(spec, arm_weights(spec, rows, 0)) == said
        assert said.endswith("under weights of CV 0.01: nearly plain cross-entropy")
    for arm in ("ce", "constant"):
        spec = ArmSpec.of(arm)
        assert flat_warning(spec, arm_weights(spec, rows, 0)) == ""
    certain = pd.DataFrame(np.eye(3)[[0, 1, 2] * 9], columns=list(PROBABILITY_COLUMNS))
    spec = ArmSpec.of("severity", weights="0,1,2")
    assert flat_warning(spec, arm_weights(spec, certain, 0)) == ""


def test_a_check_of_an_experiment_names_flat_arms_before_any_training(unlabelled, tmp_path, monkeypatch):
    monkeypatch.setattr("maqa_severity.trainers.experiments.preflight.demand_ready", lambda *given: None)
    data = flat(unlabelled, tmp_path / "flat")
    settings = {
        "name": "small",
        "data": {"source": str(data.folder)},
        "models": [{"name": "tiny", "id": str(tmp_path / "tiny")}],
        "arms": [{"arm": "ce"}, {"arm": "severity", "scheme": "mild"}, {"arm": "constant"}],
        "evaluation": {"bertscore_model": "none", "floors": []},
    }
    path = tmp_path / "small.yaml"

    def check(**changes):
        path.write_text(yaml.safe_dump(settings | {"data": {**settings["data"], **changes}}))
        given = ["run", str(path), "--check", "--out", str(tmp_path / "out")]
        return CliRunner().invoke(app, given, env={"COLUMNS": "200"}).output

    assert check(label="none").count("nearly plain cross-entropy") == 1
    assert "severity-mild under weights of CV 0.0" in check(label="none")
    assert "known once the data is labelled" in check(label="rules")
