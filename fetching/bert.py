"""A packed encoder as a transformers folder: ``BertModel`` in float32 safetensors, and its tokenizer."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from ..harness.core.errors import UserError
from ..harness.core.library_bars import without_library_bars
from .e5s1 import Packed, Pieces, Shape, read_packed

_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_MASK = "<mask>"


def write_encoder(packed: Path, folder: Path) -> None:
    """Write model and tokenizer of a packed encoder into a folder.

    The source has no pooler, so the model has none: mean-pool its last hidden states.

    Raises:
        UserError: the file cannot be read, or lacks a weight.
    """
    read = read_packed(packed)
    network = _network(read, packed)
    with without_library_bars():
        network.save_pretrained(folder)
    _tokenizer(read.pieces, read.shape).save_pretrained(folder)


def _network(read: Packed, path: Path) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    shape, pieces = read.shape, read.pieces
    config = BertConfig(
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        layer_norm_eps=shape.epsilon,
        hidden_act="gelu",
        bos_token_id=pieces.bos,
        eos_token_id=pieces.eos,
        pad_token_id=pieces.pad,
    )
    with torch.device("meta"):
        network = BertModel(config, add_pooling_layer=False)
    wanted, state = network.state_dict(), {}
    for packed_name, name in _names(shape.layers).items():
        flat = read.tensors.get(packed_name)
        if flat is None or flat.size != wanted[name].numel():
            found = "none" if flat is None else f"{flat.size:,}"
            raise UserError(
                f"{path}: {packed_name} should have {wanted[name].numel():,} weights and has {found}",
                "Fetch it again: it is damaged, or no packed encoder",
            )
        state[name] = torch.from_numpy(flat).reshape(wanted[name].shape)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


def _names(layers: int) -> dict[str, str]:
    """The name in ``BertModel`` of every packed tensor."""
    names = {packed: f"embeddings.{name}" for packed, name in _EMBEDDINGS.items()}
    for layer in range(layers):
        for packed, name in _LAYER.items():
            for short, long in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{packed}.{short}"] = f"encoder.layer.{layer}.{name}.{long}"
    return names


def _tokenizer(pieces: Pieces, shape: Shape) -> Any:
    """XLM-R's way of splitting, with the file's own pieces and normalisation."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = [name for name, _ in pieces.scored]
    bos, eos = names[pieces.bos], names[pieces.eos]
    tokenizer = Tokenizer(models.Unigram(pieces.scored, unk_id=pieces.unk, byte_fallback=False))
    tokenizer.normalizer = _normaliser(pieces.normalisation)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, pieces.bos), (eos, pieces.eos)],
    )
    # A mask takes the space before it, as in XLM-R.
    mask = {"mask_token": AddedToken(_MASK, lstrip=True, normalized=False)} if _MASK in names else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=shape.positions,
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        pad_token=names[pieces.pad],
        unk_token=names[pieces.unk],
        **mask,
    )


def _normaliser(normalisation: dict[str, str]) -> Any:
    """NFKC, which also composes what the map knows only character by character, after the characters for which the
    map says otherwise; then no space twice."""
    from tokenizers import Regex, normalizers

    characters: dict[str, list[str]] = {}
    for character, becomes in normalisation.items():
        if becomes != unicodedata.normalize("NFKC", character):
            characters.setdefault(becomes, []).append(character)
    own = [
        normalizers.Replace(Regex(f"[{''.join(map(re.escape, sorted(each)))}]"), becomes)
        for becomes, each in sorted(characters.items())
    ]
    return normalizers.Sequence([*own, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
