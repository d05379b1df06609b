"""Loading and saving models without the bars of transformers: whoever starts the work shows its progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_library_bars() -> Iterator[None]:
    """Within, transformers shows no bar of its own. The hub's, for downloads, stay."""
    from transformers.utils import logging as library

    before = library.set_tqdm_hook(lambda _, given, named: library.EmptyTqdm(*given, **named))
    try:
        yield
    finally:
        library.set_tqdm_hook(before)
