"""What an evaluation is asked besides who answers."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ..core.settings import Record
from ..generation.examples import Prompting
from ..scores.references import References


class EvaluationOptions(Record):
    """What is evaluated and where the run goes.

    ``language`` is which shipped sample, where there is no ``data``; ``limit`` counts rows per severity;
    ``prompting`` is what stands in front of the questions.
    """

    out: Path
    data: Path | None = None
    language: str | None = None
    bertscore_model: str | None = None
    bertscore_layer: int | None = Field(default=None, le=10_000)
    bertscore_window: bool | None = None
    references: References | None = None
    limit: int | None = Field(default=None, ge=1, le=10**9)
    prompting: Prompting = Prompting()
    name: str | None = None
    command: str | None = None
