"""Shards as Ray actors on a local cluster of two CPU workers: the same answers as one process."""

import subprocess
import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.store.lines import read
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.generation.workers.workers import load_workers
from maqa_severity.tests.generating import answer, hf_config, requests
from maqa_severity.tests.killing import results
from maqa_severity.tests.tongues import ARABIC

ray = pytest.importorskip("ray", reason="Ray is not installed here: pip install 'maqa-severity[ray]'")
pytestmark = pytest.mark.slow


@pytest.fixture
def cluster():
    """Two CPUs, and nothing else."""
    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def test_two_workers_give_the_answers_of_one_process(checkpoint, tmp_path, cluster):
    one = answer(hf_config(checkpoint, tmp_path / "one"))
    two = answer(hf_config(checkpoint, tmp_path / "two", ray=True, workers=2, batch_size=4))
    assert two.texts == one.texts
    assert [a.key for a in two.answers] == [a.key for a in one.answers]
    assert two.defaults["batch_prompts"] == 4


@pytest.mark.weekly
def test_what_one_process_had_stored_is_not_generated_again(checkpoint, tmp_path, cluster):
    StoredModel(hf_config(checkpoint, tmp_path, shard=(0, 2))).generate_shard(requests())
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    united = answer(hf_config(checkpoint, tmp_path, ray=True, workers=2))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*shard*.jsonl")} == before
    assert len(united.store.path.read_bytes().splitlines()) == 30 - before.popitem()[1].count(b"\n")


def test_more_workers_than_the_cluster_holds_are_refused(checkpoint, tmp_path, cluster):
    with pytest.raises(UserError, match=r"3 engines of a CPU each do not fit the cluster, which has room for 2"):
        load_workers(hf_config(checkpoint, tmp_path, ray=True, workers=3))


def test_what_a_worker_cannot_do_is_the_line_that_one_process_says(checkpoint, tmp_path, cluster):
    for wrong in (
        {"arguments": {"attn_implementation": "nonsense"}},
        {"how": decoding("greedy", ARABIC, max_new_tokens=100_000)},
    ):
        said = []
        for ray_too in ({}, {"ray": True, "workers": 1}):
            with pytest.raises(UserError) as raised:
                answer(hf_config(checkpoint, tmp_path, **wrong, **ray_too))
            said.append(str(raised.value))
        assert said[0] == said[1] and "\n" not in said[1]


def test_a_dead_worker_is_one_line_and_keeps_the_answers(checkpoint, tmp_path, cluster, monkeypatch):
    from maqa_severity.harness.generation.workers.ray import RayWorkers

    whole = RayWorkers.run

    def killing(workers, planned):
        for number, chunk in enumerate(whole(workers, planned)):
            yield chunk
            if number == 1:
                ray.kill(workers._actors[0])
                ray.kill(workers._actors[1])

    config = hf_config(checkpoint, tmp_path / "killed", ray=True, workers=2, batch_size=2)
    with monkeypatch.context() as patch, pytest.raises(UserError, match="the engine died") as raised:
        patch.setattr(RayWorkers, "run", killing)
        answer(config)
    store = next((tmp_path / "killed").glob("*.jsonl"))
    before, kept = store.read_bytes(), len(read(store).answers)
    assert f"; {kept} answers are kept" in str(raised.value)
    # Two chunks of two were taken; what the workers had finished when they died may be there as well.
    assert 4 <= kept < 30
    assert answer(config).texts == answer(hf_config(checkpoint, tmp_path / "one")).texts
    assert store.read_bytes().startswith(before)


@pytest.mark.weekly
def test_the_command_runs_on_ray_and_writes_the_bytes_of_one_process(checkpoint, tmp_path):
    def run(out, *more):
        command = [
            sys.executable, "-m", "maqa_severity", "evaluate", "--model", "hf", "--device", "cpu",
            "--model-args", f"pretrained={checkpoint},dtype=float32", "--bertscore-model", "none",
            "--limit", "10", "--max-new-tokens", "16", "--out", str(out), *more,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return results(out)

    assert run(tmp_path / "ray", "--engine", "ray", "--workers", "2") == run(tmp_path / "one")
