"""What needs no reading, and what no reading can exceed, on the rows that a source is held against."""

from __future__ import annotations

import numpy as np

from ...statistics.agreement import Codes
from ..audit.order import neighbours_kappa
from ..audit.raters import raters_found
from .report_card import Ranks, Rivals


def rivals_of(truth: Ranks, codes: Codes | None, *, ordered: bool) -> Rivals:
    """Of true ranks (n,), in the order of their file if ``ordered``; codes (n, annotators) give the ceiling."""
    found = None if codes is None else raters_found(codes)
    return Rivals(
        majority=float(100 * np.bincount(truth, minlength=3).max() / len(truth)),
        position=neighbours_kappa(truth) if ordered else None,
        ceiling=None if found is None else found.ceiling,
    )
