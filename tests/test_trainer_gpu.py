"""What a card decides is written down as what it became; what only makes a training quick changes nothing."""

from __future__ import annotations

import importlib.util
import json
import shutil

import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.conditions import difference
from maqa_severity.tests.training import (
    SETTINGS,
    batch,
    causal_model,
    farthest,
    gradients,
    loss_and_gradients,
    medical_dataset,
    numerator_and_denominator,
    same,
    weights,
)
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.experiments.gpus import GPUS
from maqa_severity.trainers.experiments.shapes import Shape
from maqa_severity.trainers.experiments.stated import peak_bytes
from maqa_severity.trainers.experiments.stated import settled as stated
from maqa_severity.trainers.lm import arithmetic, run
from maqa_severity.trainers.lm.attention import demand_attention
from maqa_severity.trainers.lm.base_check import base_problems
from maqa_severity.trainers.lm.compiling import compiled, demand_compiler
from maqa_severity.trainers.lm.config import Precision, load_config
from maqa_severity.trainers.lm.recomputation import recomputing, where_needed
from maqa_severity.trainers.lm.split import NoRoom
from maqa_severity.trainers.lm.train import train_lm
from maqa_severity.trainers.losses.modes import LossMode

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def trained(dataset, base, out, *settings):
    config = load_config(settings=[*SETTINGS, "rows=8", *settings])
    manifest = train_lm(dataset, str(base), ArmSpec.of("ce"), config, out)
    return manifest, json.loads((out / "cost.json").read_text())["training"]


def card(monkeypatch, capability, tf32=True):
    """What torch says of a card; everything goes on to be computed here."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    answers = {
        "is_available": True,
        "is_bf16_supported": True,
        "get_device_capability": capability,
        "is_tf32_supported": tf32,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, lambda answer=answer: answer)


@pytest.mark.parametrize(
    ("capability", "precision"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16"), (None, "fp32")]
)
def test_auto_is_bf16_where_the_card_computes_in_it(capability, precision, tmp_path, monkeypatch):
    if capability:
        # Of a T4, too, torch says that bf16 is supported: it is emulated.
        card(monkeypatch, capability)
    found = arithmetic.settled(load_config(settings=["precision=auto"]), tmp_path)
    assert found.precision == precision and load_config().precision is Precision.FP32
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert arithmetic.settled(load_config(settings=["precision=auto"]), tmp_path).precision == "fp32"


def test_what_auto_became_is_written_down_and_told_apart(tmp_path, monkeypatch, dataset, checkpoint):
    here, _ = trained(dataset, checkpoint, tmp_path / "here", "precision=auto")
    plain, _ = trained(dataset, checkpoint, tmp_path / "plain")
    monkeypatch.setattr(arithmetic, "has_bf16", lambda: True)
    card_a, _ = trained(dataset, checkpoint, tmp_path / "card", "precision=auto")
    assert here.config["precision"] == here.conditions["config.precision"] == "fp32"
    assert card_a.config["precision"] == card_a.conditions["config.precision"] == "bf16"
    assert here.identity == plain.identity and same(*(weights(tmp_path / name) for name in ("here", "plain")))
    dumps = [each.model_dump() for each in (here, card_a)]
    assert difference(*dumps) == ["config.precision: 'fp32' and 'bf16'"]
    monkeypatch.undo()
    # A card without it finds what another has begun or done.
    assert trained(dataset, checkpoint, tmp_path / "card", "precision=auto")[0] == card_a
    begun = tmp_path / "begun" / "training_state"
    begun.mkdir(parents=True)
    (begun / "identity.json").write_text(json.dumps({"config.precision": "bf16"}))
    assert arithmetic.settled(load_config(settings=["precision=auto"]), begun.parent).precision == "bf16"


def test_what_is_saved_does_not_depend_on_a_card():
    with pytest.raises(UserError, match="does not depend on a card"):
        load_config(settings=["method=full", "save_dtype=auto"])


def test_float32_is_exact_unless_tf32_is_asked_for(monkeypatch):
    def state():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = state()
    with arithmetic.float32_products(None):
        assert state() == before
    card(monkeypatch, (8, 0))
    for asked, wanted in ((None, ("highest", False)), (True, ("high", True))):
        with pytest.raises(KeyError), arithmetic.float32_products(asked):
            assert state() == wanted
            raise KeyError
        assert state() == before


def test_tf32_that_is_not_there_or_forced_is_refused(tmp_path, monkeypatch, dataset, checkpoint):
    with pytest.raises(UserError, match="no card that has it"):
        trained(dataset, checkpoint, tmp_path / "out", "tf32=true")
    assert not (tmp_path / "out").exists()
    card(monkeypatch, (8, 0))
    arithmetic.demand_arithmetic(load_config(settings=["tf32=true"]))
    for forced, settings in (("0", ["tf32=true"]), ("1", [])):
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", forced)
        with pytest.raises(UserError, match=f"NVIDIA_TF32_OVERRIDE={forced} contradicts"):
            arithmetic.demand_arithmetic(load_config(settings=settings))
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE")
    monkeypatch.setenv("ACCELERATE_DYNAMO_BACKEND", "INDUCTOR")
    with pytest.raises(UserError, match="dynamo_backend is INDUCTOR"):
        arithmetic.demand_arithmetic(load_config())


def test_settings_that_older_versions_did_not_know_are_none_there():
    nothing = load_config(settings=["tf32=false", "attention=auto"])
    assert nothing == load_config() and nothing.tf32 is None and nothing.attention is None
    old = {"arm": "ce", "conditions": {"steps": 3, "config.precision": "fp32"}}
    new = {"arm": "ce", "conditions": {**old["conditions"], "config.tf32": None, "config.attention": None}}
    assert difference(old, new) == []
    for key, value in (("config.tf32", True), ("config.attention", "eager")):
        changed = {**new, "conditions": {**new["conditions"], key: value}}
        assert difference(old, changed) == [f"{key}: None and {value!r}"]


@pytest.mark.parametrize("shape", ["gpt2", "qwen2"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_padding_on_the_right_changes_no_loss(shape, attention):
    model = causal_model(shape, attn_implementation=attention)
    assert model.config._attn_implementation == attention
    whole, mode = batch(5, [1, 2, 0.5, 1, 3]), LossMode.TOKENS
    loss, wanted = loss_and_gradients(model, whole, mode)
    assert (whole["attention_mask"] == 0).any()
    parts = []
    model.zero_grad()
    for row, length in enumerate(whole["attention_mask"].sum(dim=1).tolist()):
        alone = {name: each[row : row + 1] for name, each in whole.items()}
        alone = {name: each[:, :length] if each.ndim == 2 else each for name, each in alone.items()}
        parts.append(numerator_and_denominator(model, alone, mode))
    total = sum(numerator for numerator, _ in parts) / sum(denominator for _, denominator in parts)
    total.backward()
    assert float(total) == pytest.approx(float(loss), rel=1e-6)
    assert farthest(gradients(model), wanted) < 1e-6


def test_another_attention_is_another_identity_and_trains_the_same_but_for_rounding(tmp_path, dataset, checkpoint):
    usual, cost = trained(dataset, checkpoint, tmp_path / "usual")
    eager, of_eager = trained(dataset, checkpoint, tmp_path / "eager", "attention=eager")
    assert (cost["attention"], of_eager["attention"]) == ("sdpa", "eager")
    assert usual.conditions["config.attention"] is None and eager.conditions["config.attention"] == "eager"
    assert farthest(*(weights(tmp_path / name) for name in ("usual", "eager"))) < 1e-4


def test_an_attention_that_a_base_lacks_is_refused_before_its_weights_are_read(tmp_path, monkeypatch, checkpoint):
    from transformers import BloomConfig, BloomForCausalLM

    bloom = tmp_path / "bloom"
    BloomForCausalLM(BloomConfig(vocab_size=600, hidden_size=32, n_layer=2, n_head=4)).save_pretrained(bloom)
    for path in checkpoint.glob("token*"):
        shutil.copy(path, bloom)
    (bloom / "model.safetensors").unlink()
    config = load_config(settings=["attention=sdpa"])
    with pytest.raises(UserError, match="cannot be trained with attention sdpa: BloomForCausalLM") as refused:
        demand_attention(str(bloom), None, config)
    assert "attention=eager" in refused.value.remedy and "\n" not in str(refused.value)
    demand_attention(str(bloom), None, load_config(settings=["attention=eager"]))
    demand_attention(str(checkpoint), None, config)
    flash = load_config(settings=["attention=flash_attention_2", "precision=bf16"])
    found = base_problems(str(checkpoint), None, flash, new_tokens=8)
    assert len(found) == 1 and "needs the package flash_attn, which is not installed" in str(found[0])


def test_flash_attention_asks_for_a_gpu_and_bf16(monkeypatch, checkpoint):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: object() if name == "flash_attn" else find(name, *more)
    )
    config = load_config(settings=["attention=flash_attention_2"])
    with pytest.raises(UserError, match="needs a GPU and there is none"):
        demand_attention(str(checkpoint), None, config)
    card(monkeypatch, (8, 0))
    with pytest.raises(UserError, match="does not compute in fp32"):
        demand_attention(str(checkpoint), None, config)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_flash_attention_trains_as_the_usual_one_does(tmp_path, dataset, checkpoint):
    pytest.importorskip("flash_attn", reason="needs flash-attn")
    losses = {}
    for name in ("sdpa", "flash_attention_2"):
        trained(dataset, checkpoint, tmp_path / name, "precision=bf16", f"attention={name}")
        lines = (tmp_path / name / "training_log.jsonl").read_text().splitlines()
        losses[name] = [json.loads(line)["loss"] for line in lines]
    assert losses["flash_attention_2"] == pytest.approx(losses["sdpa"], rel=1e-2)


@pytest.mark.skipif(not arithmetic.has_tf32(), reason="needs a GPU that has TF32")
def test_tf32_rounds_products_only_where_it_is_asked_for():
    draw = torch.Generator("cuda").manual_seed(0)
    one, other = (torch.randn(512, 512, device="cuda", generator=draw) for _ in range(2))
    wanted, errors = one.double() @ other.double(), []
    for asked in (None, True):
        with arithmetic.float32_products(asked):
            errors.append(float((one @ other - wanted).abs().max()))
    assert errors[0] < 1e-3 < errors[1]


@pytest.mark.parametrize("shape", ["gpt2", "qwen2"])
def test_recomputing_changes_no_gradient(shape):
    model = causal_model(shape, **({"resid_pdrop": 0.1} if shape == "gpt2" else {"attention_dropout": 0.1}))
    found = batch(6)

    def step():
        torch.manual_seed(1)
        return loss_and_gradients(model.train(), found, LossMode.TOKENS)

    plain = step()
    with recomputing(model, True):
        assert model.is_gradient_checkpointing
        again = step()
    assert not model.is_gradient_checkpointing
    assert again[0].equal(plain[0]) and farthest(again[1], plain[1]) == 0


def needy(monkeypatch, *, always=False):
    """The card has room for a pass only where it recomputes, or never."""
    check = run.check_head

    def checked(model):
        check(model)

        def before(*_):
            if torch.is_grad_enabled() and (always or not model.is_gradient_checkpointing):
                raise torch.OutOfMemoryError("CUDA out of memory")

        model.get_input_embeddings().register_forward_pre_hook(before)

    monkeypatch.setattr(run, "check_head", checked)


@pytest.mark.parametrize("split", ["micro_batch=auto", "batch_size=4"])
def test_a_training_recomputes_only_where_it_has_no_room_without(split, tmp_path, monkeypatch, dataset, checkpoint):
    settings = [split, "gradient_checkpointing=auto"]
    roomy, cost = trained(dataset, checkpoint, tmp_path / "roomy", *settings)
    assert cost["gradient_checkpointing"] is False
    needy(monkeypatch)
    short, of_short = trained(dataset, checkpoint, tmp_path / "short", *settings)
    assert of_short["gradient_checkpointing"] is True and of_short["split"] == cost["split"]
    assert short.identity == roomy.identity
    assert farthest(*(weights(tmp_path / name) for name in ("roomy", "short"))) < 1e-6


def test_where_recomputing_does_not_help_the_line_says_so(tmp_path, monkeypatch, dataset, checkpoint):
    needy(monkeypatch, always=True)
    with pytest.raises(NoRoom, match="not even a pass of one row fits"):
        trained(dataset, checkpoint, tmp_path / "out", "micro_batch=auto", "gradient_checkpointing=auto")
    assert not (tmp_path / "out").exists()


def test_a_model_that_cannot_recompute_is_refused_and_by_auto_left_as_it_is(monkeypatch):
    model = causal_model("gpt2")
    monkeypatch.setattr(type(model), "supports_gradient_checkpointing", False)
    with pytest.raises(UserError, match="GPT2LMHeadModel has no gradient checkpointing"), recomputing(model, True):
        pass

    def short():
        raise NoRoom("no room", "")

    with pytest.raises(NoRoom):
        where_needed("auto", model, short)
    assert where_needed("auto", model, lambda: 3) == (3, False)


def test_a_plan_leaves_to_a_named_card_what_the_training_does():
    shape = Shape(parameters=3_000_000_000, layers=28, width=2048, vocabulary=150_000, stored_bytes=2)
    config = load_config(settings=["precision=auto", "gradient_checkpointing=auto", "micro_batch=auto"])
    found = {name: stated(shape, config, 200, GPUS[name]) for name in ("t4", "h100")}
    assert [each.precision for each in found.values()] == ["fp32", "bf16"]
    assert [each.gradient_checkpointing for each in found.values()] == [True, False]
    one = found["t4"].model_copy(update={"gradient_checkpointing": False})
    assert peak_bytes(shape, one, 200, 1) > 0.85 * 16e9


COMPILER = next((name for name in ("g++", "clang++", "c++") if shutil.which(name)), None)


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("shape", ["gpt2", pytest.param("qwen2", marks=pytest.mark.weekly)])
def test_a_compiled_model_has_the_same_loss_on_batches_of_any_shape(shape):
    model = causal_model(shape, **({"resid_pdrop": 0.1} if shape == "gpt2" else {}))
    names = list(model.state_dict())

    def steps():
        for count, seed in ((5, 0), (3, 1), (7, 2)):
            torch.manual_seed(seed)
            yield loss_and_gradients(model.train(), batch(count, seed=seed), LossMode.TOKENS)

    plain = list(steps())
    with compiled(model, True):
        quick = list(steps())
        assert list(model.state_dict()) == names
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert model.base_model._compiled_call_impl is None
    for (loss, found), (other, others) in zip(plain, quick, strict=True):
        assert float(other) == pytest.approx(float(loss), abs=1e-5)
        assert farthest(found, others) < 1e-5


@pytest.mark.weekly
@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")
def test_a_compiled_training_is_the_same_training(tmp_path, dataset, checkpoint):
    plain, _ = trained(dataset, checkpoint, tmp_path / "plain")
    quick, _ = trained(dataset, checkpoint, tmp_path / "quick", "compile=true")
    assert plain.identity == quick.identity
    assert farthest(*(weights(tmp_path / name) for name in ("plain", "quick"))) < 1e-5


def test_without_a_compiler_compiling_is_refused(tmp_path, monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (str(tmp_path / "none"),))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch.compiler.reset()
    with pytest.raises(UserError, match="torch cannot compile on this machine") as refused:
        demand_compiler(CPU)
    assert "Install a C++ compiler" in refused.value.remedy and "\n" not in str(refused.value)


def test_a_compiler_that_fails_on_the_way_ends_in_one_line(monkeypatch):
    from maqa_severity.trainers.lm import compiling
    from torch._inductor.exc import InductorError

    monkeypatch.setattr(compiling, "demand_compiler", lambda device: None)
    broken = InductorError(ImportError("file too short"), None)
    with (
        pytest.raises(UserError, match=r"could not compile GPT2LMHeadModel: .*file too short") as refused,
        compiled(causal_model("gpt2"), True),
    ):
        raise broken
    assert "Remove what an interrupted compiler may have left" in refused.value.remedy
    with pytest.raises(KeyError), compiled(causal_model("gpt2"), True):
        raise KeyError


def test_a_sharded_model_is_not_compiled(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UserError, match="not for models that are sharded"), compiled(causal_model("gpt2"), True):
        pass
