"""The demo's models are whole or absent, and a kill while they are fitted changes no byte of them."""

import signal
import subprocess
import sys

import pytest
from maqa_severity.tasks.sample.grammar import everyday_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.demo import fitting
from maqa_severity.trainers.demo.models import make_demo_base, make_demo_encoder

ROWS = everyday_rows(ARABIC, 60)
PAIRS = [(row["question"], row["answer"]) for row in ROWS]
TEXTS = [text for pair in PAIRS for text in pair]

MAKERS = {
    "base": lambda out: make_demo_base(out, PAIRS, epochs=4, language=ARABIC),
    "encoder": lambda out: make_demo_encoder(out, TEXTS, epochs=2),
}
KILLED = (
    "import os, sys, signal; from pathlib import Path; from maqa_severity.trainers.demo import fitting\n"
    "from maqa_severity.tests.test_demo_kills import MAKERS\n"
    "fitting._EVERY_S, save, saved = 0.0, fitting._save, []\n"
    "def killing(*given):\n"
    "    save(*given); saved.append(0)\n"
    "    if len(saved) == int(sys.argv[3]): os.kill(os.getpid(), signal.SIGKILL)\n"
    "fitting._save = killing\n"
    "MAKERS[sys.argv[1]](Path(sys.argv[2]))\n"
)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.parametrize("kind", MAKERS)
def test_a_kill_while_it_is_fitted_changes_no_byte_and_no_step_is_done_twice(kind, tmp_path, monkeypatch):
    whole = MAKERS[kind](tmp_path / "whole" / kind)
    out = tmp_path / "part" / kind
    for number in (2, 3):
        done = subprocess.run([sys.executable, "-c", KILLED, kind, out, str(number)], check=False)
        assert done.returncode == -signal.SIGKILL and not out.exists()
    # A file that a kill left half written.
    (out.parent / f".{fitting_state(out)}.x.safetensors").write_bytes(b"half")
    begun = []
    restore = fitting._restore
    monkeypatch.setattr(fitting, "_restore", lambda *given: begun.append(restore(*given)) or begun[-1])
    MAKERS[kind](out)
    assert begun == [5]
    assert content(out) == content(whole) and list(out.parent.iterdir()) == [out]


def fitting_state(out):
    return f".{out.name}.fit.safetensors"


@pytest.mark.slow
@pytest.mark.weekly
def test_the_state_of_another_fit_is_not_gone_on_with(tmp_path):
    out = tmp_path / "base"
    subprocess.run([sys.executable, "-c", KILLED, "base", out, "2"], check=False)
    assert (tmp_path / fitting_state(out)).exists()
    other = make_demo_base(out, PAIRS, epochs=2, language=ARABIC)
    fresh = make_demo_base(tmp_path / "fresh" / "base", PAIRS, epochs=2, language=ARABIC)
    assert content(other) == content(fresh)
