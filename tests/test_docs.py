"""The pages of the house say what is there."""

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from maqa_severity.commands.app import WORKFLOW

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("howto/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_its_heading(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:")):
            continue
        name, _, heading = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), f"{page.name} links to {target}"
        if heading:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in [re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings]


def rooms_of_the_tree() -> set[str]:
    """The folders that the tree of the architecture shows, as paths."""
    (tree,) = re.findall(r"^```\n(.*?)^```$", (DOCS / "architecture.md").read_text("utf-8"), re.M | re.S)
    found, parents = set(), []
    for line in tree.splitlines():
        indent, name = re.fullmatch(r"( *)(\w+)/ +\S.*", line).groups()
        parents = [*parents[: len(indent) // 2], name]
        found.add("/".join(parents))
    return found


def test_the_tree_of_the_architecture_is_that_of_the_packages():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert rooms_of_the_tree() == {"/".join(name.split(".")[1:]) for name in named if "." in name}


def test_page_and_picture_name_the_floors_that_imports_run_down():
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    picture = [text.strip() for text in ET.parse(DOCS / "architecture.svg").getroot().itertext()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for contract, first in zip(contracts, ("Of the whole:", "Inside the harness:"), strict=True):
        sentence = page.split(first)[1].split(". ")[0]
        assert [each.replace("\n", " ") for each in re.findall(r"`([^`]+)`", sentence)] == contract["layers"]
        # The picture draws the face as one bar.
        drawn = [layer for layer in contract["layers"] if layer not in ("cli", "commands", "experiment")]
        assert [text for text in picture if text in drawn] == drawn


def test_every_registry_of_the_architecture_is_there():
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w/]+\.py)` `(\w+)` \|", page, flags=re.MULTILINE)
    declared = {
        (str(path.relative_to(ROOT)), name)
        for path in ROOT.glob("[!.]*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in {"tests", "runs", "build"}
        for name in re.findall(r"^([A-Z]\w*): Registry\[", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert set(listed) == declared


def test_the_readmes_table_names_every_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("| command |")[1].split("\n\n")[0]
    named = re.findall(r"`maqa ((?:train )?\w+)`", table)
    assert {name.split()[0] for name in named} == set(WORKFLOW) and len(named) == len(set(named))
    assert {"train lm", "train classifier"} < set(named)
