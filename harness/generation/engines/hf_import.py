"""Importing lm-eval's ``hf`` backend without a second of imports that nobody here needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def hf_backend() -> Any:
    """lm-eval's class ``HFLM``."""
    with _without_sklearn():
        from lm_eval.models.huggingface import HFLM

    return HFLM


@contextmanager
def _without_sklearn() -> Iterator[None]:
    # transformers imports scikit-learn, and with it scipy, for one threshold of assisted decoding, which no preset
    # uses: an eighth of the time to the first answer.
    from transformers import utils

    asked = utils.is_sklearn_available
    utils.is_sklearn_available = lambda: False
    try:
        yield
    finally:
        utils.is_sklearn_available = asked
