"""Tiny real models and examples for the tests of training."""

from __future__ import annotations

import numpy as np
import torch
from maqa_severity.tests.tongues import ARABIC

VOCABULARY = 101
SETTINGS = ["method=full", "epochs=1", "batch_size=4", "learning_rate=1e-3", "log_every=1", "max_length=128"]
"""Settings of a training of a few steps."""


def medical_dataset(folder):
    """18 labelled training rows of the grammar."""
    from maqa_severity.harness.data.rows import dataset_from_rows
    from maqa_severity.tasks.sample.grammar import medical_rows

    rows = medical_rows(ARABIC, 10)
    return dataset_from_rows(
        {"train": rows[:18], "validation": rows[18:24], "test": rows[24:]},
        folder,
        language=ARABIC,
        source="grammar",
    )


def weights(folder):
    """The tensors of a checkpoint by name; of an adapter its own."""
    from safetensors.torch import load_file

    whole = folder / "model.safetensors"
    return load_file(whole if whole.is_file() else folder / "adapter_model.safetensors")


def same(one, other):
    """Whether two checkpoints are equal to the last bit."""
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def causal_model(shape: str, seed: int = 0, **changes):
    """A model of 2 layers of width 32 without dropout."""
    from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if shape == "gpt2":
        still = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
        settings = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, **still, **special}
        return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **{**settings, **changes}))
    settings = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "tie_word_embeddings": shape == "qwen2-tied",
    }
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=VOCABULARY, **{**settings, **special, **changes}))


def encoded(count: int, seed: int = 0):
    """Random examples of 4-8 prompt tokens and 2-11 answer tokens."""
    from maqa_severity.trainers.lm.encoding import Encoded

    draw = np.random.default_rng(seed)
    prompts = draw.integers(4, 9, count)
    lengths = prompts + draw.integers(2, 12, count)
    offsets = np.concatenate([[0], lengths.cumsum()])
    tokens = draw.integers(3, VOCABULARY, offsets[-1]).astype(np.int32)
    nothing = np.zeros(count, np.int64)
    return Encoded(tokens, offsets, prompts, nothing, nothing)


def examples(count: int, weights=None, order=None, seed: int = 0):
    """The same as a dataset of the trainer, in the order given."""
    from maqa_severity.trainers.lm.batches import Examples

    weights = np.ones(count) if weights is None else np.asarray(weights, float)
    order = np.arange(count) if order is None else np.asarray(order)
    return Examples(encoded(count, seed), weights, np.arange(count) % 3, order, filler=2)


def batch(count: int, weights=None, order=None, seed: int = 0):
    """All of them as one batch."""
    from maqa_severity.trainers.lm.batches import Collator

    data = examples(count, weights, order, seed)
    return Collator(pad_id=0)([data[place] for place in range(len(data))])


def numerator_and_denominator(model, found, mode):
    """Our loss of a batch, in its two parts."""
    from maqa_severity.trainers.lm.causal import weighted_forward
    from maqa_severity.trainers.losses.weighted import answer_lengths

    lengths = answer_lengths(found["labels"])
    inputs = {name: found[name] for name in ("input_ids", "attention_mask", "labels")}
    with weighted_forward(model):
        output = model(**inputs, coefficients=mode.coefficients(found["weights"], lengths))
    return output["loss"], mode.denominator(found["weights"], lengths)


def loss_and_gradients(model, found, mode):
    """Our loss of a batch that is a whole step, and every parameter's gradient."""
    model.zero_grad()
    numerator, denominator = numerator_and_denominator(model, found, mode)
    loss = numerator / denominator
    loss.backward()
    return loss.detach(), gradients(model)


def gradients(model):
    """Every parameter's gradient, by name."""
    return {name: each.grad.detach().clone() for name, each in model.named_parameters() if each.grad is not None}


def hand_nll(model, found):
    """Negative log-likelihood of each answer token, by the full logits: a list of (n_i,) tensors."""
    logits = model(input_ids=found["input_ids"], attention_mask=found["attention_mask"]).logits
    nll = -logits[:, :-1].log_softmax(-1).gather(-1, found["labels"][:, 1:, None].clamp(min=0)).squeeze(-1)
    return [row[mask] for row, mask in zip(nll, found["labels"][:, 1:] != -100, strict=True)]


def farthest(one, other):
    """The largest difference between two sets of gradients."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def step_gradients(model, data, folder, *, mode, batch_size, accumulation, stock=False):
    """Gradients of the first step of a real trainer, before clipping, and the logged loss."""
    from maqa_severity.trainers.lm.batches import Collator
    from maqa_severity.trainers.lm.causal import weighted_forward
    from maqa_severity.trainers.lm.trainer import WeightedTrainer
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    caught = {}

    class Catch(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model, **_):
            caught.update(gradients(model))

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=1,
        use_cpu=True,
        per_device_train_batch_size=batch_size,
        gradient_accumulation_steps=accumulation,
        learning_rate=1e-3,
        max_grad_norm=0,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    settings = {"model": model, "args": arguments, "train_dataset": data, "callbacks": [Catch()]}
    if stock:

        def collate(rows):
            found = Collator(pad_id=0)(rows)
            return {name: found[name] for name in ("input_ids", "attention_mask", "labels")}

        trainer = Trainer(data_collator=collate, **settings)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    else:
        with weighted_forward(model):
            trainer = WeightedTrainer(data_collator=Collator(pad_id=0), loss_mode=mode, **settings)
            trainer.remove_callback(PrinterCallback)
            trainer.train()
    logged = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return caught, logged[0]


def gpt2_base(folder, generation=None, **changes):
    """A GPT-2 as the hub has them: no pad token, and the unknown token is the end token too.

    ``generation`` is its ``generation_config.json``.
    """
    import json

    from maqa_severity.tasks.sample.grammar import everyday_rows
    from maqa_severity.trainers.demo.tokenizers import train_bpe
    from tokenizers import pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel

    folder.mkdir(parents=True)
    words = [row[key] for row in everyday_rows(ARABIC, 50) for key in ("question", "answer")]
    tokenizer = train_bpe(words, 600, pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"])
    settings = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, **changes}
    special = {"bos_token_id": 0, "eos_token_id": 0}
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**{"vocab_size": tokenizer.get_vocab_size(), **special, **settings}))
    model.save_pretrained(folder)
    tokenizer.model.save(str(folder))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    return folder
