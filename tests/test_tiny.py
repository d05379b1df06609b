"""The demo's models: real checkpoints of real shapes, made in seconds."""

import json

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tasks.sample.grammar import everyday_rows, medical_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.demo.models import make_demo_base, make_demo_encoder
from maqa_severity.trainers.demo.tokenizers import causal_tokenizer
from maqa_severity.trainers.lm.encoding import encode

PAIRS = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 120)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_demo_base(tmp_path_factory.mktemp("base") / "base", PAIRS, epochs=8, language=ARABIC)


def test_the_base_is_a_qwen2_with_pad_eos_and_bos_apart(base):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModelForCausalLM.from_pretrained(base)
    special = {tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id}
    assert type(model).__name__ == "Qwen2ForCausalLM" and len(special - {None}) == 3
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert len(tokenizer) == model.get_input_embeddings().num_embeddings
    assert not any(path.suffix in (".bin", ".pt", ".pkl") for path in base.iterdir())


def test_the_loaded_tokenizer_splits_as_the_one_that_was_trained(base):
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(base)
    prompts = [ARABIC.ask(question) for question, _ in PAIRS]
    trained = causal_tokenizer([*prompts, *(" " + answer for _, answer in PAIRS)])
    texts = [*prompts[:20], *(row["question"] for row in handwritten_rows(ARABIC)[:50]), "٣ أيام، 38.5\n\n😀 abc"]
    assert [loaded(text)["input_ids"] for text in texts] == [trained(text)["input_ids"] for text in texts]
    assert loaded.decode(loaded(texts[-1])["input_ids"]) == texts[-1]


def test_the_base_answers_everyday_questions_each_in_its_own_way_and_stops(base):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(base)
    prompts = [ARABIC.ask(question) for question, _ in PAIRS[:20]]
    asked = tokenizer(prompts, return_tensors="pt", padding=True)
    answered = model.generate(**asked, max_new_tokens=64, do_sample=False)[:, asked["input_ids"].shape[1] :]
    ended = (answered == tokenizer.eos_token_id).any(dim=1)
    answers = {text.strip() for text in tokenizer.batch_decode(answered, skip_special_tokens=True)}
    assert ended.float().mean() > 0.7
    assert len(answers) > 10 and all(any("ا" <= letter <= "ي" for letter in text) for text in answers)


def test_training_texts_for_the_tokenizer_alone_shorten_medical_prompts():
    medical = [text for row in medical_rows(ARABIC, 100) for text in (row["question"], row["answer"])]
    everyday = [text for pair in PAIRS for text in pair]
    lengths = [
        sum(map(len, causal_tokenizer(texts)(medical)["input_ids"])) for texts in (everyday, [*everyday, *medical])
    ]
    assert lengths[1] < 0.8 * lengths[0]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_base(base, tmp_path):
    again = make_demo_base(tmp_path / "again", PAIRS, epochs=8, language=ARABIC)
    other = make_demo_base(tmp_path / "other", PAIRS, epochs=8, seed=1, language=ARABIC)
    digests = [(folder / "model.safetensors").read_bytes() for folder in (base, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_the_encoder_says_that_it_is_the_demos_and_knows_every_text(encoder):
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)
    record = json.loads((encoder / "maqa_encoder.json").read_text())
    assert record == {"name": "maqa-demo-encoder", "layer": 2, "comparable": False}
    assert model.config.num_hidden_layers == record["layer"] and tokenizer.model_max_length == 512
    text = "عندي صداع 😀 ☢ 漢"
    ids = tokenizer(text)["input_ids"]
    assert ids[0] == tokenizer.cls_token_id and ids[-1] == tokenizer.sep_token_id
    assert tokenizer.unk_token_id not in ids and tokenizer.decode(ids[1:-1]) == text


def test_two_spellings_of_a_complaint_are_nearer_than_two_complaints(encoder, sample_texts):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)

    def vector(text):
        with torch.no_grad():
            found = model(**tokenizer(text, return_tensors="pt", truncation=True)).last_hidden_state[0].mean(0)
        return found / found.norm()

    one, other = sample_texts[0], sample_texts[40]
    changed = one.replace("ة", "ه").replace("أ", "ا")
    assert vector(one) @ vector(changed) > vector(one) @ vector(other)


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_no_text_is_refused(texts, tmp_path):
    with pytest.raises(UserError, match="no text to train"):
        make_demo_encoder(tmp_path / "encoder", texts)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/base"):
        make_demo_base(tmp_path / "file" / "base", PAIRS[:4], epochs=1, language=ARABIC)


def test_prompt_and_answer_are_encoded_as_generation_sees_them(base):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    prompt = ARABIC.ask(PAIRS[0][0])
    found = encode(tokenizer, [prompt], [PAIRS[0][1]], max_length=200)
    ids = found.ids(0).tolist()
    assert ids[: found.prompts[0]] == tokenizer(prompt)["input_ids"]
    assert tokenizer.decode(ids) == f"{prompt} {PAIRS[0][1]}{tokenizer.eos_token}"


@pytest.mark.parametrize("max_length", [8, 12, 20, 33])
def test_what_is_cut_is_counted_and_the_rest_is_whole(base, max_length):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    prompts, answers = [ARABIC.ask(question) for question, _ in PAIRS], [answer for _, answer in PAIRS]
    whole, cut = (encode(tokenizer, prompts, answers, length) for length in (10_000, max_length))
    for row in range(len(whole)):
        ids, kept = whole.ids(row).tolist(), cut.ids(row).tolist()
        prompt, answer = ids[: whole.prompts[row]], ids[whole.prompts[row] :]
        assert kept[: cut.prompts[row]] == prompt[cut.prompts_cut[row] :]
        assert kept[cut.prompts[row] :] == answer[: len(answer) - cut.answers_cut[row]]
        assert len(kept) <= max_length and (len(kept) == max_length or kept == ids)
    assert whole.truncation == dict.fromkeys(whole.truncation, 0) and cut.truncation["answers_cut"] > 0
