"""Whatever a disk, a folder, a signal or a reader does: one line, its exit status, nothing half-written."""

import fcntl
import os
import shutil
import signal
import sys

import pytest
from maqa_severity.commands.endings import CLOSED, ended
from maqa_severity.harness.core.errors import Interrupted, UserError
from maqa_severity.harness.core.files import atomic, write_text
from maqa_severity.harness.core.holding import sole
from maqa_severity.harness.generation.store.store import Store
from maqa_severity.tests.fault_matrix import FAULTS, tried
from maqa_severity.tests.writers import WRITERS, make_inputs, make_models, make_table, run


@pytest.mark.parametrize("fault", FAULTS)
def test_prepare_meets_every_fault_with_one_line_and_ends_well_without_it(fault, tmp_path):
    make_table(tmp_path)
    assert tried(WRITERS["prepare"], fault, tmp_path, tmp_path / "tried") == ""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    here = tmp_path_factory.mktemp("inputs")
    make_inputs(here)
    return here


COMMON = ("full at once", "full at rename", "folder removed", "closed pipe")
HEAVY = ("prepare", "evaluate", "train classifier")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WRITERS if name not in HEAVY and not WRITERS[name].models])
@pytest.mark.parametrize("fault", COMMON)
def test_every_light_command_meets_the_common_faults(name, fault, inputs, tmp_path):
    assert tried(WRITERS[name], fault, inputs, tmp_path / "tried") == ""


@pytest.mark.slow
@pytest.mark.weekly
def test_what_trains_merges_and_measures_models_meets_them_too(inputs, tmp_path):
    make_models(inputs)
    for name in (name for name in WRITERS if WRITERS[name].models):
        for fault in COMMON:
            assert tried(WRITERS[name], fault, inputs, tmp_path / f"{name} {fault}") == "", (name, fault)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("kept", [False, True])
def test_every_polite_signal_ends_a_command_alike(sign, kept, capsys, monkeypatch):
    def work():
        try:
            os.kill(os.getpid(), sign)
            signal.pause()
        except KeyboardInterrupt:
            if kept:
                raise Interrupted("interrupted; 8 answers are kept", "Run the same command again") from None
            raise

    before = signal.getsignal(sign)
    assert ended(work) == 128 + sign
    told = capsys.readouterr().err
    assert told.startswith("maqa: interrupted") and told.count("\n") == 1
    assert signal.getsignal(sign) is before


def test_a_signal_that_is_to_be_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert ended(lambda: os.kill(os.getpid(), signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_output_that_nobody_reads_ends_without_a_word_and_another_closed_pipe_does_not(capsys, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert ended(lambda: sys.stdout.write("x" * 100_000)) == CLOSED
    monkeypatch.undo()
    assert capsys.readouterr().err == ""

    def other():
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        ended(other)


def test_a_full_disk_behind_standard_output_is_one_line(capsys, monkeypatch):
    with open("/dev/full", "w") as stream:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", stream)
        assert ended(lambda: sys.stdout.write("x")) == 2
    assert "No space left" in capsys.readouterr().err


def test_what_is_no_fault_of_the_system_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        ended(lambda: 1 / 0)
    with pytest.raises(OSError, match="made up"):
        ended(lambda: (_ for _ in ()).throw(OSError("made up")))


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    (tmp_path / ".a.json.abcd_123.json").write_text("half")
    (tmp_path / ".a.json.bak.json").write_text("somebody's own")
    with atomic(tmp_path / "a.json") as living:
        living.write_text("mine")
        write_text(tmp_path / "a.json", "another's")
        assert living.read_text() == "mine"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.json": "mine", ".a.json.bak.json": "somebody's own",
    }  # fmt: skip


def test_an_error_of_another_file_is_not_said_to_be_of_the_output(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.json"):
        (tmp_path / "elsewhere" / "input").read_text()


def test_answers_for_a_store_that_was_removed_are_no_success(tmp_path):
    store = Store(tmp_path / "answers", {"kind": "echo"})
    with pytest.raises(UserError, match="was removed meanwhile"), store.opened():
        shutil.rmtree(tmp_path / "answers")


def test_who_holds_a_folder_is_said(tmp_path):
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=rf"held: process {os.getpid()} on .* since 20"), sole(tmp_path, "held"):
            pass
    finally:
        os.close(handle)
    with sole(tmp_path, "held"):
        pass


@pytest.mark.slow
def test_an_output_never_overwrites_an_input(inputs, tmp_path):
    run_folder, manifest = tmp_path / "a", tmp_path / "a" / "manifest.json"
    shutil.copytree(inputs / "a", run_folder)
    (tmp_path / "link").symlink_to(run_folder)
    before = manifest.read_bytes()
    for out in (manifest, tmp_path / "link" / "manifest.json"):
        status, _, told = run(["report", run_folder, "--metric", "rougeL", "--resamples", "100", "--out", out])
        assert status == 2 and "an input of this command" in told and manifest.read_bytes() == before
    again = ["report", run_folder, "--metric", "rougeL", "--resamples", "100", "--out", run_folder / "report.html"]
    assert [run(again)[0], run(again)[0]] == [0, 0], "its own page may be written again"
