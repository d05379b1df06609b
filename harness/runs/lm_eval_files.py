"""lm-eval's own result files, written atomically: lm-eval itself only warns when they cannot be saved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval.utils import handle_non_serializable, hash_string, sanitize_list

from ..core.files import write_text


def write_results(folder: Path, results: Mapping[str, Any], stamp: str) -> Path:
    """Write ``results_<stamp>.json`` with the task hashes, without the samples."""
    content = {key: value for key, value in results.items() if key != "samples"}
    content["task_hashes"] = {
        task: hash_string("".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows))
        for task, rows in results["samples"].items()
    }
    path = folder / f"results_{stamp}.json"
    write_text(path, json.dumps(content, indent=2, default=handle_non_serializable, ensure_ascii=False) + "\n")
    return path


def write_samples(folder: Path, task: str, samples: Sequence[Mapping[str, Any]], stamp: str) -> Path:
    """Write ``samples_<task>_<stamp>.jsonl``, one answer a line, in lm-eval's shape."""
    path = folder / f"samples_{task}_{stamp}.jsonl"
    lines = [json.dumps(_sample(sample), default=handle_non_serializable, ensure_ascii=False) for sample in samples]
    write_text(path, "".join(f"{line}\n" for line in lines))
    return path


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {
        f"gen_args_{request}": {f"arg_{position}": argument for position, argument in enumerate(arguments)}
        for request, arguments in enumerate(sample["arguments"])
    }
    return {
        **sample,
        "arguments": arguments,
        "resps": sanitize_list(sample["resps"]),
        "filtered_resps": sanitize_list(sample["filtered_resps"]),
        "target": str(sample["target"]),
    }
