"""What another process does beside this one: silent, waited for, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from maqa_severity.harness.core import beside as module
from maqa_severity.harness.core.beside import beside
from maqa_severity.tests.beside_work import sleep, write

SLEEPING = """
from pathlib import Path
from maqa_severity.harness.core.beside import beside
from maqa_severity.tests.beside_work import sleep
import sys, time
if __name__ == "__main__":
    with beside(sleep, Path(sys.argv[1])):
        time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def pid_in(path):
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    return int(path.read_text())


def gone(pid):
    """Whether it has ended; what nobody has waited for yet has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def ends(pid):
    until = time.monotonic() + 60
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return gone(pid)


def test_it_is_done_in_a_process_of_its_own_which_says_nothing(tmp_path, capfd):
    with beside(write, tmp_path / "pid") as finished:
        finished()
        assert int((tmp_path / "pid").read_text()) != os.getpid()
    assert capfd.readouterr() == ("", "")


def test_on_one_core_nothing_is_done_beside(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    with beside(write, tmp_path / "pid") as finished:
        finished()
    assert not (tmp_path / "pid").exists()


def test_an_error_of_the_body_ends_it(tmp_path):
    with pytest.raises(ValueError, match="mine"), beside(sleep, tmp_path / "pid"):
        pid = pid_in(tmp_path / "pid")
        raise ValueError("mine")
    assert gone(pid)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_it_does_not_outlive_its_parent(tmp_path, sign):
    script = tmp_path / "sleeping.py"
    script.write_text(SLEEPING)
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path / "pid")], stderr=subprocess.DEVNULL)
    pid = pid_in(tmp_path / "pid")
    parent.send_signal(sign)
    assert parent.wait(60) != 0
    assert ends(pid)
