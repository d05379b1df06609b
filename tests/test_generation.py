"""Generation by transformers through the store: lm-eval's own texts, generated once, whatever interrupts."""

import copy
import json
import logging
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.endings import cut
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.engines.hf_sampling import Sampler, StopRows
from maqa_severity.harness.generation.records import FinishReason
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.tests.generating import GREEDY, answer, hf_config, requests
from maqa_severity.tests.tongues import ARABIC
from transformers import AutoTokenizer, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper


def test_greedy_texts_are_those_of_plain_lm_eval(checkpoint, tmp_path):
    from lm_eval.models.huggingface import HFLM

    how = decoding("greedy", ARABIC, max_new_tokens=64)
    ours = answer(hf_config(checkpoint, tmp_path, how))
    plain = HFLM(str(checkpoint), device="cpu", dtype="float32", batch_size=8)
    assert ours.texts == plain.generate_until(requests(how=how), disable_tqdm=True)
    assert len(set(ours.texts)) > 10


def test_tokens_and_finish_reason_are_those_of_one_prompt_alone(checkpoint, tmp_path):
    how = decoding("greedy", ARABIC, max_new_tokens=20)
    ours = answer(hf_config(checkpoint, tmp_path, how), 20)
    assert {a.finish_reason for a in ours.answers} == {FinishReason.STOP, FinishReason.LENGTH}
    engine = HFEngine(ours.config)
    network, tokenizer = engine.lm.model, engine.lm.tokenizer
    for prompt, found in zip(ours.prompts, ours.answers, strict=True):
        ids = tokenizer(prompt.text, return_tensors="pt").input_ids
        for _ in range(how.max_new_tokens):
            with torch.no_grad():
                ids = torch.cat([ids, network(ids).logits[:, -1:].argmax(-1)], dim=1)
            new = ids[0, found.prompt_tokens :]
            ended = new[-1] == tokenizer.eos_token_id or bool(cut(tokenizer.decode(new), how.until)[1])
            if ended:
                break
        assert (found.tokens, found.finish_reason == FinishReason.STOP) == (len(new), bool(ended))


def test_a_stop_string_ends_its_own_row_alone(checkpoint, tmp_path):
    plain = answer(hf_config(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=40, until=())))
    stop = plain.texts[0][4:8]
    stopped = answer(hf_config(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=40, until=(stop,))))
    assert stopped.texts == [text[:1] + text[1:].split(stop)[0] for text in plain.texts]
    first = stopped.answers[0]
    assert (first.finish_reason, first.stop) == (FinishReason.STOP, stop)
    assert first.tokens < plain.answers[0].tokens


def test_a_stop_string_inside_the_thoughts_of_a_model_does_not_end_its_answer(checkpoint, tmp_path):
    def how(*until):
        return decoding("paper", ARABIC, temperature=3.0, max_new_tokens=40, until=until)

    plain = answer(hf_config(checkpoint, tmp_path, how()), 1).texts[0]
    stop, end, rest = plain[4:10], plain[20:30], plain[30:]
    assert stop not in rest and end not in rest and rest.strip()
    thinking = hf_config(checkpoint, tmp_path, how(stop), {"think_end_token": end})
    assert answer(thinking, 1).texts == [rest.lstrip()]


def test_a_stop_string_in_an_unusual_spelling_ends_the_row(checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    stop = "\nالاجابة:"
    letters = [token for letter in f"لا{stop}" for token in tokenizer.encode(letter, add_special_tokens=False)]
    assert stop in tokenizer.decode(letters) and len(letters) > len(tokenizer.encode(stop)) + 3
    rows = StopRows(tokenizer, [stop], [], 0, 1)
    ended = [bool(rows(torch.tensor([letters[: n + 1]]), None)[0]) for n in range(len(letters))]
    assert ended == [False] * (len(letters) - 1) + [True]


@pytest.mark.parametrize("preset", ["greedy", "paper"])
def test_a_batch_shrinks_as_its_answers_end_and_says_the_same(checkpoint, tmp_path, monkeypatch, preset):
    how = decoding(preset, ARABIC, max_new_tokens=40)
    asked = answer(hf_config(checkpoint, tmp_path, how), 30).prompts
    engine = HFEngine(hf_config(checkpoint, tmp_path, how))
    sizes, whole = [], engine.lm.model.generate
    monkeypatch.setattr(engine.lm.model, "generate", lambda **k: (sizes.append(len(k["input_ids"])), whole(**k))[1])
    small = [replace(one, seconds=0) for one in engine.generate(asked)]
    assert len(sizes) > 1 and all(after <= before * 7 / 8 for before, after in pairwise(sizes))
    engine.shrinks = False
    assert [replace(one, seconds=0) for one in engine.generate(asked)] == small
    assert sizes[-1] == 30


@pytest.mark.parametrize("model_too", [False, True], ids=["its model names one", "nor its model"])
def test_a_tokenizer_without_an_end_token_is_no_obstacle(checkpoint, tmp_path, model_too):
    copied = shutil.copytree(checkpoint, tmp_path / "copied")
    for name in ("tokenizer_config.json", *(("config.json", "generation_config.json") if model_too else ())):
        content = json.loads((copied / name).read_text())
        (copied / name).write_text(json.dumps({**content, "eos_token": None, "eos_token_id": None}))
    found = answer(hf_config(copied, tmp_path), 4)
    if model_too:
        assert {a.finish_reason for a in found.answers} == {FinishReason.LENGTH}
    else:
        assert found.texts == answer(hf_config(checkpoint, tmp_path), 4).texts


def test_penalties_of_a_checkpoint_are_not_applied(checkpoint, tmp_path):
    engine = HFEngine(hf_config(checkpoint, tmp_path))
    asked = answer(hf_config(checkpoint, tmp_path)).prompts[:6]
    before = [g.text for g in engine.generate(asked)]
    engine.lm.model.generation_config.update(repetition_penalty=9.0, no_repeat_ngram_size=1, min_length=200)
    assert [g.text for g in engine.generate(asked)] == before


def test_sampled_answers_do_not_depend_on_their_batch(checkpoint, tmp_path):
    how = decoding("paper", ARABIC, max_new_tokens=16)
    alone = answer(hf_config(checkpoint, tmp_path / "1", how, batch_size=1), 12)
    together = answer(hf_config(checkpoint, tmp_path / "12", how, batch_size=12), 12)
    assert alone.texts == together.texts
    assert answer(
        hf_config(checkpoint, tmp_path / "s", decoding("paper", ARABIC, max_new_tokens=16, seed=5)), 12
    ).texts != (alone.texts)


def test_samples_of_a_question_differ_and_the_first_is_the_answer(checkpoint, tmp_path):
    how = decoding("paper", ARABIC, max_new_tokens=16)
    single = answer(hf_config(checkpoint, tmp_path, how), 10)
    several = answer(hf_config(checkpoint, tmp_path, how, samples=3), 10)
    assert several.texts == single.texts
    assert [prompt.sample for prompt in several.prompts] == [0, 1, 2] * 10
    assert len({a.text for a in several.answers}) > 20


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_the_sampler_draws_from_the_distribution_that_transformers_defines(top_p):
    scores = torch.randn(1, 12, generator=torch.Generator().manual_seed(3)) * 2
    warpers = LogitsProcessorList([TemperatureLogitsWarper(0.7), TopPLogitsWarper(top_p)])
    expected = torch.softmax(warpers(None, scores.clone()), dim=-1)[0]
    rows = 20_000
    sampler = Sampler(range(rows), 0.7, top_p, prompt_tokens=5, max_new_tokens=1)
    drawn = sampler(torch.zeros(rows, 5, dtype=torch.long), scores.repeat(rows, 1)).argmax(-1)
    found = torch.bincount(drawn, minlength=12) / rows
    assert (found[expected == 0] == 0).all()
    assert (found - expected).abs().max() < 5 * (0.25 / rows) ** 0.5


def test_a_stored_answer_is_not_generated_again(checkpoint, tmp_path, monkeypatch):
    first = answer(hf_config(checkpoint, tmp_path))
    monkeypatch.setattr(HFEngine, "__init__", lambda *_: pytest.fail("the model was loaded"))
    again = answer(hf_config(checkpoint, tmp_path))
    assert again.texts == first.texts and again.defaults == {}


class Interrupting:
    """Counts chunks, and ends the ``after``-th with ``error``."""

    def __init__(self, monkeypatch, after, error):
        self.prompts = []
        whole = HFEngine.generate

        def generate(engine, prompts):
            if len(self.prompts) == after:
                raise error
            self.prompts.append([prompt.key for prompt in prompts])
            return whole(engine, prompts)

        monkeypatch.setattr(HFEngine, "generate", generate)


class EngineDeadError(Exception):
    """As vLLM calls it."""


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (KeyboardInterrupt(), UserError, "interrupted; 8 answers are kept in"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            UserError,
            "out of memory; 8 answers",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            UserError,
            "out of memory; 8 answers",
        ),
        (EngineDeadError("core died"), UserError, r"engine died \(core died\); 8 answers"),
        (RuntimeError("a defect"), RuntimeError, "a defect"),
    ],
    ids=["ctrl-c", "gpu memory", "cpu memory", "dead engine", "defect"],
)
def test_whatever_ends_it_early_keeps_the_answers_and_the_same_call_ends_the_same(
    checkpoint, tmp_path, monkeypatch, error, kind, message
):
    whole = answer(hf_config(checkpoint, tmp_path / "whole", batch_size=4))
    with monkeypatch.context() as patched:
        before = Interrupting(patched, 2, error)
        with pytest.raises(kind, match=message) as raised:
            answer(hf_config(checkpoint, tmp_path / "part", batch_size=4))
    if kind is RuntimeError:
        assert "8 answers are kept" in raised.value.__notes__[0]
    with monkeypatch.context() as patched:
        after = Interrupting(patched, -1, error)
        resumed = answer(hf_config(checkpoint, tmp_path / "part", batch_size=4))
    assert resumed.texts == whole.texts
    assert len(before.prompts) == 2
    generated = [key for chunk in before.prompts + after.prompts for key in chunk]
    assert sorted(generated) == sorted(prompt.key for prompt in whole.prompts)


def test_a_task_that_decodes_otherwise_is_refused(checkpoint, tmp_path):
    model = StoredModel(hf_config(checkpoint, tmp_path))
    with pytest.raises(ValueError, match="the task decodes by"):
        model.generate_until(requests(3, decoding("greedy", ARABIC, max_new_tokens=5)))


def test_a_prompt_longer_than_the_context_keeps_its_end_and_says_so(checkpoint, tmp_path, caplog):
    asked = requests(1)
    longer = copy.copy(asked[0])
    longer.arguments = ("كلمة " * 3000 + asked[0].args[0], asked[0].args[1])
    model = StoredModel(hf_config(checkpoint, tmp_path))
    with caplog.at_level(logging.WARNING):
        model.generate_until([longer])
    assert caplog.text.count("1 prompts are longer than") == 1
    assert model.answers[0].prompt_tokens + GREEDY.max_new_tokens == HFEngine(model.config).lm.max_length


def test_more_new_tokens_than_the_context_holds_is_refused(checkpoint, tmp_path):
    with pytest.raises(UserError, match="new tokens exceed the model's context"):
        answer(hf_config(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=100_000)))


def test_a_model_that_cannot_be_loaded_is_one_line(checkpoint, tmp_path):
    with pytest.raises(UserError, match="cannot be loaded"):
        answer(hf_config(checkpoint, tmp_path, arguments={"attn_implementation": "nonsense"}))
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in checkpoint.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be loaded"):
        answer(hf_config(broken, tmp_path))
