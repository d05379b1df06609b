"""Training in a chat template: the same prompt to the byte as in evaluation, and the answer alone is learned."""

import numpy as np
import pytest
import yaml
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.as_trained import as_trained
from maqa_severity.harness.evaluation.evaluate import evaluate
from maqa_severity.harness.evaluation.lm_eval_tasks import requests_of
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.backends import BACKENDS
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import Preset, decoding
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.languages import Style
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import SETTINGS, gpt2_base, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.experiments.config import load_experiment
from maqa_severity.trainers.lm.base_check import base_problems
from maqa_severity.trainers.lm.chat import Chat
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.encoding import encode
from maqa_severity.trainers.lm.train import train_lm
from rich.console import Console

END = "<|endoftext|>"
_TURNS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEMPLATES = {
    "turns": _TURNS,
    "starting": "{{ bos_token }}" + _TURNS,
    "default system": (
        "{% if messages[0].role != 'system' %}<|im_start|>system\nHelp.<|im_end|>\n{% endif %}" + _TURNS
    ),
    "without system": (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + _TURNS
    ),
    "thinking": _TURNS.replace(
        "{{ m.content }}", "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}"
    ),
}
OTHERWISE = _TURNS.replace("<|im_start|>assistant", "<|im_start|>answer")


def chat_base(folder, template, end=END):
    """A GPT-2 whose tokenizer has a chat template; ``end`` is its end token."""
    from transformers import AutoTokenizer, GPT2LMHeadModel

    gpt2_base(folder, n_positions=512)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), GPT2LMHeadModel.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.pad_token, tokenizer.eos_token, tokenizer.bos_token = END, end, END
    tokenizer.chat_template = template
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, dataset):
    """A checkpoint by template."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("chat")
            base = chat_base(folder / "base", TEMPLATES[name])
            train_lm(dataset, str(base), ArmSpec.of("ce"), chat_config(), folder / "ce")
            made[name] = folder / "ce"
        return made[name]

    return get


def chat_config(*more):
    return load_config(settings=[*SETTINGS, "max_length=512", "chat_template=true", *more])


def asking(checkpoint, dataset, out, *, chat=True, **changes):
    style = Style.CHAT if chat else Style.PLAIN
    config = GenerationConfig(
        kind=Kind("hf"),
        model_args={"pretrained": str(checkpoint)},
        decoding=decoding(Preset.GREEDY, ARABIC, style, max_new_tokens=4),
        data=dataset.folder,
        store=out / "answers",
        chat_template=chat,
        device="cpu",
    )
    return config, EvaluationOptions(out=out, data=dataset.folder, bertscore_model="none", **changes)


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.parametrize("template", list(TEMPLATES))
def test_a_checkpoint_is_asked_to_the_byte_and_to_the_token_as_it_was_trained(template, trained, dataset, tmp_path):
    from transformers import AutoTokenizer

    config, options = asking(trained(template), dataset, tmp_path)
    options = as_trained(config, options)
    model = StoredModel(config)
    prompts, _ = model.asked(requests_of(model, FOLDER, GROUP, options))
    chat = Chat.of(AutoTokenizer.from_pretrained(trained(template)), ARABIC)
    assert (chat.system is None) == (template == "without system")
    assert options.prompting.system_instruction == chat.system
    wanted = [ARABIC.ask(prompt.question) for prompt in prompts]
    assert prompts and [prompt.text for prompt in prompts] == [chat.prompt(each) for each in wanted]
    engine = BACKENDS["hf"].load(config)
    assert [list(engine.lm.tok_encode(prompt.text)) for prompt in prompts] == chat.prompt_ids(wanted)
    engine.release()


@pytest.mark.parametrize("template", list(TEMPLATES))
@pytest.mark.parametrize("end", [END, "<|im_end|>"])
def test_only_the_answer_and_the_end_of_its_turn_are_learned(template, end, tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(chat_base(tmp_path / "base", TEMPLATES[template], end))
    chat = Chat.of(tokenizer, ARABIC)
    found = encode(tokenizer, ["سؤال"], [" جواب "], 512, chat=chat)
    ids, prompt = found.ids(0).tolist(), int(found.prompts[0])
    lead = "<think>\n\n</think>\n\n" if template == "thinking" else ""
    ends = "<|im_end|>" + END * (end == END)
    assert tokenizer.decode(ids[:prompt]) == chat.prompt("سؤال")
    assert tokenizer.decode(ids[prompt:]) == f"{lead}جواب{ends}"
    history = [{"role": "system", "content": chat.system}] * (chat.system is not None)
    history += [{"role": "user", "content": "سؤال"}, {"role": "assistant", "content": "جواب"}]
    whole = tokenizer.apply_chat_template(history, tokenize=False)
    assert whole.startswith(tokenizer.decode(ids).removesuffix(END) if end == END else tokenizer.decode(ids))


def test_a_template_that_asks_otherwise_than_it_answers_is_refused(tmp_path, dataset):
    base = str(chat_base(tmp_path / "base", OTHERWISE))
    with pytest.raises(UserError, match="makes another text of a question with its answer"):
        train_lm(dataset, base, ArmSpec.of("ce"), chat_config(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_without_a_template_is_refused_by_check_and_training(tmp_path, dataset):
    base, config = str(gpt2_base(tmp_path / "base")), chat_config("max_length=128", f"pad_token={END}")
    (problem,) = base_problems(base, None, config, new_tokens=8)
    assert "has no chat template. Leave chat_template out" in str(problem)
    with pytest.raises(UserError, match="has no chat template"):
        train_lm(dataset, base, ArmSpec.of("ce"), config, tmp_path / "out")


def test_asking_otherwise_than_was_trained_is_refused(trained, dataset, tmp_path):
    config, options = asking(trained("turns"), dataset, tmp_path / "plain", chat=False)
    with pytest.raises(UserError, match=r"was trained in its chat template\. Give --chat-template"):
        evaluate(config, options, FOLDER, GROUP)
    prompting = {"system_instruction": "Be brief."}
    config, options = asking(trained("turns"), dataset, tmp_path / "told", prompting=prompting)
    with pytest.raises(UserError, match="was trained with the system instruction"):
        evaluate(config, options, FOLDER, GROUP)
    base = chat_base(tmp_path / "base", _TURNS)
    train_lm(dataset, str(base), ArmSpec.of("ce"), load_config(settings=SETTINGS), tmp_path / "ce")
    config, options = asking(tmp_path / "ce", dataset, tmp_path / "chat")
    with pytest.raises(UserError, match=r"was trained without its chat template\. Leave out --chat-template"):
        evaluate(config, options, FOLDER, GROUP)


def test_saying_nothing_of_chat_is_the_training_of_before():
    assert load_config(settings=["chat_template=false"]) == load_config()


@pytest.mark.slow
def test_an_experiment_in_chat_asks_every_arm_in_the_template(tmp_path, dataset, encoder):
    base = chat_base(tmp_path / "base", _TURNS)
    settings = {
        "name": "chat",
        "data": {"source": str(dataset.folder)},
        "models": [{"name": "tiny", "id": str(base)}],
        "arms": [{"arm": "base"}, {"arm": "ce"}],
        "training": {"method": "full", "epochs": 1, "max_length": 512, "chat_template": True},
        "evaluation": {"bertscore_model": str(encoder), "floors": ["nearest"], "limit": 1, "max_new_tokens": 4},
    }
    path = tmp_path / "chat.yaml"
    path.write_text(yaml.safe_dump(settings))
    run_experiment(load_experiment(path), tmp_path / "out", Console(quiet=True))
    from maqa_severity.harness.runs.run import load_run

    for name in ("base", "ce"):
        run = load_run(next((tmp_path / "out" / "runs").glob(f"{name}*")))
        assert run.asked.chat_template is not None and run.asked.system_instruction == ARABIC.system
        assert all(text.startswith("<|im_start|>system\n") for text in np.unique(run.answers["prompt"]))
