"""How answers ended: finish reason, tokens, and the share that was cut at the token limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..severity import SEVERITIES
from .answers import Answer
from .records import FinishReason, Prompt

COLUMNS = ("id", "severity", "sample", "finish_reason", "prompt_tokens", "tokens")


def finish_frame(prompts: Sequence[Prompt], answers: Sequence[Answer]) -> pd.DataFrame:
    """One row per answer with the columns ``COLUMNS`` and its ``prediction``; no times, which no two runs share."""
    rows = [
        (
            prompt.id,
            prompt.severity,
            prompt.sample,
            str(answer.finish_reason),
            answer.prompt_tokens,
            answer.tokens,
            answer.text,
        )
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "prediction"])


def finish_summary(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Per severity and ``overall``: answers, percentage cut at the token limit, mean tokens."""
    strata = {str(severity): frame[frame["severity"] == str(severity)] for severity in SEVERITIES}
    return {
        name: {
            "answers": len(rows),
            "truncated_pct": 100 * float((rows["finish_reason"] == str(FinishReason.LENGTH)).mean()),
            "mean_tokens": float(rows["tokens"].mean()),
        }
        for name, rows in {**strata, "overall": frame}.items()
        if len(rows)
    }
