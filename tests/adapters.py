"""Adapters for the tests: trained ones, and those that others may have made."""

from __future__ import annotations

from maqa_severity.tests.training import SETTINGS
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.train import train_lm

LORA = [*SETTINGS, "method=lora", "lora.dropout=0", "learning_rate=2e-2"]
"""Few steps that change what a tiny model says."""


def trained_adapter(dataset, base, out, *settings, arm="severity"):
    """The folder of an arm that keeps its adapter alone."""
    train_lm(dataset, str(base), ArmSpec.of(arm), load_config(settings=[*LORA, *settings]), out)
    return out


def foreign_adapter(base, out, *, tokens=(), seed=0, **settings):
    """A random adapter as peft alone saves it; with ``tokens`` of its own the base has grown under it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    if tokens:
        tokenizer.add_tokens(list(tokens))
        model.resize_token_embeddings(len(tokenizer))
        tokenizer.save_pretrained(out)
    targets = {"target_modules": ["q_proj", "v_proj"], **settings}
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, r=4, **targets))
    adapted.save_pretrained(out)
    return out


def said_by(model, tokenizer, prompts, new_tokens):
    """What plain transformers answers, one prompt after the other."""
    answers = []
    for prompt in prompts:
        ids = tokenizer(prompt.text, return_tensors="pt")
        made = model.generate(**ids, max_new_tokens=new_tokens, do_sample=False)
        answers.append(tokenizer.decode(made[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    return answers
