"""The stress test: what rewriting does to a text, and what a source's answers make of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.quality.perturb import FIRST_WORDS, perturbations, stress_data
from maqa_severity.harness.labelling.quality.stress import MAX_ROWS, PAIRS, read_pairs, stress
from maqa_severity.harness.labelling.quality.stress_plot import plot_stress
from maqa_severity.harness.labelling.sources.base import Probabilities
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.languages.text import Profile, normalise
from maqa_severity.harness.severity import SCHEMES
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

TEXT = "أشعر بألم شديد في الصدر الآن، ولا أستطيع التنفس! ماذا أفعل؟"
BALANCED = SCHEMES["balanced"]


class Words:
    """Critical where a given word stands, else non-critical."""

    name, version, sha256, keeps_expert_labels = "classifier", "test", "0", False

    def __init__(self, word: str) -> None:
        self.word = word

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        return np.array([[0.0, 0.0, 1.0] if self.word in question else [1.0, 0.0, 0.0] for question in questions])


def rewrite(name: str, text: str = TEXT, seed: int = 0) -> str:
    return perturbations(ARABIC)[name](text, np.random.default_rng(seed))


def test_every_way_of_rewriting_changes_the_words_it_is_about_and_no_more():
    assert rewrite("no punctuation") == "أشعر بألم شديد في الصدر الآن ولا أستطيع التنفس ماذا أفعل"
    assert rewrite("letter variants") == "اشعر بالم شديد في الصدر الان، ولا استطيع التنفس! ماذا افعل؟"
    assert rewrite("slang: egyptian") == "حاسس بألم جامد في الصدر دلوقتي، ومش قادر التنفس! ايه أفعل؟"
    for count in FIRST_WORDS:
        assert rewrite(f"first {count} words").split() == TEXT.split()[:count]


def test_spelling_noise_keeps_the_words_and_changes_few_letters():
    texts = [row["question"] for row in handwritten_rows(ARABIC)]
    pairs = [(text.split(), rewrite("spelling noise", text, seed).split()) for seed, text in enumerate(texts)]
    assert all(len(before) == len(after) for before, after in pairs)
    changed = [one != other for before, after in pairs for one, other in zip(before, after, strict=True)]
    assert 0.05 < np.mean(changed) < 0.2
    assert all(
        abs(len(one) - len(other)) <= 1 for before, after in pairs for one, other in zip(before, after, strict=True)
    )


def test_slang_replaces_whole_words_only_and_the_longer_phrase_first():
    assert rewrite("slang: egyptian", "لا أستطيع النوم") == "مش قادر النوم"
    assert rewrite("slang: egyptian", "المنذر") == "المنذر"


def test_there_is_slang_of_four_dialects_and_no_latin_letters_in_it():
    slang = stress_data(ARABIC).slang
    assert set(slang) == {"egyptian", "gulf", "levantine", "maghrebi"}
    assert not any(
        letter.isascii() and letter.isalpha()
        for table in slang.values()
        for pair in table.items()
        for word in pair
        for letter in word
    )


def test_rewriting_does_not_depend_on_which_other_complaints_there_are():
    questions = [row["question"] for row in handwritten_rows(ARABIC)[:20]]
    source = RulesSource(ARABIC)
    alone = stress(source, questions[:1], None, BALANCED, language=ARABIC)
    again = stress(source, questions[:1], None, BALANCED, language=ARABIC)
    assert alone == again


def test_flips_critical_recall_and_weights_follow_the_word_that_decides():
    questions = ["واحد اثنان ثلاثة اربعة خمسة نزيف", "نزيف شديد اليوم", "صداع", "زكام"]
    report = stress(Words("نزيف"), questions, None, BALANCED, language=ARABIC)
    cut = {row.perturbation: row for row in report.rows}["first 5 words"]
    assert cut.flips == 25
    assert (cut.critical_recall_before, cut.critical_recall_after) == (100, 50)
    assert cut.weight_before == pytest.approx((2 * 1.5 + 2 * 0.5) / 4)
    assert cut.weight_change == pytest.approx(-0.25)
    assert cut.changed_text == 25
    assert "own labels" in report.truth


def test_peoples_labels_say_what_is_critical_if_there_are_any():
    truth = np.array([2, 0, 2, -1], dtype=np.int8)
    questions = ["نزيف", "نزيف", "زكام", "صداع"]
    report = stress(Words("نزيف"), questions, truth, BALANCED, language=ARABIC)
    assert {row.critical_recall_before for row in report.rows} == {50.0}
    assert report.truth == "labels by people"


def test_pairs_of_dialect_and_standard_are_compared():
    pairs = [("نزيف", "صداع"), ("نزيف", "نزيف"), ("صداع", "صداع"), ("زكام", "نزيف")]
    report = stress(Words("نزيف"), ["نزيف"], None, BALANCED, language=ARABIC, pairs=pairs)
    row = report.rows[-1]
    assert (row.perturbation, row.rows, row.flips) == (PAIRS, 4, 50)
    assert (row.critical_recall_before, row.critical_recall_after) == (100, 50)


def test_more_rows_than_the_limit_are_thinned_evenly():
    questions = [f"سؤال {at}" for at in range(MAX_ROWS + 500)]
    seen = Recorder()
    report = stress(seen, questions, None, BALANCED, language=ARABIC)
    assert {row.rows for row in report.rows} == {MAX_ROWS}
    assert seen.first[0] == questions[0] and seen.first[-1] == questions[-1]


class Recorder(Words):
    def __init__(self) -> None:
        super().__init__("نزيف")
        self.first: list[str] = []

    def probabilities(self, questions: Sequence[str]) -> Probabilities:
        self.first = self.first or list(questions)
        return super().probabilities(questions)


def test_the_plot_is_a_picture(tmp_path):
    report = stress(Words("نزيف"), ["نزيف", "صداع"], None, BALANCED, language=ARABIC)
    plot_stress(report, tmp_path / "stress.png")
    assert (tmp_path / "stress.png").read_bytes().startswith(b"\x89PNG")


def test_rules_do_not_care_for_letter_variants():
    questions = [row["question"] for row in handwritten_rows(ARABIC)]
    report = stress(RulesSource(ARABIC), questions, None, BALANCED, language=ARABIC)
    assert {row.perturbation: row for row in report.rows}["letter variants"].flips == 0


def test_pairs_are_found_by_their_columns_and_halves_are_left_out(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [
        {"question": "عندي وجع", "msa": "لدي ألم"},
        {"question": "صداع", "msa": ""},
        {"question": "", "msa": "ألم"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert read_pairs(path, ARABIC) == [("عندي وجع", "لدي ألم")]


@pytest.mark.parametrize(
    ("row", "named"), [({"question": "x", "other": "y"}, "lacks"), ({"question": "", "msa": "y"}, "no row")]
)
def test_a_file_without_pairs_is_an_error(tmp_path, row, named):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_pairs(path, ARABIC)


def test_the_real_pairs_are_read(falah):
    pairs = read_pairs(falah, ARABIC)
    assert len(pairs) > 1_000
    assert (
        np.mean(
            [
                normalise(one, Profile.METRIC, ARABIC) != normalise(other, Profile.METRIC, ARABIC)
                for one, other in pairs
            ]
        )
        > 0.5
    )
