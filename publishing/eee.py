"""Every Eval Ever 0.3: one aggregate JSON a model, and with ``--samples`` a line for every answer.

The schema is of https://github.com/evaleval/every_eval_ever, ``eval.schema.json`` and
``instance_level_eval.schema.json``.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from datetime import datetime

from ..harness.core.errors import UserError
from ..harness.core.files import json_text
from ..harness.metrics.registry import COLUMNS
from ..harness.runs.run import Run
from ..harness.scores.signatures import Better, better, is_rate
from ..harness.statistics import OVERALL, STRATA
from ..leaderboards.records import Board, Cell, Row
from .formats import FORMATS, Files, Format, Results
from .words import caveats, concluded, interval_words, screening_only, signature_of

SCHEMA = "0.3.0"
BENCHMARK = "maqa_severity"


def eee(results: Results) -> Files:
    """``data/maqa_severity/DEVELOPER/MODEL/UUID.json``, and beside it ``UUID_samples.jsonl`` with ``--samples``.

    Raises:
        UserError: answers are published without the data's licence.
    """
    if results.options.samples and not results.options.license:
        raise UserError("answers quote the data, whose licence is not given", "Give --license, such as cc-by-4.0")
    files: dict[str, str] = {}
    for place, row in results.models:
        developer, _, name = results.model_id(place).rpartition("/")
        developer = developer or "unknown"
        folder = f"data/{BENCHMARK}/{developer}/{name}"
        run = results.runs.get(place)
        record = _record(results, place, f"{developer}/{name}")
        number = _uuid(f"{results.board.signature}{row.model_dump_json()}")
        if results.options.samples and run:
            lines = _samples(results, row, run, record)
            path = f"{folder}/{number}_samples.jsonl"
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            files[path] = text
            record["detailed_evaluation_results"] = {
                "format": "jsonl",
                "file_path": path,
                "hash_algorithm": "sha256",
                "checksum": hashlib.sha256(text.encode()).hexdigest(),
                "total_rows": len(lines),
                "additional_details": {"data_license": results.options.license},
            }
        files[f"{folder}/{number}.json"] = json_text(record)
    return files


def _uuid(seed: str) -> str:
    # The schema wants version 4; of the same content the same name.
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def _record(results: Results, place: int, model: str) -> dict[str, object]:
    board, row = results.board, results.board.rows[place]
    run = results.runs.get(place)
    now = str(time.time())
    made = {"evaluation_timestamp": _iso(run.manifest.created)} if run and run.manifest else {}
    developer = model.partition("/")[0]
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{BENCHMARK}/{model.replace('/', '_')}/{now}",
        **made,
        "retrieved_timestamp": now,
        "source_metadata": {
            "source_name": f"maqa-severity {board.maqa_severity}",
            "source_type": "evaluation_run",
            "source_organization_name": results.options.organization or "not stated",
            "evaluator_relationship": "other",
            "additional_details": {"concluded": " ".join(concluded(board, row))},
        },
        "eval_library": {"name": "maqa-severity", "version": board.maqa_severity},
        "model_info": {
            "name": row.name,
            "id": model,
            "developer": developer,
            "additional_details": {
                "deployment_type": "unknown",
                "model_availability": "unknown",
                "backend": row.backend,
                **({"arm": row.arm} if row.arm else {}),
                **({"seed": str(row.seed)} if row.seed is not None else {}),
            },
        },
        "evaluation_results": [
            _result(results, row, metric, stratum, cells[stratum])
            for metric, cells in row.metrics.items()
            for stratum in STRATA
            if stratum in cells
        ],
    }


def _iso(created: str) -> str:
    try:
        return datetime.fromisoformat(created).isoformat()
    except ValueError:
        return created


def result_id(metric: str, stratum: str) -> str:
    """The id of one score."""
    return f"{stratum}/{metric}"


def _result(results: Results, row: Row, metric: str, stratum: str, cell: Cell) -> dict[str, object]:
    board = results.board
    signature = signature_of(board, row, metric)
    way = better(signature) if metric in row.signatures or metric == board.metric else _way(metric)
    return {
        "evaluation_result_id": result_id(metric, stratum),
        "evaluation_name": f"{BENCHMARK}.{stratum}",
        "source_data": _data(results, stratum),
        "metric_config": {
            "evaluation_description": f"{metric}, mean over {stratum} questions, in percent",
            "metric_id": metric,
            "metric_name": metric,
            "metric_kind": "rate" if is_rate(signature) else "score",
            "metric_unit": "percent",
            "lower_is_better": way is Better.LOWER,
            "score_type": "continuous",
            "min_score": 0,
            "max_score": 100,
            "additional_details": {
                "signature": signature,
                "better": str(way),
                "screening_only": str(screening_only(board, metric)).lower(),
            },
        },
        "score_details": {
            "score": cell.mean,
            "details": {"severity": stratum, "interval": interval_words(cell)},
            "uncertainty": _uncertainty(board, cell),
        },
        "generation_config": {
            "additional_details": {"decoding": json.dumps(board.decoding, ensure_ascii=False, default=str)}
        },
    }


def _way(metric: str) -> Better:
    return COLUMNS[metric].better if metric in COLUMNS else Better.HIGHER


def _uncertainty(board: Board, cell: Cell) -> dict[str, object]:
    found: dict[str, object] = {"num_samples": cell.n}
    if cell.low is not None and cell.high is not None:
        found["confidence_interval"] = {
            "lower": cell.low,
            "upper": cell.high,
            "confidence_level": 0.95,
            "method": f"as maqa-severity documents for the metric; {board.resampling}",
        }
        found["num_bootstrap_samples"] = board.resampling.resamples
    return found


def _data(results: Results, stratum: str) -> dict[str, object]:
    board, options = results.board, results.options
    said = {"severity": stratum, "data": board.data, "caveats": " ".join(caveats(board))}
    if options.license:
        said["license"] = options.license
    if options.dataset_id:
        place = {"source_type": "hf_dataset", "hf_repo": options.dataset_id, "hf_split": "test"}
    else:
        place = {"source_type": "other"}
    return {"dataset_name": BENCHMARK, **place, "additional_details": said}


def _samples(results: Results, row: Row, run: Run, record: dict[str, object]) -> list[dict[str, object]]:
    board = results.board
    scores = run.scores.frame[board.metric]
    model = record["model_info"]
    assert isinstance(model, dict)
    lines = []
    for answer, score in zip(run.answers.to_dict("records"), scores, strict=True):
        raw = f"{answer['question']}{answer['reference']}"
        prediction = str(answer["prediction"])
        lines.append(
            {
                "schema_version": SCHEMA,
                "evaluation_id": record["evaluation_id"],
                "model_id": model["id"],
                "evaluation_name": f"{BENCHMARK}.{OVERALL}",
                "evaluation_result_id": result_id(board.metric, OVERALL),
                "sample_id": str(answer["id"]),
                "sample_hash": hashlib.sha256(raw.encode()).hexdigest(),
                "interaction_type": "single_turn",
                "input": {
                    "raw": answer["question"],
                    "formatted": answer["prompt"],
                    "reference": [answer["reference"]],
                },
                "output": {"raw": [prediction]},
                "answer_attribution": [
                    {
                        "turn_idx": 0,
                        "source": "output.raw",
                        "extracted_value": prediction,
                        "extraction_method": "none",
                        "is_terminal": True,
                    }
                ],
                # The schema demands a yes or no, which a continuous score has not.
                "evaluation": {"score": float(score), "is_correct": False},
                "metadata": {
                    "severity": str(answer["severity"]),
                    "metric": board.metric,
                    "is_correct": "not defined for a continuous metric",
                },
            }
        )
    return lines


FORMATS.add("eee", Format("Every Eval Ever 0.3, aggregates and with --samples answers", eee))
