"""Training a severity classifier: deterministic, calibrated, safe to load, measured on rows it did not see."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import Dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.quality.reliability import RELIABILITY
from maqa_severity.harness.labelling.quality.report_card import REPORT_CARD
from maqa_severity.harness.labelling.sources.choose import open_source
from maqa_severity.harness.labelling.sources.classifier import NOTE, calibrated, open_classifier
from maqa_severity.harness.labelling.sources.classifier_tfidf import MODEL
from maqa_severity.harness.labelling.training_text import TRAINING_TEXT
from maqa_severity.harness.languages import language
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.classifier import folds as classifier_folds
from maqa_severity.trainers.classifier.calibration import fit_temperature
from maqa_severity.trainers.classifier.config import ClassifierConfig
from maqa_severity.trainers.classifier.fit import Rows, fit
from maqa_severity.trainers.classifier.train import train_classifier
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

ROWS = handwritten_rows(ARABIC)
QUESTIONS = [row["question"] for row in ROWS]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    splits = {"train": ROWS[::2], "validation": ROWS[1::4], "test": ROWS[3::4]}
    return dataset_from_rows(splits, tmp_path_factory.mktemp("data") / "sample", language=ARABIC, source="sample")


@pytest.fixture(scope="module")
def classifier(dataset, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("models") / "tfidf"
    train_classifier(dataset, ClassifierConfig(), out)
    return out


@pytest.fixture
def copy(classifier, tmp_path) -> Path:
    return Path(shutil.copytree(classifier, tmp_path / "copy"))


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory) -> Path:
    """A random BERT with a character vocabulary, as an untrained checkpoint on disk."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = sorted({letter for text in QUESTIONS for letter in text if not letter.isspace()})
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {
        token: at for at, token in enumerate([*special, *letters, *(f"##{letter}" for letter in letters)])
    }
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    folder = tmp_path_factory.mktemp("models") / "bert"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=130,
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


def probabilities(folder: Path, questions=QUESTIONS):
    return open_classifier(folder).probabilities(questions)


def test_a_saved_classifier_answers_with_probabilities_that_beat_chance(classifier):
    result = probabilities(classifier)
    assert result.shape == (300, 3)
    assert result.sum(axis=1) == pytest.approx(1)
    cards = {card["source"]: card for card in json.loads((classifier / REPORT_CARD).read_text(encoding="utf-8"))}
    assert set(cards) == {"rules", "classifier", "hybrid"}
    assert cards["classifier"]["rows"] == 75
    assert cards["classifier"]["measures"]["accuracy"]["low"] > 100 / 3


@pytest.mark.slow
def test_equal_seeds_give_equal_parameters_and_probabilities(dataset, classifier, tmp_path):
    train_classifier(dataset, ClassifierConfig(), tmp_path / "again")
    assert open_classifier(classifier).sha256 == open_classifier(tmp_path / "again").sha256
    assert np.array_equal(probabilities(classifier), probabilities(tmp_path / "again"))


def test_what_a_complaint_gets_does_not_depend_on_its_batch(classifier):
    source = open_classifier(classifier)
    one_by_one = np.concatenate([source.probabilities([question]) for question in QUESTIONS])
    assert np.array_equal(source.probabilities(QUESTIONS), one_by_one)
    assert source.probabilities([]).shape == (0, 3)


def test_odd_texts_have_probabilities_too(classifier):
    result = probabilities(classifier, ["", "123", "ألم " * 25_000, "hello", "😀"])
    assert np.isfinite(result).all()


def test_the_folder_says_what_made_it_and_holds_no_pickle(classifier, dataset):
    note = json.loads((classifier / NOTE).read_text(encoding="utf-8"))
    assert note["dataset"]["train_sha256"] == dataset.info.sha256["train"]
    groups = "5 folds grouped by category, near-duplicates together"
    assert note["calibrated_on"] == f"out-of-fold predictions of 225 rows in {groups}"
    assert note["grouped_by"] == "category, near-duplicates together"
    assert set(note["versions"]) == {"scikit-learn", "skops"}
    files = {NOTE, MODEL, REPORT_CARD, RELIABILITY, TRAINING_TEXT, "training_questions.txt"}
    assert {path.name for path in classifier.iterdir()} == files
    # The pickle protocol's first byte since version 2.
    assert all(path.read_bytes()[:1] != b"\x80" for path in classifier.iterdir())


def test_the_temperature_minimises_the_loss_on_the_held_out_rows():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 2_000).astype(np.int8)
    calibrated_logits = np.log(rng.dirichlet([1, 1, 1], 2_000))
    truth = np.array([rng.choice(3, p=np.exp(row)) for row in calibrated_logits], dtype=np.int8)
    for factor in (0.3, 1.0, 4.0):
        assert fit_temperature(factor * calibrated_logits, truth) == pytest.approx(factor, rel=0.1)


def test_rows_that_determine_no_temperature_leave_it_at_one():
    truth = np.array([0, 1, 2] * 20, dtype=np.int8)
    assert fit_temperature(np.eye(3)[truth], truth) is None
    assert fit_temperature(np.eye(3)[(truth + 1) % 3], truth) is None
    copies = Rows(
        ["صداع خفيف", "حرارة من يومين", "نزيف شديد"] * 10, np.array([0, 1, 2] * 10, dtype=np.int8), ["a"] * 30
    )
    trained = fit(copies, copies, ARABIC, ClassifierConfig())
    assert trained.temperature == 1
    assert trained.calibrated_on.startswith("nothing")


def test_calibration_lowers_the_loss_and_keeps_the_order(dataset):
    frame = dataset.split("train")
    ranks = np.array([["non_critical", "neutral", "critical"].index(s) for s in frame["severity"]], dtype=np.int8)
    train = Rows(frame["question"].tolist(), ranks, frame["category"].tolist())
    held = dataset.split("validation")
    held_ranks = np.array(
        [["non_critical", "neutral", "critical"].index(s) for s in held["severity"]], dtype=np.int8
    )
    trained = fit(
        train, Rows(held["question"].tolist(), held_ranks, held["category"].tolist()), ARABIC, ClassifierConfig()
    )
    logits = trained.model.logits(held["question"].tolist())
    loss = {
        t: -log_softmax(logits / t, axis=1)[np.arange(len(held)), held_ranks].mean()
        for t in (1, trained.temperature)
    }
    assert loss[trained.temperature] < loss[1]
    assert (calibrated(logits, trained.temperature).argmax(axis=1) == logits.argmax(axis=1)).all()


@pytest.mark.slow
def test_no_fold_sees_the_group_that_it_predicts(dataset, tmp_path, monkeypatch):
    seen: list[set[str]] = []
    predicted: list[set[str]] = []
    category = {row["question"]: row["category"] for row in ROWS}
    real_fit, real_decided = classifier_folds.fit, classifier_folds.decided

    def watched_fit(train, *rest):
        seen.append(set(train.groups))
        return real_fit(train, *rest)

    def watched_decided(source, questions, language):
        if source.name == "classifier":
            predicted.append({category[question] for question in questions})
        return real_decided(source, questions, language)

    monkeypatch.setattr(classifier_folds, "fit", watched_fit)
    monkeypatch.setattr(classifier_folds, "decided", watched_decided)
    cards = train_classifier(dataset, ClassifierConfig(inverse_regularisation=4), tmp_path / "out", folds=5)
    assert len(seen) == len(predicted) == 5
    assert all(one.isdisjoint(other) for one, other in zip(seen, predicted, strict=True))
    assert set().union(*predicted) == set(category.values())
    assert {card.rows for card in cards} == {300}


def test_without_a_validation_split_the_temperature_comes_from_the_training_split(tmp_path):
    data = dataset_from_rows(
        {"train": ROWS[::2], "test": ROWS[1::2]}, tmp_path / "data", language=ARABIC, source="sample"
    )
    train_classifier(data, ClassifierConfig(), tmp_path / "out")
    note = json.loads((tmp_path / "out" / NOTE).read_text(encoding="utf-8"))
    assert note["calibrated_on"].startswith("out-of-fold predictions of 150 rows in 5 folds")


@pytest.mark.slow
def test_a_checkpoint_is_fine_tuned_saved_and_gives_the_same_again(dataset, tiny_bert, tmp_path):
    config = ClassifierConfig(base=str(tiny_bert), epochs=3, learning_rate=5e-3, batch_size=25, max_length=64)
    for name in ("one", "two"):
        train_classifier(dataset, config, tmp_path / name)
    assert (tmp_path / "one" / "model.safetensors").is_file()
    assert np.array_equal(probabilities(tmp_path / "one"), probabilities(tmp_path / "two"))
    source = open_classifier(tmp_path / "one")
    one_by_one = np.concatenate([source.probabilities([question]) for question in QUESTIONS[:5]])
    assert one_by_one == pytest.approx(source.probabilities(QUESTIONS[:5]), abs=1e-5)
    other = config.model_copy(update={"seed": 1})
    train_classifier(dataset, other, tmp_path / "three")
    assert not np.array_equal(probabilities(tmp_path / "one"), probabilities(tmp_path / "three"))


def test_early_stopping_keeps_the_best_epoch(tiny_bert):
    from maqa_severity.trainers.classifier.transformer import fit_transformers

    questions = ["نزيف", "صداع", "حرارة"] * 4
    ranks = np.array([2, 0, 1] * 4, dtype=np.int8)
    # Held-out labels that contradict the training: every epoch makes them worse.
    held = (questions, np.array([0, 1, 2] * 4, dtype=np.int8))
    steps: list[int] = []
    config = ClassifierConfig(base=str(tiny_bert), epochs=20, patience=2, learning_rate=5e-3, batch_size=12)
    fit_transformers((questions, ranks), held, config, steps.append)
    assert len(steps) < 20
    one = ClassifierConfig(base=str(tiny_bert), epochs=20, patience=1, learning_rate=5e-3, batch_size=12)
    stopped = fit_transformers((questions, ranks), held, one)
    best = fit_transformers((questions, ranks), held, config)
    assert np.array_equal(stopped.logits(questions), best.logits(questions))


def test_a_checkpoint_that_is_none_is_one_line(dataset, tmp_path):
    with pytest.raises(UserError, match="cannot load the base"):
        train_classifier(dataset, ClassifierConfig(base=str(tmp_path / "nowhere")), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def edit(folder: Path, **changes) -> None:
    note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    (folder / NOTE).write_text(json.dumps(note | changes), encoding="utf-8")


def test_a_folder_of_before_costs_and_bias_loads_and_says_the_same(classifier, copy):
    path = copy / NOTE
    note = json.loads(path.read_text(encoding="utf-8"))
    for key in ("bias", "chosen", "grouped_by", "costs"):
        del note[key]
    note["settings"] = {"base": "tfidf", "seed": 0, "inverse_regularisation": 4.0}
    path.write_text(json.dumps(note), encoding="utf-8")
    source = open_classifier(copy)
    logits = open_classifier(classifier).model.logits(QUESTIONS[:9])
    assert np.array_equal(source.probabilities(QUESTIONS[:9]), calibrated(logits, note["temperature"]))
    assert source.costs is None and source.version == "tfidf:v1"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"format_version": 99}, "has format_version 99, not 1"),
        ({"format_version": None}, "has format_version None"),
        ({"versions": {"scikit-learn": "0.1.0"}}, "was made with scikit-learn 0.1.0"),
        ({"columns": ["p_critical", "p_neutral", "p_non_critical"]}, "has the classes"),
        ({"surprise": 1}, "key 'surprise'"),
        ({"sha256": "0" * 64}, "was changed since"),
        ({"kind": "magic"}, "key 'kind'"),
    ],
)
def test_a_folder_of_another_version_or_a_changed_one_is_refused(copy, changes, named):
    edit(copy, **changes)
    with pytest.raises(UserError, match=named):
        open_classifier(copy)


def test_a_model_file_with_types_that_nobody_trusts_is_refused(copy):
    skops.io.dump({"payload": Path}, copy / MODEL)
    with pytest.raises(UserError, match="untrusted type"):
        open_classifier(copy)


def test_a_model_file_that_swells_is_refused_before_it_is_unpacked(copy):
    with zipfile.ZipFile(copy / MODEL, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("schema.json", bytes(2**28))
    with pytest.raises(UserError, match=r"swells: its part schema\.json unpacks from .*Train it again"):
        open_classifier(copy)


def test_a_model_that_was_never_fitted_is_refused_when_it_is_opened(copy):
    skops.io.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()), copy / MODEL)
    with pytest.raises(UserError, match="is no readable model"):
        open_classifier(copy)


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_a_broken_model_file_is_one_line(copy, content):
    (copy / MODEL).write_bytes(content)
    with pytest.raises(UserError, match="is no readable model"):
        open_classifier(copy)


def test_missing_parts_are_named(copy, tmp_path):
    (copy / MODEL).unlink()
    with pytest.raises(UserError, match=r"model\.skops"):
        open_classifier(copy)
    (copy / NOTE).unlink()
    with pytest.raises(UserError, match=r"classifier\.json does not exist"):
        open_classifier(copy)
    with pytest.raises(UserError, match="does not exist"):
        open_classifier(tmp_path / "nowhere")


def test_a_pickle_in_place_of_the_model_is_never_loaded(copy, tmp_path):
    (copy / MODEL).write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(UserError):
        open_classifier(copy)
    assert not (tmp_path / "exploded").exists()


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_dataset_with_too_few_rows_of_a_class_is_refused(tmp_path):
    rows = [row for row in ROWS if row["severity"] != "critical"]
    data = dataset_from_rows({"train": rows}, tmp_path / "data", language=ARABIC, source="x")
    with pytest.raises(UserError, match="has 0 rows labelled critical"):
        train_classifier(data, ClassifierConfig(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_card_that_cannot_be_made_is_refused_before_the_training(tmp_path, monkeypatch):
    from maqa_severity.trainers.classifier import train as classifier

    def fit(*_):
        raise AssertionError("trained before it was known whether the card can be made")

    monkeypatch.setattr(classifier, "fit", fit)
    one_category = [
        {**row, "category": "emergency" if row["severity"] == "critical" else row["category"]} for row in ROWS
    ]
    splits = {"train": one_category[::2], "validation": one_category[1::2], "test": []}
    data = dataset_from_rows(splits, tmp_path / "data", language=ARABIC, source="sample")
    for folds, message in (
        (0, "test.parquet has no labelled row"),
        (50, "cannot be cut into 50 folds"),
        (3, "outside of fold . of 3 has 0 rows labelled critical"),
    ):
        with pytest.raises(UserError, match=message):
            train_classifier(data, ClassifierConfig(), tmp_path / "out", folds=folds)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_in_use_and_too_many_folds_are_refused(dataset, classifier, tmp_path):
    with pytest.raises(UserError, match="not an empty folder"):
        train_classifier(dataset, ClassifierConfig(), classifier)
    with pytest.raises(UserError, match="cannot be cut into 50 folds"):
        train_classifier(dataset, ClassifierConfig(), tmp_path / "out", folds=50)
    assert not (tmp_path / "out").exists()


def test_sources_are_opened_by_name_or_folder(classifier):
    assert open_source(str(classifier), ARABIC).name == "classifier"
    assert open_source("hybrid", ARABIC, classifier).name == "hybrid"
    for choice, folder, named in [
        ("hybrid", None, "lacks its classifier"),
        ("rules", classifier, "goes with --with hybrid"),
        ("wisdom", None, "unknown severity source"),
        ("no/such/folder", None, "does not exist"),
    ]:
        with pytest.raises(UserError, match=named):
            open_source(choice, ARABIC, folder)
    with pytest.raises(UserError, match=r"was trained on ar, the questions are English \(en\)"):
        open_source(str(classifier), language("en"))
