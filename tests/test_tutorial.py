"""Every command of the tutorial, as a newcomer types it, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
DATA = "consultations.csv"
TINY = ["--set", "batch_size=2", "--set", "max_length=128"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path, checkpoint):
    (table,) = [block for block in blocks("text") if block.startswith("question,answer")]
    (tmp_path / DATA).write_text(table, encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines() if line]
    assert len(commands) >= 9 and all(line.startswith("maqa ") for line in commands)
    environment = {**os.environ, "COLUMNS": "200"}
    for line in commands:
        words = [word.replace("MODEL", str(checkpoint)) for word in shlex.split(line)[1:]]
        extra = TINY if words[:2] == ["train", "lm"] else []
        done = subprocess.run(
            [sys.executable, "-m", "maqa_severity", *words, *extra],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert (tmp_path / "board" / "index.html").is_file() and (tmp_path / "report.html").is_file()


def test_every_command_has_a_page_with_all_its_options(tmp_path):
    from maqa_severity.cli import application
    from maqa_severity.commands.app import WORKFLOW
    from maqa_severity.commands.pages import write_pages

    pages = {path.stem: path.read_text(encoding="utf-8") for path in write_pages(application(), tmp_path)}
    assert {*pages} == {*WORKFLOW, "index"}
    assert all(option in pages["evaluate"] for option in ("--model-args", "--bertscore-layer", "--repeat-share"))
    assert "## maqa ratings agreement" in pages["ratings"]
