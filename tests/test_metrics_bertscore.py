"""BERTScore: equal to bert-score, on tiny encoders made here."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bertscore.embeddings import Cache, Embedded
from maqa_severity.harness.metrics.bertscore.encoder import KNOWN_LAYERS, PAPER_ENCODER, Encoder, choose_encoder
from maqa_severity.harness.metrics.bertscore.metric import UNKNOWN_LIMIT, BertScore
from maqa_severity.harness.metrics.beyond import beyond_encoder
from maqa_severity.harness.metrics.scoring import default_metrics, score_table, signatures
from maqa_severity.tests.encoders import LAYERS, LONGEST, save_network, save_tokenizer
from maqa_severity.tests.tongues import ARABIC

F1_TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def bert(tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / "tiny-bert"
    save_tokenizer(folder, sample_texts)
    save_network(folder)
    return folder


@pytest.fixture
def copy(bert, tmp_path):
    return shutil.copytree(bert, tmp_path / "copy")


def f1_of(metric, predictions, references):
    return metric.score(Answers(predictions, references))["bertscore_f1"] / 100


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "distilbert"])
@pytest.mark.parametrize("layer", [1, 2, LAYERS])
def test_f1_equals_bert_score(kind, layer, bert, pairs, tmp_path):
    from bert_score import score

    folder = bert
    if kind != "bert":
        folder = shutil.copytree(bert, tmp_path / kind)
        save_network(folder, kind)
    _, _, expected = score(*pairs, model_type=str(folder), num_layers=layer)
    ours = f1_of(BertScore(ARABIC, str(folder), layer), *pairs)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=0, atol=F1_TOLERANCE)
    assert np.ptp(ours) > 0.1


def test_the_pairs_are_long_enough_to_be_cut(bert, pairs):
    encoder = Encoder(choose_encoder(str(bert), 1))
    assert max(map(len, encoder.tokenize(pairs[1]))) == encoder.max_length == LONGEST


def test_a_tokenizer_without_a_length_is_cut_at_the_last_position(copy, sample_texts, tmp_path):
    save_tokenizer(copy, sample_texts, model_max_length=None)
    assert Encoder(choose_encoder(str(copy), 1)).max_length == LONGEST
    save_network(copy, "xlm-roberta")
    assert Encoder(choose_encoder(str(copy), 1)).max_length == LONGEST


def test_identical_texts_score_100(bert, sample_texts):
    np.testing.assert_allclose(
        f1_of(BertScore(ARABIC, str(bert), 2), sample_texts, sample_texts), 1, rtol=0, atol=1e-6
    )


def test_empty_answers_and_references_score_0_among_others(bert):
    found = f1_of(
        BertScore(ARABIC, str(bert), 2), ["", " \n", "راجع الطبيب", "راجع"], ["راجع", "الطبيب", "", "راجع"]
    )
    np.testing.assert_allclose(found, [0, 0, 0, 1], atol=1e-6)


def test_text_is_scored_as_written_but_for_space_around_it(bert):
    metric = BertScore(ARABIC, str(bert), 2)
    one, other, padded = f1_of(metric, ["إذهب", "اذهب", "\n إذهب  "], ["إذهب الآن"] * 3)
    assert one == pytest.approx(padded, abs=1e-6)
    assert abs(one - other) > 1e-3


def test_half_a_surrogate_pair_can_be_scored(bert):
    assert 0 < f1_of(BertScore(ARABIC, str(bert), 2), ["راجع \ud83d"], ["راجع الطبيب"])[0] < 1


@pytest.mark.parametrize("batch_tokens", [1, 200, 5000])
def test_neither_batch_size_nor_order_nor_company_matters(batch_tokens, bert, pairs):
    expected = f1_of(BertScore(ARABIC, str(bert), 2), *pairs)
    order = np.random.default_rng(0).permutation(len(expected))
    turned = f1_of(
        BertScore(ARABIC, str(bert), 2, batch_tokens=batch_tokens),
        *([texts[row] for row in order] for texts in pairs),
    )
    np.testing.assert_allclose(turned, expected[order], rtol=0, atol=F1_TOLERANCE)
    alone = f1_of(BertScore(ARABIC, str(bert), 2), pairs[0][:1], pairs[1][:1])
    assert alone[0] == pytest.approx(expected[0], abs=F1_TOLERANCE)


def test_blocks_of_pairs_change_nothing(bert, pairs, monkeypatch):
    expected = f1_of(BertScore(ARABIC, str(bert), 2), *pairs)
    monkeypatch.setattr("maqa_severity.harness.metrics.bertscore.embeddings._BLOCK_TOKENS", 300)
    np.testing.assert_allclose(f1_of(BertScore(ARABIC, str(bert), 2), *pairs), expected, rtol=0, atol=F1_TOLERANCE)


@pytest.fixture
def embedded_texts(monkeypatch):
    """How many texts went through an encoder."""
    counts = []
    embed = Encoder.embed

    def counting(self, ids):
        counts.append(len(ids))
        return embed(self, ids)

    monkeypatch.setattr(Encoder, "embed", counting)
    return counts


def test_each_text_is_embedded_once_and_references_never_again(bert, embedded_texts):
    metric = BertScore(ARABIC, str(bert), 2)
    references = ["راجع الطبيب", "خذ الدواء", "راجع الطبيب"]
    first = f1_of(metric, ["نعم", "نعم", "خذ الدواء"], references)
    assert sum(embedded_texts) == 3
    again = f1_of(metric, ["لا", "نعم", "خذ الدواء"], references)
    assert sum(embedded_texts) == 5
    np.testing.assert_allclose(again[1:], first[1:], rtol=0, atol=F1_TOLERANCE)


def test_released_memory_is_filled_again_when_needed(bert, embedded_texts):
    metric = BertScore(ARABIC, str(bert), 2)
    before = f1_of(metric, ["نعم"], ["لا"])
    metric.release()
    assert f1_of(metric, ["نعم"], ["لا"]) == before
    assert sum(embedded_texts) == 4


def test_the_cache_keeps_what_was_used_last_within_its_bytes():
    def embedded(tokens):
        return [Embedded(np.ones((tokens, 8), np.float32), np.ones(tokens, bool))]

    cache = Cache(10 * 8 * 4)
    for text in ("a", "b", "c"):
        cache.put([text], embedded(4))
    assert [cache.get([text]) is not None for text in "abc"] == [False, True, True]
    cache.put(["b"], embedded(4))
    cache.put(["d"], embedded(4))
    assert [cache.get([text]) is not None for text in "bcd"] == [True, False, True]
    cache.put(["e"], embedded(11))
    assert cache.get(["e"]) is None


def test_a_score_is_the_same_to_the_last_bit_whatever_was_scored_before(bert, pairs):
    predictions, references = pairs
    fresh = f1_of(BertScore(ARABIC, str(bert), 2), predictions, references)
    used = BertScore(ARABIC, str(bert), 2)
    f1_of(used, predictions[::-1], references)
    f1_of(used, predictions[:40], references[:40])
    assert (f1_of(used, predictions, references) == fresh).all()


def test_one_process_shares_one_encoder(bert):
    once, again, other = (default_metrics(ARABIC, str(bert), layer)[0] for layer in (2, 2, 1))
    assert once is again
    assert once is not other


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.text("اب تجحسةأ .[SEP]", max_size=30), st.text(max_size=20)), min_size=1, max_size=3))
def test_every_score_of_any_answer_is_a_percentage(bert, rows):
    metric = default_metrics(ARABIC, str(bert), 2)[0]
    answers = Answers([text for row in rows for text in row], ["راجع الطبيب"] * (2 * len(rows)))
    found = metric.score(answers)["bertscore_f1"]
    assert np.all((found >= 0) & (found <= 100))


def test_an_encoder_that_does_not_know_the_references_is_refused(copy):
    save_tokenizer(copy, ["only latin words live here"] * 3)
    with pytest.raises(UserError, match="100% of the references' tokens are unknown to the encoder"):
        f1_of(BertScore(ARABIC, str(copy), 2), ["راجع"], ["راجع الطبيب"])


def test_unknown_tokens_in_answers_alone_are_the_answers_fault(bert):
    assert 0 < f1_of(BertScore(ARABIC, str(bert), 2), ["你好吗"], ["راجع الطبيب"])[0] < 1


def test_a_few_unknown_tokens_are_borne(bert, sample_texts):
    references = [*sample_texts, "你"]
    assert UNKNOWN_LIMIT < 1
    assert f1_of(BertScore(ARABIC, str(bert), 2), references, references).min() == pytest.approx(1, abs=1e-6)


def test_known_layers_are_bert_scores_own():
    from bert_score.utils import lang2model, model2layers

    assert lang2model["ar"] == PAPER_ENCODER
    assert {name: model2layers[name] for name in KNOWN_LAYERS if name in model2layers} == {
        name: layer for name, layer in KNOWN_LAYERS.items() if not name.startswith("aubmindlab/")
    }


@pytest.mark.parametrize("model", [PAPER_ENCODER, f"google-bert/{PAPER_ENCODER}"])
def test_the_papers_encoder_and_layer_are_comparable_under_both_its_names(model):
    choice = choose_encoder(model, None)
    assert (choice.source, choice.name, choice.layer, choice.comparable) == (model, PAPER_ENCODER, 9, True)
    assert not choose_encoder(model, 12).comparable
    assert not choose_encoder("xlm-roberta-base", None).comparable


def test_the_default_is_the_papers_encoder():
    assert default_metrics(ARABIC)[0] is default_metrics(ARABIC, PAPER_ENCODER)[0]


def test_a_local_copy_is_known_by_its_configuration_or_its_name(copy):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "_name_or_path": "aubmindlab/bert-base-arabertv02"}))
    assert choose_encoder(str(copy), None).layer == 12
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"no BERTScore layer is known .*copy\. .*--bertscore-layer N"):
        choose_encoder(str(copy), None)
    assert choose_encoder(str(copy.rename(copy.parent / "xlm-roberta-large")), None).layer == 17


def test_an_encoder_speaks_for_itself(copy):
    note = {"name": "maqa-demo-encoder", "layer": 2, "comparable": False}
    (copy / "maqa_encoder.json").write_text(json.dumps(note))
    signature = BertScore(ARABIC, str(copy)).signatures["bertscore_f1"]
    assert "model:maqa-demo-encoder|layer:2|" in signature
    assert signature.endswith("not-comparable-with-the-paper")
    (copy / "maqa_encoder.json").write_text(json.dumps({**note, "layers": 2}))
    with pytest.raises(UserError, match="key 'layers'"):
        choose_encoder(str(copy), None)


def test_the_signature_changes_with_whatever_changes_the_score(bert, copy, sample_texts, monkeypatch):
    def signature(layer=2):
        return signatures([BertScore(ARABIC, str(copy), layer)])["bertscore_f1"]

    plain = signature()
    assert plain == signature()
    assert plain == BertScore(ARABIC, str(bert), 2).signatures["bertscore_f1"].replace("tiny-bert", "copy")
    changed = {plain, signature(layer=1)}
    monkeypatch.setattr(
        "maqa_severity.harness.metrics.bertscore.metric.version", lambda package: f"{package} of tomorrow"
    )
    changed.add(signature())
    monkeypatch.undo()
    save_network(copy, seed=1)
    changed.add(signature())
    save_network(copy)
    assert signature() == plain
    save_tokenizer(copy, sample_texts, model_max_length=20)
    changed.add(signature())
    save_tokenizer(copy, sample_texts[:50])
    changed.add(signature())
    changed.add(BertScore(ARABIC, str(copy.rename(copy.parent / "other")), 2).signatures["bertscore_f1"])
    assert len(changed) == 7


def test_a_missing_encoder_is_named_with_the_remedy(tmp_path):
    for model in (str(tmp_path / "absent"), "./absent"):
        with pytest.raises(UserError, match=r"absent does not exist\. Pass the folder of a downloaded copy"):
            BertScore(ARABIC, model, 2).score(Answers(["نعم"], ["نعم"]))


def test_an_encoder_that_the_hub_does_not_give_is_an_error_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"bert-base-multilingual-cased cannot be loaded: .*HF_HOME.*`none`"):
        BertScore(ARABIC, PAPER_ENCODER).score(Answers(["نعم"], ["نعم"]))


def test_a_layer_that_is_not_there_is_named(bert):
    for layer in (0, LAYERS + 1, -1):
        with pytest.raises(UserError, match=f"no layer {layer}.* between 1 and {LAYERS}"):
            BertScore(ARABIC, str(bert), layer).signatures  # noqa: B018


@pytest.mark.parametrize("damage", ["pickle", "truncated", "incomplete", "no tokenizer", "no config"])
def test_a_damaged_encoder_is_an_error_and_never_scores(damage, copy):
    import torch
    from safetensors.torch import load_file, save_file

    weights = copy / "model.safetensors"
    if damage == "pickle":
        torch.save(load_file(weights), copy / "pytorch_model.bin")
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif damage == "incomplete":
        tensors = load_file(weights)
        save_file({key: tensors[key] for key in tensors if "layer.1." not in key}, weights, {"format": "pt"})
    elif damage == "no tokenizer":
        (copy / "tokenizer.json").unlink()
    else:
        (copy / "config.json").unlink()
    with pytest.raises(UserError, match="copy"):
        BertScore(ARABIC, str(copy), 2).score(Answers(["نعم"], ["نعم"]))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "distilbert", "modernbert"])
def test_what_is_compared_is_the_hidden_state_of_the_layer_in_every_family(kind, bert, tmp_path):
    import torch
    from transformers import AutoModel

    folder = shutil.copytree(bert, tmp_path / kind)
    save_network(folder, kind)
    whole = AutoModel.from_pretrained(folder).eval()
    texts = ["راجع الطبيب الآن", "خذ الدواء"]
    for layer in range(1, LAYERS + 1):
        encoder = Encoder(choose_encoder(str(folder), layer), "cpu")
        ids = encoder.tokenize(texts)
        for row, vectors in zip(ids, encoder.embed(ids), strict=True):
            with torch.inference_mode():
                hidden = whole(torch.tensor([row]), output_hidden_states=True).hidden_states[layer][0]
            expected = torch.nn.functional.normalize(hidden, dim=-1).numpy()
            np.testing.assert_allclose(vectors, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", ["xlm-roberta", "distilbert", "modernbert"])
def test_a_layer_that_is_not_there_is_named_in_every_family(kind, bert, tmp_path):
    folder = shutil.copytree(bert, tmp_path / kind)
    save_network(folder, kind)
    with pytest.raises(UserError, match=f"no layer {LAYERS + 1}.* between 1 and {LAYERS}"):
        BertScore(ARABIC, str(folder), LAYERS + 1).score(Answers(["نعم"], ["نعم"]))
    assert f1_of(BertScore(ARABIC, str(folder), LAYERS), ["نعم"], ["نعم"])[0] == pytest.approx(1, abs=1e-6)


def test_a_network_that_is_no_encoder_of_one_text_is_refused(tmp_path, sample_texts):
    from transformers import T5Config, T5Model

    save_tokenizer(tmp_path, sample_texts)
    T5Model(T5Config(vocab_size=800, d_model=32, num_layers=1, num_heads=2, d_ff=64, d_kv=16)).save_pretrained(
        tmp_path
    )
    with pytest.raises(UserError, match=r"\(t5\) is no encoder of one text"):
        BertScore(ARABIC, str(tmp_path), 1).score(Answers(["نعم"], ["نعم"]))


def test_what_an_encoder_does_not_read_is_counted_to_the_token(bert):
    metric = BertScore(ARABIC, str(bert), 2)
    # One token of the vocabulary.
    word, full = "و", LONGEST - 2
    assert len(Encoder(choose_encoder(str(bert), 2)).tokenize([word])[0]) == 3
    at_the_limit, over = " ".join([word] * full), " ".join([word] * (full + 1))
    found = metric.score(
        Answers([at_the_limit, over, word, over + " لا", ""], [word, word, over, over + " نعم", word])
    )
    assert found["beyond_encoder"].tolist() == [0, 100, 0, 100, 0]
    assert found["reference_beyond_encoder"].tolist() == [0, 0, 100, 100, 0]
    assert found["bertscore_f1"][3] == pytest.approx(100), "what comes after the limit is not compared"


def test_the_sentence_counts_answers_and_references_and_names_the_limit(bert):
    long = " ".join(["راجع"] * LONGEST)
    metric = BertScore(ARABIC, str(bert), 2)

    def said(predictions, references):
        ids = [str(row) for row in range(len(predictions))]
        return beyond_encoder(score_table(ids, Answers(predictions, references), [metric]))

    assert said([long, "نعم", long], ["نعم", long, "لا"]) == (
        f"2 answers and 1 reference are longer than the encoder reads ({LONGEST} tokens): what comes after is not "
        "compared"
    )
    assert said(["نعم"], ["نعم"]) is None
    assert beyond_encoder(score_table(["1"], Answers([long], [long]), default_metrics(ARABIC, "none"))) is None
