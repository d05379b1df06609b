"""A run: one model's answers, read from our own folder or from one that plain lm-eval wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import UserError
from .files import read_json
from .manifest import NAME as MANIFEST
from .manifest import Manifest, read_manifest
from .scores import KEY_COLUMNS, ScoreTable, read_scores
from .severity import SEVERITIES

SCORES = "scores.parquet"
_TASKS = tuple(f"maqa_severity_{severity}" for severity in SEVERITIES)
_PLAIN = "Run lm_eval with `--tasks maqa_severity --log_samples --output_path DIR`, or use `maqa evaluate`"
_ANSWER_COLUMNS = ["id", "severity", "category", "question", "reference", "prediction", "prompt"]


@dataclass(frozen=True)
class Run:
    """One model's answers.

    ``answers`` has the columns ``id, severity, category, question, reference, prediction, prompt``, one row per
    answer; ``scores`` the same rows in the same order. ``manifest`` is absent for a plain lm-eval folder.
    """

    path: Path
    name: str
    answers: pd.DataFrame
    scores: ScoreTable
    manifest: Manifest | None

    @property
    def decoding(self) -> dict[str, Any]:
        """How the answers were decoded, as recorded."""
        decoding: dict[str, Any] = self.manifest.decoding if self.manifest else self.answers.attrs["decoding"]
        return decoding


def load_run(path: Path) -> Run:
    """Read a run folder, or one ``results_*.json`` of a folder with several.

    Raises:
        UserError: there is no run, there are several, or a file of it is missing or damaged.
    """
    if path.is_dir() and (path / MANIFEST).is_file():
        return _own_run(path)
    return _plain_run(_results_file(path))


def _own_run(folder: Path) -> Run:
    manifest = read_manifest(folder)
    answers = _answers([folder / name for name in manifest.samples.values()])[_ANSWER_COLUMNS]
    scores = read_scores(folder / SCORES)
    if list(scores.frame["id"]) != list(answers["id"]):
        raise UserError(
            f"{folder / SCORES} does not hold the rows of the samples files", f"Run `maqa rescore {folder}`"
        )
    return Run(folder, manifest.name, answers, scores, manifest)


def _plain_run(results_file: Path) -> Run:
    results = read_json(results_file, _PLAIN)
    stamp = results_file.name.removeprefix("results_").removesuffix(".json")
    found = [results_file.parent / f"samples_{task}_{stamp}.jsonl" for task in _TASKS]
    samples = _answers([path for path in found if path.is_file()], results_file)
    metrics = list(dict.fromkeys(name for names in samples["metrics"] for name in names))
    signatures = samples["scoring"].iloc[0]["signatures"]
    if missing := set(metrics) - set(signatures):
        raise UserError(f"{results_file}: no signature for {', '.join(sorted(missing))}", _PLAIN)
    frame = samples[[*KEY_COLUMNS, *metrics]].copy()
    answers = samples[_ANSWER_COLUMNS].copy()
    answers.attrs["decoding"] = samples["decoding"].iloc[0]
    name = str(results.get("model_name") or results_file.parent.name)
    return Run(results_file.parent, name, answers, ScoreTable(frame, signatures), None)


def _results_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"run {path} does not exist", _PLAIN)
    # rglob: for a model path ./x lm-eval writes a hidden folder .__x.
    found = sorted(path.rglob("results_*.json"))
    if not found:
        raise UserError(f"{path} holds no results_*.json", _PLAIN)
    if len(found) > 1:
        raise UserError(f"{path} holds {len(found)} results", f"Name one of them, such as {found[-1]}")
    return found[0]


def _answers(files: list[Path], results_file: Path | None = None) -> pd.DataFrame:
    if not files:
        raise UserError(f"{results_file} has no samples_maqa_severity_*.jsonl beside it", _PLAIN)
    rows = [row for path in files for row in _sample_rows(path)]
    frame = pd.DataFrame(rows)
    duplicates = frame["id"][frame["id"].duplicated()]
    if not duplicates.empty:
        raise UserError(
            f"{files[0].parent}: the id {duplicates.iloc[0]!r} occurs twice", "Give each row its own id"
        )
    return frame


def _sample_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    try:
        # Not splitlines(): an answer may hold U+2028 and its kin, which JSON leaves as they are.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", _PLAIN) from None
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_sample_row(json.loads(line)))
        except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
            raise UserError(f"{path} line {number} is not a sample of our tasks: {error!r}", _PLAIN) from None
    return rows


def _sample_row(sample: dict[str, Any]) -> dict[str, Any]:
    document, request = sample["doc"], sample["arguments"]["gen_args_0"]
    return {
        "id": document["id"],
        "severity": document["severity"],
        "category": document["category"],
        "question": document["question"],
        "reference": document["answer"],
        "prediction": sample["filtered_resps"][0],
        "prompt": request["arg_0"],
        "decoding": request["arg_1"],
        "scoring": document["scoring"],
        "metrics": sample["metrics"],
        **{metric: float(sample[metric]) for metric in sample["metrics"]},
    }
