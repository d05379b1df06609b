"""Board and report in Arabic: no sentence of theirs is left in English, and the English is what it was."""

import dataclasses

import pytest
from maqa_severity.harness.languages.messages import choose, messages, spoken
from maqa_severity.harness.languages.sentences import Sentence, known_again, sentence, together
from maqa_severity.harness.pages.said import Sayings
from maqa_severity.harness.runs.completeness import lacking
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.verdicts import in_words
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.prose import english_prose
from maqa_severity.tests.test_board_truth import SEVERITIES, made

FEW = Resampling(resamples=200)


@pytest.fixture(autouse=True)
def usual_language():
    yield
    choose(None)


def trained(arm, scheme, seed, cv, gain):
    """A made run of a training of which there is much to say."""
    run = made(f"{arm}-{scheme}-{seed}", n=45, seed=seed + 10 * int(cv * 100), gain=gain, missed=10 + 50 * cv)
    source = {"name": "rules", "version": "1"}
    shown = {each: {"presentations": 1 + cv, "rate": 1 + cv} for each in SEVERITIES}
    training = {
        "arm": arm, "scheme": scheme, "seed": seed, "conditions": {"base": "b", "severity_source": source},
        "weights": {"cv": cv, "warning": "flat" if 0 < cv < 0.1 else ""}, "exposure": shown,
        "stopping": {"steps": 4, "planned_steps": 9, "best_step": 3}, "cost": {"training": {"seconds": 3}},
    }  # fmt: skip
    model = run.manifest.model.model_copy(update={"training": training})
    data = run.manifest.data.model_copy(update={"severity_source": source, "trained_on": 3, "limit": 20})
    return dataclasses.replace(run, manifest=run.manifest.model_copy(update={"model": model, "data": data}))


@pytest.fixture(scope="module")
def board():
    arms = [("ce", None, 0.0, 0.0), ("severity", "balanced", 0.05, 0.5), ("severity", "strong", 0.4, 1.0)]
    runs = [trained(arm, scheme, seed, cv, gain) for arm, scheme, cv, gain in arms for seed in (0, 1)]
    counted = {"n-samples": {"maqa_critical": {"effective": 25}}}
    short = dataclasses.replace(made("short", n=45, seed=8), lacks=lacking(counted, ["critical"] * 20))
    return build_board([*runs, made("hf", n=45), made("other", n=45, seed=4, kind="vllm"), short], "chrf", FEW)


def test_no_prose_of_a_board_is_english_where_the_reader_is_arabic(board):
    choose("ar")
    page = board_page(board)
    assert not english_prose(page)
    choose("en")
    assert len(english_prose(board_page(board))) > 40, "the reader of pages sees none at all"


def test_no_prose_of_a_report_is_english_where_the_reader_is_arabic():
    one, other = made_run("one", 45, 1), made_run("two", 45, 2)
    choose("ar")
    # Questions and answers are Arabic here; what a mark's title holds are names of detectors and rules.
    assert not english_prose(report_page(one, other, "chrf", FEW))


def test_a_sentence_is_english_text_and_knows_the_other_languages(board):
    said = board.claims[0].words
    assert isinstance(said, Sentence) and "severity-aware training helps (chrf, overall)" in said
    assert "التدريب المراعي للخطورة يفيد (⁨chrf⁩، جميع الأسئلة)" in said.texts["ar"]
    both = together([said, "x"])
    assert both == f"{said}; x" and both.texts["ar"] == f"{said.texts['ar']}؛ x"
    assert in_words([]) == ""
    assert said in board.model_dump_json() and said.texts["ar"] not in board.model_dump_json()


def test_a_sentence_that_a_file_holds_in_english_is_known_again():
    kept = str(sentence("standing.chance", kappa="0.02", low="-0.10", high="0.14"))
    again = known_again(kept, "standing.")
    assert isinstance(again, Sentence) and "0.14" not in again.texts["ar"].replace("٠٫١٤", "")
    assert type(known_again("of another program", "standing.")) is str


def test_the_same_sentence_twice_takes_no_other_ones_place():
    said = Sayings("en")
    for _ in range(2):
        said.by_language({"en": "one", "ar": "one"})
    assert said.spoken_page(f"<p>{said.say('page.none')}</p>").startswith('<p data-say="0">None.</p>')


def test_languages_have_the_same_keys_and_places_for_values():
    def shape(code):
        tongue = messages(code)
        return {key: sorted(set(_places(tongue.bare(key)))) for key in tongue.known()}

    assert all(shape(code) == shape("en") for code in spoken())


def _places(text):
    import string

    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
