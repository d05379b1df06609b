"""Which layer separates right answers from wrong ones: by one pass, and equal to what each layer scores."""

import json

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.metrics.bertscore import separation
from maqa_severity.harness.metrics.bertscore.constructed import construct
from maqa_severity.harness.metrics.bertscore.encoder import Encoder, EveryLayer, choose_encoder
from maqa_severity.harness.metrics.bertscore.metric import BertScore
from maqa_severity.harness.metrics.bertscore.separation import PEOPLE, QUESTIONS, Judged, layer_table
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.orders import concordance
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.encoders import LAYERS, command_line, save_network, save_tokenizer
from maqa_severity.tests.tongues import ARABIC
from sklearn.metrics import roc_auc_score

FEW = Resampling(resamples=200)


@pytest.fixture(scope="module")
def rows():
    found = handwritten_rows(ARABIC)[:40]
    return [row["answer"] for row in found], [row["category"] for row in found]


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "modernbert"])
def folder(request, tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / request.param
    save_tokenizer(folder, sample_texts)
    save_network(folder, request.param)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / "my-bert"
    save_tokenizer(folder, sample_texts)
    save_network(folder)
    return folder


@pytest.fixture
def maqa(monkeypatch, capsys):
    return command_line(monkeypatch, capsys)


def test_every_layer_of_one_pass_has_the_aucs_of_a_pass_of_its_own(folder, rows):
    table = layer_table(choose_encoder(str(folder), 1), None, *rows, ARABIC, resampling=FEW)
    made = construct(*rows, ARABIC, QUESTIONS)
    assert [row.layer for row in table.rows] == list(range(1, LAYERS + 1)) and table.questions == len(made)
    for row in table.rows:
        metric = BertScore(ARABIC, str(folder), row.layer)
        right = metric.similarity(list(zip(made.right, made.references, strict=True)))
        for kind, wrong in made.wrong:
            low = metric.similarity(list(zip(wrong, made.references, strict=True)))
            expected = 100 * roc_auc_score([1] * len(made) + [0] * len(made), np.concatenate([right, low]))
            assert row.over[str(kind)].value == pytest.approx(expected, abs=0.2)
        assert row.decides.value == min(auc.value for auc in row.over.values())
        assert all(auc.low <= auc.value <= auc.high for auc in row.over.values())
    values = [row.decides.value * (row.layer in (table.separating or [1, 2, 3])) for row in table.rows]
    assert table.best == values.index(max(values)) + 1


def test_all_layers_are_read_by_one_pass_over_each_text(folder, rows, monkeypatch):
    counts = []
    embed = EveryLayer.embed
    monkeypatch.setattr(EveryLayer, "embed", lambda self, ids: counts.append(len(ids)) or embed(self, ids))
    choice = choose_encoder(str(folder), 1)
    whole = layer_table(choice, None, *rows, ARABIC, resampling=FEW)
    made = construct(*rows, ARABIC, QUESTIONS)
    texts = {*made.references, *made.right, *(text for _, wrong in made.wrong for text in wrong)}
    assert sum(counts) == len(texts)
    passes = len(counts)
    monkeypatch.setattr(separation, "_ROOM_BYTES", 1 << 18)
    counts.clear()
    chunked = layer_table(choice, None, *rows, ARABIC, resampling=FEW)
    assert len(counts) > passes and sum(counts) < 1.2 * len(texts), "in parts, where not all have room"
    for one, other in zip(whole.rows, chunked.rows, strict=True):
        assert one.decides.value == pytest.approx(other.decides.value, abs=0.2)


def test_every_layer_is_the_layer_that_is_read_alone(folder, rows):
    every = EveryLayer(choose_encoder(str(folder), 1), "cpu")
    ids = every.tokenize(rows[0][:5])
    found = every.embed(ids)
    for layer in range(1, LAYERS + 1):
        alone = Encoder(choose_encoder(str(folder), layer), "cpu").embed(ids)
        for each, one in zip(found, alone, strict=True):
            np.testing.assert_allclose(each[layer - 1], one, rtol=0, atol=2e-6)


def test_people_decide_where_they_judged(bert, rows):
    references = rows[0][:20]
    predictions = references[3:] + references[:3]
    planted = BertScore(ARABIC, str(bert), 2).similarity(list(zip(predictions, references, strict=True)))
    judged = Judged(predictions, references, np.round(planted, 6))
    table = layer_table(choose_encoder(str(bert), 1), None, *rows, ARABIC, judged, FEW)
    assert table.deciding == [PEOPLE] and table.best == 2 and table.judged == 20
    found = [row.over[PEOPLE].value for row in table.rows]
    assert found[1] > 99 and max(found[0], found[2]) < 99
    with pytest.raises(UserError, match="people judged every answer alike"):
        layer_table(
            choose_encoder(str(bert), 1), None, *rows, ARABIC, Judged(predictions, references, np.ones(20)), FEW
        )


def test_no_layer_separates_where_the_encoder_reads_a_bag_of_words(tmp_path, sample_texts, rows):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "bag"
    save_tokenizer(folder, sample_texts)
    save_network(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.position_embeddings.weight"].zero_()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    table = layer_table(choose_encoder(str(folder), 1), None, *rows, ARABIC, resampling=FEW)
    assert table.separating == [] and all(row.over["shuffled"].value < 50 for row in table.rows)
    assert table.words.startswith("no layer separates right answers from other, shuffled and constant")


def test_layers_that_are_not_told_apart_from_the_best_are_named(tmp_path, sample_texts, rows):
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "idle"
    save_tokenizer(folder, sample_texts)
    save_network(folder)
    tensors = load_file(folder / "model.safetensors")
    # The last layer adds nothing to the one before, whose vectors have mean 0 and deviation 1 already.
    for name, tensor in tensors.items():
        if "layer.2." in name and ("output.dense" in name):
            tensors[name] = torch.zeros_like(tensor)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    table = layer_table(choose_encoder(str(folder), 1), None, *rows, ARABIC, resampling=FEW)
    assert table.rows[1].decides.value == pytest.approx(table.rows[2].decides.value, abs=0.2)
    assert (3 if table.best == 2 else 2) in table.alike


def test_concordance_is_the_share_of_ordered_pairs_and_its_draws_are_of_questions():
    draw = np.random.default_rng(0)
    score, truth, questions = draw.integers(0, 5, 30), draw.integers(0, 3, 30), np.arange(30) // 2
    found = concordance(score.astype(float), truth.astype(float), questions, FEW)
    pairs = [(one, two) for one in range(30) for two in range(30) if truth[one] > truth[two]]
    expected = np.mean([(score[one] > score[two]) + 0.5 * (score[one] == score[two]) for one, two in pairs])
    assert found[0] == pytest.approx(100 * expected) and found.shape == (201,)
    assert np.array_equal(found, concordance(score * 2.0, truth + 1.0, questions, FEW))


def test_the_command_prints_the_table_and_writes_it(maqa, bert, rows, tmp_path):
    file, out = tmp_path / "references.csv", tmp_path / "layers.json"
    pd.DataFrame({"reference": rows[0], "category": rows[1]}).to_csv(file, index=False)
    printed = maqa("score", file, "--layers", "--bertscore-model", bert, "--out", out)
    table = json.loads(out.read_text(encoding="utf-8"))
    assert table["words"][1:] in " ".join(printed.split()) and table["known_layer"] is None
    assert [row["layer"] for row in table["rows"]] == [1, 2, 3]
    assert all(f"{row['over']['shuffled']['value']:.1f}" in printed for row in table["rows"])
    again = maqa("score", file, "--layers", "--bertscore-model", bert, "--bertscore-layer", 2)
    assert "in use" in again and "in use" not in printed
    judged = {"reference": rows[0][:9], "prediction": rows[0][1:10], "judged": ["right", "wrong", ""] * 3}
    pd.DataFrame(judged).to_csv(file, index=False)
    printed = maqa("score", file, "--layers", "--bertscore-model", bert)
    assert "6 answers that people judged" in " ".join(printed.split())
    splits = {"train": handwritten_rows(ARABIC)[:30], "validation": handwritten_rows(ARABIC)[30:42]}
    dataset_from_rows(splits, tmp_path / "data", source="test", language=ARABIC)
    printed = maqa("score", tmp_path / "data", "--layers", "--bertscore-model", bert)
    assert "12 constructed questions" in printed, "of the validation rows"


def test_what_cannot_be_measured_is_one_line(maqa, bert, rows, tmp_path):
    file = tmp_path / "references.csv"
    pd.DataFrame({"reference": rows[0], "prediction": rows[0]}).to_csv(file, index=False)
    chosen = ("--bertscore-model", bert)

    def line(*arguments):
        printed = maqa("score", *arguments, status=2)
        assert "Traceback" not in printed
        return printed.strip().splitlines()[-1]

    assert "--bertscore-model" in line(file, "--layers", "--bertscore-model", "none")
    assert "has no layer 9" in line(file, "--layers", *chosen, "--bertscore-layer", 9)
    assert ".json" in line(file, "--layers", *chosen, "--out", tmp_path / "x.parquet")
    assert "--no-bertscore-window" in line(file, "--layers", *chosen, "--bertscore-window")
    assert "--out" in line(file, *chosen, "--bertscore-layer", 1)
    assert "does not exist" in line(tmp_path / "absent.csv", "--layers", *chosen)
    (tmp_path / "other.csv").write_text("answer\nنعم\n", encoding="utf-8")
    assert "no column 'reference'" in line(tmp_path / "other.csv", "--layers", *chosen)
    (tmp_path / "judged.csv").write_text("reference,judged\nنعم,1\n", encoding="utf-8")
    assert "no column 'prediction'" in line(tmp_path / "judged.csv", "--layers", *chosen)
    (tmp_path / "judged.csv").write_text("reference,prediction,judged\nنعم,لا,good\n", encoding="utf-8")
    assert "row 2: 'good' is no judgement" in line(tmp_path / "judged.csv", "--layers", *chosen)
    (tmp_path / "short.csv").write_text("reference\nنعم\nلا\n", encoding="utf-8")
    assert "fewer than two different references" in line(tmp_path / "short.csv", "--layers", *chosen)
