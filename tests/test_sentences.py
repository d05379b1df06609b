"""The sentences that Python composes say what they are given, in every language."""

import ast
from pathlib import Path
from string import Formatter

import maqa_severity
from maqa_severity.harness.languages.messages import USUAL, messages, spoken

ROOT = Path(maqa_severity.__file__).parent
ROOMS = [room for room in ROOT.iterdir() if (room / "__init__.py").exists() and room.name != "tests"]


def _calls():
    """File and line, key and names of the values of every ``sentence`` whose key and names stand in the source."""
    for path in sorted(file for room in ROOMS for file in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", None) == "sentence" and node.args):
                continue
            key, names = node.args[0], [each.arg for each in node.keywords]
            if isinstance(key, ast.Constant) and None not in names:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", key.value, set(names)


def test_a_sentence_is_given_exactly_what_its_message_says():
    calls = list(_calls())
    assert len(calls) > 100
    wrong = []
    for where, key, names in calls:
        for code in spoken():
            said = {field for _, field, _, _ in Formatter().parse(messages(code).bare(key)) if field}
            # A language may say a part by its grammar alone; none may ask for more.
            if said - names or (code == USUAL and names - said):
                wrong.append(f"{where} {key} ({code}): given {sorted(names)}, says {sorted(said)}")
    assert not wrong, "\n".join(wrong)
