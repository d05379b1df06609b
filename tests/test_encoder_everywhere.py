"""An encoder that nobody knows, read at a layer that the user names: the same score by every way to it."""

import sys
from functools import partialmethod

import numpy as np
import pandas as pd
import pytest
import yaml
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.metrics.bertscore.encoder import choose_encoder, encoder_asked
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import read_scores
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tasks.documents import load_documents
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.encoders import LAYERS, command_line, save_network, save_tokenizer
from maqa_severity.tests.tongues import ARABIC

LAYER = 2
F1 = "bertscore_f1"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("bert", marks=pytest.mark.weekly),
        pytest.param("xlm-roberta", marks=pytest.mark.weekly),
        "modernbert",
    ],
)
def folder(request, tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / f"my-{request.param}"
    save_tokenizer(folder, sample_texts)
    save_network(folder, request.param)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / "my-bert"
    save_tokenizer(folder, sample_texts)
    save_network(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three rows a severity to test, and as many to train."""
    places, splits = {}, {"train": [], "test": []}
    for row in handwritten_rows(ARABIC):
        place = places[row["severity"]] = places.get(row["severity"], -1) + 1
        if place < 6:
            splits["test" if place < 3 else "train"].append(row)
    folder = tmp_path_factory.mktemp("data") / "data"
    dataset_from_rows(splits, folder, source="test", language=ARABIC)
    return folder


@pytest.fixture
def maqa(monkeypatch, capsys):
    return command_line(monkeypatch, capsys)


def lm_eval(data, out, metadata, checkpoint):
    """lm-eval's own command in this process, which spares the index of 14,000 tasks of others."""
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.tasks import TaskManager

    given = [
        "run", "--model", "hf", "--model_args", f"pretrained={checkpoint},dtype=float32", "--device", "cpu",
        "--include_path", FOLDER, "--tasks", GROUP, "--batch_size", "8", "--gen_kwargs", "max_gen_toks=8",
        "--output_path", out, "--log_samples", "--metadata", f"data={data},{metadata}",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskManager, "__init__", partialmethod(TaskManager.__init__, include_defaults=False))
        patch.setattr(sys, "argv", ["lm_eval", *map(str, given)])
        patch.setattr(sys, "excepthook", sys.excepthook)
        cli_evaluate()
    return out


def experiment(path, data, checkpoint, **encoder):
    settings = {
        "name": "small",
        "data": {"source": str(data)},
        "models": [{"name": "tiny", "id": str(checkpoint)}],
        "arms": [{"arm": "base"}],
        "evaluation": {"floors": ["echo"], **encoder},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def scored_alone(maqa, run, folder, tmp_path):
    """The scores that ``maqa score`` gives to a run's answers."""
    rows = load_run(run).answers
    file, out = tmp_path / "answers.jsonl", tmp_path / "scores.parquet"
    rows[["id", "prediction", "reference", "question", "severity"]].to_json(
        file, orient="records", lines=True, force_ascii=False
    )
    maqa("score", file, "--out", out, "--bertscore-model", folder, "--bertscore-layer", LAYER)
    return read_scores(out)


@pytest.mark.slow
def test_every_way_gives_one_signature_and_the_same_numbers(folder, data, checkpoint, maqa, tmp_path, monkeypatch):
    chosen = ("--bertscore-model", folder, "--bertscore-layer", LAYER)
    asked = ("evaluate", "--model", "echo", "--data", data)
    maqa(*asked, "--out", tmp_path / "option", *chosen)
    runs = {"option": tmp_path / "option"}
    with monkeypatch.context() as patch:
        patch.setenv("MAQA_BERTSCORE_MODEL", str(folder))
        patch.setenv("MAQA_BERTSCORE_LAYER", str(LAYER))
        runs["environment"] = tmp_path / "environment"
        maqa(*asked, "--out", runs["environment"])
        runs["lm_eval, environment"] = lm_eval(data, tmp_path / "lm_env", "final_answers=False", checkpoint)
    metadata = f"bertscore_model={folder},bertscore_layer={LAYER}"
    runs["lm_eval, metadata"] = lm_eval(data, tmp_path / "lm", metadata, checkpoint)
    named = experiment(
        tmp_path / "named.yaml", data, checkpoint, bertscore_model=str(folder), bertscore_layer=LAYER
    )
    bare = experiment(tmp_path / "bare.yaml", data, checkpoint, bertscore_model="xlm-roberta-base")
    maqa("run", named, "--out", tmp_path / "named")
    maqa("run", bare, "--out", tmp_path / "bare", *chosen)
    for way in ("named", "bare"):
        runs |= {f"run, {way}, {label}": tmp_path / way / "runs" / label for label in ("echo", "base")}
    tables = {name: load_run(run).scores for name, run in runs.items()}
    maqa(*asked, "--out", tmp_path / "again", "--bertscore-model", "none")
    maqa("rescore", tmp_path / "again", *chosen)
    runs["rescored"] = tmp_path / "again"
    tables["rescored"] = load_run(tmp_path / "again").scores
    signatures = {table.signatures[F1] for table in tables.values()}
    assert len(signatures) == 1 and f"|layer:{LAYER}|" in signatures.pop()
    for name, run in runs.items():
        alone = scored_alone(maqa, run, folder, tmp_path)
        assert alone.signatures[F1] == tables[name].signatures[F1]
        np.testing.assert_allclose(alone.frame[F1], tables[name].frame[F1], rtol=0, atol=1e-4, err_msg=name)
    assert np.ptp(tables["option"].frame[F1]) > 1


def test_an_unknown_layer_names_an_option_of_the_very_command(bert, data, checkpoint, maqa, tmp_path):
    answers = tmp_path / "answers.csv"
    pd.DataFrame({"prediction": ["راجع", "لا"], "reference": ["راجع", "نعم"]}).to_csv(answers, index=False)
    maqa("evaluate", "--model", "echo", "--data", data, "--out", tmp_path / "run", "--bertscore-model", "none")
    bare = experiment(tmp_path / "bare.yaml", data, checkpoint)
    commands = {
        "evaluate": ("--model", "echo", "--data", data, "--out", tmp_path / "other"),
        "run": (bare, "--out", tmp_path / "experiment"),
        "score": (answers, "--out", tmp_path / "scores.parquet"),
        "rescore": (tmp_path / "run",),
    }
    for command, arguments in commands.items():
        printed = maqa(command, *arguments, "--bertscore-model", bert, status=2)
        line = printed.strip().splitlines()[-1]
        assert "no BERTScore layer is known" in line and "--bertscore-layer N" in line, command
        assert "--bertscore-layer" in maqa(command, "--help"), command
        for layer in (0, LAYERS + 1):
            chosen = ("--bertscore-model", bert, "--bertscore-layer", layer)
            printed = maqa(command, *arguments, *chosen, status=2)
            line = printed.strip().splitlines()[-1]
            assert f"has no layer {layer}" in line and f"between 1 and {LAYERS}" in line, command
            assert "Traceback" not in printed


def test_under_lm_eval_an_unknown_layer_names_what_lm_eval_takes(bert, monkeypatch):
    monkeypatch.delenv("MAQA_BERTSCORE_LAYER", raising=False)
    for layer, words in ((None, "no BERTScore layer is known"), (LAYERS + 1, f"has no layer {LAYERS + 1}")):
        with pytest.raises(UserError, match=f"{words}.*--metadata bertscore_layer=N, or MAQA_BERTSCORE_LAYER=N"):
            load_documents("critical", bertscore_model=str(bert), bertscore_layer=layer)


def test_what_is_given_stands_before_the_table_of_known_layers(monkeypatch):
    monkeypatch.setenv("MAQA_BERTSCORE_LAYER", "7")
    assert choose_encoder(*encoder_asked("xlm-roberta-base")[:2]).layer == 7
    assert choose_encoder(*encoder_asked("xlm-roberta-base", 3)[:2]).layer == 3
    monkeypatch.delenv("MAQA_BERTSCORE_LAYER")
    assert choose_encoder(*encoder_asked("xlm-roberta-base")[:2]).layer == 9


@pytest.mark.parametrize(
    ("given", "meant"), [("true", True), (1, True), ("No", False), (False, False), (None, True)]
)
def test_windows_are_asked_for_by_option_metadata_or_environment(given, meant, monkeypatch):
    monkeypatch.setenv("MAQA_BERTSCORE_WINDOW", "on")
    assert encoder_asked("any", 1, given).window is meant
    with pytest.raises(UserError, match=r"'half' is neither yes nor no.*--bertscore-window"):
        encoder_asked("any", 1, "half")


def test_windows_go_through_commands_and_lm_eval_into_signature_and_manifest(data, maqa, tmp_path, encoder):
    chosen = ("--bertscore-model", encoder, "--bertscore-window")
    maqa("evaluate", "--model", "echo", "--data", data, "--out", tmp_path / "run", *chosen)
    run = load_run(tmp_path / "run")
    assert run.manifest.scoring["window"] is True
    assert "|window:overlap-0.5" in run.scores.signatures[F1]
    maqa("rescore", tmp_path / "run", "--bertscore-model", encoder)
    assert "window" not in load_run(tmp_path / "run").scores.signatures[F1]
