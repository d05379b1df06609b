"""The encoder of BERTScore, its layer and what it does not read, through the commands and through lm-eval."""

import json
import sys

import pandas as pd
import pytest
import yaml
from maqa_severity.cli import main
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tasks.documents import load_documents
from maqa_severity.tasks.scored import score_batch
from maqa_severity.tests.tongues import ARABIC

LONGEST, LAYERS = 24, 3
ADVICE = " ".join(["و"] * LONGEST)


@pytest.fixture(scope="module")
def modernbert(tmp_path_factory, encoder):
    """A network of a family that says nothing of its layer, with the tokenizer of the tiny encoder."""
    import torch
    from transformers import AutoTokenizer, ModernBertConfig, ModernBertModel

    folder = tmp_path_factory.mktemp("encoders") / "modern"
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    tokenizer.model_max_length = LONGEST
    tokenizer.save_pretrained(folder)
    frame = {"pad_token_id": tokenizer.pad_token_id, "cls_token_id": tokenizer.cls_token_id}
    frame |= {"sep_token_id": tokenizer.sep_token_id, "bos_token_id": None, "eos_token_id": None}
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=LAYERS, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=LONGEST, initializer_range=0.3, **frame,
    )  # fmt: skip
    ModernBertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def data(tmp_path):
    """One short and one long row a severity; the trivial system `echo` answers each question with itself."""
    rows = [
        {"question": question, "answer": answer, "severity": severity}
        for severity in ("critical", "neutral", "non_critical")
        for question, answer in ((f"هل أراجع الطبيب {severity}", "راجع الطبيب"), (f"{severity} {ADVICE}", ADVICE))
    ]
    dataset_from_rows({"test": rows}, tmp_path / "data", source="test", language=ARABIC)
    return tmp_path / "data"


@pytest.fixture
def maqa(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


def evaluate(maqa, data, out, *options):
    return maqa("evaluate", "--model", "echo", "--data", data, "--out", out, *options)


def layer_of(run):
    return load_run(run).scores.signatures["bertscore_f1"].split("|layer:")[1].split("|")[0]


def test_evaluate_takes_the_layer_of_an_encoder_that_nobody_knows(maqa, data, modernbert, tmp_path, monkeypatch):
    status, printed = evaluate(maqa, data, tmp_path / "refused", "--bertscore-model", modernbert)
    assert status == 2 and "no BERTScore layer is known" in printed and "--bertscore-layer N" in printed
    assert evaluate(maqa, data, tmp_path / "one", "--bertscore-model", modernbert, "--bertscore-layer", 1)[0] == 0
    monkeypatch.setenv("MAQA_BERTSCORE_LAYER", "2")
    monkeypatch.setenv("MAQA_BERTSCORE_MODEL", str(modernbert))
    assert evaluate(maqa, data, tmp_path / "two")[0] == 0
    assert [layer_of(tmp_path / run) for run in ("one", "two")] == ["1", "2"]
    for run, layer in (("one", 1), ("two", 2)):
        scoring = load_run(tmp_path / run).manifest.scoring
        assert (scoring["encoder"], scoring["layer"]) == (str(modernbert), layer)
        assert scoring["signatures"] == load_run(tmp_path / run).scores.signatures
    assert maqa("rescore", tmp_path / "one")[0] == 0
    assert layer_of(tmp_path / "one") == "2"


def test_a_layer_that_is_not_there_is_one_line_with_the_range(maqa, data, modernbert, tmp_path):
    for layer in (0, LAYERS + 1):
        status, printed = evaluate(
            maqa, data, tmp_path / "run", "--bertscore-model", modernbert, "--bertscore-layer", layer
        )
        assert status == 2 and f"between 1 and {LAYERS}" in printed and "Traceback" not in printed


def test_documents_carry_encoder_and_layer_and_are_scored_by_them(modernbert, monkeypatch):
    found = {}
    for layer in (1, 3):
        documents = load_documents("critical", bertscore_model=str(modernbert), bertscore_layer=layer)["test"]
        rows = [documents[row] for row in range(3)]
        assert rows[0]["scoring"]["encoder"] == str(modernbert)
        assert rows[0]["scoring"]["layer"] == layer
        assert f"|layer:{layer}|" in rows[0]["scoring"]["signatures"]["bertscore_f1"]
        found[layer] = [
            text.scores["bertscore_f1"] for text in score_batch([[row["question"]] for row in rows], rows)
        ]
    assert found[1] != found[3]
    monkeypatch.setenv("MAQA_BERTSCORE_LAYER", "3")
    documents = load_documents("critical", bertscore_model=str(modernbert))["test"]
    assert documents[0]["scoring"]["layer"] == 3, "the environment's, where the metadata names none"
    with pytest.raises(UserError, match=r"'nine' is no whole number.*MAQA_BERTSCORE_LAYER"):
        load_documents("critical", bertscore_model=str(modernbert), bertscore_layer="nine")


def test_what_the_encoder_does_not_read_is_said_wherever_scores_are_printed(maqa, data, modernbert, tmp_path):
    said = f"3 answers and 3 references are longer than the encoder reads ({LONGEST} tokens)"
    chosen = ("--bertscore-model", modernbert, "--bertscore-layer", 1)
    run = tmp_path / "run"
    assert said in evaluate(maqa, data, run, *chosen)[1]
    assert said in evaluate(maqa, data, run, *chosen)[1], "a run that is read again"
    assert said in maqa("rescore", run, *chosen)[1]
    assert said in maqa("leaderboard", run, "--out", tmp_path / "board")[1]
    assert json.loads((tmp_path / "board" / "leaderboard.json").read_text())["rows"][0]["notes"][0].startswith(said)
    assert said in (tmp_path / "board" / "index.html").read_text(encoding="utf-8")
    assert said in pd.read_csv(tmp_path / "board" / "leaderboard.csv")["notes"][0]
    maqa("report", run, "--out", tmp_path / "report.html")
    assert said in (tmp_path / "report.html").read_text(encoding="utf-8")
    answers = tmp_path / "answers.csv"
    pd.DataFrame({"prediction": ["راجع", ADVICE], "reference": ["راجع", "راجع"]}).to_csv(answers, index=False)
    printed = maqa("score", answers, "--out", tmp_path / "scores.parquet", *chosen)[1]
    assert "1 answer and 0 references are longer than the encoder reads" in printed
    (answers).write_text("prediction,reference\nراجع,راجع\n", encoding="utf-8")
    assert "longer than" not in maqa("score", answers, "--out", tmp_path / "scores.parquet", *chosen)[1]


def test_an_experiment_names_the_layer_and_says_before_it_starts_that_there_is_none(maqa, modernbert, tmp_path):
    def check(**encoder):
        settings = {
            "name": "small",
            "data": {"source": "sample"},
            "models": [{"name": "demo", "id": "demo"}],
            "arms": [{"arm": "base"}],
            "evaluation": {"bertscore_model": str(modernbert), "floors": [], **encoder},
        }
        (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))
        return maqa("run", tmp_path / "small.yaml", "--out", tmp_path / "out", "--check")

    assert check(bertscore_layer=2)[0] == 0
    status, printed = check(bertscore_layer=LAYERS + 1)
    assert status == 2 and f"between 1 and {LAYERS}" in printed
    status, printed = check()
    assert status == 2 and "no BERTScore layer is known" in printed
