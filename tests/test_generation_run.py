"""What generation leaves in a run: samples and their scores, truncation, shards put together, equal bytes."""

import json

import pandas as pd
import pytest
from maqa_severity.commands.generation_tables import print_generation
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import evaluate, evaluate_shard
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.store.store import merge
from maqa_severity.harness.metrics.aggregates import GATES
from maqa_severity.harness.metrics.rouge import Rouge
from maqa_severity.harness.metrics.scoring import default_metrics
from maqa_severity.harness.metrics.screening import SCREENING
from maqa_severity.harness.runs.generations import GENERATION
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.generating import GREEDY, hf_config
from maqa_severity.tests.killing import results
from maqa_severity.tests.tongues import ARABIC
from rich.console import Console


def run(checkpoint, out, how=GREEDY, store=None, **settings):
    config = hf_config(checkpoint, store or out / "answers", how, **settings)
    return evaluate(config, EvaluationOptions(out=out, bertscore_model="none", limit=6), FOLDER, GROUP)


def shard(checkpoint, out, index, count, store):
    config = hf_config(checkpoint, store, shard=(index, count))
    return evaluate_shard(config, EvaluationOptions(out=out, bertscore_model="none", limit=6), FOLDER, GROUP)


def test_shards_from_two_machines_end_in_the_bytes_of_one_process(checkpoint, tmp_path):
    run(checkpoint, tmp_path / "one")
    counts = [
        shard(checkpoint, tmp_path / f"machine{i}", i, 2, tmp_path / f"machine{i}" / "answers") for i in (0, 1)
    ]
    assert sum(counts) == 18 and min(counts) > 0
    assert not (tmp_path / "machine0" / "scores.parquet").exists()
    merge([tmp_path / "machine1" / "answers"], tmp_path / "machine0" / "answers")
    finished = run(checkpoint, tmp_path / "machine0")
    assert finished.manifest.runtime["defaults"] == {}, "no model was loaded: all answers were there"
    assert results(tmp_path / "machine0") == results(tmp_path / "one")


def test_every_sample_is_scored_and_a_questions_score_is_their_mean(checkpoint, tmp_path):
    how = decoding("paper", ARABIC, max_new_tokens=12)
    scores = run(checkpoint, tmp_path, how, samples=3).scores.frame
    frame = pd.read_parquet(tmp_path / GENERATION)
    assert len(frame) == 54 and set(frame["sample"]) == {0, 1, 2}
    metrics = list(scores.columns[2:])
    means = frame.groupby("id")[metrics].mean().loc[scores["id"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(means, scores[metrics], check_dtype=False)
    assert not means.equals(frame[frame["sample"] == 0][metrics].reset_index(drop=True))
    before = frame["chrf"]
    after = rescore(tmp_path, lambda language: [Rouge(language)])
    again = pd.read_parquet(tmp_path / GENERATION)
    assert after.scores.metrics == list(Rouge.columns)
    assert "chrf" not in again and (again["rougeL"] == frame["rougeL"]).all()
    rescore(tmp_path, lambda language: default_metrics(language, "none"))
    assert (pd.read_parquet(tmp_path / GENERATION)["chrf"] == before).all()


def test_the_worst_of_k_samples_covers_what_makes_an_answer_dangerous(checkpoint, encoder, tmp_path):
    how = decoding("paper", ARABIC, temperature=2.0, max_new_tokens=12)
    config = hf_config(checkpoint, tmp_path / "answers", how, samples=4)
    done = evaluate(config, EvaluationOptions(out=tmp_path, bertscore_model=str(encoder), limit=6), FOLDER, GROUP)
    with (tmp_path / "printed").open("w") as stream:
        print_generation(Console(file=stream, width=140), done)
    printed = (tmp_path / "printed").read_text()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines()]
    found, metric = {}, None
    for name, *numbers in (row for row in cells if len(row) == 6):
        metric = metric if any(numbers) else name.removesuffix(f" ({SCREENING})")
        found[metric, name] = numbers
    frame = pd.read_parquet(tmp_path / GENERATION)
    for metric in ("missed_emergency", "dangerous_reassurance"):
        critical = frame[frame["severity"] == "critical"].groupby("id")[metric]
        assert found[metric, "critical"][0] == f"{critical.mean().mean():.2f}"
        assert found[metric, "critical"][3:] == [f"{critical.max().mean():.2f}", f"{critical.min().mean():.2f}"]
        assert (metric, "neutral") not in found and (metric, "overall") not in found
    failed = (frame[list(GATES)] == 100).any(axis=1)
    assert 0 < failed.mean() < 1
    safe = frame["bertscore_f1"].where(~failed, 0).groupby(frame["id"])
    numbers = [f"{safe.mean().mean():.2f}", f"{safe.min().mean():.2f}", f"{safe.max().mean():.2f}"]
    assert [found["safe_score", "overall"][place] for place in (0, 3, 4)] == numbers


def test_truncation_per_severity_is_in_the_results(checkpoint, tmp_path):
    run(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=3))
    found = json.loads((tmp_path / "results_maqa.json").read_text())["generation"]
    frame = pd.read_parquet(tmp_path / GENERATION)
    assert found["overall"]["answers"] == 18
    for severity in ("critical", "neutral", "non_critical"):
        rows = frame[frame["severity"] == severity]
        cut = (rows["finish_reason"] == "length").mean()
        assert found[severity]["truncated_pct"] == pytest.approx(100 * cut)
        assert (rows[rows["finish_reason"] == "length"]["tokens"] == 3).all()


def test_the_model_is_gone_before_scoring(checkpoint, tmp_path, monkeypatch):
    events = []
    for owner, name in ((HFEngine, "release"), (Rouge, "score")):
        whole = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *a, _whole=whole, _name=name, **k: (events.append(_name), _whole(*a, **k))[1]
        )
    run(checkpoint, tmp_path)
    assert events[0] == "release" and set(events[1:]) == {"score"}


def test_a_folder_takes_no_second_run(checkpoint, tmp_path):
    run(checkpoint, tmp_path)
    with pytest.raises(UserError, match="holds another run"):
        run(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=5))
    with pytest.raises(UserError, match="holds another run"):
        run(checkpoint, tmp_path, decoding("paper", ARABIC), samples=2)


def test_a_kill_in_the_very_first_write_does_not_stop_the_same_command(tmp_path):
    (tmp_path / ".request.json.k1lledxy.json").touch()
    config = GenerationConfig(kind="echo", decoding=GREEDY, store=tmp_path / "answers")
    options = EvaluationOptions(out=tmp_path, bertscore_model="none", limit=2)
    assert len(evaluate(config, options, FOLDER, GROUP).answers) == 6


def test_interrupting_the_scoring_keeps_the_answers(checkpoint, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rouge, "score", interrupted)
        with pytest.raises(UserError, match=r"interrupted; the answers are kept in .*answers"):
            run(checkpoint, tmp_path / "out")
    finished = run(checkpoint, tmp_path / "out")
    assert finished.manifest.runtime["defaults"] == {}
    run(checkpoint, tmp_path / "whole")
    assert results(tmp_path / "out") == results(tmp_path / "whole")
