"""Byte-level tokenizers for the demo's models: no text is unknown to them, whatever they were trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...harness.core.errors import UserError

PAD, EOS, BOS, CLS, SEP, MASK = "<|pad|>", "<|eos|>", "<|bos|>", "[CLS]", "[SEP]", "[MASK]"
CONTEXT = 512
"""Longest input in tokens of the demo's tokenizers and models."""


def causal_tokenizer(texts: Sequence[str]) -> Any:
    """A tokenizer with Qwen2's way of splitting words, which a Qwen2 checkpoint gets whenever it is loaded.

    Raises:
        UserError: there is no text.
    """
    from transformers import Qwen2Tokenizer

    backend = Qwen2Tokenizer().backend_tokenizer
    model = json.loads(train_bpe(texts, 3000, backend.pre_tokenizer, [PAD, EOS, BOS]).to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    special = {"pad_token": PAD, "eos_token": EOS, "bos_token": BOS, "unk_token": None}
    return Qwen2Tokenizer(vocab=model["vocab"], merges=merges, model_max_length=CONTEXT, **special)


def encoder_tokenizer(texts: Sequence[str]) -> Any:
    """A tokenizer that puts ``[CLS]`` and ``[SEP]`` around a text.

    Raises:
        UserError: there is no text.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokenizer = train_bpe(texts, 4000, ByteLevel(add_prefix_space=False), [PAD, CLS, SEP, MASK])
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (CLS, SEP)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=CONTEXT,
        pad_token=PAD,
        cls_token=CLS,
        sep_token=SEP,
        mask_token=MASK,
    )


def train_bpe(texts: Sequence[str], vocabulary: int, pre_tokenizer: Any, special: list[str]) -> Any:
    """A byte-level BPE tokenizer of the ``tokenizers`` library, ``special`` tokens first.

    Raises:
        UserError: there is no text.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    if not any(text.strip() for text in texts):
        raise UserError("no text to train the demo's tokenizer on", "Give at least one question and one answer")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
