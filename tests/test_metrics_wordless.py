"""Texts without a word: whatever marks, pictures and invisible signs they hold, they are like nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.languages.text import has_word
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.harness.metrics.scoring import default_metrics, score
from maqa_severity.tests.tongues import ARABIC

WORDLESS = {
    "empty": "", "space": " \n\t\u3000", "stops": "...", "arabic marks": "؟! ،؛", "dashes": "—–-", "quotes": "«»“”",
    "emoji": "😀", "emoji with joiner": "👩\u200d⚕️", "flag": "🇸🇦", "heart": "❤️", "keycap": "1️⃣", "information": "ℹ️",
    "boxed letter": "🆗 🅰 Ⓜ️", "trade mark": "™ © ®", "currency": "$ € ﷼", "mathematics": "+ = ∑ ∞", "arrows": "→ ⇒",
    "zero width": "\u200b\u200c\u200d\ufeff", "direction": "\u200f\u202b\u2067", "variation": "\ufe0f",
    "filler": "\u3164\u115f",
    "soft hyphen": "\u00ad", "fatha": "\u064e", "marks alone": "\u064b\u0651\u0670",
    "latin accent": "\u0301",
    "tatweel": "ـــ",
    "modifier letters": "ʼ ˈ", "hamza": "ء", "underscores": "___", "markdown": "**  ## - `",
    "replacement": "\ufffd",
    "private": "\ue000", "control": "\x00\x07", "half a pair": "\ud83d", "braille blank": "\u2800",
}  # fmt: skip
WORDS = ["نعم", "5", "٥", "نعم!", "😀 نعم", "ok", "Ⅳ", "你好", "½", "ﷺ"]


@pytest.fixture(scope="module")
def metrics(encoder):
    return default_metrics(ARABIC, str(encoder))


@pytest.mark.parametrize("text", WORDLESS.values(), ids=WORDLESS)
def test_a_text_without_a_word_scores_0_in_every_similarity_on_either_side(text, metrics):
    answers = Answers([text, "راجع الطبيب", text, "نعم"], ["راجع الطبيب", text, text, "نعم"])
    found = score(answers, metrics)
    for column in columns_of(Group.SIMILARITY):
        assert found[column][:3].tolist() == [0, 0, 0], column
    assert found["empty"].tolist() == [100, 0, 100, 0]
    for metric in metrics:
        for column, values in metric.score(answers).items():
            assert column not in columns_of(Group.SIMILARITY) or not values[:3].any(), "asked alone, too"


@pytest.mark.parametrize("text", WORDS)
def test_a_word_a_digit_or_a_letter_among_marks_is_an_answer(text, metrics):
    found = score(Answers([text], [text]), metrics)
    assert found["empty"] == 0
    assert found["rouge1"] == found["chrf"] == pytest.approx(100)
    assert found["bertscore_f1"] == pytest.approx(100)


@given(st.text(max_size=20))
def test_what_is_empty_is_what_has_no_word_and_normalisation_leaves_nothing_of_it_to_share(text):
    found = score(Answers([text], [text]), default_metrics(ARABIC, "none"))
    assert (found["empty"] == 100) == (not has_word(text, ARABIC))
    assert (found["rouge1"] == 0) == (not has_word(text, ARABIC))


def test_company_without_a_word_changes_no_other_score(metrics, pairs):
    predictions, references = (texts[:50] for texts in pairs)
    alone = score(Answers(predictions, references), metrics)
    mixed = score(Answers([*predictions, *WORDLESS.values()], [*references, *["نعم"] * len(WORDLESS)]), metrics)
    for column, values in alone.items():
        np.testing.assert_allclose(mixed[column][:50], values, rtol=0, atol=1e-4)
