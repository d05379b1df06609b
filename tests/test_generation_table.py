"""How answers ended, on the terminal and in files of today and of before."""

from types import SimpleNamespace

import pandas as pd
import pytest
from maqa_severity.commands.generation_tables import print_generation
from maqa_severity.harness.generation.finish import ENDINGS, finish_frame
from maqa_severity.harness.generation.records import FinishReason, Prompt
from maqa_severity.harness.generation.store.lines import Answer
from maqa_severity.harness.runs.generations import GENERATION
from rich.console import Console


@pytest.fixture
def frame():
    ended = [
        ("نعم", FinishReason.STOP, {}),
        ("نعم", FinishReason.STOP, {"stop": "\nA:", "run_on": True}),
        ("نعم", FinishReason.STOP, {"stop": "\n\n", "thinking": 9}),
        ("نعم", FinishReason.LENGTH, {}),
    ]
    asked = [Prompt(str(at), "", 0, str(at), "critical", "") for at in range(4)]
    answers = [
        Answer(prompt.key, prompt.id, prompt.severity, 0, text, reason, 1, 5, 0.1, **more)
        for prompt, (text, reason, more) in zip(asked, ended, strict=True)
    ]
    return finish_frame(asked, answers)


def printed(folder, frame: pd.DataFrame) -> str:
    frame.to_parquet(folder / GENERATION, index=False)
    console = Console(width=200, record=True)
    print_generation(console, SimpleNamespace(path=folder))
    return console.export_text()


def test_every_way_to_end_has_its_share(tmp_path, frame):
    lines = printed(tmp_path, frame).splitlines()
    heading = next(line for line in lines if "severity" in line)
    cells = [cell.strip() for cell in heading.strip("┃").split("┃")]
    assert cells == [
        "severity", "answers", "end token", r"at \nA:", r"at \n\n", "cut at the limit", "run-on question dropped",
        "with thoughts", "mean tokens",
    ]  # fmt: skip
    row = next(line for line in lines if "overall" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["overall", "4", *["25.0 %"] * 6, "5.0"]


def test_a_file_of_before_shows_what_it_knows(tmp_path, frame):
    shown = printed(tmp_path, frame.drop(columns=list(ENDINGS)))
    assert "cut at the limit" in shown and "25.0 %" in shown and "end token" not in shown
