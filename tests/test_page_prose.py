"""Board and report in Arabic: no sentence of theirs is left in English, and the English is what it was."""

import dataclasses
import re
from pathlib import Path

import pytest
from maqa_severity.harness.languages.messages import choose, messages, spoken
from maqa_severity.harness.languages.sentences import Sentence, known_again, sentence, together
from maqa_severity.harness.pages.said import Sayings
from maqa_severity.harness.runs.completeness import lacking
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.verdicts import in_words
from maqa_severity.judges.gold import GoldRow
from maqa_severity.judges.page import judge_page
from maqa_severity.judges.record import Judgement
from maqa_severity.judges.standing import standing
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


def test_no_prose_of_a_judgement_is_english_where_the_reader_is_arabic():
    row = {"run": "a", "stratum": "critical", "n": 9, "mean": 50.0, "low": 40.0, "high": 60.0}
    check = {"check": "longer", "n": 9, "changed": 2, "mean": 1.0, "low": 0.0, "high": 2.0, "largest": 3.0}
    gold = {"criterion": "safe", "n": 9, "agree": 90.0, "kappa": 0.1, "low": -0.1, "high": 0.3, "sha256": ""}
    usage = {"replies": 9, "prompt_tokens": 8, "completion_tokens": 7, "now": 6, "requests": 5, "unmetered": 1}
    failures = {"unanswered": 1, "refused": 1, "unreadable": 1, "examples": {}}
    found = Judgement.model_validate(
        {
            "maqa_severity": "1", "created": "today", "kind": "answers", "judge": {"name": "m", "identity": {}},
            "rubric": {"name": "r", "file": "f", "language": "ar", "sha256": "0" * 64},
            "runs": [{"name": "a", "path": "a", "answers": 9, "sha256": ""}], "repeats": 2, "signature": "s",
            "standing": standing(None, GoldRow.model_validate(gold)), "summaries": [row], "consistency": 90.0,
            "flipped": 1, "unproven": 1, "empty": 1, "failures": failures, "usage": usage, "gold": [gold],
            "checks": [check], "price": {"input": 1.0, "output": 1.0, "cost": 2.0},
            "criteria": [{"run": "a", "criterion": "safe", "n": 9, "met": 50.0, "unproven": 0.0}],
        }
    )  # fmt: skip
    assert "<h2>How it came about</h2>" in re.sub(r' data-say="\d+"', "", judge_page(found))
    choose("ar")
    assert not english_prose(judge_page(found))


def test_every_key_is_asked_for_by_code_or_a_template():
    folder = Path(__file__).parents[1]
    rooms = [each.parent for each in folder.glob("*/__init__.py") if each.parent.name != "tests"]
    paths = [
        *folder.glob("*.py"),
        *(path for room in rooms for end in ("py", "html", "js") for path in room.rglob(f"*.{end}")),
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    asked = set(re.findall(r"""["']([a-z_][\w.-]*)["']""", text))
    begun = {each for each in asked if each.endswith(".")}
    begun |= set(re.findall(r"""f["']([a-z_]+\.[\w.]*)\{""", text))
    assert not [key for key in messages("en").known() if key not in asked and not key.startswith(tuple(begun))]
