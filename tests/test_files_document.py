"""``docs/files.md`` says what the program writes: every key and file of it, and nothing else."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pandas as pd
import pyarrow.parquet as pq
import pytest
from maqa_severity import cli
from maqa_severity.fetching.origin import Origin
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.data.dataset import DatasetInfo
from maqa_severity.harness.generation.checkpoints import BaseRecord
from maqa_severity.harness.labelling.quality.stress import StressReport
from maqa_severity.harness.labelling.sources.classifier_info import ClassifierInfo
from maqa_severity.harness.labelling.sources.comparison import Comparison
from maqa_severity.harness.metrics.registry import COLUMNS
from maqa_severity.harness.runs.analysis import Analysis
from maqa_severity.harness.runs.manifest import Manifest
from maqa_severity.harness.runs.nll import Likelihoods, write_nll
from maqa_severity.harness.runs.noise import Noise
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.harness.statistics import STRATA
from maqa_severity.leaderboards.records import Board
from maqa_severity.probes.records import Probe
from maqa_severity.ratings.meta_records import Meta
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.judging import obedient
from maqa_severity.tests.packing import write_gguf
from maqa_severity.tests.serving import serving
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.execution.status import CellStatus, State, write_status
from maqa_severity.trainers.experiments.config import Experiment, load_experiment
from maqa_severity.trainers.lm.manifest import TrainingManifest
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
LANDED = Path(__file__).parent / "data" / "landed"
_SETTINGS = ["method=lora", "lora.r=2", "epochs=1", "batch_size=8", "max_length=128", "log_every=1"]

_BLANKS = {"metric": COLUMNS, "stratum": STRATA, "severity": SEVERITIES}
"""What may stand for a name in angle brackets; another name stands for anything."""


def pattern(key: str) -> re.Pattern[str]:
    """What a documented key matches: ``<name>`` is one part of a path, ``.*`` at the end all that is below."""
    below = key.endswith(".*")
    parts = re.split(r"<(\w+)>", key.removesuffix(".*"))
    blanks = ["|".join(map(re.escape, _BLANKS[name])) if name in _BLANKS else "[^.]+" for name in parts[1::2]]
    text = "".join(
        re.escape(part) + (f"(?:{blank})" if blank else "")
        for part, blank in zip(parts[::2], [*blanks, ""], strict=True)
    )
    return re.compile(text + (r"(?:[.\[].*)?" if below else ""))


def tables() -> Iterator[tuple[str, str, list[str]]]:
    """Every table's section, the heading of its first column, and what stands there."""
    for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.split("\n")[0].replace("`", "")
        rows = [line.split("|")[1] for line in section.split("\n") if line.startswith("|")]
        if rows:
            yield title, rows[0].strip(), [name for row in rows[2:] for name in re.findall("`([^`]+)`", row)]


KEYS = {title: names for title, kind, names in tables() if kind in ("key", "column")}
FILES = {title: names for title, kind, names in tables() if kind == "file"}


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The paths of a JSON value's leaves; ``[]`` stands for each of a list's objects."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from paths(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and _holds_objects(value):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_objects, value)))


def keys_of(path: Path) -> set[str]:
    """What a file holds: paths of JSON, columns of a table."""
    if path.suffix == ".parquet":
        return set(pq.read_schema(path).names)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return set(next(csv.reader(text.splitlines())))
    values = (
        [json.loads(line) for line in text.split("\n") if line] if path.suffix == ".jsonl" else [json.loads(text)]
    )
    return {key for value in values for key in paths(value)}


def leaves(record: type[BaseModel], at: str = "") -> Iterator[str]:
    """The keys of a record and of those in it, whether or not a file has them; of a mapping its own key alone."""
    for name, field in record.model_fields.items():
        kind = get_origin(field.annotation)
        inner = next((each for each in (field.annotation, *get_args(field.annotation)) if _is_record(each)), None)
        if inner and kind is not dict:
            yield from leaves(inner, f"{at}{name}{'[]' if kind in (list, tuple) else ''}.")
        elif not field.exclude:
            yield f"{at}{name}"


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def maqa(*arguments: object) -> None:
    """Run a command in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        # It changes nothing here, and is recorded.
        patch.setenv("MAQA_LANGUAGE", ARABIC.code)
        try:
            cli.main()
        except SystemExit as ended:
            assert not ended.code, arguments


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, evaluated: dict[str, Path], checkpoint: Path, encoder: Path
) -> Path:
    """A folder with everything that the program writes."""
    root = tmp_path_factory.mktemp("files")
    rows = pd.DataFrame(handwritten_rows(ARABIC))[["id", "question", "answer", "category", "severity"]]
    rows.assign(prediction=rows["answer"], reference=rows["answer"]).head(6).to_csv(
        root / "answers.csv", index=False
    )
    rows.to_csv(root / "labelled.csv", index=False)
    cases = [f"case {number // 2}" for number in range(len(rows))]
    rows.drop(columns="severity").assign(case_id=cases, remark="of nobody").to_csv(root / "rows.csv", index=False)
    split = ["--test", 12, "--validation", 30]
    maqa("prepare", root / "rows.csv", "--out", root / "unlabelled", *split)
    worded = rows.assign(severity=rows["severity"].replace({"critical": "Emergency"}))
    worded.to_csv(root / "worded.csv", index=False)
    maqa("prepare", root / "worded.csv", "--out", root / "expert", *split)
    maqa("prepare", root / "expert", "--out", root / "again", *split)
    maqa("label", root / "unlabelled", "--check", root / "labelled.csv", "--out", root / "unlabelled")
    maqa("label", root / "unlabelled", "--with", "rules", "--out", root / "dataset")
    maqa("label", root / "expert", "--with", "rules", "--stress", "--out", root / "stress")
    maqa("label", root / "expert", "--with", "rules", "--check", root / "labelled.csv", "--out", root / "check")
    maqa("label", root / "dataset", "--with", "rules", "--check", root / "labelled.csv", "--out", root / "dataset")
    beside = ["--with", "rules", "--with", "column", "--with", root / "labelled.csv", "--compare"]
    maqa("label", root / "expert", *beside, "--combine", "dawid-skene", "--out", root / "beside")
    maqa("label", root / "again", "--audit", root / "labelled.csv")
    maqa("train", "classifier", root / "expert", "--out", root / "classifier")
    settings = [part for setting in _SETTINGS for part in ("--set", setting)]
    for arm, data in (("severity", "dataset"), ("ce", "unlabelled"), ("paced", "dataset")):
        where = ["--base", checkpoint, "--out", root / "checkpoints" / arm]
        stops = ["--set", {"ce": "patience=1", "severity": "evaluate_every=1"}.get(arm, "seed=0")]
        maqa("train", "lm", root / data, "--arm", arm, *where, *settings, "--set", "rows=12", *stops)
    maqa("export", root / "checkpoints" / "severity", "--out", root / "exported")
    sampled = ["--decoding", "paper", "--samples", 2, "--repeat-share", 1]
    model = ["--model", "hf", "--model-args", f"pretrained={root / 'checkpoints' / 'severity'}", "--device", "cpu"]
    asked = ["--data", root / "expert", "--bertscore-model", encoder, "--limit", 2, "--max-new-tokens", 4]
    maqa("evaluate", *model, *asked, *sampled, "--out", root / "runs" / "sampled")
    shutil.copytree(LANDED, root / "landed")
    shutil.copytree(encoder, root / "encoder")
    for kind, run in evaluated.items():
        shutil.copytree(run, root / "runs" / kind)
    maqa("rescore", root / "landed" / "runs" / "plain", "--bertscore-model", encoder)
    arms = {arm: [root / "landed" / "runs" / arm] for arm in ("ce", "severity")}
    for arm, runs in arms.items():
        runs.append(Path(shutil.copytree(runs[0], root / "runs" / f"{arm}-1")))
        manifest = json.loads((runs[1] / "manifest.json").read_text(encoding="utf-8"))
        manifest["model"]["training"]["conditions"]["config.seed"] = 1
        (runs[1] / "manifest.json").write_text(json.dumps({**manifest, "name": f"{arm}-1"}), encoding="utf-8")
    for number, run in enumerate((*arms["ce"], *arms["severity"])):
        _likelihoods(run, number)
    few = ["--resamples", 200]
    maqa("leaderboard", *arms["ce"], *arms["severity"], "--out", root / "board", *few)
    maqa("compare", arms["ce"][0], arms["severity"][0], "--json", root / "compared" / "runs.json", *few)
    twice = root / "runs" / "sampled"
    maqa("compare", "--a", twice, "--b", twice, "--json", root / "compared" / "twice.json", *few)
    load_run(arms["ce"][0]).answers[["id", "severity"]].to_csv(root / "people.csv", index=False)
    checked = ["--gold", root / "people.csv", "--metric", "bertscore_f1", "--metric", "missed_emergency"]
    maqa("compare", arms["ce"][0], arms["severity"][0], *checked, "--json", root / "compared" / "true.json", *few)
    maqa("compare", "--a", *arms["ce"], "--b", *arms["severity"], "--json", root / "compared" / "arms.json", *few)
    everything = [*arms["ce"], *arms["severity"]]
    for run in list(everything):
        everything.append(Path(shutil.copytree(run, root / "runs" / f"other-{run.name}")))
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        manifest["model"]["training"]["conditions"]["base"] = {"files": "another"}
        (everything[-1] / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    maqa("compare", "--arms", "ce", "severity", *everything, "--json", root / "claimed" / "arms.json", *few)
    declared = {
        "primary": "bertscore_f1",
        "looks": {"at": [0.5, 1]},
        "contrasts": [{"arm": "severity", "against": ["ce"]}],
    }
    # JSON is YAML too.
    write_json(root / "analysis.yaml", declared)
    told = ["--analysis", root / "analysis.yaml", "--look", 2, *few]
    for name, sides in (
        ("compared/declared.json", ["--a", *arms["ce"], "--b", *arms["severity"]]),
        ("claimed/declared.json", ["--arms", "ce", "severity", *everything]),
    ):
        maqa("compare", *sides, *told, "--json", root / name)
    mild = [Path(shutil.copytree(run, root / "runs" / f"mild-{run.name}")) for run in arms["severity"]]
    for run in mild:
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        manifest["model"]["training"] |= {"scheme": "mild", "weights": {"cv": 0.3}}
        (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    doses = ["ce", "severity-mild", "severity-strong", *arms["ce"], *arms["severity"], *mild]
    maqa("compare", "--arms", *doses, "--json", root / "claimed" / "doses.json", *few)
    maqa("score", root / "answers.csv", "--out", root / "scores.parquet", "--bertscore-model", encoder)
    answers = pd.read_csv(root / "answers.csv")
    answers.assign(judged=range(len(answers))).to_csv(root / "people_judged.csv", index=False)
    for table, file in (("constructed", "answers.csv"), ("people", "people_judged.csv")):
        out = root / "layers" / f"{table}.json"
        maqa("score", root / file, "--layers", "--out", out, "--bertscore-model", encoder)
    _rated(root, evaluated)
    small = ["--language", "en", "--cases", 2, "--factors", "minimising,sign", "--resamples", 100]
    maqa("probe", "--model", "echo", *small, "--out", root / "probe")
    maqa("doctor", "--json", root / "doctor" / "found.json")
    maqa("doctor", "--detectors", "--json", root / "doctor" / "card.json")
    _judged(root, evaluated)
    write_gguf(root / "tiny.gguf")
    maqa("fetch", root / "tiny.gguf", "--out", root / "fetched" / "tiny")
    for name in ("demo", "demo-null", "paper"):
        written = load_experiment(Path(name)).model_dump(mode="json")
        write_json(root / "experiments" / name / "experiment.json", written)
        write_status(root / "experiments" / name, "ce/seed-0", CellStatus(state=State.DONE))
    return root


SECTIONS = {
    "dataset.json": "**/dataset.json",
    "train.parquet, validation.parquet, test.parquet": "**/t*[nt].parquet",
    "labelling_cost.json": "**/labelling_cost.json",
    "classifier.json": "**/classifier.json",
    "agreement.json": "beside/agreement.json",
    "report_card.json": "**/report_card.json",
    "stress.json": "**/stress.json",
    "training.json": "**/training.json",
    "training_base.json": "**/training_base.json",
    "cost.json": "**/cost.json",
    "training_log.jsonl": "**/training_log.jsonl",
    "nll.parquet": "**/nll.parquet",
    "origin.json": "fetched/*/origin.json",
    "maqa_encoder.json": "**/maqa_encoder.json",
    "request.json": "**/request.json",
    "manifest.json": "**/manifest.json",
    "results_maqa.json": "**/results_maqa.json",
    "samples_<task>_maqa.jsonl": "**/samples_*_maqa.jsonl",
    "key.json": "sheet/key.json",
    "ratings_<rater>.json": "back/ratings_*.json",
    "ratings.json": "rated/ratings.json",
    "maqa ratings agreement --json": "rated/agreement.json",
    "maqa ratings meta --json": "rated/meta.json",
    "judge.json": "judged/*/judge.json",
    "verdicts.parquet": "judged/*/verdicts.parquet",
    "judge_scores.parquet": "judged/*/judge_scores.parquet",
    "preferences.parquet": "judged/*/preferences.parquet",
    "scores.parquet": "**/scores*.parquet",
    "maqa score --layers --out": "layers/*.json",
    "maqa doctor --json": "doctor/found.json",
    "maqa doctor --detectors --json": "doctor/card.json",
    "generation.parquet": "**/generation.parquet",
    "questions.parquet": "**/questions*.parquet",
    "repeats.parquet": "**/repeats.parquet",
    "noise.json": "**/noise.json",
    "severity.parquet": "**/severity.parquet",
    "answers/<digest>.json": "**/answers/*.json",
    "answers/<digest>.jsonl": "**/answers/*.jsonl",
    "results_<time>.json": "landed/runs/plain/*/results_*.json",
    "analysis.yaml": "**/analysis.yaml",
    "maqa compare --json": "compare*/*.json",
    "maqa compare --arms --json": "claimed/*.json",
    "leaderboard.json": "**/leaderboard.json",
    "leaderboard.csv": "**/leaderboard.csv",
    "seeds.csv": "**/seeds.csv",
    "probe_request.json": "probe/probe_request.json",
    "answers.parquet": "probe/answers.parquet",
    "probe.json": "probe/probe.json",
    "experiment.json": "**/experiment.json",
    "cells/<label>.json": "**/cells/**/*.json",
}
"""Every section's files in what was made."""
RECORDS: dict[str, type[BaseModel]] = {
    "dataset.json": DatasetInfo,
    "classifier.json": ClassifierInfo,
    "agreement.json": Comparison,
    "stress.json": StressReport,
    "training.json": TrainingManifest,
    "training_base.json": BaseRecord,
    "origin.json": Origin,
    "manifest.json": Manifest,
    "noise.json": Noise,
    "analysis.yaml": Analysis,
    "leaderboard.json": Board,
    "probe.json": Probe,
    "experiment.json": Experiment,
    "cells/<label>.json": CellStatus,
    "maqa ratings meta --json": Meta,
}
IN_PART = {"results_<time>.json"}
"""Files of another program, of which the page has what is read."""
FOLDERS = {
    "A dataset: maqa prepare, maqa label": ("unlabelled", "dataset", "expert", "again", "landed/dataset"),
    "A classifier: maqa train classifier": ("classifier",),
    "A checkpoint: maqa train lm": ("checkpoints/*", "landed/checkpoints/*"),
    "An exported model: maqa export": ("exported",),
    "A fetched model: maqa fetch": ("fetched/*",),
    "A run: maqa evaluate": ("runs/*", "landed/runs/[!p]*"),
    "A board: maqa leaderboard": ("board",),
    "A sheet for raters: maqa ratings collect": ("sheet",),
    "A probe: maqa probe": ("probe",),
    "A judgement: maqa judge": ("judged/*",),
    "An experiment: maqa run, maqa demo": ("experiments/*",),
}


def _likelihoods(run: Path, number: int) -> None:
    """Likelihoods beside a run of before, as `maqa evaluate` puts them there."""
    rows = load_run(run).answers[["id", "severity"]].assign(split="test", tokens=4)
    rows["nll"] = [1.0 + (place * (number + 2)) % 7 for place in range(len(rows))]
    write_nll(run / "nll.parquet", Likelihoods(rows, "nll|better:lower", {}))


def _rated(root: Path, evaluated: dict[str, Path]) -> None:
    """A sheet of two runs, and what two raters say of it."""
    runs = [evaluated["hf"], evaluated["echo"]]
    maqa("ratings", "collect", *runs, "--kind", "answer", "--questions", 6, "--out", root / "sheet")
    key = json.loads((root / "sheet" / "key.json").read_text(encoding="utf-8"))
    values = {"correct": "yes", "complete": "no", "harmful": "none", "referral": "right"}
    given = [{"item": each["item"], "values": values, "note": "", "seconds": 3} for each in key["items"]]
    for rater in ("a", "b"):
        filled = {"version": 1, "sheet": key["sheet"], "kind": "answer", "rater": rater, "ratings": given}
        write_json(root / "back" / f"ratings_{rater}.json", filled)
    files = [root / "back" / f"ratings_{rater}.json" for rater in ("a", "b")]
    few = ["--resamples", 100]
    maqa("ratings", "import", *files, "--key", root / "sheet", "--out", root / "rated" / "ratings.json", *few)
    maqa("ratings", "agreement", *files, "--key", root / "sheet", "--json", root / "rated" / "agreement.json", *few)
    meta = ["--json", root / "rated" / "meta.json", *few]
    maqa("ratings", "meta", root / "rated" / "ratings.json", *runs, *meta)


def _judged(root: Path, evaluated: dict[str, Path]) -> None:
    """Two runs judged by a server, one by one and in pairs."""
    runs = [evaluated["hf"], evaluated["echo"]]
    labels = {"tone": True, "follow_up": False}
    gold = {"id": "g", "question": "q", "answer": "drink water", "severity": "neutral", "labels": labels}
    (root / "judge_gold.jsonl").write_text(json.dumps(gold), encoding="utf-8")
    stands = ["--ratings", root / "rated" / "ratings.json", "--gold", root / "judge_gold.jsonl", "--checks"]
    asked = ["--price-in", 1, "--price-out", 2, "--repeats", 2, "--resamples", 100]
    with serving(obedient) as server:
        given = ["--model-args", f"base_url={server.url.removesuffix('/completions')},model=m", *asked]
        some = ["--check-rows", 1, *given]
        maqa("judge", *runs, "--out", root / "judged" / "singly", *stands, *some)
        maqa("judge", *runs, "--out", root / "judged" / "pairs", "--pairs", *given)
    shown = ["--judge", root / "judged" / "singly", "--resamples", 100]
    maqa("leaderboard", *runs, *shown, "--out", root / "judged_board")


def test_every_section_has_its_files_and_its_table():
    assert KEYS.keys() == SECTIONS.keys()
    assert FILES.keys() == FOLDERS.keys()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_that_is_written_stands_in_the_page(made, section):
    documented = KEYS[section]
    whole = [pattern(key) for key in documented]
    # An empty value holds none of the keys that may be in it.
    above = {key[:place] for key in documented for place in range(len(key)) if key[place] in ".["}
    files = sorted(made.glob(SECTIONS[section]))
    assert files
    if section not in IN_PART:
        for file in files:
            found = keys_of(file) - above
            unknown = {key for key in found if not any(each.fullmatch(key) for each in whole)}
            assert not unknown, (file, sorted(unknown))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_of_the_page_is_written(made, section):
    found = {key for file in made.glob(SECTIONS[section]) for key in keys_of(file)}
    if section in RECORDS:
        found |= set(leaves(RECORDS[section]))
    missing = [key for key in KEYS[section] if not any(map(pattern(key).fullmatch, found))]
    assert not missing


@pytest.mark.parametrize("section", sorted(RECORDS))
def test_every_key_of_a_record_stands_in_the_page(section):
    known = [pattern(key) for key in KEYS[section]]
    for key in leaves(RECORDS[section]):
        deeper = any(name.startswith((f"{key}.", f"{key}[")) for name in KEYS[section])
        assert deeper or any(each.fullmatch(key) for each in known), key


@pytest.mark.parametrize("section", FOLDERS)
def test_every_file_of_a_folder_stands_in_the_page(made, section):
    known = [pattern(name) for name in FILES[section]]
    for folder in (folder for place in FOLDERS[section] for folder in made.glob(place)):
        for file in folder.rglob("*"):
            names = [file.relative_to(folder), *file.relative_to(folder).parents]
            assert file.is_dir() or any(each.fullmatch(str(name)) for each in known for name in names), file


def test_every_file_of_the_page_is_written(made):
    # Environments (.venv, .venv-vllm) may lie in the folder; their code is not ours, nor always UTF-8.
    code = [path for path in ROOT.rglob("*.py") if not re.match(r"tests$|\.", path.relative_to(ROOT).parts[0])]
    product = "".join(path.read_text(encoding="utf-8") for path in code)
    for section, names in FILES.items():
        folders = [folder for place in FOLDERS[section] for folder in made.glob(place)]
        written = {str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*")}
        for name in names:
            # What is there for a moment, or in a case that was not made, is at least named by the code.
            last = re.split(r"[<>]", name)[-1]
            assert any(map(pattern(name).fullmatch, written)) or f'"{last}' in product, name


def test_what_the_page_calls_new_is_in_no_file_of_version_0_1_0(made):
    for section in SECTIONS:
        rows = [line for line in _section(section).split("\n") if line.endswith("| new |")]
        new = [pattern(key) for row in rows for key in re.findall("`([^`]+)`", row.split("|")[1])]
        old = {key for file in _landed(section) for key in keys_of(file)}
        assert not [key for key in old if any(each.fullmatch(key) for each in new)], section


def _section(title: str) -> str:
    sections = re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    return next(section for section in sections if section.split("\n")[0].replace("`", "") == title)


def _landed(section: str) -> list[Path]:
    place = "compare.json" if section == "maqa compare --json" else SECTIONS[section].removeprefix("landed/")
    return list(LANDED.glob(place))
