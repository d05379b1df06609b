"""BERTScore of texts beyond the encoder's maximum, read in windows: equal to a reading of its own, made here."""

from functools import cache

import numpy as np
import pytest
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bertscore.metric import BertScore
from maqa_severity.harness.metrics.bertscore.windows import Frame
from maqa_severity.harness.metrics.beyond import beyond_encoder
from maqa_severity.harness.metrics.scoring import default_metrics, score_table
from maqa_severity.tests.encoders import LONGEST, save_network, save_tokenizer
from maqa_severity.tests.tongues import ARABIC

LAYER = 2


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "modernbert"])
def folder(request, tmp_path_factory, sample_texts):
    folder = tmp_path_factory.mktemp("encoders") / request.param
    save_tokenizer(folder, sample_texts)
    save_network(folder, request.param)
    return folder


@pytest.fixture(scope="module")
def texts(sample_texts):
    """Texts that fit, and texts that fill from two windows to many."""
    short = [text for text in sample_texts if len(text) < 60][:12]
    words = " ".join(sample_texts).split()
    return [*short, *(" ".join(words[at : at + at]) for at in range(20, 140, 10))]


def scored(metric, texts):
    return metric.score(Answers(texts, texts[1:] + texts[:1]))


@cache
def loaded(folder):
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


def read(folder, text):
    """Vectors of a text's tokens, each from the window in which ``_check_is_max_context`` of BERT's run_squad.py
    would look for it, and which tokens count; windows by the tokenizer itself."""
    import torch

    tokenizer, network = loaded(folder)
    stride = (LONGEST - 2) // 2
    windows = tokenizer(
        text, truncation=True, max_length=LONGEST, stride=stride, return_overflowing_tokens=True
    )["input_ids"]  # fmt: skip
    step = LONGEST - 2 - stride
    vectors, best = {}, {}
    for number, ids in enumerate(windows):
        with torch.inference_mode():
            hidden = network(torch.tensor([ids]), output_hidden_states=True).hidden_states[LAYER][0].numpy()
        for place in range(1, len(ids) - 1):
            context = min(place - 1, len(ids) - 2 - place)
            token = number * step + place - 1
            if token not in best or context > best[token]:
                best[token], vectors[token] = context, hidden[place]
        if number == 0:
            first = hidden[0]
        last = hidden[-1]
    rows = np.array([first, *(vectors[token] for token in sorted(vectors)), last])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), len(windows)


def f1(one, other):
    similarity = one @ other.T
    precision = np.mean([max(0, row.max()) for row in similarity[1:-1]])
    recall = np.mean([max(0, column.max()) for column in similarity.T[1:-1]])
    return 200 * precision * recall / (precision + recall)


def test_a_long_text_is_read_as_an_independent_reading_of_overlapping_windows_has_it(folder, texts):
    found = scored(BertScore(ARABIC, str(folder), LAYER, window=True), texts)
    read_texts = [read(folder, text) for text in texts]
    windows = [count for _, count in read_texts]
    assert {1, 2, 3} < set(windows) and max(windows) > 6
    vectors = [rows for rows, _ in read_texts]
    expected = [f1(one, other) for one, other in zip(vectors, vectors[1:] + vectors[:1], strict=True)]
    np.testing.assert_allclose(found["bertscore_f1"], expected, rtol=0, atol=2e-4)
    cut = scored(BertScore(ARABIC, str(folder), LAYER), texts)["bertscore_f1"]
    assert np.abs(cut - expected).max() > 1, "windows see what a cut text hides"


def test_texts_that_fit_score_the_same_to_the_last_bit_beside_texts_that_do_not(folder, texts):
    cut, windows = (scored(BertScore(ARABIC, str(folder), LAYER, window=window), texts) for window in (False, True))
    fits = (cut["beyond_encoder"] == 0) & (cut["reference_beyond_encoder"] == 0)
    assert 5 < fits.sum() < len(texts) - 5
    assert np.array_equal(cut["bertscore_f1"][fits], windows["bertscore_f1"][fits])


def test_what_is_cut_stays_counted_and_what_is_read_in_windows_is_not(folder, texts):
    answers = Answers(texts, texts[::-1])
    ids = [str(row) for row in range(len(texts))]
    cut, windows = (
        score_table(ids, answers, default_metrics(ARABIC, str(folder), LAYER, window)[:1])
        for window in (False, True)
    )
    assert "longer than the encoder reads" in beyond_encoder(cut)
    assert beyond_encoder(windows) is None
    for column, signature in windows.signatures.items():
        assert signature.replace("|window:overlap-0.5", "") == cut.signatures[column] != signature


def test_batches_do_not_change_what_is_read_in_windows(folder, texts):
    expected = scored(BertScore(ARABIC, str(folder), LAYER, window=True), texts)["bertscore_f1"]
    found = scored(BertScore(ARABIC, str(folder), LAYER, window=True, batch_tokens=60), texts)["bertscore_f1"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("tokens", [1, 6, 7, 9, 10, 23, 60])
def test_every_token_is_taken_once_from_the_window_with_the_most_context(tokens):
    frame, longest = Frame((101,), (102, 103)), 9
    ids = [101, *range(tokens), 102, 103]
    windows = frame.windows(ids, longest)
    assert all(len(window) <= longest and window[0] == 101 and window[-2:] == [102, 103] for window in windows)
    assert len(windows[0]) == min(longest, len(ids))
    # Of each token: which it is, and how far it stands from its window's nearer end.
    vectors = [
        np.array([[token, min(at - 1, len(window) - 3 - at)] for at, token in enumerate(window)], np.float32)
        for window in windows
    ]
    joined = frame.joined(vectors, ids, longest)
    assert joined[:, 0].tolist() == ids
    for token, context in joined[1:-2].tolist():
        assert context == max(row[1] for rows in vectors for row in rows[1:-2].tolist() if row[0] == token)
