"""One process at a time works on something, whichever machine it is on; what a dead one left is taken over."""

import errno
import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from maqa_severity.harness.core import holding
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.folders import working_in
from maqa_severity.harness.core.holding import hold, holder
from maqa_severity.tests.writers import make_table, run

HOLDS = (
    "import sys, time; from pathlib import Path; from maqa_severity.harness.core.holding import hold\n"
    "with hold(Path(sys.argv[1]), 'the grid'):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, tmp_path / "lock"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_and_told_who_holds_it(other, tmp_path):
    told = (
        rf"the grid is worked on by process {other.pid} on {platform.node()} since 20\d\d-.*Wait until it has ended"
    )
    with pytest.raises(UserError, match=told), hold(tmp_path / "lock", "the grid", wait_s=0):
        pass
    assert holder(tmp_path / "lock").pid == other.pid


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_dead_process_holds_is_taken_over(other, tmp_path, sign):
    other.send_signal(sign)
    other.wait()
    assert holder(tmp_path / "lock") is None and (tmp_path / "lock").exists()
    with hold(tmp_path / "lock", "the grid"):
        assert holder(tmp_path / "lock").pid == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_who_waits_long_enough_gets_it(other, tmp_path):
    # Another process ends it, as the system ends the workers of a driver that died.
    subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {other.pid}"])
    with hold(tmp_path / "lock", "the grid", wait_s=30):
        assert holder(tmp_path / "lock").pid == os.getpid()


def elsewhere(path, age_s):
    """A lock of another machine, whose own lock does not reach this one."""
    with hold(path, "the grid"):
        found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "host": "far", "machine": "another boot", "pid": 7}))
    os.utime(path, (time.time() - age_s,) * 2)


def test_a_lock_of_another_machine_holds_as_long_as_it_is_renewed(tmp_path):
    elsewhere(tmp_path / "lock", age_s=20)
    assert holder(tmp_path / "lock").host == "far"
    with pytest.raises(UserError, match="process 7 on far"), hold(tmp_path / "lock", "the grid", wait_s=0):
        pass
    elsewhere_again = tmp_path / "old"
    elsewhere(elsewhere_again, age_s=120)
    assert holder(elsewhere_again) is None
    with hold(elsewhere_again, "the grid", wait_s=0):
        pass


def test_a_lock_is_renewed_while_it_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(holding, "_BEAT_S", 0.05)
    with hold(tmp_path / "lock", "the grid"):
        os.utime(tmp_path / "lock", (0, 0))
        deadline = time.monotonic() + 30
        while (tmp_path / "lock").stat().st_mtime < 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert time.time() - (tmp_path / "lock").stat().st_mtime < 30


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*lock"), hold(tmp_path / "file" / "lock", "the grid"):
        pass


def test_a_lock_that_a_full_disk_cannot_hold_is_one_line_and_holds_nobody(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(UserError, match=r"No space left .*Make room"):
        patch.setattr(os, "write", full)
        with hold(tmp_path / "lock", "the grid", wait_s=0):
            pass
    assert not (tmp_path / "lock").exists()
    with hold(tmp_path / "lock", "the grid", wait_s=0):
        assert holder(tmp_path / "lock").pid == os.getpid()


WORKS = (
    "import sys, time; from pathlib import Path; from maqa_severity.harness.core.folders import working_in\n"
    "with working_in(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


def test_a_folder_is_written_by_one_process_and_a_killed_one_holds_nothing(tmp_path):
    folder = tmp_path / "data"
    process = subprocess.Popen([sys.executable, "-c", WORKS, folder], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        told = rf"another process is writing .*data: process {process.pid} on {platform.node()} since 20"
        with pytest.raises(UserError, match=told), working_in(folder):
            pass
    finally:
        process.kill()
        process.wait()
    with working_in(folder):
        (folder / "file").touch()
    assert folder.is_dir() and list(tmp_path.iterdir()) == [folder]
    with working_in(tmp_path / "unused"):
        pass
    assert not (tmp_path / "unused").exists()


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_table(tmp_path)
    assert run(["prepare", "data.csv", "--out", "data"])[0] == 0


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("data", "prepare data.csv --out data --overwrite"),
        ("labelled", "label data --with rules --out labelled"),
        ("data", "rescore data --bertscore-model none"),
        (".sheet.partial", "ratings collect data --questions 4 --out sheet"),
        (".it.partial", "publish data --format croissant --license cc0-1.0 --out it"),
    ],
)
def test_every_command_that_works_in_a_folder_is_refused_while_another_does(held, words, table):
    Path(held).mkdir(exist_ok=True)
    before = {path: path.read_bytes() for path in Path("data").iterdir()}
    handle = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        status, _, error = run(words.split())
    finally:
        os.close(handle)
    assert (status, error.count("\n")) == (2, 1), error
    assert f"process {os.getpid()} on {platform.node()} since 20" in error and "another process" in error
    assert {path: path.read_bytes() for path in Path("data").iterdir()} == before


def test_a_disk_without_locks_holds_nothing_and_stops_nobody(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(holding.fcntl, "flock", refuse)
    with working_in(tmp_path):
        pass
