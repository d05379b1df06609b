"""Walk the given languages from a file to a report, in a process of its own, and print what was seen as JSON."""

import csv
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import maqa_severity
from maqa_severity.cli import main
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.labelling.sources.lexicon import load_lexicon
from maqa_severity.harness.languages import language
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tasks.documents import prompt
from maqa_severity.trainers.demo.models import make_demo_base
from maqa_severity.trainers.lm import preparation

TRAINING = ["method=full", "epochs=1", "batch_size=4", "learning_rate=1e-3", "max_length=96"]
ROOT = Path(maqa_severity.__file__).parent


def maqa(command: str) -> tuple[int, str]:
    """Exit status and all that was printed."""
    printed = io.StringIO()
    sys.argv = ["maqa", *command.split()]
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return status, printed.getvalue()


def walk(code: str, source: Path, out: Path) -> dict[str, object]:
    """Prepare, label, train, evaluate with a model and a floor, and report."""
    tongue = language(code)
    with source.open(encoding="utf-8", newline="") as stream:
        pairs = [tuple(row)[:2] for row in csv.reader(stream)][1:]
    make_demo_base(out / "base", pairs, language=tongue, epochs=1)
    asked: list[str] = []
    encode = preparation.encode

    def recorded(tokenizer: object, prompts: list[str], *rest: object) -> object:
        asked.extend(prompts)
        return encode(tokenizer, prompts, *rest)

    preparation.encode = recorded
    evaluated = f"--data {out}/labelled --bertscore-model none --max-new-tokens 8 --device cpu"
    training = " ".join(f"--set {setting}" for setting in TRAINING)
    steps = {
        "prepare": f"prepare {source} --out {out}/data --language {code} --test 12 --validation 0",
        "label": f"label {out}/data --with rules --out {out}/labelled",
        "train": f"train lm {out}/labelled --base {out}/base --arm ce --out {out}/ce {training}",
        "hf": f"evaluate --model hf --model-args pretrained={out}/ce,dtype=float32 {evaluated} --out {out}/hf",
        "constant": f"evaluate --model constant {evaluated} --out {out}/constant",
        "report": f"report {out}/hf --against {out}/constant --metric rougeL --out {out}/report.html",
    }
    done = {name: maqa(step) for name, step in steps.items()}
    preparation.encode = encode
    if bad := [f"{name}: {printed}" for name, (status, printed) in done.items() if status]:
        return {"failed": bad}
    train = open_dataset(out / "labelled").split("train")
    constant = load_run(out / "constant")
    return {
        "failed": [],
        "printed": {name: printed for name, (_, printed) in done.items()},
        "dataset": json.loads((out / "labelled" / "dataset.json").read_text(encoding="utf-8"))["language"],
        "severities": sorted(set(open_dataset(out / "data").split("test")["severity"])),
        "trained_with": sorted(set(asked)),
        "would_be_asked": sorted(prompt({"question": text, "language": code}) for text in train["question"]),
        "evaluated_with": load_run(out / "hf").answers["prompt"].tolist(),
        "questions": load_run(out / "hf").answers["question"].tolist(),
        "manifest": json.loads((out / "hf" / "manifest.json").read_text(encoding="utf-8")),
        "training": json.loads((out / "ce" / "training.json").read_text(encoding="utf-8")),
        "said": sorted(set(constant.answers["prediction"])),
        "signatures": constant.scores.signatures,
        "means": {name: constant.scores.frame[name].mean() for name in constant.scores.metrics},
        "page": (out / "report.html").read_text(encoding="utf-8").count(f'lang="{code}"'),
    }


if __name__ == "__main__":
    folder, *codes = sys.argv[1:]
    out = Path(folder)
    found: dict[str, object] = {code: walk(code, out / f"{code}.csv", out / code) for code in codes}
    runs = " ".join(f"{out}/{code}/constant" for code in codes)
    commands = {
        "compared": f"compare --a {out}/{codes[0]}/constant --b {out}/{codes[1]}/constant --metric rougeL",
        "ranked": f"leaderboard {runs} --metric rougeL --out {out}/board",
        "stress": f"label {out}/zz/labelled --stress --out {out}/stress",
        "sample": f"evaluate --model echo --language zz --out {out}/sample",
        "unknown": f"prepare {out}/zz.csv --out {out}/x --language tlh",
        "other": f"evaluate --model echo --data {out}/zz/data --language en --out {out}/y",
    }
    found |= {name: maqa(command) for name, command in commands.items()}
    found["board"] = json.loads((out / "board" / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    for name in ("severity_lexicon.jsonl", "severity_rules.json"):
        (ROOT / "harness" / "languages" / "zz" / name).unlink()
    load_lexicon.cache_clear()
    commands = {
        "without_rules": f"label {out}/zz/data --with rules --out {out}/again",
        "classifier": f"train classifier {out}/zz/data --out {out}/classifier",
        "by_classifier": f"label {out}/zz/data --with {out}/classifier --out {out}/by_classifier",
        "foreign_classifier": f"label {out}/en/data --with {out}/classifier --out {out}/foreign",
    }
    found |= {name: maqa(command) for name, command in commands.items()}
    sys.stdout.write(json.dumps(found) + "\n")
