"""Tiny packed models and wheels, written by hand or by ``gguf``'s own writer, with the weights that they hold."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS = 32, 2, 4, 64, 40
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, "▁ab", "ce", "<mask>"]
NORMALISATION = {"\x01": "", "\t": " ", "ﬁ": "fi", "Ⅳ": "IV", "\u200f": " "}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def encoder_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of a BERT by their packed names."""
    draw = np.random.default_rng(seed)
    found = {
        "emb.word": draw.normal(size=(len(PIECES) + 3, HIDDEN)),
        "emb.pos": draw.normal(size=(POSITIONS, HIDDEN)),
        "emb.type": draw.normal(size=(2, HIDDEN)),
        "emb.ln.w": draw.normal(size=HIDDEN),
        "emb.ln.b": draw.normal(size=HIDDEN),
    }
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            found[f"l{layer}.{name}.w"] = draw.normal(size=(HIDDEN, HIDDEN))
            found[f"l{layer}.{name}.b"] = draw.normal(size=HIDDEN)
        for name, out, wide in (("fi", WIDE, HIDDEN), ("fo", HIDDEN, WIDE)):
            found[f"l{layer}.{name}.w"] = draw.normal(size=(out, wide))
            found[f"l{layer}.{name}.b"] = draw.normal(size=out)
        for name in ("aln", "oln"):
            found[f"l{layer}.{name}.w"] = draw.normal(size=HIDDEN)
            found[f"l{layer}.{name}.b"] = draw.normal(size=HIDDEN)
    return {name: weights.astype(np.float32) for name, weights in found.items()}


def write_e5s1(path: Path, weights: dict[str, np.ndarray], **changes) -> dict[str, np.ndarray]:
    """Write an ``E5S1`` file; returns its weights once they are packed, by an independent dequantisation."""
    given = {"magic": b"E5S1", "version": 1, "block": 32, "kind": 1, **changes}
    scores = [0.0 if piece[0] == "<" else -1.0 - number / 50 for number, piece in enumerate(PIECES)]
    scores[PIECES.index("▁ab")] = scores[PIECES.index("ce")] = -1.0
    text = [piece.encode() for piece in PIECES]
    head = given["magic"] + struct.pack("<I", given["version"])
    sizes = (HIDDEN, LAYERS, HEADS, WIDE, len(PIECES) + 3, POSITIONS, 2)
    head += struct.pack("<7ifi", *sizes, 1e-12, given["block"])
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, text)))
    head += struct.pack(f"<{len(text) + 1}I", *np.cumsum([0, *map(len, text)]))
    head += struct.pack(f"<{len(scores)}f", *scores) + b"".join(text)
    entries = b"".join(
        struct.pack(f"<IB{len(becomes)}I", ord(character), len(becomes), *map(ord, becomes))
        for character, becomes in NORMALISATION.items()
    )
    head += struct.pack("<iI", len(NORMALISATION), len(entries)) + entries
    head += struct.pack("<i", len(weights))
    matrices = {name for name in weights if name == "emb.word" or (name[0] == "l" and name.endswith(".w"))}
    matrices = {name for name in matrices if weights[name].ndim == 2}
    stored, held = {}, {}
    for name, values in weights.items():
        if name in matrices:
            blocks = gguf.quantize(values, Kind.Q4_0)
            stored[name], held[name] = (given["kind"], blocks.tobytes()), gguf.dequantize(blocks, Kind.Q4_0)
        else:
            stored[name], held[name] = (0, values.tobytes()), values
    place = len(head) + sum(2 + len(name) + 21 for name in weights)
    body = b""
    for name, (kind, content) in stored.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, weights[name].size, place + len(body), len(content))
        body += content
    path.write_bytes(head + body)
    return held


def wheel(folder: Path, package: str, members: dict[str, bytes], code: str = "") -> Path:
    """A wheel of one package, with a module that would leave a mark if it ran."""
    name = package.replace("-", "_")
    path = folder / f"{name}-1.0.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", code)
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


GEMMA_TOKENS = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{byte:02X}>" for byte in range(256))]
GEMMA_TOKENS += ["▁", *LETTERS, "ab", "▁a", "▁ab", "س", "ؤ", "ا", "ل"]
LLAMA_TOKENS = ["<unk>", "<s>", "</s>", *GEMMA_TOKENS[5:]]


def write_gguf(path: Path, kind: str = "gemma3", quantised: Kind = Kind.Q8_0, **changes) -> dict[str, np.ndarray]:
    """Write a causal model of two layers; returns its tensors by name, dequantised.

    Args:
        changes: ``add_bos`` as the file says (None: it does not), ``architecture``, ``bos`` as the start token's
            name, ``more`` as settings of the architecture, and ``leave_out`` as a tensor that it lacks.
    """
    given = {"add_bos": True, "architecture": kind, "bos": None, "more": {}, "leave_out": "", **changes}
    writer = gguf.GGUFWriter(path, given["architecture"])
    tokens = list(GEMMA_TOKENS if kind == "gemma3" else LLAMA_TOKENS)
    start, end = (2, 1) if kind == "gemma3" else (1, 2)
    if given["bos"]:
        tokens[start] = given["bos"]
    width, wide, heads, layers = 64, 96, 2, 2
    writer.add_name("tiny")
    writer.add_context_length(256)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(wide)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_key_length(width // heads)
    writer.add_value_length(width // heads)
    writer.add_rope_freq_base(10000.0)
    if kind == "gemma3":
        writer.add_sliding_window(32)
    else:
        writer.add_vocab_size(len(tokens))
        writer.add_rope_dimension_count(width // heads)
    for name, value in given["more"].items():
        writer.add_float32(f"{given['architecture']}.{name}", value)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    special = (tokens[start], tokens[end], "<pad>", "<unk>", "<mask>")
    types = [3 if token in special else 6 if token.startswith("<0x") else 1 for token in tokens]
    writer.add_token_types(types)
    writer.add_bos_token_id(start)
    writer.add_eos_token_id(end)
    writer.add_unk_token_id(tokens.index("<unk>"))
    if kind == "gemma3":
        writer.add_pad_token_id(0)
    if given["add_bos"] is not None:
        writer.add_add_bos_token(given["add_bos"])
    writer.add_add_space_prefix(False)
    draw = np.random.default_rng(0)
    shapes = {"token_embd": (len(tokens), width), "output_norm": (width,)}
    for layer in range(layers):
        shapes |= {f"blk.{layer}.attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
        shapes |= {f"blk.{layer}.{name}": (width,) for name in ("attn_norm", "ffn_norm")}
        shapes |= {f"blk.{layer}.ffn_{name}": (wide, width) for name in ("gate", "up")}
        shapes[f"blk.{layer}.ffn_down"] = (width, wide)
        if kind == "gemma3":
            own = ("attn_q_norm", "attn_k_norm")
            shapes |= {f"blk.{layer}.{name}": (width // heads,) for name in own}
            shapes |= {f"blk.{layer}.{name}": (width,) for name in ("post_attention_norm", "post_ffw_norm")}
    held = {}
    for name, shape in shapes.items():
        if name == given["leave_out"]:
            continue
        values = (draw.normal(size=shape) * 0.1 + (len(shape) == 1)).astype(np.float32)
        if len(shape) == 2 and quantised is not Kind.F32:
            blocks = gguf.quantize(values, quantised)
            writer.add_tensor(f"{name}.weight", blocks, raw_dtype=quantised)
            values = gguf.dequantize(blocks, quantised)
        else:
            writer.add_tensor(f"{name}.weight", values)
        held[name] = values
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        write()
    writer.close()
    return held
