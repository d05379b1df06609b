"""Small stand-ins for models that need a download: the demo's causal base and its BERTScore encoder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from ...harness.core.errors import UserError
from ...harness.core.files import write_json
from ...harness.core.library_bars import without_library_bars
from ...harness.languages import Language
from ...harness.metrics.bertscore.encoder import NOTE as ENCODER_NOTE
from ..lm.encoding import encode
from .tokenizers import CONTEXT, causal_tokenizer, encoder_tokenizer

ENCODER_NAME = "maqa-demo-encoder"
"""Stands in every signature: scores of this encoder cannot be compared with the paper's."""

_MASKED = 0.15
_TEMPERATURE = 0.1
_TEXTS_RATE, _ANSWERS_RATE = 4e-3, 2e-3
"""Learning rates of a base: of whole texts, and of answers alone, which twice that throws about."""

Batch = dict[str, Any]


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
    _fit(
        "base", model, causal, rows, tokenizer.pad_token_id, unlearnt, epochs=epochs, learning_rate=rate, seed=seed
    )
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

    _fit(
        "encoder", encoder, contrastive, rows, tokenizer.pad_token_id, epochs=epochs, learning_rate=2e-3, seed=seed
    )
    _save(out, encoder, tokenizer)
    write_json(out / ENCODER_NOTE, {"name": ENCODER_NAME, "layer": 2, "comparable": False})
    return out


def _fit(
    name: str,
    model: Any,
    loss_of: Callable[[Batch], Any],
    rows: Sequence[Sequence[int]],
    pad_id: int,
    skipped: Sequence[int] = (),
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
) -> None:
    """One-cycle AdamW over batches of rows of similar length."""
    import torch

    batches = list(_batches(rows, pad_id, skipped or [0] * len(rows), size=16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * len(batches))
    order = torch.Generator().manual_seed(seed)
    steps = [i for _ in range(epochs) for i in torch.randperm(len(batches), generator=order).tolist()]
    model.train()
    console = Console(stderr=True)
    title = f"pre-training the demo's {name}"
    for index in track(steps, title, console=console, transient=True, disable=not console.is_terminal):
        loss_of(dict(batches[index])).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.eval()


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


def _save(out: Path, model: Any, tokenizer: Any) -> Path:
    """Save beside ``out`` first, so that a folder with a model in it is whole."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}", "Choose a folder that you may write to") from error
    try:
        with without_library_bars():
            model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        shutil.rmtree(out, ignore_errors=True)
        temporary.chmod(0o755)
        temporary.replace(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return out
