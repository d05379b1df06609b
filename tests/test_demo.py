"""`maqa demo` from nothing to its four lines."""

import subprocess
import sys

import pytest
from maqa_severity import cli
from maqa_severity.commands import demo_checks


@pytest.fixture
def demo(tmp_path, monkeypatch, capsys):
    """Run it in this process: its exit status, and the lines behind its last heading."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maqa", "demo", "--out", str(tmp_path / "demo"), *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, capsys.readouterr().out.rpartition("\nThe demo\n")[2].splitlines()

    return run


@pytest.mark.slow
@pytest.mark.weekly
def test_the_demo_shows_what_it_has_to_and_fails_if_it_does_not(demo, monkeypatch, tmp_path):
    # In a process of its own, as users run it.
    made = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "demo", "--out", str(tmp_path / "demo")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    status, lines = made.returncode, made.stdout.rpartition("\nThe demo\n")[2].splitlines()
    assert status == 0 and len(lines) == 4 and all(line.startswith("ok: ") for line in lines), lines
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"planted", "null"}
    trained = tmp_path / "demo/null/checkpoints/severity/seed-0/model.safetensors"
    before = trained.stat().st_mtime_ns
    assert demo() == (0, lines)
    assert trained.stat().st_mtime_ns == before
    # The effect is asked for where there is none.
    monkeypatch.setattr(demo_checks, "null_check", demo_checks.planted_check)
    status, lines = demo()
    assert status == 1 and [line[:7] for line in lines if not line.startswith("ok: ")] == ["FAILED:"]
