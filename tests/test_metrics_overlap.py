"""ROUGE, BLEU, chrF++ and empty answers: equal to the tools that everyone else uses."""

from importlib.metadata import version

import maqa_severity.harness.languages.text as text
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.languages.text import Profile, normalise, words
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bleu import Bleu
from maqa_severity.harness.metrics.chrf import Chrf
from maqa_severity.harness.metrics.empty import Empty
from maqa_severity.harness.metrics.rouge import Rouge
from maqa_severity.harness.metrics.scoring import default_metrics, score, signatures
from maqa_severity.tests.tongues import ARABIC

METRICS = default_metrics(ARABIC, "none")
SIMILARITIES = ("rouge1", "rouge2", "rougeL", "chrf", "bleu")


def scores_of(predictions, references):
    return score(Answers(predictions, references), METRICS)


def test_rouge_equals_rouge_score_with_an_arabic_tokenizer(pairs):
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import Tokenizer

    class Arabic(Tokenizer):
        def tokenize(self, text):
            return words(text, Profile.METRIC, ARABIC)

    scorer = RougeScorer(Rouge.columns, tokenizer=Arabic())
    theirs = [scorer.score(reference, prediction) for prediction, reference in zip(*pairs, strict=True)]
    ours = Rouge(ARABIC).score(Answers(*pairs))
    for column in Rouge.columns:
        expected = np.array([100 * scores[column].fmeasure for scores in theirs])
        np.testing.assert_allclose(ours[column], expected, rtol=0, atol=1e-9)
        assert len(set(expected.round(3))) > 100


def test_rouge_is_the_same_in_blocks_of_any_size(pairs, monkeypatch):
    whole = Rouge(ARABIC).score(Answers(*pairs))
    monkeypatch.setattr("maqa_severity.harness.metrics.rouge._BLOCK", 7)
    for column, values in Rouge(ARABIC).score(Answers(*pairs)).items():
        np.testing.assert_array_equal(values, whole[column])


@pytest.mark.parametrize("metric", [Bleu(ARABIC), Chrf(ARABIC)], ids=["bleu", "chrf"])
def test_bleu_and_chrf_equal_sacrebleu_on_normalised_text(metric, pairs):
    from sacrebleu import sentence_bleu, sentence_chrf

    def theirs(prediction, reference):
        if metric.columns == ("bleu",):
            return sentence_bleu(prediction, [reference], tokenize="intl", use_effective_order=True).score
        return sentence_chrf(prediction, [reference], word_order=2).score

    expected = [
        theirs(normalise(one, Profile.METRIC, ARABIC), normalise(other, Profile.METRIC, ARABIC))
        for one, other in zip(*pairs, strict=True)
    ]
    ours = metric.score(Answers(*pairs))[metric.columns[0]]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)
    assert len(set(ours.round(3))) > 100


def test_identical_texts_score_100(sample_texts):
    found = scores_of(sample_texts, sample_texts)
    for column in SIMILARITIES:
        np.testing.assert_allclose(found[column], 100, rtol=0, atol=1e-9)
    assert not found["empty"].any()


def test_a_single_word_has_no_bigram_as_in_rouge_score():
    found = scores_of(["نعم"], ["نعم"])
    assert {column: found[column][0] for column in SIMILARITIES} == {
        column: pytest.approx(0 if column == "rouge2" else 100) for column in SIMILARITIES
    }


def test_spelling_variants_score_100():
    found = scores_of(["اذهبي الي الطوارىء ، خذي ٥ مل"], ["إذهبي إلى الطوارئ، خُذي 5 مل."])
    for column in SIMILARITIES:
        np.testing.assert_allclose(found[column], 100, rtol=0, atol=1e-9)


@pytest.mark.parametrize("answer", ["", "  \n", "ـــ", "\u200f", "...", "؟!", "😀"])
def test_an_answer_without_a_word_is_empty_and_scores_0(answer):
    found = scores_of([answer], ["راجع الطبيب"])
    assert found["empty"] == 100
    assert not any(found[column].any() for column in SIMILARITIES)


def test_a_number_alone_is_an_answer():
    assert Empty(ARABIC).score(Answers(["٥"], ["راجع"]))["empty"] == 0


def test_scores_follow_their_rows(pairs):
    order = np.random.default_rng(0).permutation(len(pairs[0]))
    found = scores_of(*pairs)
    turned = scores_of(*([texts[row] for row in order] for texts in pairs))
    for column, values in found.items():
        np.testing.assert_array_equal(values[order], turned[column])


def test_an_answer_scores_the_same_alone(pairs):
    found = scores_of(*pairs)
    for row in range(0, 1000, 97):
        alone = scores_of(*([texts[row]] for texts in pairs))
        assert {column: values[row] for column, values in found.items()} == {
            column: values[0] for column, values in alone.items()
        }


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=4))
def test_every_score_of_any_text_is_a_percentage(rows):
    for values in scores_of(*zip(*rows, strict=True)).values():
        assert values.shape == (len(rows),)
        assert np.all((values >= 0) & (values <= 100))


def test_half_a_surrogate_pair_is_scored_like_any_character():
    assert scores_of(["نعم \ud83d"], ["نعم"])["rouge1"] == 100


def test_every_signature_names_references_normalisation_and_version():
    found = signatures(METRICS)
    assert list(found) == [*SIMILARITIES, "empty"]
    assert len(set(found.values())) == len(found)
    for column, full in found.items():
        parts = dict(part.split(":", 1) for part in full.split("|"))
        assert text.signature(text.Profile.METRIC, ARABIC) in full
        assert parts.get("refs", parts.get("nrefs")) == ("0" if column == "empty" else "1")
        assert parts["version"] == (version("sacrebleu") if column in ("bleu", "chrf") else "2")
    assert "tok:intl" in found["bleu"] and "eff:yes" in found["bleu"]
    assert "metric:chrF++" in found["chrf"] and "nw:2" in found["chrf"]


def test_other_normalisation_rules_are_another_signature():
    plain = signatures(default_metrics(ARABIC, "none"))
    rules = ARABIC.normalisation.model_copy(update={"version": 99})
    changed = signatures(default_metrics(ARABIC.model_copy(update={"normalisation": rules}), "none"))
    assert all("norm:ar-metric-v99" in full for full in changed.values())
    assert not set(changed.values()) & set(plain.values())
