"""Whether an encoder separates right answers from wrong ones: how it is found out, and where it is said."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from maqa_severity.harness.languages.text import has_word
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bertscore.check import NEVER, QUESTIONS, check_encoder, check_of, encoder_words
from maqa_severity.harness.metrics.bertscore.constructed import Wrong, construct
from maqa_severity.harness.metrics.bertscore.metric import BertScore
from maqa_severity.harness.metrics.scoring import default_metrics, run_metrics
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import read_scores, write_scores
from maqa_severity.harness.statistics.intervals import wilson
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import write_board
from maqa_severity.reports.page import report_page
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.encoders import save_network, save_tokenizer
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.tongues import ARABIC


@pytest.fixture(scope="module")
def rows():
    found = handwritten_rows(ARABIC)
    return [row["answer"] for row in found], [row["category"] for row in found]


@pytest.fixture
def blind(tmp_path, sample_texts):
    """An encoder to which all tokens are one."""
    from safetensors.torch import load_file, save_file

    save_tokenizer(tmp_path / "blind", sample_texts)
    save_network(tmp_path / "blind")
    path = tmp_path / "blind" / "model.safetensors"
    tensors = load_file(path)
    for name in ("word", "position"):
        tensors[f"embeddings.{name}_embeddings.weight"].zero_()
    save_file(tensors, path, {"format": "pt"})
    return tmp_path / "blind"


def test_answers_are_constructed_from_the_references_whatever_their_order(rows):
    made = construct(*rows, ARABIC, QUESTIONS)
    turned = construct(rows[0][::-1], rows[1][::-1], ARABIC, QUESTIONS)
    assert made == turned and len(made) == min(QUESTIONS, len({text for text in rows[0] if len(text.split()) > 3}))
    category = dict(zip(*rows, strict=True))
    wrong = dict(made.wrong)
    for place, reference in enumerate(made.references):
        words, right = reference.split(), made.right[place].split()
        assert Counter(right) <= Counter(words) and len(words) - len(right) == max(1, len(words) // 8)
        shuffled = wrong[Wrong.SHUFFLED][place].split()
        assert sorted(shuffled) == sorted(words) and shuffled != words
        other = wrong[Wrong.OTHER][place]
        assert other != reference and other in rows[0]
        alone = [category[each] for each in made.references].count(category[reference]) == 1
        assert alone or category[other] == category[reference]
        assert wrong[Wrong.CONSTANT][place] == ARABIC.referral
    assert made.same_category == sum(
        category[other] == category[own] for own, other in zip(made.references, wrong[Wrong.OTHER], strict=True)
    )


def test_texts_from_which_nothing_can_be_constructed_are_left_out():
    texts = ["راجع الطبيب", "... ! ؟ ,", ARABIC.referral, "خذ الدواء بعد الأكل", "خذ الدواء بعد الأكل"]
    assert construct(texts, None, ARABIC, 9).references == ("خذ الدواء بعد الأكل",)
    assert not has_word(texts[1], ARABIC)
    assert check_encoder(BertScore(ARABIC, "no such encoder", 1), texts) is None
    assert check_of(run_metrics(ARABIC, "none"), texts) is None


def test_shares_are_those_of_the_scores_with_wilsons_interval(encoder, rows):
    metric = BertScore(ARABIC, str(encoder))
    check = check_encoder(metric, *rows)
    made = construct(*rows, ARABIC, QUESTIONS)
    wrong = dict(made.wrong)
    right, other, constant = (
        [
            metric.score(Answers([one], [own]))["bertscore_f1"][0]
            for one, own in zip(texts, made.references, strict=True)
        ]
        for texts in (made.right, wrong[Wrong.OTHER], wrong[Wrong.CONSTANT])
    )
    for found, above, below in (
        (check.right_over_wrong, right, other),
        (check.right_over_constant, right, constant),
        (check.wrong_over_constant, other, constant),
    ):
        events = sum(one > two for one, two in zip(above, below, strict=True))
        assert found.share == pytest.approx(100 * events / len(made))
        assert (found.low, found.high) == tuple(map(float, wilson(np.array(float(events)), len(made))))
    assert check.right_over_wrong.share > 90 and check.signature == metric.signatures["bertscore_f1"]
    assert check_encoder(metric, rows[0][::-1], rows[1][::-1]) == check


def test_the_verdict_needs_all_three_and_names_what_is_not_separated(encoder, rows):
    check = check_encoder(BertScore(ARABIC, str(encoder)), *rows)
    good = check.right_over_wrong.model_copy(update={"share": 90.0, "low": 80.0, "high": 95.0})
    bad = check.right_over_wrong.model_copy(update={"share": 55.0, "low": 49.0, "high": 61.0})
    every = check.model_copy(
        update=dict.fromkeys(("right_over_wrong", "right_over_constant", "wrong_over_constant"), good)
    )
    assert every.separates and str(every).startswith("this encoder separates right answers from wrong ones: of ")
    for name, words in (
        ("right_over_wrong", "a right answer from a fluent wrong one"),
        ("right_over_constant", "a right answer from a constant one"),
        ("wrong_over_constant", "a fluent wrong answer from a constant one"),
    ):
        failing = every.model_copy(update={name: bad})
        assert not failing.separates
        assert str(failing).startswith(f"this encoder does not separate {words}: ") and "55.0 %" in str(failing)


def test_an_encoder_that_sees_nothing_fails(blind, rows):
    check = check_encoder(BertScore(ARABIC, str(blind), 2), *rows)
    assert not check.separates and len(check.failed) == 3
    assert check.right_over_wrong.low < 50


def test_the_check_travels_with_the_scores_to_terminal_board_and_report(evaluated, tmp_path):
    runs = [load_run(evaluated[name]) for name in ("hf", "echo")]
    words = encoder_words(runs[0].scores)
    assert words.startswith("this encoder ") and words == encoder_words(runs[1].scores)
    assert runs[0].scores.encoder_check.signature == runs[0].scores.signatures["bertscore_f1"]
    board = build_board(runs)
    assert board.encoder == words
    page = next(path for path in write_board(tmp_path / "board", board) if path.suffix == ".html")
    assert words[1:40] in page.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "board" / "leaderboard.json").read_text(encoding="utf-8"))["encoder"] == words
    assert words in report_page(runs[0])
    assert build_board(runs, "rougeL").encoder == ""


def test_a_run_of_before_or_of_another_encoder_was_never_checked(evaluated, encoder, tmp_path):
    import shutil

    folder = shutil.copytree(evaluated["echo"], tmp_path / "run")
    scores = read_scores(folder / "scores.parquet")
    write_scores(folder / "scores.parquet", replace(scores, encoder_check=None))
    run = load_run(resealed(folder))
    assert encoder_words(run.scores) == NEVER and build_board([run]).encoder == NEVER
    assert NEVER in report_page(run)
    other = scores.encoder_check.model_copy(update={"signature": "of another"})
    assert encoder_words(replace(scores, encoder_check=other)) == NEVER
    assert encoder_words(scores.only(["rougeL"])) == ""
    again = rescore(folder, lambda language: run_metrics(language, str(encoder)))
    assert again.scores.encoder_check == scores.encoder_check == load_run(folder).scores.encoder_check


def test_one_process_checks_an_encoder_once_for_the_same_references(encoder, rows, monkeypatch):
    metric = default_metrics(ARABIC, str(encoder))[0]
    first = check_encoder(metric, *rows)
    monkeypatch.setattr(BertScore, "similarity", lambda *_: pytest.fail("checked again"))
    assert check_encoder(metric, rows[0][::-1], rows[1][::-1]) is first
