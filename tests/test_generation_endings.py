"""What of a generated text is the answer: stop strings, run-on questions and thoughts, by one function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.generation.endings import cut, ending, without_run_on
from maqa_severity.harness.generation.thoughts import split_thoughts
from maqa_severity.harness.languages import language

MARKS = ("\nالاجابة:", "\nالإجابة:", "\nالسؤال:")
PROMPT = "ما علاج الصداع؟\nالاجابة:"


def test_blank_lines_end_nothing():
    text = "أهلا بك أخي الكريم.\n\nيجب مراجعة الطبيب فورا"
    assert cut(text, MARKS) == (text, "")


@pytest.mark.parametrize("until", [("\n\n",), MARKS, ("\n",), (" ",), ("الاجابة:",)])
@pytest.mark.parametrize("start", ["", " ", "\n\n", "\n \n\t", "\nالاجابة: ", "الاجابة: "])
def test_a_stop_string_at_the_very_start_ends_no_answer(until, start):
    kept, stop = cut(f"{start}نعم", until)
    assert kept.strip() and (kept, stop) in {(f"{start}نعم", ""), (start.rstrip(" "), " "), ("نعم", "")}


def test_the_first_stop_string_counts_and_of_two_at_one_place_the_longer():
    assert cut("a\n\nb\nc", ("\nc", "\n\n")) == ("a", "\n\n")
    assert cut("a\n\nb", ("\n", "\n\n")) == ("a", "\n\n")
    assert cut("\n\na\n\nb", ("\n\n", "")) == ("\n\na", "\n\n")


@given(st.text("ab\n "), st.lists(st.text("ab\n", min_size=1, max_size=3)))
def test_what_is_kept_is_a_beginning_that_is_not_blank_and_holds_no_stop_string_after_its_first_letter(text, until):
    kept, stop = cut(text, until)
    assert text.startswith(kept + stop) and bool(kept.strip()) >= bool(text.strip())
    assert cut(kept, until) == (kept, "")
    assert stop in {"", *until} and (stop or kept == text)


@pytest.mark.parametrize(
    ("text", "answer", "dropped"),
    [
        ("راجع الطبيب\n\nما علاج السعال؟", "راجع الطبيب", True),
        ("راجع الطبيب\n \nعندي سعال منذ يومين\nفما العلاج", "راجع الطبيب", True),
        ("راجع الطبيب\n\nواشرب الماء\n\nما علاج السعال؟\n", "راجع الطبيب\n\nواشرب الماء", True),
        ("راجع الطبيب\nما علاج السعال ؟ ", "راجع الطبيب", True),
        ("See a doctor\nWhat helps?", "See a doctor", True),
        ("راجع الطبيب\nواشرب الماء", "راجع الطبيب\nواشرب الماء", False),
        ("ما علاج السعال؟", "ما علاج السعال؟", False),
        ("\n\nما علاج السعال؟", "\n\nما علاج السعال؟", False),
        ("", "", False),
    ],
)
def test_a_question_that_the_model_asks_itself_is_dropped_but_never_the_only_block(text, answer, dropped):
    for mark in ("\nالاجابة:", "\nالإجابة:"):
        found = ending(f"{text}{mark} أخرى", MARKS, prompt=PROMPT)
        assert (found.text, found.run_on) == ((answer, dropped) if text.strip() else (f"{mark} أخرى", False))
    assert without_run_on(text) == answer


def test_only_the_mark_of_an_answer_makes_what_is_before_it_a_question():
    text = "راجع الطبيب\n\nواشرب الماء"
    for stop in ("\nالسؤال:", "###"):
        found = ending(f"{text}{stop} كذا", (*MARKS, "###"), prompt=PROMPT)
        assert (found.text, found.stop, found.run_on) == (text, stop, False)
    assert ending(text, MARKS, prompt=PROMPT).text == text
    assert ending(f"{text}\nالاجابة: لا", MARKS, prompt="<|user|>سؤال<|assistant|>").text == text


ARABIC_STOP, ENGLISH_STOP = (language(code).stop.plain for code in ("ar", "en"))


@pytest.mark.parametrize(
    "line",
    [
        "الاجابة :", "الإجابه:", "الإِجَابَة:", "  الإجابة:", "**الإجابة:**", "**الإجابة**:", "### الإجابة:",
        "### الإجابة", "> *الاجابه* :", "الأجابة:", "الاجابـــة：", "\u200fالإجابة:", "**الإجابة**",
        "السُّؤال :", "__سؤال__:",
    ],
)  # fmt: skip
def test_a_mark_in_another_spelling_ends_an_answer_as_its_own_stop_string(line):
    found = ending(f"راجع الطبيب\nاليوم\n{line}\nلا", ARABIC_STOP, prompt=PROMPT, whole=False)
    assert (found.text, found.stop in ARABIC_STOP) == ("راجع الطبيب\nاليوم", True)
    assert found.generated(1, 1, 0.0).finish_reason == "stop"


@pytest.mark.parametrize(
    "line", ["ANSWER :", "**Question**:", "  answer:", "## Question", "> **Answer:** yes", "__Question:__ why"]
)
def test_english_marks_too_and_the_first_of_all_counts(line):
    assert cut(f"See a doctor\n{line}\nno\nQuestion: x", ENGLISH_STOP) == (
        "See a doctor",
        "\nAnswer:" if "answer" in line.lower() else "\nQuestion:",
    )
    assert cut(f"See a doctor\nQuestion: x\n{line}", ENGLISH_STOP) == ("See a doctor", "\nQuestion:")


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("See a doctor\nThe answer: rest", ENGLISH_STOP),
        ("See a doctor\nAnswer", ENGLISH_STOP),
        ("See a doctor\nAnswers: two", ENGLISH_STOP),
        ("See a doctor. Answer: rest", ENGLISH_STOP),
        ("\n**Answer:** rest", ENGLISH_STOP),
        ("See a doctor\nANSWER : no", ("\n\n",)),
        ("راجع الطبيب\nهذه الإجابة: نعم", ARABIC_STOP),
        ("راجع الطبيب\nالإجابة على سؤالك نعم", ARABIC_STOP),
        ("راجع الطبيب\nANSWER : no", ARABIC_STOP),
    ],
)
def test_what_only_looks_like_a_mark_ends_nothing(text, until):
    assert cut(text, until) == (text, "")


ANSWER = "راجع الطبيب.\n\nفورا"


@pytest.mark.parametrize(
    "text",
    [
        "<think>فكرة\n\nأخرى\nالاجابة: لا</think>\n\n",
        "\n<think>\nفكرة\n</think>",
        "<Thinking>فكرة</Thinking> ",
        "<think>فكرة</think>\n<think>أخرى</think>\n",
        "<|channel|>analysis<|message|>فكرة<|end|><|start|>assistant<|channel|>final<|message|>",
        '<think type="deep">فكرة</think>',
        "<THINK >فكرة</think>",
        "\u200f\ufeff<think>فكرة</think>",
        "فكرة\n</think>\n\n",
        "فكرة.</think>",
    ],
)
def test_thoughts_are_cut_before_stop_strings_and_counted(text):
    found = ending(text + ANSWER, MARKS, prompt=PROMPT)
    assert (found.text, found.stop, found.thought_out) == (ANSWER, "", True)
    assert found.thinking >= len("فكرة")
    assert split_thoughts(text + ANSWER).answer == ANSWER


def test_what_the_template_opened_is_closed_by_the_first_mark():
    assert split_thoughts("أ </think> ب", "سؤال<think>\n").answer == "ب"
    assert not split_thoughts("أ ب", "سؤال<think>\n").ended
    closed = "سؤال<think>\n\n</think>\n\n"
    assert split_thoughts("أ </think> ب", closed, "</think>", whole=False).answer == "أ </think> ب"


def test_thoughts_that_never_end_leave_no_answer():
    found = ending("<think>فكرة\nالاجابة: لا\n\nوأخرى", MARKS, prompt=PROMPT, whole=False)
    assert (found.text, found.stop, found.thought_out) == ("", "", False) and found.thinking > 10
    for begin in ('<think effort="high">', "\u200f<think>"):
        assert ending(f"{begin}فكرة\nالاجابة: لا", MARKS, prompt=PROMPT).text == ""


def test_a_mark_named_by_the_user_ends_thoughts_and_without_it_a_cut_text_is_no_answer():
    assert split_thoughts("فكرة ## جواب ## آخر", think_end="##").answer == "جواب ## آخر"
    assert split_thoughts("جواب", think_end="##").answer == "جواب"
    assert split_thoughts("جواب", think_end="##", whole=False).answer == ""


@pytest.mark.parametrize(
    "text",
    [
        "الوسم </think> ينهي الأفكار",
        "الوسم <think> يبدأ و</think> ينهي",
        "يكتب `</think>` في آخره",
        "راجع الطبيب <think>",
        "  جواب\n",
        "",
    ],
)
def test_an_answer_that_only_mentions_the_mark_is_not_changed(text):
    assert split_thoughts(text).answer == text


def test_a_mark_mentioned_after_the_thoughts_is_part_of_the_answer():
    assert split_thoughts("<think>أ</think>الوسم\n</think>\nينهي").answer == "الوسم\n</think>\nينهي"


def test_empty_thoughts_are_none():
    assert ending("<think>\n\n</think>\n\nجواب", MARKS).thinking == 0
