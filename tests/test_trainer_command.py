"""Training as a user meets it: the folder it leaves, going on after a kill, and what it refuses."""

import json

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.folders import working_in
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.runs.conditions import conditions, difference
from maqa_severity.harness.runs.trained_on import trained_on
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, medical_dataset, same, weights
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.manifest import Status, status
from maqa_severity.trainers.lm.train import train_lm

ARMS = {
    "base": ArmSpec.of("base"),
    "ce": ArmSpec.of("ce"),
    "severity": ArmSpec.of("severity"),
    "constant": ArmSpec.of("constant", weights="0.3,2,5"),
    "curriculum": ArmSpec.of("curriculum"),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, dataset, checkpoint):
    """Folder and manifest of each arm."""
    root = tmp_path_factory.mktemp("arms")
    config = load_config(settings=SETTINGS)
    return {
        name: (root / name, train_lm(dataset, str(checkpoint), spec, config, root / name))
        for name, spec in ARMS.items()
    }


def test_a_checkpoint_loads_with_the_plain_library_and_answers(trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, _ = trained["severity"]
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer("سؤال", return_tensors="pt")
    assert model.generate(**prompt, max_new_tokens=4, do_sample=False).shape[1] > prompt["input_ids"].shape[1]
    assert model.config.use_cache


def test_a_checkpoint_says_which_questions_it_was_trained_on(trained, dataset):
    for name, (folder, _) in trained.items():
        asked = dataset.split("train")["question"]
        assert trained_on(folder, asked, ARABIC) == (None if name == "base" else len(asked))


def test_a_checkpoint_holds_no_pickle_and_nothing_left_over(trained):
    for arm, (folder, _) in trained.items():
        names = {path.name for path in folder.rglob("*")}
        held = {"training_base.json"} if arm == "base" else {"model.safetensors", "tokenizer.json"}
        assert {*held, "training.json", "cost.json"} <= names
        assert not any(name.endswith((".bin", ".pt", ".pth", ".pkl")) or name == "training_state" for name in names)


def test_constant_weights_equal_cross_entropy_to_the_last_bit(trained):
    assert same(weights(trained["constant"][0]), weights(trained["ce"][0]))


def test_the_other_arms_differ_from_cross_entropy_and_base_is_no_copy(trained):
    assert not same(weights(trained["severity"][0]), weights(trained["ce"][0]))
    assert not same(weights(trained["curriculum"][0]), weights(trained["ce"][0]))
    assert sorted(path.name for path in trained["base"][0].iterdir()) == [
        "cost.json",
        "nll.parquet",
        "training.json",
        "training_base.json",
    ]


def test_the_manifests_prove_equal_conditions(trained):
    manifests = {name: manifest.model_dump(mode="json") for name, (_, manifest) in trained.items()}
    for one in manifests.values():
        assert [difference(one, other) for other in manifests.values()] == [[]] * len(manifests)
    trained_arms = {
        "config.learning_rate",
        "steps",
        "effective_batch",
        "dataset.rows_sha256",
        "base",
        "prompt.sha256",
    }
    assert all(trained_arms | {"order_sha256"} <= conditions(manifests[name]).keys() for name in ("ce", "severity"))
    assert trained_arms <= conditions(manifests["curriculum"]).keys()


def test_any_other_condition_is_named(trained, tmp_path, dataset, checkpoint):
    ce = trained["ce"][1].model_dump(mode="json")
    config = load_config(settings=[*SETTINGS, "seed=1", "learning_rate=2e-3"])
    other = train_lm(dataset, str(checkpoint), ARMS["severity"], config, tmp_path / "out").model_dump(mode="json")
    assert {line.split(":")[0] for line in difference(ce, other)} == {
        "config.seed",
        "config.learning_rate",
        "order_sha256",
    }
    assert [line.split(":")[0] for line in difference(ce, other, across_seeds=True)] == ["config.learning_rate"]


def test_the_log_tells_loss_by_severity_gradient_and_speed(trained):
    folder, manifest = trained["severity"]
    lines = [json.loads(line) for line in (folder / "training_log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 6))
    assert lines[-1]["epoch"] == 1
    for line in lines:
        assert any(f"loss_{severity}" in line for severity in ("critical", "neutral", "non_critical"))
        assert line["grad_norm"] > 0 and line["tokens_per_s"] > 0 and line["peak_memory_bytes"] > 1e8
    assert sum(line["answer_tokens"] for line in lines) > 0
    assert manifest.weights["mean"] == pytest.approx(1, abs=0.3) and manifest.weights["cv"] > 0.1
    assert manifest.weights["effective_rows"] < 18


def test_weights_that_hardly_differ_are_announced_before_the_training(tmp_path, dataset, checkpoint):
    said, out = [], tmp_path / "out"

    def train(spec, folder):
        config = load_config(settings=SETTINGS)
        train_lm(
            dataset, str(checkpoint), spec, config, folder,
            announce=lambda line: said.append((line, (out / "training_log.jsonl").exists())),
        )  # fmt: skip

    flat = ArmSpec.of("severity", weights="1,1.01,1.02")
    train(flat, out)
    assert said == [("severity-1,1.01,1.02 under weights of CV 0.01: nearly plain cross-entropy", False)]
    train(flat, out)
    train(ARMS["severity"], tmp_path / "other")
    assert len(said) == 1


def test_the_last_steps_are_logged_and_counted_too(trained, tmp_path, dataset, checkpoint):
    config = load_config(settings=[*SETTINGS, "log_every=3"])
    manifest = train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "training_log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 5]
    assert manifest.cost["training"]["tokens"] == trained["ce"][1].cost["training"]["tokens"]


def test_steps_of_weight_zero_change_nothing_under_any_loss(tmp_path, dataset, checkpoint):
    spec = ArmSpec.of("hard", weights="0,1,2")
    for loss in ("tokens", "weights", "paper"):
        config = load_config(settings=[*SETTINGS, f"loss={loss}", "batch_size=1"])
        train_lm(dataset, str(checkpoint), spec, config, tmp_path / loss)
        lines = [json.loads(line) for line in (tmp_path / loss / "training_log.jsonl").read_text().splitlines()]
        nothing = [line["loss"] == line["grad_norm"] == 0 for line in lines]
        assert any(nothing) and not all(nothing)


def test_a_loss_that_is_too_large_to_measure_beside_the_training_costs_no_training(
    tmp_path, dataset, checkpoint, monkeypatch, capsys
):
    import torch
    from maqa_severity.trainers.lm import cost, fitting  # noqa: F401
    from maqa_severity.trainers.lm.launch import lm

    def measure(model, loss):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cost, "measured_pass", measure)
    lm(dataset.folder, str(checkpoint), "ce", tmp_path / "out", settings=SETTINGS)
    assert "Checkpoint written" in capsys.readouterr().out


def test_a_lack_of_memory_is_one_line_with_the_remedy(tmp_path, dataset, checkpoint, monkeypatch):
    import torch
    from maqa_severity.trainers.lm.trainer import WeightedTrainer

    def training_step(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(WeightedTrainer, "training_step", training_step)
    with pytest.raises(UserError, match=r"ran out of memory.*gradient_checkpointing=true"):
        train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=SETTINGS), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_cost_says_what_the_weights_add(trained):
    cost = json.loads((trained["severity"][0] / "cost.json").read_text())
    overhead = cost["training"]["loss_overhead"]
    ratio = overhead["ours_weighted"]["seconds"] / overhead["ours_unweighted"]["seconds"]
    assert overhead["weighted_over_unweighted"] == pytest.approx(ratio)
    assert overhead["plain_cross_entropy"]["seconds"] > 0
    assert cost["training"]["tokens"] > 0 and cost["labelling"] is None


def test_the_cost_tells_what_labelling_took(tmp_path, dataset, checkpoint):
    from maqa_severity.harness.labelling.sources.choose import open_source
    from maqa_severity.harness.labelling.stream import label_dataset

    labelled, _ = label_dataset(dataset, open_source("rules", ARABIC), tmp_path / "labelled")
    manifest = train_lm(labelled, str(checkpoint), ARMS["base"], load_config(), tmp_path / "base")
    labelling = manifest.cost["labelling"]
    assert labelling["rows"] == 30 and labelling["seconds"] > 0 and labelling["peak_memory_bytes"] > 1e7


def test_a_finished_training_is_not_done_again(trained, dataset, checkpoint):
    folder, manifest = trained["ce"]
    before = (folder / "model.safetensors").stat().st_mtime_ns
    again = train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=SETTINGS), folder)
    assert again == manifest and (folder / "model.safetensors").stat().st_mtime_ns == before


def test_another_experiments_folder_is_refused_and_left_alone(trained, dataset, checkpoint):
    folder, _ = trained["ce"]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for spec, settings in ((ARMS["severity"], SETTINGS), (ARMS["ce"], [*SETTINGS, "learning_rate=5e-3"])):
        with pytest.raises(UserError, match=r"holds another training: (arm|config\.learning_rate) is"):
            train_lm(dataset, str(checkpoint), spec, load_config(settings=settings), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_kill_in_the_very_first_write_leaves_a_folder_to_train_in(tmp_path):
    (tmp_path / "training_state").mkdir()
    (tmp_path / "training_state" / ".identity.json.k1lledxy.json").touch()
    assert status(tmp_path, {"arm": "ce"}) is Status.NEW
    (tmp_path / "training_state" / "notes.txt").touch()
    with pytest.raises(UserError, match="is not empty and holds no training"):
        status(tmp_path, {"arm": "ce"})


def test_a_folder_of_something_else_is_refused(tmp_path, dataset, checkpoint):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no training"):
        train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=SETTINGS), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_does_not_fit_is_counted(tmp_path, dataset, checkpoint, caplog):
    config = load_config(settings=[*SETTINGS, "max_length=16"])
    found = train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "out").truncation
    assert found["answers_cut"] > 0 and found["answer_tokens_cut"] >= found["answers_cut"]
    assert found["prompts_cut"] > 0
    assert f"{found['answers_cut']} answers did not fit" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["tokens", "weights", "paper"])
def test_bf16_and_gradient_checkpointing_train_under_every_loss(loss, tmp_path, dataset, checkpoint):
    settings = [*SETTINGS, f"loss={loss}"]
    low = [*settings, "precision=bf16", "gradient_checkpointing=true"]
    train_lm(dataset, str(checkpoint), ARMS["severity"], load_config(settings=settings), tmp_path / "fp32")
    train_lm(dataset, str(checkpoint), ARMS["severity"], load_config(settings=low), tmp_path / "bf16")
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "training_log.jsonl").read_text().splitlines()]
        for name in ("fp32", "bf16")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2) and losses[1] != losses[0]
    assert all(
        tensor.dtype.is_floating_point and tensor.itemsize == 4 for tensor in weights(tmp_path / "bf16").values()
    )


def test_a_whole_model_is_rounded_where_that_is_asked_for(trained, tmp_path, dataset, checkpoint):
    import torch
    from transformers import AutoModelForCausalLM

    config = load_config(settings=[*SETTINGS, "save_dtype=bf16"])
    manifest = train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "ce")
    half, whole = weights(tmp_path / "ce"), weights(trained["ce"][0])
    assert same(half, {name: tensor.to(torch.bfloat16) for name, tensor in whole.items()})
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "ce").dtype == torch.bfloat16
    plain = trained["ce"][1].model_dump(mode="json")
    assert [line.split(":")[0] for line in difference(plain, manifest.model_dump(mode="json"))] == [
        "config.save_dtype"
    ]
    train_lm(dataset, str(checkpoint), ARMS["base"], config, tmp_path / "base")
    assert json.loads((tmp_path / "base" / "training_base.json").read_text())["dtype"] == "bfloat16"
    with pytest.raises(UserError, match="save_dtype is of method full; method lora saves an adapter alone"):
        load_config(settings=["method=lora", "save_dtype=bf16"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["method=lora", "lora.targets=[nowhere]"], "no adapters for Qwen2ForCausalLM"),
        (["epochs=0.01"], "0.01 epochs of 18 rows"),
        (["max_length=4096"], "max_length 4096 is more than the 512 tokens"),
        (["pad_token=nowhere"], "pad_token 'nowhere' is not a token"),
    ],
)
def test_impossible_settings_are_refused(settings, message, tmp_path, dataset, checkpoint):
    with pytest.raises(UserError, match=message):
        train_lm(
            dataset, str(checkpoint), ARMS["ce"], load_config(settings=[*SETTINGS, *settings]), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("log_every", [1, 1000])
def test_a_training_that_diverges_is_refused_and_keeps_its_log(log_every, tmp_path, dataset, checkpoint):
    settings = [*SETTINGS, "learning_rate=1e30", "max_grad_norm=1e30", "epochs=3", f"log_every={log_every}"]
    with pytest.raises(UserError, match=r"not finite in step \d+, by the rows grammar-.*the log is .*training_log"):
        train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=settings), tmp_path / "out")
    assert not (tmp_path / "out" / "training.json").exists()
    assert (tmp_path / "out" / "training_log.jsonl").exists()


def test_a_precision_of_the_launcher_that_is_not_the_settings_is_refused(
    trained, tmp_path, dataset, checkpoint, monkeypatch
):
    config = load_config(settings=SETTINGS)
    for given in ("bf16", "fp16"):
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", given)
        with pytest.raises(UserError, match=f"mixed_precision is {given}, but precision is fp32"):
            train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "out")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "out")
    assert same(weights(tmp_path / "out"), weights(trained["ce"][0]))


def test_qlora_without_bitsandbytes_says_what_to_do(tmp_path, dataset, checkpoint):
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        config = load_config(settings=[*SETTINGS, "method=qlora"])
        with pytest.raises(UserError, match="pip install bitsandbytes"):
            train_lm(dataset, str(checkpoint), ARMS["ce"], config, tmp_path / "out")
    else:
        pytest.skip("bitsandbytes is installed")


def test_qlora_trains_about_as_adapters_on_the_unquantised_base_do(tmp_path, dataset, checkpoint):
    pytest.importorskip("bitsandbytes")
    losses = []
    for method in ("lora", "qlora"):
        settings = [*SETTINGS, f"method={method}", "lora.dropout=0", "learning_rate=1e-2"]
        train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=settings), tmp_path / method)
        lines = (tmp_path / method / "training_log.jsonl").read_text().splitlines()
        losses.append([json.loads(line)["loss"] for line in lines])
    assert losses[1] == pytest.approx(losses[0], rel=0.02) and losses[1] != losses[0]
    assert weights(tmp_path / "qlora").keys() == weights(tmp_path / "lora").keys()


@pytest.mark.parametrize("token", ["pad_token", "eos_token"])
def test_a_base_without_pad_or_eos_is_refused_with_the_remedy(token, tmp_path, dataset, checkpoint):
    base = without(checkpoint, token, tmp_path / "base")
    with pytest.raises(UserError, match=f"has no {token.replace('_', ' ')}"):
        train_lm(dataset, str(base), ARMS["ce"], load_config(settings=SETTINGS), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_base_without_pad_trains_with_eos_for_padding_and_still_learns_eos(tmp_path, dataset, checkpoint):
    base = without(checkpoint, "pad_token", tmp_path / "base")
    config = load_config(settings=[*SETTINGS, "pad_token=<|eos|>"])
    manifest = train_lm(dataset, str(base), ARMS["ce"], config, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "training_log.jsonl").read_text().splitlines()]
    reference = train_lm(dataset, str(checkpoint), ARMS["ce"], load_config(settings=SETTINGS), tmp_path / "other")
    # The same answer tokens are learned, the end of each among them, whatever pads.
    other = [json.loads(line) for line in (tmp_path / "other" / "training_log.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == pytest.approx([line["loss"] for line in other], abs=1e-6)
    assert manifest.truncation == reference.truncation


def without(checkpoint, token, folder):
    """A copy of a checkpoint whose tokenizer lacks a special token."""
    import shutil

    shutil.copytree(checkpoint, folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, token: None}))
    return folder


def test_an_unlabelled_dataset_is_refused_by_the_arms_that_need_labels(tmp_path, checkpoint):
    from maqa_severity.tasks.sample.grammar import medical_rows

    rows = [{key: row[key] for key in ("id", "question", "answer", "category")} for row in medical_rows(ARABIC, 3)]
    data = dataset_from_rows(
        {"train": rows[:6], "validation": [], "test": rows[6:]}, tmp_path / "data", language=ARABIC, source="x"
    )
    for arm in ("severity", "curriculum"):
        with pytest.raises(UserError, match="maqa label"):
            train_lm(data, str(checkpoint), ArmSpec.of(arm), load_config(settings=SETTINGS), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    train_lm(data, str(checkpoint), ArmSpec.of("ce"), load_config(settings=SETTINGS), tmp_path / "ce")


def test_a_second_training_in_the_same_folder_is_refused_and_told_whose_it_is(tmp_path, dataset, checkpoint):
    out = tmp_path / "arm"
    with working_in(out), pytest.raises(UserError, match=r"another process is writing .*: process \d+ on .* since"):
        train_lm(dataset, str(checkpoint), ArmSpec.of("ce"), load_config(settings=SETTINGS), out)
    assert not out.exists(), "nothing was written"
