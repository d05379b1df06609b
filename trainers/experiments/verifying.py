"""What an experiment says of its arms, once more from its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...harness.core.errors import UserError
from ...harness.core.files import json_text, read_json
from ...harness.core.records import validated
from ...harness.core.sealing import SEAL, fits_seal
from ...harness.evaluation.verifying import Unequal, Verified, unequal_values
from ...harness.generation.decoding import Preset
from ...harness.runs.manifest import NAME as MANIFEST
from ...harness.runs.run import Run, load_run
from .comparing import compared_arms
from .config import Experiment
from .grid import ARMS_FILE, REQUEST, cells, decoding_folder, run_folder

_REMEDY = "Run the same `maqa run` again"
_NOT_COMPUTED = (SEAL, "missing")
"""Of a stored comparison: what no runs say."""


def verify_arms(folder: Path) -> Iterator[Verified]:
    """Compare the arms of an experiment again, decoding by decoding, with every value of each ``arms.json``.

    Raises:
        UserError: the experiment or one of its files cannot be read.
    """
    if not any(folder.rglob(ARMS_FILE)):
        return
    stored = read_json(folder / REQUEST, _REMEDY)
    experiment = validated(Experiment, stored, str(folder / REQUEST), _REMEDY)
    for preset in experiment.evaluation.decodings:
        path = decoding_folder(experiment, preset, folder) / ARMS_FILE
        if path.is_file():
            found = _verified(experiment, preset, folder, path)
            # Arms that nothing compares have no numbers.
            if found.numbers or found.unequal or found.untold:
                yield found


def _verified(experiment: Experiment, preset: Preset, folder: Path, path: Path) -> Verified:
    raw = read_json(path, _REMEDY)
    name = "arms" if len(experiment.evaluation.decodings) == 1 else f"arms, {preset}"
    unequal = [] if fits_seal(raw) else [Unequal(path.name, "", "sealed", "changed")]
    missing = {each["name"] for each in raw.get("missing", [])}
    planned = list(cells(experiment, folder))
    trained = [cell.label for cell in planned if cell.label not in missing]
    places = {label: run_folder(experiment, preset, label, folder) for label in trained}
    if away := [label for label, place in places.items() if not (place / MANIFEST).is_file()]:
        told = f"the runs of {', '.join(away)} are not in {folder}"
        return Verified(name, path, 0, unequal, untold=[told])
    runs: dict[str, Run] = {label: load_run(place, anyway=True) for label, place in places.items()}
    look = (raw.get("analysis") or {}).get("look", 1)
    try:
        compared = compared_arms(experiment, planned, runs, missing, look)
    except UserError as error:
        return Verified(name, path, 0, unequal, untold=[error.problem])
    again: dict[str, Any] = json.loads(json_text(compared.as_json()))
    kept = {key: value for key, value in raw.items() if key not in _NOT_COMPUTED}
    numbers, found = unequal_values(kept, again)
    return Verified(name, path, numbers, [*unequal, *found])
