"""The references' likelihood from training to board, comparison and report, and of checkpoints that lack it."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.groups import as_group
from maqa_severity.harness.runs.nll import read_nll
from maqa_severity.harness.runs.run import load_run
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tasks.sample.grammar import medical_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS

FEW = ["--resampling-seed", 0, "--resamples", 200]


def maqa(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            assert not ended.code, arguments


def train(dataset, base, arm, out, *settings):
    chosen = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    maqa("train", "lm", dataset, "--base", base, "--arm", arm, "--out", out, *chosen)


def evaluate(dataset, checkpoint, encoder, out):
    maqa(
        "evaluate", "--model", "hf", "--model-args", f"pretrained={checkpoint}", "--data", dataset,
        "--device", "cpu", "--max-new-tokens", 4, "--limit", 6, "--bertscore-model", encoder, "--out", out, *FEW,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory, checkpoint, encoder):
    """A folder with a dataset, checkpoints of three arms, the plain and the weighted one of two seeds, and runs."""
    root = tmp_path_factory.mktemp("world")
    rows = medical_rows(ARABIC, 20)
    splits = {"train": rows[:30], "validation": rows[30:36], "test": rows[36:]}
    dataset_from_rows(splits, root / "dataset", language=ARABIC, source="grammar")
    for arm, seed in (("base", 0), ("ce", 0), ("ce", 1), ("severity", 0), ("severity", 1)):
        name = f"{arm}-{seed}"
        train(root / "dataset", checkpoint, arm, root / "checkpoints" / name, f"seed={seed}")
        evaluate(root / "dataset", root / "checkpoints" / name, encoder, root / "runs" / name)
    return root


def test_every_arm_says_it_of_both_splits_the_untrained_base_included(world):
    means = {}
    for name in ("base-0", "ce-0", "severity-1"):
        folder = world / "checkpoints" / name
        frame = read_nll(folder / "nll.parquet").frame
        dataset = open_dataset(world / "dataset")
        rows = [dataset.split(split) for split in ("validation", "test")]
        assert frame["id"].tolist() == [*rows[0]["id"], *rows[1]["id"]]
        assert frame["severity"].tolist() == [*rows[0]["severity"], *rows[1]["severity"]]
        said = json.loads((folder / "training.json").read_text())["nll"]["splits"]
        test = frame[frame["split"] == "test"]
        for stratum, rows in [("overall", test), *((name, part) for name, part in test.groupby("severity"))]:
            found = said["test"]["strata"][stratum]
            assert found["rows"] == len(rows) and found["tokens"] == rows["tokens"].sum()
            assert found["token_mean"] == pytest.approx(rows["nll"].sum() / rows["tokens"].sum())
            assert found["example_mean"] == pytest.approx((rows["nll"] / rows["tokens"]).mean())
            assert found["perplexity"] == pytest.approx(np.exp(found["token_mean"]))
        means[name] = said["test"]["strata"]["overall"]["token_mean"]
    # Training on the grammar's answers makes further ones likelier.
    assert means["ce-0"] < means["base-0"] - 0.1 and means["severity-1"] < means["base-0"] - 0.1


def test_a_run_has_the_rows_that_it_asked_and_plain_transformers_says_the_same(world):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = load_run(world / "runs" / "ce-0")
    assert run.nll.frame["id"].tolist() == run.answers["id"].tolist()
    folder = world / "checkpoints" / "ce-0"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for row, nll in zip(run.answers.itertuples(), run.nll.frame["nll"], strict=True):
        prompt = tokenizer(ARABIC.ask(row.question))["input_ids"]
        answer = tokenizer(" " + row.reference, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        ids = torch.tensor([[*prompt, *answer]][0][:128])[None]
        labels = ids.clone()
        labels[:, : len(prompt)] = -100
        with torch.no_grad():
            assert float(model(input_ids=ids, labels=labels).loss) == pytest.approx(nll, abs=1e-5)


def test_an_adapter_is_measured_on_its_base_and_later_without_its_training(world, tmp_path, checkpoint):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "lora"
    train(world / "dataset", checkpoint, "ce", folder, "method=lora", "learning_rate=1e-2")
    found = read_nll(folder / "nll.parquet")
    base = AutoModelForCausalLM.from_pretrained(checkpoint)
    model = PeftModel.from_pretrained(base, folder).merge_and_unload()
    from maqa_severity.trainers.lm.bases import load_tokenizer
    from maqa_severity.trainers.lm.config import load_config
    from maqa_severity.trainers.lm.nll import measure

    tokenizer = load_tokenizer(str(checkpoint), None, None)
    config = load_config(settings=SETTINGS)
    again = measure(model, tokenizer, open_dataset(world / "dataset"), config)
    assert np.abs(again.frame["nll"] - found.frame["nll"]).max() < 1e-3
    assert not np.allclose(
        found.frame["nll"], read_nll(world / "checkpoints" / "base-0" / "nll.parquet").frame["nll"]
    )
    expected = (folder / "nll.parquet").read_bytes()
    (folder / "nll.parquet").unlink()
    maqa("nll", folder, world / "dataset")
    assert (folder / "nll.parquet").read_bytes() == expected


def test_comparisons_boards_and_reports_show_it_over_questions_and_trainings(world):
    runs = {
        name: load_run(world / "runs" / name) for name in ("base-0", "ce-0", "ce-1", "severity-0", "severity-1")
    }
    one = compare(runs["base-0"], runs["ce-0"])
    change = next(each for each in one.nll.differences if each.stratum == "overall")
    tables = [runs[name].nll.frame.set_index("id")["nll"] for name in ("base-0", "ce-0")]
    assert change.mean == pytest.approx((tables[1] - tables[0]).mean(), abs=1e-9)
    assert change.verdict == "gain" and change.low < change.mean < change.high < 0
    assert "gain overall -" in one.nll.words and one.nll.more is not None
    arms = [as_group([runs[f"{arm}-{seed}"] for seed in (0, 1)]) for arm in ("ce", "severity")]
    over = compare(*arms)
    assert all(each.error is not None for each in over.nll.differences if each.n > 1)
    board = build_board(list(runs.values()))
    rows = {row.name: row for row in board.nll.rows}
    weighted = next(row for name, row in rows.items() if name.startswith("severity"))
    assert len(weighted.runs) == 2 and weighted.differences["overall"].mean == pytest.approx(
        next(each.mean for each in over.nll.differences if each.stratum == "overall"), abs=1e-9
    )
    page = board_page(board)
    assert "Likelihood of the reference answers" in page and f"{weighted.cells['critical'].mean:.4f}" in page
    assert "Likelihood of the reference answers" in report_page(arms[1], arms[0])
    assert "Likelihood of the reference answers" in report_page(runs["ce-0"])


def test_the_terminal_prints_it(world, capsys):
    maqa("compare", world / "runs" / "ce-0", world / "runs" / "severity-0", "--resamples", 200)
    assert "Likelihood of the reference answers: nats per token" in " ".join(capsys.readouterr().out.split())
    maqa("leaderboard", *sorted((world / "runs").iterdir()), "--out", world / "board", "--resamples", 200)
    assert "Likelihood of the reference answers: nats per token" in " ".join(capsys.readouterr().out.split())


def test_a_checkpoint_of_before_is_measured_later_and_its_run_then_has_it(world, tmp_path, encoder, capsys):
    import shutil

    folder, out = tmp_path / "old", tmp_path / "run"
    shutil.copytree(world / "checkpoints" / "ce-0", folder)
    expected = (folder / "nll.parquet").read_bytes()
    (folder / "nll.parquet").unlink()
    manifest = json.loads((folder / "training.json").read_text())
    del manifest["nll"]
    (folder / "training.json").write_text(json.dumps(manifest))
    evaluate(world / "dataset", folder, encoder, out)
    run = load_run(out)
    assert run.nll is None
    compared = compare(run, load_run(world / "runs" / "severity-0"))
    assert "not measured" in compared.nll.left_out and not compared.nll.differences
    assert compare(run, run).nll.left_out == "" and build_board([run]).nll is None
    maqa("nll", folder, world / "dataset")
    assert (folder / "nll.parquet").read_bytes() == expected
    assert "perplexity" in capsys.readouterr().out
    evaluate(world / "dataset", folder, encoder, out)
    pd.testing.assert_frame_equal(load_run(out).nll.frame, load_run(world / "runs" / "ce-0").nll.frame)


def test_other_rows_other_tokens_and_questions_that_were_trained_on_are_told(world, tmp_path, encoder, capsys):
    rows = medical_rows(ARABIC, 20)
    splits = {"train": rows[36:], "validation": rows[:6], "test": rows[6:36]}
    dataset_from_rows(splits, tmp_path / "other", language=ARABIC, source="grammar")
    maqa("nll", world / "checkpoints" / "ce-0", tmp_path / "other", "--out", tmp_path / "other.parquet")
    said = " ".join(capsys.readouterr().out.split())
    assert "6 of the 6 validation questions were in the training of ce-0" in said
    assert "24 of the 30 test questions were in the training of ce-0" in said
    evaluate(tmp_path / "other", world / "checkpoints" / "ce-0", encoder, tmp_path / "run")
    assert load_run(tmp_path / "run").nll is None
    cut = tmp_path / "cut.parquet"
    maqa("nll", world / "checkpoints" / "ce-0", world / "dataset", "--out", cut, "--set", "max_length=40")
    assert read_nll(cut).signature != read_nll(world / "checkpoints" / "ce-0" / "nll.parquet").signature


def test_a_damaged_file_is_one_line(world, tmp_path):
    path = tmp_path / "nll.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(UserError, match=r"is not a readable parquet file.*maqa nll"):
        read_nll(path)
    pd.DataFrame({"id": ["a"]}).to_parquet(path)
    with pytest.raises(UserError, match="was not written by maqa-severity"):
        read_nll(path)
