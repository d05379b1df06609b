"""Boards, runs and datasets in the formats that the field reads."""

from . import croissant, csv_long, eee, hf, latex, model_card  # noqa: F401
from .formats import FORMATS, Options, Results

__all__ = ["FORMATS", "Options", "Results"]
