"""The text of generated tokens, with the marks of thoughts in it even where a tokenizer hides them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.errors import UserError
from .thoughts import CHANNEL_TOKENS, MARKS


class Reader:
    """Decodes answers. Special tokens are left out, but for those that spell a mark of thoughts.

    Args:
        tokenizer: of the model.
        think_end: the user's mark for the end of thoughts, as text or as the number of a token.

    Attributes:
        think_end: its text; empty where the user names none.
        hidden: whether the tokenizer leaves such a mark out.

    Raises:
        UserError: the user's number is that of no token.
    """

    def __init__(self, tokenizer: Any, think_end: str | int | None = None) -> None:
        named = "" if think_end is None else str(think_end)
        self.think_end = _token(tokenizer, int(named)) if named.isdecimal() else named
        marks = {*CHANNEL_TOKENS, self.think_end, *(mark for pair in MARKS for mark in pair)}
        special = {str(token) for token in tokenizer.all_special_tokens}
        self.hidden = bool(special & marks)
        self._tokenizer = tokenizer
        self._dropped = sorted(special - marks, key=len, reverse=True)

    def text(self, ids: Sequence[int]) -> str:
        """The text of an answer's tokens."""
        return self.visible(str(self._tokenizer.decode(list(ids), skip_special_tokens=not self.hidden)))

    def visible(self, text: str) -> str:
        """A text that was decoded with its special tokens where ``hidden``, without those that are no mark."""
        if self.hidden:
            for token in self._dropped:
                text = text.replace(token, "")
        return text


def _token(tokenizer: Any, number: int) -> str:
    if number < len(tokenizer) and (text := str(tokenizer.decode([number]))):
        return text
    raise UserError(
        f"think_end_token={number} is no token of the model, whose tokenizer has {len(tokenizer)}",
        "Give the text that ends the thoughts, or its token's number",
    )


def demand_known(tokenizer: Any, tokens: Iterable[int], known: int) -> None:
    """Look whether the model has an embedding for every token.

    Args:
        tokenizer: of the model.
        tokens: what it will be given, or must be able to say.
        known: rows of its embedding.

    Raises:
        UserError: it has none for some.
    """
    if beyond := sorted(token for token in tokens if token >= known):
        raise UserError(
            f"the tokenizer's {tokenizer.decode(beyond[:1])!r} is token {beyond[0]}, the model knows {known}",
            "Name the tokenizer that belongs to the model by tokenizer= in --model-args, or resize its embedding",
        )
