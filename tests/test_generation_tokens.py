"""Tokens that a model does not know, and marks that a tokenizer hides."""

import json
import shutil

import pytest
import torch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.reading import Reader
from maqa_severity.harness.generation.records import FinishReason, Prompt
from maqa_severity.tests.generating import GREEDY, answer, hf_config
from maqa_severity.tests.tongues import ARABIC
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)


def tokenizer_of(*special, **named):
    """Bytes as tokens, with nothing to pad with, to begin or to end."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer, inner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=inner, **named)
    if special:
        made.add_special_tokens({"additional_special_tokens": list(special)})
    return made


def network(kind, tokens=256):
    torch.manual_seed(0)
    if kind == "gpt2":
        sizes = GPT2Config(
            vocab_size=tokens, n_embd=16, n_layer=1, n_head=2, n_positions=512, bos_token_id=None, eos_token_id=None
        )
        return GPT2LMHeadModel(sizes)
    sizes = LlamaConfig(
        vocab_size=tokens, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=512, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    return LlamaForCausalLM(sizes)


def saved(folder, model, tokenizer):
    model.generation_config.eos_token_id = model.generation_config.bos_token_id = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_model_without_a_pad_token_answers_as_it_does_alone(tmp_path, kind):
    folder = saved(tmp_path / "m", network(kind), tokenizer_of())
    loaded = AutoTokenizer.from_pretrained(folder)
    assert loaded.pad_token is loaded.eos_token is loaded.unk_token is loaded.bos_token is None
    together = answer(hf_config(folder, tmp_path / "all", batch_size=6), 6)
    alone = answer(hf_config(folder, tmp_path / "one", batch_size=1), 6)
    assert len({prompt.text for prompt in together.prompts}) == 6
    assert together.texts == alone.texts and all(together.texts)


def test_special_tokens_beyond_the_embedding_are_one_line(tmp_path):
    folder = saved(tmp_path / "m", network("gpt2"), tokenizer_of("<|user|>"))
    assert answer(hf_config(folder, tmp_path / "a"), 1).texts[0]
    engine = HFEngine(hf_config(folder, tmp_path))
    with pytest.raises(
        UserError, match=r"the tokenizer's '<\|user\|>' is token 256, the model knows 256. Name the"
    ):
        engine.lengths([Prompt("k", "<|user|>سؤال", 0, "1", "neutral", "")])
    ending = saved(tmp_path / "n", network("llama"), tokenizer_of(eos_token="<end>"))
    with pytest.raises(UserError, match="the tokenizer's '<end>' is token 256"):
        answer(hf_config(ending, tmp_path / "b"), 1)


def test_a_pad_token_that_the_model_knows_is_used(checkpoint, tmp_path):
    engine = HFEngine(hf_config(checkpoint, tmp_path))
    assert engine._pad_id == engine.lm.tokenizer.pad_token_id


@pytest.mark.parametrize(
    "own",
    [
        {"forced_eos_token_id": 1},
        {"suppress_tokens": [5], "begin_suppress_tokens": [6], "bad_words_ids": [[4]], "min_new_tokens": 90},
        {"stop_strings": ["ا"], "max_time": 0.001, "max_length": 3},
        {"repetition_penalty": 5.0, "no_repeat_ngram_size": 1, "num_beams": 4, "do_sample": True},
    ],
)
def test_nothing_of_a_checkpoints_own_decoding_changes_an_answer_or_why_it_ended(checkpoint, tmp_path, own):
    folder = shutil.copytree(checkpoint, tmp_path / "m")
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    how = decoding("greedy", ARABIC, max_new_tokens=6)
    plain, other = (answer(hf_config(each, tmp_path / each.name, how), 6) for each in (checkpoint, folder))
    assert [(a.text, a.finish_reason) for a in other.answers] == [(a.text, a.finish_reason) for a in plain.answers]
    assert "length" in {a.finish_reason for a in plain.answers}


class Says:
    """A network that says a fixed text after any prompt, each row for itself."""

    def __init__(self, engine, texts):
        self._engine = engine
        self._texts = texts

    def __call__(self, prompts):
        engine, tokenizer = self._engine, self._engine.lm.tokenizer
        said = [tokenizer.encode(text, add_special_tokens=False) for text in self._texts]
        asked, width = engine._encode(prompts), None
        width = max(map(len, asked))
        whole, knows = engine.lm.model.forward, engine._known_tokens

        def forward(input_ids=None, past_key_values=None, **rest):
            out = whole(input_ids=input_ids, past_key_values=past_key_values, **rest)
            at = past_key_values.get_seq_length() - width
            out.logits[:, -1] = -100.0
            for row, tokens in enumerate(said):
                out.logits[row, -1, tokens[at] if at < len(tokens) else engine._end_ids[0]] = 100.0
            return out

        assert knows
        engine.lm.model.forward = forward
        engine.shrinks = False
        return engine.generate(prompts)


def speaking(folder, tmp_path, texts, prompt="سؤال\nالاجابة:", limit=200, **arguments):
    """What is left of these texts when a model says them, all in one batch."""
    how = GREEDY.model_copy(update={"max_new_tokens": limit})
    engine = HFEngine(hf_config(folder, tmp_path, how, arguments=arguments))
    prompts = [Prompt(str(at), prompt, 0, str(at), "neutral", "") for at in range(len(texts))]
    return Says(engine, texts)(prompts)


@pytest.fixture(scope="module")
def speaker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speaker")
    return saved(folder / "m", network("gpt2", 300), tokenizer_of(eos_token="<end>", pad_token="<pad>"))


def test_paragraphs_run_ons_and_thoughts_each_in_their_own_row(speaker, tmp_path):
    texts = [
        "أهلا بك.\n\nيجب مراجعة الطبيب",
        "\n\nراجع الطبيب\n\nما كذا؟\nالاجابة: لا",
        "\nالاجابة: نعم\nالسؤال: ما كذا",
        "<think>لا\n\nكذا\nالاجابة: لا</think>\n\nراجع\n\nفورا",
        "نعم",
    ]
    found = speaking(speaker, tmp_path, texts)
    assert [one.text for one in found] == [
        texts[0], "\n\nراجع الطبيب", "\nالاجابة: نعم", "راجع\n\nفورا", "نعم",
    ]  # fmt: skip
    assert [one.stop for one in found] == ["", "\nالاجابة:", "\nالسؤال:", "", ""]
    assert [one.run_on for one in found] == [False, True, False, False, False]
    assert [one.thinking > 0 for one in found] == [False, False, False, True, False]
    assert {one.finish_reason for one in found} == {FinishReason.STOP}
    for text, one in zip(texts, found, strict=True):
        (alone,) = speaking(speaker, tmp_path, [text])
        assert (alone.text, alone.stop, alone.tokens) == (one.text, one.stop, one.tokens)


def test_thoughts_that_the_limit_cuts_leave_no_answer_and_a_warning(speaker, tmp_path):
    (found,) = speaking(speaker, tmp_path, ["<think>فكرة طويلة\nالاجابة: لا"], limit=20)
    assert (found.text, found.finish_reason, found.stop) == ("", FinishReason.LENGTH, "") and found.thinking


def test_a_template_that_opens_the_thoughts_and_a_mark_by_the_user(speaker, tmp_path):
    (found,) = speaking(speaker, tmp_path, ["فكرة\nالاجابة: لا </think> نعم"], prompt="سؤال<think>\n")
    assert (found.text, found.stop) == ("نعم", "")
    (found,) = speaking(speaker, tmp_path, ["فكرة\nالاجابة: لا ## نعم"], think_end_token="##")
    assert (found.text, found.stop) == ("نعم", "")


def test_marks_that_a_tokenizer_hides_are_found_and_other_special_tokens_are_left_out(tmp_path):
    made = tokenizer_of("</think>", "<think>", "<|im_end|>", eos_token="<end>")
    ids = made.encode("<think>a</think>b<|im_end|><end>")
    reader = Reader(made)
    assert reader.hidden and reader.text(ids) == "<think>a</think>b"
    assert Reader(tokenizer_of(eos_token="<end>")).text(made.encode("a")) == "a"
    number = made.convert_tokens_to_ids("</think>")
    assert Reader(made, number).think_end == Reader(made, str(number)).think_end == "</think>"
    with pytest.raises(UserError, match=f"think_end_token=9999 is no token of the model.*has {len(made)}"):
        Reader(made, 9999)
    folder = shutil.copytree(saved(tmp_path / "m", network("gpt2", 300), made), tmp_path / "n")
    (found,) = speaking(folder, tmp_path, ["<think>لا\nالاجابة:</think>نعم"])
    assert (found.text, found.stop) == ("نعم", "") and found.thinking
