"""`maqa evaluate` killed with SIGKILL at random moments, and stopped in the other ways a machine knows."""

import resource
import signal
import subprocess
import sys
import time

import pytest
from maqa_severity.tests.killing import finish, killed_until_done, results, sound

pytestmark = pytest.mark.slow


def command(checkpoint, out, *more):
    return [
        sys.executable, "-m", "maqa_severity", "evaluate", "--model", "hf",
        "--model-args", f"pretrained={checkpoint},dtype=float32", "--device", "cpu", "--out", str(out),
        "--bertscore-model", "none", "--batch-size", "2", "--limit", "20", "--max-new-tokens", "96", *more,
    ]  # fmt: skip


def test_25_kills_at_random_moments_leave_the_bytes_of_the_uninterrupted_run(checkpoint, tmp_path):
    midway = killed_until_done(lambda out: command(checkpoint, out), tmp_path, kills=25)
    assert midway >= 5, "the moments must hit the generation, not only the start"


def test_sampling_is_resumed_to_the_same_bytes(checkpoint, tmp_path):
    more = ("--decoding", "paper-curriculum", "--samples", "2")
    assert killed_until_done(lambda out: command(checkpoint, out, *more), tmp_path, kills=4, seed=1) >= 1


def started(checkpoint, out, **settings):
    """The command, once it has stored its first answers."""
    process = subprocess.Popen(command(checkpoint, out), stderr=subprocess.PIPE, text=True, **settings)
    while process.poll() is None and not sound(out):
        time.sleep(0.01)
    return process


def test_ctrl_c_is_one_line_and_the_same_command_ends_as_if_nothing_had_happened(checkpoint, tmp_path):
    finish(command(checkpoint, tmp_path / "whole"), tmp_path / "whole")
    process = started(checkpoint, tmp_path / "out")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and "Traceback" not in said
    assert "interrupted; " in said and "answers are kept" in said
    assert 0 < sound(tmp_path / "out") < 60
    finish(command(checkpoint, tmp_path / "out"), tmp_path / "out")
    assert results(tmp_path / "out") == results(tmp_path / "whole")


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
