"""How answers ended: by an end token, at which stop string, or cut at the token limit; and what was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..severity import SEVERITIES
from .records import FinishReason, Prompt
from .store.lines import Answer

COLUMNS = ("id", "severity", "sample", "finish_reason", "prompt_tokens", "tokens")
ENDINGS = ("stop", "thinking", "run_on", "error")
"""Columns that files of earlier versions lack."""


def finish_frame(prompts: Sequence[Prompt], answers: Sequence[Answer]) -> pd.DataFrame:
    """One row per answer with the columns ``COLUMNS``, ``ENDINGS`` and its ``prediction``; no times, which no two
    runs share."""
    rows = [
        (
            prompt.id,
            prompt.severity,
            prompt.sample,
            str(answer.finish_reason),
            answer.prompt_tokens,
            answer.tokens,
            answer.stop,
            answer.thinking,
            answer.run_on,
            answer.error,
            answer.text,
        )
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *ENDINGS, "prediction"])


def finish_summary(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Per severity and ``overall``: answers, percentage cut at the token limit, mean tokens; and counts of answers.

    The counts, which a file of an earlier version does not tell: ``end_token``; ``stops``, by the stop string, the
    most frequent first; ``run_on_dropped``, with a question that the model went on to ask itself; ``thinking``,
    with thoughts, and ``thinking_cut``, those of them whose thoughts the limit cut, so that there is no answer;
    ``filtered``, cut by a server's content filter; ``errors``, which a server sent instead of an answer.
    """
    strata = {str(severity): frame[frame["severity"] == str(severity)] for severity in SEVERITIES}
    return {
        name: {
            "answers": len(rows),
            "truncated_pct": 100 * float((rows["finish_reason"] == str(FinishReason.LENGTH)).mean()),
            "mean_tokens": float(rows["tokens"].mean()),
            **(_endings(rows) if set(ENDINGS) <= set(rows) else {}),
        }
        for name, rows in {**strata, "overall": frame}.items()
        if len(rows)
    }


def thinking_cut(answers: Sequence[Answer]) -> int:
    """How many answers are empty because the limit cut their thoughts."""
    return sum(
        bool(answer.finish_reason is FinishReason.LENGTH and answer.thinking and not answer.text.strip())
        for answer in answers
    )


def _endings(rows: pd.DataFrame) -> dict[str, Any]:
    reason, stop = rows["finish_reason"], rows["stop"]
    thought, blank = rows["thinking"] > 0, rows["prediction"].str.strip() == ""
    return {
        "end_token": int(((reason == str(FinishReason.STOP)) & (stop == "")).sum()),
        "stops": {str(text): int(count) for text, count in stop[stop != ""].value_counts().items()},
        "run_on_dropped": int(rows["run_on"].sum()),
        "thinking": int(thought.sum()),
        "thinking_cut": int((thought & blank & (reason == str(FinishReason.LENGTH))).sum()),
        "filtered": int((reason == str(FinishReason.FILTERED)).sum()),
        "errors": int((rows["error"] != "").sum()),
    }
