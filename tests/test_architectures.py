"""Every causal architecture of the installed transformers at toy size: its loss is exact, or it is refused."""

import re
import sys
from collections import Counter
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import gradients
from maqa_severity.trainers.lm.base_kind import demand_decoder
from maqa_severity.trainers.lm.causal import weighted_forward
from maqa_severity.trainers.lm.head_check import check_head
from maqa_severity.trainers.lm.miniature import miniature

TOLERANCE, SINGLE_TOLERANCE = 1e-9, 1e-5
WEIGHTS = torch.tensor([0.5, 1.7, 1.1], dtype=torch.float64)
ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
SETTINGS = {
    "cohere_compass_text": {"rope_parameters": {"full_attention": ROPE, "sliding_attention": ROPE}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0, "clip_qkv": 8.0}},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 16},
    "ministral": {"head_dim": 8},
    "nemotron": {"num_key_value_heads": 48},
    "reformer": {"is_decoder": True, "axial_pos_embds": False},
    "xmod": {"default_language": "en_XX"},
}
"""What the defaults of a configuration leave out, so that no model could be made of them."""
SHAPED = {"logits_scaling": 6.0, "lm_head_multiplier": 0.3, "logit_scale": 0.0625, "final_logit_softcapping": 2.5}
"""So that what scales or caps its logits does."""
NOT_BUILT = {
    "blt": "its four parts' sizes hang together",
    "gemma3n": "its images need timm",
    "gemma4_assistant": "drafts for another model, whose states it reads",
    "gemma4_unified_assistant": "drafts for another model, whose states it reads",
    "musicgen": "writes music, of three models",
    "musicgen_melody": "writes music, of three models",
}
"""Architectures of which no toy model is made here, and why."""
SINGLE = {"kimi_linear"}
"""Whose kernels take float32 alone."""
UNROUTED = {"deepseek_v4"}
"""Whose own forward pass does not take its routers' logits."""
REFUSED = (
    "is an encoder-decoder",
    "lets token 1 see token 2, so it would learn to copy what it is to predict",
    "changes its logits after the head, other than by a scale and a cap",
)


def kinds():
    """Every model type, and as a decoder those that are something else by default."""
    from transformers import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        yield name, name, {}
        default = CONFIG_MAPPING[name]
        settings = {} if name in NOT_BUILT else vars(default(**SETTINGS.get(name, {})))
        if not settings.get("is_decoder", True) or settings.get("is_encoder_decoder"):
            yield f"{name}, as a decoder", name, {"is_decoder": True, "is_encoder_decoder": False}


def toy(name, changes):
    """A model in float64, without dropout's draws to differ by."""
    from transformers import CONFIG_MAPPING

    config = CONFIG_MAPPING[name](**SETTINGS.get(name, {}), **changes)
    for part in (config, *(getattr(config, key) or config for key in config.sub_configs)):
        for key, value in SHAPED.items():
            if key in vars(part):
                setattr(part, key, value)
        if "output_router_logits" in vars(part) and name not in UNROUTED:
            part.output_router_logits = True
    model = miniature(config).to(torch.float32 if name in SINGLE else torch.float64)
    # The grouped product of experts has no float64.
    model.set_experts_implementation("eager")
    return model


def answers():
    """Three examples of 14, 11 and 9 tokens, the first four of them their prompt's."""
    ids = torch.randint(5, 60, (3, 14), generator=torch.Generator().manual_seed(5))
    inside = torch.arange(14) < torch.tensor([[14], [11], [9]])
    labels = torch.where(inside & (torch.arange(14) >= 4), ids, -100)
    return torch.where(inside, ids, 0), inside.long(), labels


def ours(model):
    ids, mask, labels = answers()
    torch.manual_seed(1)
    with weighted_forward(model):
        found = model(input_ids=ids, attention_mask=mask, labels=labels, coefficients=WEIGHTS)
    (found["loss"] / WEIGHTS.sum() + found.get("auxiliary", 0)).backward()
    return gradients(model), "auxiliary" in found


def by_autograd(model, adds):
    """Of the weighted likelihood of the stock forward pass's logits, and of what it adds to its own loss."""
    ids, mask, labels = answers()
    torch.manual_seed(1)
    given = {"labels": labels} if adds else {}
    output = model(input_ids=ids, attention_mask=mask, use_cache=False, **given)
    nll = torch.nn.functional.cross_entropy(
        output.logits[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=-100, reduction="none"
    )
    loss = (nll * WEIGHTS[:, None]).sum() / WEIGHTS.sum()
    if adds:
        loss = loss + output.loss - nll.sum() / (labels[:, 1:] != -100).sum()
    loss.backward()
    return gradients(model)


def distance(one, other):
    """Of all gradients together, relative to their size."""
    nothing = torch.zeros(())
    apart = sum(
        float((one.get(name, nothing) - other.get(name, nothing)).square().sum()) for name in {*one, *other}
    )
    return (apart / sum(float(each.square().sum()) for each in other.values())) ** 0.5


@contextmanager
def in_float64():
    """Some models round logits or states to float32, which would hide what is compared."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with patch.object(torch.Tensor, "float", torch.Tensor.double):
            yield
    finally:
        torch.set_default_dtype(before)


def verdict(name, changes):
    """What becomes of a training of this kind: a word, and by how much or why."""
    from transformers import CONFIG_MAPPING

    if name in NOT_BUILT:
        return "not built", NOT_BUILT[name]
    try:
        demand_decoder(name, CONFIG_MAPPING[name](**{**SETTINGS.get(name, {}), **changes}))
        model = toy(name, changes)
        found = check_head(model)
    except UserError as error:
        return "refused", str(error)
    got, adds = ours(model)
    model.zero_grad()
    apart = distance(got, by_autograd(model, adds))
    shaping = [f"scale {found.shaping.scale:g}"] * (found.shaping.scale != 1)
    shaping += [f"cap {found.shaping.cap}"] * (found.shaping.cap is not None)
    shaping += ["routers balanced"] * adds
    tolerance = SINGLE_TOLERANCE if name in SINGLE else TOLERANCE
    return "trains" if apart < tolerance else "differs", f"{apart:.1e} {', '.join(shaping)}".strip()


@pytest.mark.slow
def test_every_architecture_trains_exactly_or_is_refused_with_its_reason(capsys):
    found = {}
    for label, name, changes in kinds():
        with in_float64() if name not in SINGLE else nullcontext():
            found[label] = verdict(name, changes)
    table = "".join(f"{label:<40} {word:<10} {detail}\n" for label, (word, detail) in found.items())
    counts = Counter(word for word, _ in found.values())
    with capsys.disabled():
        sys.stdout.write(f"\n{table}{dict(counts)}\n")
    assert not {label: detail for label, (word, detail) in found.items() if word == "differs"}
    reasons = {label: detail for label, (word, detail) in found.items() if word == "refused"}
    assert not {label: why for label, why in reasons.items() if not any(re.search(each, why) for each in REFUSED)}
    assert {label for label, (word, _) in found.items() if word == "not built"} == set(NOT_BUILT)
    assert counts["trains"] > 150
