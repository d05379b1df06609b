"""A judgement as one page."""

from __future__ import annotations

from pathlib import Path

from ..harness.pages import render
from .record import Judgement
from .tables import lines, tables

_TEMPLATES = Path(__file__).parent


def judge_page(found: Judgement) -> str:
    """The page of a judgement: the tables and lines of the terminal."""
    return render(_TEMPLATES, "judge.html", found=found, tables=tables(found), lines=lines(found))
