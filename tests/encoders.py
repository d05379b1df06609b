"""Tiny encoders of several families, made on the spot, and the command that is told of them."""

import sys

import pytest
from maqa_severity.cli import main

LAYERS, LONGEST = 3, 48


def save_tokenizer(folder, texts, model_max_length=LONGEST):
    """A WordPiece vocabulary as BERT's, built with `tokenizers`: transformers 5 ignores `vocab_file=`."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=800, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    limit = {"model_max_length": model_max_length} if model_max_length else {}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names, **limit).save_pretrained(folder)


def save_network(folder, kind="bert", seed=0):
    import torch
    from transformers import (
        BertConfig,
        BertModel,
        DistilBertConfig,
        DistilBertModel,
        ModernBertConfig,
        ModernBertModel,
        XLMRobertaConfig,
        XLMRobertaModel,
    )  # fmt: skip

    shape = {
        "vocab_size": 800,
        "hidden_size": 32,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        # Wide enough that the tokens of a random network differ.
        "initializer_range": 0.3,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if kind == "bert":
            network = BertModel(BertConfig(**shape, max_position_embeddings=LONGEST))
        elif kind == "distilbert":
            small = DistilBertConfig(
                vocab_size=800, dim=32, n_layers=LAYERS, n_heads=4, hidden_dim=64, max_position_embeddings=LONGEST,
                initializer_range=0.3,
            )  # fmt: skip
            network = DistilBertModel(small)
        elif kind == "modernbert":
            frame = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
            wide = {"max_position_embeddings": LONGEST, "local_attention": 8, "initializer_cutoff_factor": 3.0}
            network = ModernBertModel(ModernBertConfig(**shape, **frame, **wide))
        else:
            network = XLMRobertaModel(
                XLMRobertaConfig(**shape, max_position_embeddings=LONGEST + 2, pad_token_id=1)
            )
    network.save_pretrained(folder)


def command_line(monkeypatch, capsys):
    """``maqa`` in this process, with no encoder named in the environment: returns what it printed."""
    for name in ("MODEL", "LAYER", "WINDOW"):
        monkeypatch.delenv(f"MAQA_BERTSCORE_{name}", raising=False)

    def run(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = "".join(capsys.readouterr())
        assert ended.value.code == status, printed
        return printed

    return run
