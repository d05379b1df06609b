"""Large runs as folders, made from few scored answers: what reads runs is measured on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from maqa_severity.harness.runs.answers import fingerprint
from maqa_severity.harness.runs.manifest import DataRecord, Manifest, ModelRecord, PromptRecord, write_manifest
from maqa_severity.harness.runs.questions import write_questions
from maqa_severity.harness.runs.run import Run
from maqa_severity.harness.runs.samples import GENERATION
from maqa_severity.harness.runs.seals import SCORES, sealed
from maqa_severity.harness.scores.table import ScoreTable, write_scores
from maqa_severity.harness.severity import SEVERITIES

_STAMP = "2026-11-28T00-00-00.000000"


def mixed(bases: Sequence[Run], name: str, n: int, seed: int) -> Run:
    """A run of n questions, those of the bases over and over with a number behind each text; every answer is that
    of one base, drawn at random, with its scores and findings."""
    draw = np.random.default_rng(seed)
    rows, of = np.arange(n) % len(bases[0].answers), draw.integers(0, len(bases), n)
    # In the order in which the samples files are read.
    rank = {str(severity): place for place, severity in enumerate(SEVERITIES)}
    rows = rows[np.argsort(bases[0].answers["severity"].map(rank).to_numpy()[rows], kind="stable")]

    def chosen(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
        each = len(frames[0])
        return pd.concat(frames, ignore_index=True).iloc[of * each + rows].reset_index(drop=True)

    answers = chosen([base.answers for base in bases])
    marks = pd.Series([f" {number}" for number in range(n)])
    ids = [f"q{number}" for number in range(n)]
    texts = {"question": answers["question"] + marks, "reference": answers["reference"] + marks}
    answers = answers.assign(id=ids, **texts, prediction=answers["prediction"] + f" {name}" + marks)
    scores = chosen([base.scores.frame for base in bases])
    scores = scores.assign(id=ids, chrf=draw.uniform(20, 90, n), bertscore_f1=draw.uniform(50, 90, n))
    found = chosen([base.scores.findings.to_frame() for base in bases]).iloc[:, 0]
    signed = {**bases[0].scores.signatures, "bertscore_f1": "bertscore_f1|test"}
    table = ScoreTable(scores, signed, findings=found)
    return replace(bases[0], name=name, answers=answers, scores=table, sample_scores=table)


def write_run(run: Run, folder: Path) -> Path:
    """The run as `maqa evaluate` leaves it: whole and sealed."""
    folder.mkdir(parents=True)
    samples = _write_lm_eval(run, folder, "maqa")
    write_scores(folder / SCORES, run.scores)
    write_questions(run, folder / SCORES)
    ends = {"sample": 0, "finish_reason": "stop", "prompt_tokens": 9, "tokens": 9}
    ends |= {"stop": "", "thinking": 0, "run_on": False, "error": ""}
    ended = run.answers[["id", "severity"]].assign(**ends, prediction=run.answers["prediction"])
    ended.to_parquet(folder / GENERATION, index=False)
    manifest = Manifest(
        name=run.name,
        created="2026-11-28T00:00:00+00:00",
        results="results_maqa.json",
        samples=samples,
        model=ModelRecord(kind="hf", name=run.name, args={}, identity={"weights_sha256": "ab" * 32}),
        data=DataRecord(source="made", fingerprint=fingerprint(run.answers), severity_source={"name": "column"}),
        prompt=PromptRecord.of(run.language),
        decoding=run.decoding,
        versions={},
    )
    write_manifest(folder, sealed(folder, manifest))
    return folder


def write_plain(run: Run, folder: Path) -> Path:
    """The run as plain lm-eval and `maqa rescore` leave it, which every version reads."""
    folder.mkdir(parents=True)
    _write_lm_eval(run, folder, _STAMP)
    write_scores(folder / f"scores_{_STAMP}.parquet", run.scores)
    return folder


def _write_lm_eval(run: Run, folder: Path, stamp: str) -> dict[str, str]:
    """lm-eval's files; the names of those of samples by task."""
    scoring = {"encoder": "none", "signatures": run.scores.signatures}
    rows = run.answers.assign(chrf=run.scores.frame["chrf"].to_numpy())
    files = {}
    for severity in SEVERITIES:
        task = f"maqa_severity_{severity}"
        files[task] = f"samples_{task}_{stamp}.jsonl"
        some = rows[rows["severity"] == str(severity)].to_dict("records")
        with (folder / files[task]).open("w", encoding="utf-8") as stream:
            for number, row in enumerate(some):
                document = {name: row[name] for name in ("id", "question", "category", "severity")}
                document |= {"answer": row["reference"], "scoring": scoring, "language": run.language.code}
                request = {"arg_0": run.template.format(question=row["question"]), "arg_1": run.decoding}
                sample = {
                    "doc_id": number,
                    "doc": document,
                    "target": row["reference"],
                    "arguments": {"gen_args_0": request},
                    "resps": [[row["prediction"]]],
                    "filtered_resps": [row["prediction"]],
                    "metrics": ["chrf"],
                    "chrf": row["chrf"],
                }
                stream.write(json.dumps(sample, ensure_ascii=False) + "\n")
    counts = {task: {"original": -1, "effective": 0} for task in files}
    results = {"model_name": run.name, "results": {task: {} for task in files}, "n-samples": counts, "config": {}}
    (folder / f"results_{stamp}.json").write_text(json.dumps(results), encoding="utf-8")
    return files
