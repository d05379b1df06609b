"""The loss: equal to cross-entropy where nothing is weighted, equal to its formula where something is."""

import numpy as np
import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.training import (
    VOCABULARY,
    batch,
    causal_model,
    examples,
    farthest,
    gradients,
    hand_nll,
    loss_and_gradients,
    numerator_and_denominator,
    step_gradients,
)
from maqa_severity.trainers.lm.batches import Collator, Example
from maqa_severity.trainers.lm.causal import weighted_forward
from maqa_severity.trainers.lm.head_check import check_head
from maqa_severity.trainers.losses import weighted as losses
from maqa_severity.trainers.losses.logits import Shaping
from maqa_severity.trainers.losses.weighted import LossMode, answer_lengths, weighted_loss

SHAPES = ["gpt2", "qwen2", "qwen2-tied"]
WEIGHTS = [0.5, 1.5, 1.0, 0.7]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", [LossMode.TOKENS, LossMode.WEIGHTS])
def test_weights_of_one_equal_the_librarys_cross_entropy(shape, mode):
    model, found = causal_model(shape), batch(4)
    expected = model(**{name: found[name] for name in ("input_ids", "attention_mask", "labels")}).loss
    expected.backward()
    wanted = gradients(model)
    loss, ours = loss_and_gradients(model, found, mode)
    assert abs(loss - expected) < 1e-6
    assert farthest(ours, wanted) < 1e-6


@pytest.mark.parametrize("mode", list(LossMode))
def test_four_weighted_examples_equal_four_losses_computed_by_hand(mode):
    model, found = causal_model("qwen2"), batch(4, WEIGHTS)
    each = [hand_nll(model, batch(4, WEIGHTS, order=[row]))[0] for row in range(4)]
    by_hand = {
        LossMode.TOKENS: sum(w * nll.sum() for w, nll in zip(WEIGHTS, each, strict=True)) / sum(map(len, each)),
        LossMode.WEIGHTS: sum(w * nll.sum() for w, nll in zip(WEIGHTS, each, strict=True))
        / sum(w * len(nll) for w, nll in zip(WEIGHTS, each, strict=True)),
        LossMode.PAPER: sum(w * nll.mean() for w, nll in zip(WEIGHTS, each, strict=True)) / 4,
    }[mode]
    by_hand.backward()
    wanted = gradients(model)
    loss, ours = loss_and_gradients(model, found, mode)
    assert abs(loss - by_hand) < 1e-6
    assert farthest(ours, wanted) < 1e-6


def test_weights_do_not_collapse_to_their_mean():
    model, found = causal_model("qwen2"), batch(4, WEIGHTS)
    loss, _ = loss_and_gradients(model, found, LossMode.PAPER)
    nll = hand_nll(model, found)
    collapsed = np.mean(WEIGHTS) * float(torch.stack([each.mean() for each in nll]).mean().detach())
    assert abs(float(loss) - collapsed) > 1e-3


@pytest.mark.parametrize("mode", list(LossMode))
def test_padding_and_order_change_nothing(mode):
    model, found = causal_model("qwen2"), batch(4, WEIGHTS)
    loss, wanted = loss_and_gradients(model, found, mode)
    wider = {
        **found,
        "input_ids": torch.nn.functional.pad(found["input_ids"], (0, 7), value=2),
        "attention_mask": torch.nn.functional.pad(found["attention_mask"], (0, 7), value=0),
        "labels": torch.nn.functional.pad(found["labels"], (0, 7), value=-100),
    }
    for other in (wider, batch(4, WEIGHTS, order=[2, 0, 3, 1])):
        same, ours = loss_and_gradients(model, other, mode)
        assert abs(loss - same) < 1e-6
        assert farthest(ours, wanted) < 1e-6


@pytest.mark.parametrize("mode", list(LossMode))
def test_blank_examples_count_for_nothing(mode):
    model = causal_model("gpt2")
    loss, wanted = loss_and_gradients(model, batch(4, WEIGHTS), mode)
    same, ours = loss_and_gradients(model, batch(4, WEIGHTS, order=[-1, 0, 1, 2, -1, 3]), mode)
    assert abs(loss - same) < 1e-6
    assert farthest(ours, wanted) < 1e-6


def test_a_batch_of_blanks_has_a_gradient_of_zero_for_every_parameter():
    model = causal_model("qwen2")
    numerator, _ = numerator_and_denominator(model, batch(1, order=[-1, -1]), LossMode.TOKENS)
    numerator.backward()
    found = gradients(model)
    assert found.keys() == dict(model.named_parameters()).keys()
    assert all(not each.any() for each in found.values())


@pytest.mark.parametrize("mode", [LossMode.TOKENS, LossMode.PAPER])
def test_doubling_a_weight_doubles_the_gradient_of_its_example(mode):
    model = causal_model("qwen2")
    _, before = loss_and_gradients(model, batch(4, WEIGHTS), mode)
    _, without = loss_and_gradients(model, batch(4, [0.0, *WEIGHTS[1:]]), mode)
    _, after = loss_and_gradients(model, batch(4, [2 * WEIGHTS[0], *WEIGHTS[1:]]), mode)
    for name in before:
        assert torch.allclose(after[name] - without[name], 2 * (before[name] - without[name]), atol=1e-6)


def test_doubling_a_weight_shares_out_the_rest_when_weights_normalise_themselves():
    model = causal_model("qwen2")
    found = batch(4, WEIGHTS)
    mass = found["weights"] * answer_lengths(found["labels"])
    total = mass.sum()
    _, before = loss_and_gradients(model, found, LossMode.WEIGHTS)
    _, after = loss_and_gradients(model, batch(4, [2 * WEIGHTS[0], *WEIGHTS[1:]]), LossMode.WEIGHTS)
    _, alone = loss_and_gradients(model, batch(4, [WEIGHTS[0], 0.0, 0.0, 0.0]), LossMode.WEIGHTS)
    for name in before:
        part = alone[name] * mass[0] / total
        rest = before[name] - part
        expected = part * 2 * total / (total + mass[0]) + rest * total / (total + mass[0])
        assert torch.allclose(after[name], expected, atol=1e-6)


def test_chunks_change_nothing(monkeypatch):
    model, found = causal_model("qwen2-tied"), batch(30, np.linspace(0.2, 2, 30))
    loss, wanted = loss_and_gradients(model, found, LossMode.TOKENS)
    monkeypatch.setattr(losses, "_CHUNK_ELEMENTS", 1)
    assert int(answer_lengths(found["labels"]).sum()) > 2 * losses._chunk_rows(VOCABULARY)
    same, ours = loss_and_gradients(model, found, LossMode.TOKENS)
    assert abs(loss - same) < 1e-6
    assert farthest(ours, wanted) < 1e-6


@pytest.mark.parametrize("linear", [True, False])
def test_no_logits_outlive_their_chunk(linear, monkeypatch):
    from torch.utils._python_dispatch import TorchDispatchMode

    rows, vocabulary, width = 1000, 5000, 8
    monkeypatch.setattr(losses, "_CHUNK_ELEMENTS", 64 * vocabulary)
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            for each in result if isinstance(result, tuple | list) else [result]:
                if isinstance(each, torch.Tensor):
                    largest = max(largest, each.numel())
            return result

    head = (torch.nn.Linear if linear else OtherLinear)(width, vocabulary, bias=False)
    hidden = torch.randn(4, rows // 4 + 1, width, requires_grad=True)
    labels = torch.randint(0, vocabulary, hidden.shape[:2])
    with Watch():
        weighted_loss(hidden, head, labels, torch.ones(4)).total.backward()
    assert 0 < largest <= 64 * vocabulary < rows * vocabulary


class OtherLinear(torch.nn.Linear):
    """A head that is not exactly a linear layer, as quantised ones and those with adapters are."""


@pytest.mark.parametrize("bias", [True, False])
def test_any_head_gives_the_same_loss_and_gradients(bias, monkeypatch):
    monkeypatch.setattr(losses, "_CHUNK_ELEMENTS", 1)
    torch.manual_seed(0)
    fast = torch.nn.Linear(16, VOCABULARY, bias=bias)
    other = OtherLinear(16, VOCABULARY, bias=bias)
    other.load_state_dict(fast.state_dict())
    labels = batch(20)["labels"]
    results = []
    for head in (fast, other):
        hidden = torch.randn(*labels.shape, 16, generator=torch.Generator().manual_seed(1), requires_grad=True)
        loss = weighted_loss(hidden, head, labels, torch.linspace(0.5, 1.5, 20))
        (3 * loss.total).backward()
        results.append([loss.total, loss.example_nll, hidden.grad, *(each.grad for each in head.parameters())])
    assert all(torch.allclose(one, two, atol=1e-4) for one, two in zip(*results, strict=True))


def test_the_gradient_of_the_linear_head_is_the_numerical_one():
    torch.manual_seed(0)
    hidden = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    head = torch.nn.Linear(4, 7).double()
    targets, factors = torch.tensor([0, 6, 3, 3, 2]), torch.tensor([0.5, 1.0, 0.0, 2.0, 1.0])
    total, _ = losses._linear_nll(hidden, head.weight, head.bias, targets, factors)
    total.backward()
    nll = torch.nn.functional.cross_entropy(head(hidden), targets, reduction="none")
    wanted = torch.autograd.grad((nll * factors).sum(), [hidden, head.weight, head.bias])
    for ours, expected in zip([hidden.grad, head.weight.grad, head.bias.grad], wanted, strict=True):
        assert torch.allclose(ours, expected, atol=1e-5)


def test_eos_is_learned_and_padding_is_not_even_where_they_are_the_same_token():
    rows = [Example(np.array([5, 6, 7, 2], np.int32), 2, 1.0, 0), Example(np.array([5, 9, 2], np.int32), 1, 1.0, 0)]
    labels = Collator(pad_id=2)(rows)["labels"]
    assert labels.tolist() == [[-100, -100, 7, 2], [-100, 9, 2, -100]]


def test_bf16_stays_near_fp32():
    model, found = causal_model("qwen2"), batch(8, np.linspace(0.5, 1.5, 8))
    loss, wanted = loss_and_gradients(model, found, LossMode.TOKENS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded, ours = loss_and_gradients(model, found, LossMode.TOKENS)
    assert abs(loss - rounded) < 2e-2
    assert relative(ours, wanted) < 3e-2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU at hand")
@pytest.mark.parametrize("shape", SHAPES)
def test_on_a_gpu_bf16_weights_of_one_equal_the_librarys_cross_entropy(shape):
    model = causal_model(shape).cuda()
    found = {name: each.cuda() for name, each in batch(8).items()}
    with torch.autocast("cuda", dtype=torch.bfloat16):
        expected = model(**{name: found[name] for name in ("input_ids", "attention_mask", "labels")}).loss
        expected.backward()
        wanted = gradients(model)
        loss, ours = loss_and_gradients(model, found, LossMode.TOKENS)
    assert abs(loss - expected) < 2e-2
    assert relative(ours, wanted) < 3e-2


def relative(ours, wanted):
    """Distance of all gradients together, relative to their size."""
    distance = sum(float(((ours[name] - wanted[name]) ** 2).sum()) for name in wanted)
    return (distance / sum(float((each**2).sum()) for each in wanted.values())) ** 0.5


SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def shaped(kind, **changes):
    """A model in float64 whose logits are not its head's scores."""
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**SMALL, **changes)
    return getattr(transformers, f"{kind}ForCausalLM")(config).double()


def by_autograd(model, found):
    """The gradients of the weighted mean of the stock forward pass's own logits."""
    lengths = answer_lengths(found["labels"])
    nll = hand_nll(model, found)
    each = [weight * row.sum() for weight, row in zip(found["weights"].double(), nll, strict=True)]
    (sum(each) / lengths.sum()).backward()
    wanted = gradients(model)
    model.zero_grad()
    return wanted


@pytest.mark.parametrize(
    ("kind", "changes", "shaping"),
    [
        ("Gemma2", {"head_dim": 8, "final_logit_softcapping": 0.5}, Shaping(1.0, 0.5)),
        ("Granite", {"logits_scaling": 6.0}, Shaping(1 / 6.0)),
        ("Cohere", {"logit_scale": 0.0625}, Shaping(0.0625)),
    ],
)
@pytest.mark.parametrize("linear", [True, False])
def test_scaled_and_capped_logits_have_the_gradients_of_autograd(kind, changes, shaping, linear, monkeypatch):
    monkeypatch.setattr(losses, "_CHUNK_ELEMENTS", 1)
    model, found = shaped(kind, **changes), batch(12, np.linspace(0.5, 1.5, 12))
    wanted = by_autograd(model, found)
    if not linear:
        model.lm_head.__class__ = OtherLinear
    ours = check_head(model).shaping
    assert ours.cap == shaping.cap and ours.scale == pytest.approx(shaping.scale, rel=1e-15)
    _, got = loss_and_gradients(model, found, LossMode.TOKENS)
    assert relative(got, wanted) < 1e-12


def test_a_model_that_changes_its_logits_otherwise_is_refused():
    from transformers import Qwen2Config, Qwen2ForCausalLM

    class Shifted(Qwen2ForCausalLM):
        def forward(self, *args, **kwargs):
            output = super().forward(*args, **kwargs)
            output.logits = output.logits + torch.linspace(0, 1, VOCABULARY)
            return output

    with pytest.raises(UserError, match="Shifted changes its logits after the head"):
        check_head(Shifted(Qwen2Config(**SMALL)))


def test_a_masked_language_model_sees_what_it_is_to_predict():
    from transformers import BertConfig, BertLMHeadModel

    settings = {name: value for name, value in SMALL.items() if name != "num_key_value_heads"}
    with pytest.raises(UserError, match="BertLMHeadModel lets token 1 see token 2"):
        check_head(BertLMHeadModel(BertConfig(**settings)))
    check_head(BertLMHeadModel(BertConfig(**settings, is_decoder=True)))


def mixture(**changes):
    """A mixture of four experts."""
    return shaped("Mixtral", num_local_experts=4, num_experts_per_tok=2, router_jitter_noise=0.0, **changes)


def test_a_mixtures_routers_are_balanced_as_by_the_stock_forward_pass(tmp_path):
    model, data = mixture(output_router_logits=True, router_aux_loss_coef=0.3).float(), examples(4)
    stock, expected = step_gradients(model, data, tmp_path, mode=None, batch_size=4, accumulation=1, stock=True)
    model = mixture(output_router_logits=True, router_aux_loss_coef=0.3).float()
    settings = {"mode": LossMode.TOKENS, "batch_size": 4, "accumulation": 1}
    ours, loss = step_gradients(model, data, tmp_path, **settings)
    assert farthest(ours, stock) < 1e-6 and abs(loss - expected) < 1e-5
    silent, without = step_gradients(mixture(router_aux_loss_coef=0.3).float(), data, tmp_path, **settings)
    assert farthest(silent, stock) > 1e-4 and expected - without > 0.1


def test_the_weights_of_rows_do_not_touch_the_balance_of_routers():
    model = mixture(output_router_logits=True).float()
    found = []
    for weights in (WEIGHTS, [10 * weight for weight in WEIGHTS]):
        each = batch(4, weights)
        with weighted_forward(model):
            inputs = {name: each[name] for name in ("input_ids", "attention_mask", "labels")}
            found.append(model(**inputs, coefficients=each["weights"]))
    assert found[0]["auxiliary"] == found[1]["auxiliary"] > 0
    assert torch.allclose(10 * found[0]["loss"], found[1]["loss"])


def test_adapters_get_the_same_gradients_as_by_the_librarys_cross_entropy():
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    model = get_peft_model(causal_model("qwen2-tied"), LoraConfig(task_type="CAUSAL_LM", r=4, lora_dropout=0.0))
    with torch.no_grad():
        for name, each in model.named_parameters():
            if "lora_B" in name:
                each.normal_()
    found = batch(4)
    model(**{name: found[name] for name in ("input_ids", "attention_mask", "labels")}).loss.backward()
    wanted = gradients(model)
    _, ours = loss_and_gradients(model, found, LossMode.TOKENS)
    assert wanted and farthest(ours, wanted) < 1e-6


def test_the_model_is_itself_again_afterwards():
    model, found = causal_model("gpt2"), batch(2)
    with weighted_forward(model):
        pass
    assert model(input_ids=found["input_ids"]).logits.shape[-1] == VOCABULARY
    assert len(examples(2)) == 2
