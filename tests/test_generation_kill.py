"""`maqa evaluate` killed with SIGKILL at random moments, and stopped in the other ways a machine knows."""

import resource
import signal
import subprocess
import sys

import pytest
from maqa_severity.tests.killing import finish, killed_until_done, results, sound

pytestmark = pytest.mark.slow


def command(checkpoint, out, *more):
    return [
        sys.executable, "-m", "maqa_severity", "evaluate", "--model", "hf",
        "--model-args", f"pretrained={checkpoint},dtype=float32", "--device", "cpu", "--out", str(out),
        "--bertscore-model", "none", "--batch-size", "2", "--limit", "20", "--max-new-tokens", "96", *more,
    ]  # fmt: skip


@pytest.mark.weekly
def test_25_kills_at_random_moments_leave_the_bytes_of_the_uninterrupted_run(checkpoint, tmp_path):
    midway = killed_until_done(lambda out: command(checkpoint, out), tmp_path, kills=25)
    assert midway >= 5, "the moments must hit the generation, not only the start"


def test_sampling_is_resumed_to_the_same_bytes(checkpoint, tmp_path):
    more = ("--decoding", "paper-curriculum", "--samples", "2")
    assert killed_until_done(lambda out: command(checkpoint, out, *more), tmp_path, kills=4, seed=4) >= 1


@pytest.mark.weekly
def test_repeats_are_resumed_to_the_same_bytes(checkpoint, tmp_path):
    more = ("--repeat-share", "0.5")
    assert killed_until_done(lambda out: command(checkpoint, out, *more), tmp_path, kills=6, seed=2) >= 1
    assert set(results(tmp_path / "whole")) >= {"repeats.parquet", "noise.json"}


INTERRUPTED = """
import os, signal
from maqa_severity.cli import main
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.engines.hf_sampling import StopRows

chunks, generate, stop = [], HFEngine.generate, StopRows.__call__
def counted(engine, prompts):
    chunks.append(prompts)
    return generate(engine, prompts)
def interrupted(self, *given, **more):
    if len(chunks) == 4:
        os.kill(os.getpid(), signal.SIGINT)
    return stop(self, *given, **more)
HFEngine.generate, StopRows.__call__ = counted, interrupted
main()
"""
"""The command with Ctrl-C in the middle of its fourth chunk."""


def test_ctrl_c_is_one_line_and_the_same_command_ends_as_if_nothing_had_happened(checkpoint, tmp_path):
    finish(command(checkpoint, tmp_path / "whole"), tmp_path / "whole")
    asked = command(checkpoint, tmp_path / "out")
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *asked[3:]], capture_output=True, text=True, check=False
    )
    assert process.returncode == 128 + signal.SIGINT and "Traceback" not in process.stderr, process.stderr
    assert "interrupted; 6 answers are kept" in process.stderr
    assert sound(tmp_path / "out") == 6
    finish(asked, tmp_path / "out")
    assert results(tmp_path / "out") == results(tmp_path / "whole")


@pytest.mark.weekly
def test_a_full_disk_is_one_line_and_the_same_command_continues(checkpoint, tmp_path):
    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))

    out = tmp_path / "out"
    process = subprocess.run(
        command(checkpoint, out), preexec_fn=small_disk, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2 and "Traceback" not in process.stderr, process.stderr
    assert "answers before are kept" in process.stderr and "Make room" in process.stderr
    assert 0 < sound(out) < 60
    finish(command(checkpoint, out), out)


def test_a_folder_that_cannot_be_written_is_one_line(checkpoint):
    process = subprocess.run(command(checkpoint, "/proc/out"), capture_output=True, text=True, check=False)
    assert process.returncode == 2 and "Traceback" not in process.stderr
    assert "/proc/out" in process.stderr
