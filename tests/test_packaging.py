"""The wheel holds the house: every package, every data file, and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = {"docs", "tests", "runs", "build"}


def packages() -> set[str]:
    """Every folder with an ``__init__.py``, by its name in the package."""
    found = set()
    for path in ROOT.rglob("__init__.py"):
        parts = path.parent.relative_to(ROOT).parts
        if not any(part.startswith(".") for part in parts) and not OUTSIDE & {*parts[:1]}:
            found.add(".".join(("maqa_severity", *parts)))
    return found


def test_pyproject_names_every_package():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert set(named) == packages()
    assert named == sorted(named)


def test_the_tested_set_is_pinned_whole():
    pins = dict(line.strip().split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if line)
    assert pins["torch"] == "2.13.0" and pins["lm_eval"] == "0.4.13"
    from importlib.metadata import version

    wrong = {name: (pin, version(name)) for name, pin in pins.items() if version(name).split("+")[0] != pin}
    assert not wrong


def test_the_wheel_pins_nothing_to_one_release():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    assert not [each for each in wanted if "==" in each]


@pytest.mark.slow
def test_the_wheel_holds_every_tracked_file_of_the_house(tmp_path):
    listing = ["git", "ls-tree", "-r", "--name-only", "HEAD"]
    tracked = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    house = {path for path in tracked if path.split("/")[0] not in OUTSIDE and "/" in path and path[0] != "."}
    copy = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    # In an environment of its own pip would fetch setuptools from the network.
    how = ["-q", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", *how, "-w", str(tmp_path), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name.removeprefix("maqa_severity/") for name in wheel.namelist()}
    assert house <= packed
    assert not {name for name in packed if name.split("/")[0] in OUTSIDE}
