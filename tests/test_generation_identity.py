"""What changes an answer is in its key, and nothing else is; every field and argument is declared."""

import importlib.util
import inspect
import json
import shutil

import pytest
from lm_eval.api.model import TemplateLM
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.secrets import redact
from maqa_severity.harness.core.settings import Role
from maqa_severity.harness.generation.backends import BACKENDS
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import Decoding, answer_seed, decoding
from maqa_severity.harness.generation.engines.vllm_packages import answer_for_vllm
from maqa_severity.harness.generation.store.identity import identity
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.generation.weights import hub_commit, weights
from maqa_severity.harness.languages import Style
from maqa_severity.tests.generating import GREEDY, answer, hf_config, requests
from maqa_severity.tests.tongues import ARABIC
from pydantic import ValidationError


def roles():
    return {name: field.json_schema_extra["role"] for name, field in GenerationConfig.model_fields.items()}


def test_every_field_is_declared_identity_or_runtime():
    assert set(roles().values()) == set(Role)
    assert all(role in Role for role in roles().values())


def backend_class(kind) -> type[TemplateLM]:
    if kind == Kind.VLLM:
        if importlib.util.find_spec("vllm") is None:
            pytest.skip("vLLM is not installed here; `make test-vllm` runs this")
        answer_for_vllm()
    from lm_eval.api.registry import get_model

    return get_model(str(kind))


@pytest.mark.parametrize("kind", [name for name in BACKENDS if not BACKENDS[name].floor])
def test_every_argument_of_lm_evals_backends_is_declared_identity_or_runtime(kind):
    backend = backend_class(kind)
    found = {
        name
        for owner in (backend, *backend.__bases__)
        for name in inspect.signature(owner.__init__).parameters
        if name not in ("self", "args", "kwargs")
    }
    declared = BACKENDS[kind]
    assert found <= declared.arguments.keys() | declared.secret_args, "declare them in harness/generation/backends"
    assert not declared.identity_args.keys() & declared.runtime_args.keys()


def dataset(folder, answer="الجواب"):
    import pandas as pd
    from maqa_severity.harness.data.dataset import DatasetInfo, SeveritySource, write_dataset

    row = {
        "id": "1", "question": "سؤال", "answer": answer, "category": "c", "severity": "neutral",
        "p_non_critical": 0.0, "p_neutral": 1.0, "p_critical": 0.0,
    }  # fmt: skip
    source = SeveritySource(name="column", version="1")
    info = DatasetInfo(language="ar", source="s", source_sha256="0", severity_source=source, cleaning={})
    frame = pd.DataFrame([row])
    write_dataset(folder, {"train": frame, "validation": frame, "test": frame}, info)
    return folder


def variations(checkpoint, tmp_path):
    """For each field a configuration that differs in it alone; for ``data`` one pair more."""
    changed = tmp_path / "changed"
    shutil.copytree(checkpoint, changed)
    path = changed / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    base = hf_config(checkpoint, tmp_path / "store")
    fields = {
        "kind": {"kind": Kind.VLLM},
        "model_args": {"model_args": {**base.model_args, "pretrained": str(changed)}},
        "decoding": {"decoding": decoding("greedy", ARABIC, max_new_tokens=25)},
        "chat_template": {"chat_template": True},
        "device": {"device": "cuda"},
        "samples": {"samples": 2, "decoding": decoding("paper", ARABIC)},
        "batch_size": {"batch_size": 7},
        "store": {"store": tmp_path / "elsewhere"},
        "shard": {"shard": (0, 2)},
        "ray": {"ray": True},
        "workers": {"workers": 3},
        "retry_refused": {"retry_refused": True},
        "repeat_share": {"repeat_share": 0.5},
        "secrets": {"secrets": {"token": "hush-hush"}},
    }
    pairs = {name: (base, base.model_copy(update=fields[name])) for name in fields}
    pairs["samples"] = (base.model_copy(update={"decoding": decoding("paper", ARABIC)}), pairs["samples"][1])
    constant = base.model_copy(update={"kind": Kind.CONSTANT, "model_args": {}, "device": None})
    nearest = [
        constant.model_copy(update={"kind": Kind.NEAREST, "data": dataset(tmp_path / text, text)}) for text in "ab"
    ]
    said = [constant.model_copy(update={"answer": text}) for text in "ab"]
    return {**pairs, "data": tuple(nearest), "answer": tuple(said)}


def test_identity_fields_change_the_identity_and_runtime_fields_do_not(checkpoint, tmp_path):
    pairs = variations(checkpoint, tmp_path)
    assert set(pairs) == set(GenerationConfig.model_fields)
    for name, (one, other) in pairs.items():
        assert (identity(one) != identity(other)) == (roles()[name] is Role.IDENTITY), name


@pytest.mark.parametrize("field", Decoding.model_fields)
def test_every_field_of_the_decoding_changes_the_identity(checkpoint, tmp_path, field):
    other = {"max_new_tokens": 9, "temperature": 0.5, "top_p": 0.5, "until": ("x",), "seed": 9}[field]
    one = hf_config(checkpoint, tmp_path)
    assert identity(one) != identity(one.model_copy(update={"decoding": GREEDY.model_copy(update={field: other})}))


def reused(config, number=6):
    """How many answers the store already has for a configuration."""
    model = StoredModel(config)
    prompts = [model._prompt(request, 0) for request in requests(number, config.decoding)]
    with model.store.opened() as store:
        return sum(prompt.key in store for prompt in prompts)


def test_nothing_is_reused_after_a_change_and_no_answer_crosses_between_models(checkpoint, tmp_path):
    store = tmp_path / "store"
    base = hf_config(checkpoint, store)
    first = answer(base, 6)
    assert reused(base) == 6
    for name, (_, other) in variations(checkpoint, tmp_path).items():
        if roles()[name] is Role.IDENTITY and name != "data":
            assert reused(other.model_copy(update={"store": store})) == 0, name
    assert reused(hf_config(checkpoint, store, arguments={"dtype": "bfloat16"})) == 0
    assert reused(hf_config(checkpoint, store, decoding("greedy", ARABIC, max_new_tokens=24, seed=7))) == 0
    second = answer(variations(checkpoint, tmp_path / "2")["model_args"][1].model_copy(update={"store": store}), 6)
    assert {a.key for a in first.answers}.isdisjoint(a.key for a in second.answers)
    assert answer(base, 6).texts == first.texts


def test_a_changed_prompt_or_template_is_another_key(checkpoint, tmp_path):
    model = StoredModel(hf_config(checkpoint, tmp_path))
    asked, changed = requests(1)[0], requests(1)[0]
    changed.arguments = (asked.args[0] + " ", asked.args[1])
    assert model._prompt(asked, 0).key != model._prompt(changed, 0).key != model._prompt(changed, 1).key
    templated = tmp_path / "templated"
    shutil.copytree(checkpoint, templated)
    keys = set()
    for template in ("{{ messages[0].content }}", "[{{ messages[0].content }}]"):
        (templated / "chat_template.jinja").write_text(template)
        chat = StoredModel(hf_config(templated, tmp_path, chat_template=True))
        changed.arguments = (chat.apply_chat_template([{"role": "user", "content": "سؤال"}]), asked.args[1])
        keys.add(chat._prompt(changed, 0).key)
        assert chat.chat_template(True) == template
    assert len(keys) == 2


def test_a_chat_template_that_is_not_there_is_refused(checkpoint, tmp_path):
    with pytest.raises(UserError, match="has no chat template"):
        StoredModel(hf_config(checkpoint, tmp_path, chat_template=True)).apply_chat_template([])


def test_a_model_counts_by_its_files_not_by_its_place_or_its_notes(checkpoint, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(checkpoint, moved)
    (moved / "README.md").write_text("notes")
    (moved / "trainer_state.json").write_text("{}")
    assert weights(str(moved)) == weights(str(checkpoint))
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps({**config, "rope_theta": 1.0}))
    assert weights(str(moved)) != weights(str(checkpoint))


def test_a_model_in_a_subfolder_counts_by_the_files_there(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model" / "inner")

    def of(folder):
        model_args = {"pretrained": str(folder), "subfolder": "inner"}
        return identity(hf_config(checkpoint, tmp_path, arguments=model_args))

    before = of(tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "moved")
    assert of(tmp_path / "moved") == before
    path = tmp_path / "model" / "inner" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert of(tmp_path / "model") != before


def test_the_device_counts_wherever_it_is_named(checkpoint, tmp_path):
    def of(**named):
        return identity(hf_config(checkpoint, tmp_path, arguments=named).model_copy(update={"device": None}))

    assert of(device="cuda:1") == of(device="cuda") != of(device="cpu")


def test_an_environment_that_changes_the_arithmetic_counts(checkpoint, tmp_path, monkeypatch):
    hf = hf_config(checkpoint, tmp_path)
    configs = [hf, hf.model_copy(update={"kind": Kind.VLLM}), hf.model_copy(update={"kind": Kind.ECHO})]
    for name, counts in (
        ("NVIDIA_TF32_OVERRIDE", [True, True, False]),
        ("VLLM_BATCH_INVARIANT", [False, True, False]),
        ("HOME", [False, False, False]),
    ):
        monkeypatch.delenv(name, raising=False)
        before = [identity(config) for config in configs]
        monkeypatch.setenv(name, "1")
        assert [identity(config) != one for config, one in zip(configs, before, strict=True)] == counts


def test_a_model_of_the_hub_counts_by_its_commit(tmp_path, monkeypatch):
    import huggingface_hub.constants as hub

    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    cached = tmp_path / "models--org--name"
    (cached / "refs").mkdir(parents=True)
    commit = "0123456789abcdef0123456789abcdef01234567"
    (cached / "refs" / "main").write_text(commit)
    (cached / "snapshots" / commit / "inner").mkdir(parents=True)
    (cached / "snapshots" / commit / "inner" / "config.json").write_text("{}")
    assert hub_commit("org/name", subfolder="inner") == commit
    (cached / "snapshots" / commit / "config.json").write_text("{}")
    assert hub_commit("org/name") == commit
    assert weights("org/name") == {"repository": "org/name", "commit": commit}
    with pytest.raises(UserError, match="neither a folder nor in the hub's cache"):
        hub_commit("org/other")


@pytest.mark.parametrize("name", ["/nowhere/model", "./model", "~/model"])
def test_a_model_folder_that_is_not_there_is_named(name):
    with pytest.raises(UserError, match=f"model folder {name} does not exist"):
        weights(name)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no model"):
        weights(str(tmp_path))


def test_secrets_are_not_written_down():
    command = "maqa evaluate --model-args 'model=m,auth_token=hush-hush,base_url=http://x' --out o"
    assert redact(command) == command.replace("hush-hush", "***")


def test_presets_are_those_of_the_paper():
    assert decoding("greedy", ARABIC).gen_kwargs() == {
        "until": ["\nالاجابة:", "\nالإجابة:", "\nالسؤال:", "\nسؤال:"], "do_sample": False, "max_gen_toks": 128,
    }  # fmt: skip
    paper, curriculum = decoding("paper", ARABIC), decoding("paper-curriculum", ARABIC)
    assert (paper.temperature, paper.top_p, paper.max_new_tokens) == (0.7, 1.0, 50)
    assert (curriculum.temperature, curriculum.top_p, curriculum.max_new_tokens) == (0.7, 0.9, 200)
    assert paper.gen_kwargs()["do_sample"] and paper.gen_kwargs()["temperature"] == 0.7


def test_stop_strings_are_those_of_the_prompts_style_or_those_given():
    assert decoding("greedy", ARABIC, Style.CHAT).until == ()
    assert "\n\n" not in decoding("greedy", ARABIC).until == ARABIC.stop.plain
    for style in Style:
        assert decoding("paper", ARABIC, style, until=["\n\n"]).until == ("\n\n",)
    with pytest.raises(ValidationError, match="would end every answer at once"):
        decoding("greedy", ARABIC, until=["x", ""])


def test_an_answers_seed_depends_on_seed_prompt_and_sample_alone():
    seeds = {answer_seed(s, p, k) for s in (1, 2) for p in ("أ", "ب") for k in (0, 1)}
    assert len(seeds) == 8 and answer_seed(1, "أ", 0) in seeds


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_holds_a_prompt_at_least(checkpoint, tmp_path, size):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        hf_config(checkpoint, tmp_path, batch_size=size)


def test_several_samples_of_a_greedy_decoding_are_refused(checkpoint, tmp_path):
    with pytest.raises(UserError, match="2 samples of a greedy decoding are all the same"):
        hf_config(checkpoint, tmp_path, samples=2)
