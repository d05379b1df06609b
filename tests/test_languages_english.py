"""English is a language like any other: its folder alone says how it is asked, read and compared."""

import pytest
from maqa_severity.harness.languages import language
from maqa_severity.harness.languages.clauses import clauses
from maqa_severity.harness.languages.text import Profile, normalise, words

ENGLISH = language("en")


def test_a_question_is_asked_in_english():
    assert ENGLISH.ask(" Is it flu? ") == "Is it flu?\nAnswer:"
    assert ENGLISH.direction == "ltr"


@pytest.mark.parametrize("written", ["can't", "can’t", "CAN‘T", "can`t", "cant"])
def test_a_contraction_is_one_word_with_any_apostrophe_or_none(written):
    assert words(written, Profile.METRIC, ENGLISH) == ["cant"]


def test_case_accents_and_punctuation_do_not_tell_texts_apart():
    assert normalise("“Naïve” — Crohn’s; 5.5 MG!", Profile.METRIC, ENGLISH) == "naive crohns 5 5 mg"


@pytest.mark.parametrize("text", ["no follow-up", "no follow‐up", "no nausea/vomiting", "no X-ray"])
def test_a_joining_mark_breaks_no_clause(text):
    (clause,) = clauses(text, ENGLISH)
    assert not clause.breaks


@pytest.mark.parametrize("text", ["no fever - vomiting", "no fever, vomiting", "60/40"])
def test_a_dash_between_spaces_a_comma_and_a_slash_between_numbers_do(text):
    (clause,) = clauses(text, ENGLISH)
    assert clause.breaks


def test_arabic_has_no_joining_marks():
    (clause,) = clauses("ألم-وجع", language("ar"))
    assert clause.breaks
