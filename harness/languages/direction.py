"""In which direction a text is written, whatever letter it begins with."""

from __future__ import annotations

import unicodedata
from typing import Literal

Direction = Literal["rtl", "ltr"]


def direction_of(text: str, usual: Direction) -> Direction:
    """The direction of most of a text's words; ``usual`` where there are as many of either, or none.

    Words count and not letters: one long name of a drug does not turn a line. A name
    and a dose with as many Arabic words turn as is usual in the language that they stand in.
    """
    sides = [side for word in text.split() if (side := _side(word))]
    rtl = sum(side == "rtl" for side in sides)
    if 2 * rtl == len(sides):
        return usual
    return "rtl" if 2 * rtl > len(sides) else "ltr"


def _side(word: str) -> Direction | None:
    """The direction of a word's first letter; None of a word without letters."""
    for sign in word:
        kind = unicodedata.bidirectional(sign)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return None
