"""``maqa --help`` is the first page that a user reads."""

import subprocess
import sys

from maqa_severity.commands.app import WORKFLOW


def test_help_lists_every_command_in_the_order_of_the_work_each_on_a_whole_line():
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "80"},
    )  # fmt: skip
    commands = [line.split(maxsplit=1) for line in done.stdout.split("Commands:")[1].splitlines() if line]
    assert tuple(name for name, _ in commands) == WORKFLOW
    assert [text for _, text in commands if not text.endswith(".") or text.endswith("...")] == []


def test_help_waits_for_no_heavy_library():
    code = (
        "import sys; from maqa_severity.cli import main; sys.argv = ['maqa', '--help']\n"
        "heavy = {'torch', 'transformers', 'pandas', 'lm_eval', 'numpy', 'pyarrow', 'pydantic'}\n"
        "try: main()\n"
        "except SystemExit: print('loaded:', heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: set()"


def test_the_options_of_evaluate_stand_under_headings_and_each_but_help_under_one_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity", "evaluate", "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "80"},
    )  # fmt: skip
    panels, heading = {}, ""
    for line in done.stdout.splitlines():
        if line.endswith(":") and line[0] != " ":
            heading = line[:-1]
        elif line.startswith(("  --", "  -h")):
            panels.setdefault(heading, []).append(line.split("  ")[1])
    assert list(panels) == ["Model", "Questions and prompt", "Answers", "Scores", "Run", "Options"]
    assert panels["Options"] == ["--lang CODE", "-h, --help"] and any(
        each.startswith("--out ") for each in panels["Run"]
    )
    assert max(map(len, panels.values())) <= 9
