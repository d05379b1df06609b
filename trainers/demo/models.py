"""Small stand-ins for models that need a download: the demo's causal base and its BERTScore encoder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...harness.core.files import write_json
from ...harness.core.folders import atomic_folder
from ...harness.core.library_bars import without_library_bars
from ...harness.languages import Language
from ...harness.metrics.bertscore.encoder import NOTE as ENCODER_NOTE
from ..lm.encoding import encode
from .fitting import Batch, fit
from .tokenizers import CONTEXT, causal_tokenizer, encoder_tokenizer

ENCODER_NAME = "maqa-demo-encoder"
"""Stands in every signature: scores of this encoder cannot be compared with the paper's."""

_MASKED = 0.15
_TEMPERATURE = 0.1
_TEXTS_RATE, _ANSWERS_RATE = 4e-3, 2e-3
"""Learning rates of a base: of whole texts, and of answers alone, which twice that throws about."""


def make_demo_base(
    out: Path,
    pairs: Sequence[tuple[str, str]],
    *,
    vocabulary_texts: Sequence[str] = (),
    epochs: int = 3,
    answers_only: bool = False,
    seed: int = 0,
    language: Language,
) -> Path:
    """Train a tokenizer and a Qwen2-shaped causal model (2 layers of width 128) on question-answer pairs.

    The pairs are everyday ones: the base speaks the language and knows the form of an answer, but no emergency.

    Args:
        out: folder of the checkpoint (safetensors, tokenizer); replaced if it exists.
        pairs: questions with their answers; the prompt is the product's.
        vocabulary_texts: training texts that only the tokenizer sees besides the pairs, since the tokenizers of
            real bases know the words of medicine too.
        epochs: passes over the pairs.
        answers_only: whether questions are read and not learnt, which leaves more of a small model to the answers.
        seed: of initialisation and data order.
        language: of the prompt.

    Raises:
        UserError: no pairs, or the folder cannot be written.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    prompts = [language.ask(question) for question, _ in pairs]
    answers = [answer for _, answer in pairs]
    tokenizer = causal_tokenizer([*prompts, *(" " + answer for answer in answers), *vocabulary_texts])
    encoded = encode(tokenizer, prompts, answers, CONTEXT)
    rows = [encoded.ids(row).tolist() for row in range(len(encoded))]
    unlearnt = [int(length) if answers_only else 0 for length in encoded.prompts]
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)

    def causal(batch: Batch) -> Any:
        skipped = batch.pop("skipped")
        ids, mask = batch["input_ids"], batch["attention_mask"]
        unlearnt = (mask == 0) | (torch.arange(ids.shape[1]) < skipped[:, None])
        return model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(unlearnt, -100)).loss

    rate = _ANSWERS_RATE if answers_only else _TEXTS_RATE
    batches = list(_batches(rows, tokenizer.pad_token_id, unlearnt, size=16))
    fit("base", model, causal, batches, _state(out), epochs=epochs, learning_rate=rate, seed=seed)
    return _save(out, model, tokenizer)


def make_demo_encoder(out: Path, texts: Sequence[str], *, epochs: int = 1, seed: int = 0) -> Path:
    """Train a tokenizer and a BERT-shaped encoder (2 layers of width 128) that tells tokens apart.

    Every position has to find its token among the whole vocabulary by cosine (InfoNCE, arXiv 1807.03748, with the
    token's own embedding as its positive), 15 % of them from their context alone. So equal words are near and
    others far, which masked language modelling alone leaves near each other.

    ``maqa_encoder.json`` in the folder names the encoder and the layer for BERTScore, and says that its scores are
    comparable with nothing else.

    Args:
        out: folder of the encoder (safetensors, tokenizer, ``maqa_encoder.json``).
        texts: questions and answers as they will be scored.
        epochs: passes over the texts; 15 % of the tokens are masked.
        seed: of initialisation, data order and masks.

    Raises:
        UserError: no texts, or the folder cannot be written.
    """
    import torch
    from torch.nn import functional
    from transformers import BertConfig, BertModel

    tokenizer = encoder_tokenizer(texts)
    rows = tokenizer(list(texts), truncation=True, max_length=128)["input_ids"]
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=CONTEXT,
        pad_token_id=tokenizer.pad_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = BertModel(config)
    masks = torch.Generator().manual_seed(seed)

    def contrastive(batch: Batch) -> Any:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        chosen = (torch.rand(ids.shape, generator=masks) < _MASKED) & (mask == 1)
        read = encoder(input_ids=ids.masked_fill(chosen, tokenizer.mask_token_id), attention_mask=mask)[0]
        found = functional.normalize(read[mask == 1], dim=-1)
        known = functional.normalize(encoder.embeddings.word_embeddings.weight, dim=-1)
        return functional.cross_entropy(found @ known.T / _TEMPERATURE, ids[mask == 1])

    batches = list(_batches(rows, tokenizer.pad_token_id, [0] * len(rows), size=16))
    fit(
        "encoder",
        encoder,
        contrastive,
        batches,
        _state(out),
        epochs=epochs,
        learning_rate=2e-3,
        seed=seed,
        random=masks,
    )
    return _save(out, encoder, tokenizer, {"name": ENCODER_NAME, "layer": 2, "comparable": False})


def _batches(rows: Sequence[Sequence[int]], pad_id: int, skipped: Sequence[int], size: int) -> Iterator[Batch]:
    """``skipped`` is how many tokens at the start of each row are not learnt."""
    import torch

    by_length = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for start in range(0, len(by_length), size):
        chosen = by_length[start : start + size]
        lengths = torch.tensor([len(rows[row]) for row in chosen])
        chunk = [torch.tensor(rows[row]) for row in chosen]
        ids = torch.nn.utils.rnn.pad_sequence(chunk, batch_first=True, padding_value=pad_id)
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        yield {"input_ids": ids, "attention_mask": mask, "skipped": torch.tensor([skipped[row] for row in chosen])}


def _state(out: Path) -> Path:
    """Where the state of a fit is kept until the model is whole."""
    return out.parent / (f".{out.name}" + ".fit.safetensors")


def _save(out: Path, model: Any, tokenizer: Any, note: dict[str, Any] | None = None) -> Path:
    """Save as a whole, in the place of what was there."""
    shutil.rmtree(out, ignore_errors=True)
    with atomic_folder(out) as folder:
        with without_library_bars():
            model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if note is not None:
            write_json(folder / ENCODER_NOTE, note)
    _state(out).unlink(missing_ok=True)
    return out
