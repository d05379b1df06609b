"""What is unified before texts are compared, and what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.files import sha256_text
from maqa_severity.harness.languages.text import Profile, normalise, signature, words
from maqa_severity.tests.tongues import ARABIC

RULES = ARABIC.normalisation
TEXTS = st.text(max_size=60) | st.text(alphabet=st.characters(min_codepoint=0x0600, max_codepoint=0x06FF))


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        ("إذهب إلى الطوارىء", "اذهب الي الطواري"),
        ("مَدْرَسَة", "مدرسه"),
        ("جرعــــة ٥٠٠ ملغ", "جرعة 500 ملغ"),
        ("۵۰۰", "500"),
        ("هل تشعر بألم؟ نعم، قليلاً!", "هل تشعر بألم نعم قليلا"),
        ("ﻻ ﺗﻘﻠﻖ", "لا تقلق"),
        ("مسؤول", "مسوول"),
        ("\u200fنعم\u200e \u202bلا\u202c", "نعم لا"),
        ("ھذا کلام عربی", "هذا كلام عربي"),
        ("Panadol EXTRA", "panadol extra"),
        ("٢٫٥ مل", "2.5 مل"),
        ("a_b 😀 c", "a b c"),
    ],
)
def test_spelling_variants_are_one_text_for_metrics(variant, text):
    assert normalise(variant, Profile.METRIC, ARABIC) == normalise(text, Profile.METRIC, ARABIC)


@pytest.mark.parametrize(("one", "other"), [("لا تقلق", "تقلق"), ("5 ملغ", "50 ملغ"), ("خذ", "حذ"), ("ضر", "صر")])
def test_a_difference_in_meaning_stays_one(one, other):
    assert normalise(one, Profile.METRIC, ARABIC) != normalise(other, Profile.METRIC, ARABIC)


def test_the_surface_profile_keeps_letters_and_punctuation():
    assert normalise("إلى  المَدرسة؟ ٣", Profile.SURFACE, ARABIC) == "إلى المدرسة؟ 3"
    assert words("إلى المَدرسة؟ ٣", Profile.SURFACE, ARABIC) == ["إلى", "المدرسة", "3"]


def test_no_replacement_is_itself_replaced():
    for rules in (RULES.surface, RULES.surface | RULES.metric):
        assert not set(rules) & set(rules.values())
        assert all(len(old) == 1 and len(new) <= 1 for old, new in rules.items())


@given(TEXTS)
def test_metric_words_are_letters_and_digits_in_lower_case(text):
    for word in words(text, Profile.METRIC, ARABIC):
        assert word and word.isalnum()
    assert normalise(text, Profile.METRIC, ARABIC) == " ".join(words(text, Profile.METRIC, ARABIC))


@given(TEXTS, st.sampled_from(Profile))
def test_normalising_leaves_no_mark_no_tatweel_and_single_spaces(text, profile):
    normal = normalise(text, profile, ARABIC)
    assert normal == " ".join(normal.split())
    assert "ـ" not in normal
    assert not {"\u064b", "\u0651", "\u200f", "\u200b"} & set(normal)


@pytest.mark.parametrize("mark", ["\u061c", "\u00ad", "\u034f", "\u08f0", "\u200e", "\ufeff"], ids=ascii)
def test_what_cannot_be_seen_in_a_word_does_not_break_it(mark):
    assert words(f"صدا{mark}ع شديد", Profile.METRIC, ARABIC) == ["صداع", "شديد"]


@given(TEXTS, TEXTS)
def test_texts_are_normalised_word_by_word(one, other):
    assert (
        normalise(f"{one}\n{other}", Profile.METRIC, ARABIC)
        == f"{normalise(one, Profile.METRIC, ARABIC)} {normalise(other, Profile.METRIC, ARABIC)}".strip()
    )


@given(st.text(alphabet="أإآاىيةهؤئء ًٌٍَُِّْـ٣3،؟لمن", max_size=40))
def test_normalising_twice_changes_nothing(text):
    for profile in Profile:
        assert normalise(normalise(text, profile, ARABIC), profile, ARABIC) == normalise(text, profile, ARABIC)


def test_the_rules_cannot_change_without_a_new_version():
    rules = RULES.model_dump(exclude={"version"})
    digest = sha256_text(json.dumps(rules, sort_keys=True, ensure_ascii=True))[:12]
    assert (RULES.version, digest) == (2, "f76436ea4583")
    assert signature(Profile.METRIC, ARABIC) == f"norm:ar-metric-v{RULES.version}"
    assert signature(Profile.SURFACE, ARABIC) != signature(Profile.METRIC, ARABIC)
