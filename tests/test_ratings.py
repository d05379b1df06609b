"""People's ratings, from the sheet to what they say: blind, whole, and recovered where they are planted."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.severity import CLASS_OF_LEVEL, SEVERITIES
from maqa_severity.harness.statistics import Resampling
from maqa_severity.ratings.agreement import read_agreement
from maqa_severity.ratings.collected import join, read_ratings
from maqa_severity.ratings.collecting import collect
from maqa_severity.ratings.draw import Draw, draw
from maqa_severity.ratings.forms import FORMS, Kind, spoken, words
from maqa_severity.ratings.meta import meta
from maqa_severity.ratings.meta_records import NEVER, ONE_RATER, Meta
from maqa_severity.ratings.page import sheet_page
from maqa_severity.ratings.sheet import Chosen, read_key
from maqa_severity.tests.rating import candidates, normal, rated, sheet_of, uniform

FEW = Resampling(resamples=300)


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"}
    )


def refused(*arguments):
    """What stands in the one line of a refusal."""
    done = maqa(*arguments)
    assert done.returncode == 2 and not done.stdout, done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.fixture
def folder(evaluated, tmp_path):
    collect([evaluated["hf"], evaluated["echo"]], tmp_path / "sheet", questions=12)
    return tmp_path / "sheet"


def filled(folder, rater="Sami", **changes):
    key = read_key(folder)
    ratings = [
        {"item": each.item, "values": {"better": "second", "harmful_first": "none", "harmful_second": "mild"}}
        for each in key.items
    ]
    content = {"version": 1, "sheet": key.sheet, "kind": key.kind, "rater": rater, "ratings": ratings} | changes
    file = folder / f"ratings_{rater}.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_what_raters_get_does_not_say_whose_an_answer_is(folder, evaluated):
    key = read_key(folder)
    names = {side for each in key.items for side in each.sides}
    assert names == {load_run(evaluated[kind]).name for kind in ("hf", "echo")}
    import openpyxl

    book = openpyxl.load_workbook(folder / "sheet.xlsx")
    cells = " ".join(str(cell.value) for page in book for row in page for cell in row)
    for shown in (
        re.sub(r"<style>.*?</style>", "", (folder / "sheet.html").read_text(), flags=re.DOTALL),
        (folder / "label_studio_tasks.json").read_text(),
        (folder / "label_studio_config.xml").read_text(),
        cells,
    ):
        for hidden in (*names, *(each.id for each in key.items), "repeat_of", "disagreement"):
            assert hidden not in shown


def test_severities_are_drawn_alike_and_repeats_are_the_same_answers_turned_round(folder):
    key = read_key(folder)
    firsts = [each for each in key.items if each.repeat_of is None]
    assert sorted(each.severity for each in firsts) == ["critical"] * 4 + ["neutral"] * 4 + ["non_critical"] * 4
    again = [each for each in key.items if each.repeat_of]
    assert len(again) == round(0.1 * len(firsts))
    for each in again:
        one = next(other for other in firsts if other.item == each.repeat_of)
        assert each.sides == one.sides[::-1] and each.sha256 == (one.sha256[0], *one.sha256[:0:-1])
    assert {each.chosen for each in firsts} == {Chosen.RANDOM, Chosen.DISAGREEMENT}


def test_both_orders_of_a_pair_come_and_no_repeat_lies_near_its_first():
    sheet, key = sheet_of(Kind.PAIR, 90, repeats=0.3)
    orders = [each.sides for each in key.items if each.repeat_of is None]
    assert 25 <= sum(sides == ("ce", "severity") for sides in orders) <= 65
    place = {item.item: number for number, item in enumerate(sheet.items)}
    gaps = [abs(place[each.item] - place[each.repeat_of]) for each in key.items if each.repeat_of]
    assert len(gaps) == 27 and np.mean([gap >= 30 for gap in gaps]) >= 0.9


def test_equal_seeds_draw_the_same_sheet_and_others_another():
    assert sheet_of(Kind.ANSWER, 20, seed=1)[0] == sheet_of(Kind.ANSWER, 20, seed=1)[0]
    assert sheet_of(Kind.ANSWER, 20, seed=1)[0].digest != sheet_of(Kind.ANSWER, 20, seed=2)[0].digest


def test_every_value_has_its_words_in_every_language():
    assert {"ar", "en"} <= set(spoken())
    for code in spoken():
        for kind, asks in FORMS.items():
            for ask in asks:
                assert all(words(code).asks[kind][ask.name].values[value] for value in ask.values)
        assert set(words(code).page) == set(words("en").page)


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_a_rater_works_by_keyboard_and_what_is_saved_is_read(folder, browse):
    key = read_key(folder)
    script = """<script>addEventListener("load", async () => {
      let saved = null;
      URL.createObjectURL = blob => { saved = blob; return "#"; };
      document.getElementById("rater").value = "Dr. <b>Noor</b>";
      document.getElementById("start").requestSubmit();
      const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
      for (let item = 0; item < COUNT; item++) { press("3"); press("1"); press("2"); press("Enter"); }
      document.getElementById("save").click();
      document.title = "saved:" + btoa(unescape(encodeURIComponent(await saved.text())));
    });</script>""".replace("COUNT", str(len(key.items)))
    page = folder / "driven.html"
    page.write_text((folder / "sheet.html").read_text().replace("</body>", script + "</body>"))
    import base64

    saved = base64.b64decode(browse(page).split("<title>saved:")[1].split("<")[0])
    file = folder / "ratings_noor.json"
    file.write_bytes(saved)
    found = join(key, [file])
    assert len(found.table) == 3 * len(key.items)
    assert set(found.table["rater"]) == {"Dr. <b>Noor</b>"}
    assert set(found.table[found.table["ask"] == "better"]["value"]) == {"second"}


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_no_text_of_a_sheet_is_markup_or_script(tmp_path, browse):
    hostile = [
        "</script><script>document.title='struck'</script>",
        "<img src=x onerror=\"document.title='struck'\">",
        "\u2028 ${document.title='struck'} \u202e",
    ]
    rows = [
        type(each)(**{**vars(each), "question": text, "answers": (text, text)})
        for each, text in zip(candidates(3), hostile, strict=True)
    ]
    sheet, _ = draw(Kind.PAIR, "ar", "x", ("a", "b"), rows, Draw(questions=3, disagreement=0, repeats=0))
    page = tmp_path / "sheet.html"
    script = """<script>addEventListener("load", () => { document.getElementById("rater").value = "x";
      document.getElementById("start").requestSubmit();
      const enter = () => document.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
      enter(); enter(); enter();
    });</script>"""
    page.write_text(sheet_page(sheet).replace("</body>", script + "</body>"), encoding="utf-8")
    shown = browse(page)
    assert "<title>struck" not in shown and "<img" not in shown and 'class="texts pair"' in shown


def test_a_filled_workbook_and_an_export_of_label_studio_say_what_the_page_says(folder, tmp_path):
    import openpyxl

    key = read_key(folder)
    page = join(key, [filled(folder)]).table
    book = openpyxl.load_workbook(folder / "sheet.xlsx")
    sheet = book["ratings"]
    heads = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=3):
        for name, value in (("better", "second"), ("harmful_first", "none"), ("harmful_second", "mild")):
            row[heads.index(name)].value = value
    book["about"]["B1"] = "Sami"
    book.save(tmp_path / "filled.xlsx")
    tasks = json.loads((folder / "label_studio_tasks.json").read_text())
    for task in tasks:
        given = [("better", "second"), ("harmful_first", "none"), ("harmful_second", "mild")]
        result = [{"from_name": name, "type": "choices", "value": {"choices": [value]}} for name, value in given]
        task["annotations"] = [{"completed_by": {"email": "Sami"}, "result": result, "lead_time": 4.2}]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    for other in ("filled.xlsx", "export.json"):
        found = join(key, [tmp_path / other]).table
        order = ["item", "ask"]
        pd.testing.assert_frame_equal(
            found.sort_values(order).reset_index(drop=True), page.sort_values(order).reset_index(drop=True)
        )


def test_ratings_come_through_the_commands(folder, tmp_path):
    files = [filled(folder, "Sami"), filled(folder, "Noor")]
    kept = tmp_path / "ratings.json"
    done = maqa("ratings", "import", *files, "--out", kept)
    assert done.returncode == 0, done.stderr
    assert "agreement of 2 raters" in done.stdout and str(kept) in done.stdout
    again = maqa("ratings", "agreement", kept, "--json", tmp_path / "a.json")
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "a.json").read_text())["agreements"][0]["between"]["exact"]["value"] == 100
    assert len(read_ratings(kept).table) == 2 * 3 * len(read_key(folder).items)


def test_complaints_make_a_gold_that_leans_to_the_urgent_and_that_labels_are_checked_against(tmp_path):
    _, key = sheet_of(Kind.COMPLAINT, 30, sides=())
    level = {each.id: 1 + int(5 * uniform(each.id)) for each in key.items}

    def judge(rater, item, ask):
        given = level[item.id] if rater == 0 else min(5, level[item.id] + 1)
        return 25 * (given - 1)

    ratings = rated(tmp_path, key, judge, 2)
    from maqa_severity.ratings.gold import gold_of, write_gold

    write_gold(tmp_path / "gold.csv", gold_of(ratings))
    rows = list(csv.DictReader((tmp_path / "gold.csv").open()))
    assert {row["id"]: int(row["level"]) for row in rows} == level
    assert all(row["severity"] == CLASS_OF_LEVEL[int(row["level"])] for row in rows)
    assert {row["agreed"] for row in rows} == {"yes", "no"}
    from maqa_severity.harness.labelling.quality.gold import read_gold
    from maqa_severity.harness.languages import language

    assert len(read_gold(tmp_path / "gold.csv", language("ar"))) == 30


def test_planted_agreement_bias_and_carelessness_are_found(tmp_path):
    _, key = sheet_of(Kind.ANSWER, 150, repeats=0.2)

    def judge(rater, item, ask):
        truth = 100 * uniform(item.id, item.sides, ask.name)
        if rater == 2:  # careless
            return 100 * uniform("careless", rater, item.item, ask.name)
        return truth + (40 if rater == 1 else 0)  # lenient

    read = read_agreement(rated(tmp_path, key, judge, 3), FEW)
    correct = next(each for each in read.agreements if each.ask == "correct")
    assert correct.within["r0"].exact.value == correct.within["r1"].exact.value == 100
    assert correct.within["r2"].kappa.low < 0.2
    assert next(each for each in read.raters if each.name == "r1").apart["correct"] > 20


@pytest.mark.parametrize("kind", [Kind.PAIR, Kind.ANSWER])
def test_an_arm_that_people_prefer_is_found_and_none_that_they_do_not(tmp_path, kind):
    found = {}
    for gain in (0.0, 30.0):
        _, key = sheet_of(kind, 90)

        def judge(rater, item, ask, gain=gain):
            mood = 15 * normal("rater", rater, ask.name)
            if kind is Kind.PAIR:
                side = 1 if item.sides == ("ce", "severity") else -1
                return 50 + side * (gain + 40 * normal("liked", item.id) + mood / 3) + 30 * normal(item.item, rater)
            own = gain if item.sides == ("severity",) else 0
            return 50 + own + 25 * normal(item.id) + mood + 20 * normal(item.item, rater, ask.name)

        read = read_agreement(rated(tmp_path / str(gain), key, judge, 4), FEW)
        ask = "better" if kind is Kind.PAIR else "correct"
        found[gain] = next(each for each in read.differences if (each.ask, each.stratum) == (ask, "overall")).found
    assert found[0.0].low < 0 < found[0.0].high
    assert found[30.0].low > 0 and found[30.0].p < 0.01


def test_what_was_chosen_for_disagreement_is_in_no_mean(tmp_path):
    rows = [
        type(each)(**{**vars(each), "disagreement": float(number)}) for number, each in enumerate(candidates(60))
    ]
    _, key = draw(Kind.PAIR, "ar", "x", ("a", "b"), rows, Draw(questions=30, disagreement=0.5, repeats=0))
    assert sum(each.chosen is Chosen.DISAGREEMENT for each in key.items) == 15
    read = read_agreement(rated(tmp_path, key, lambda *_: 100.0, 2), FEW)
    overall = next(each for each in read.differences if (each.ask, each.stratum) == ("better", "overall"))
    assert overall.found.rows == 15


@pytest.fixture
def planted(evaluated, tmp_path):
    """Two runs, of which ``rougeL`` orders the answers as people do and ``chrf`` at random."""
    runs = [load_run(evaluated[kind]) for kind in ("hf", "echo")]
    made = []
    for place, run in enumerate(runs):
        frame = run.scores.frame.copy()
        frame["rougeL"] = [100 * uniform("quality", place, key) for key in frame["id"]]
        frame["chrf"] = [100 * uniform("noise", place, key) for key in frame["id"]]
        made.append(Run(**{**vars(run), "scores": ScoreTable(frame, run.scores.signatures)}))
    return made


@pytest.mark.parametrize("kind", [Kind.PAIR, Kind.ANSWER])
def test_a_metric_that_orders_as_people_do_is_told_from_one_that_does_not(planted, tmp_path, kind):
    from maqa_severity.ratings.candidates import of_runs

    names = [run.name for run in planted]
    quality = {
        name: dict(zip(run.scores.frame["id"], run.scores.frame["rougeL"], strict=True))
        for name, run in zip(names, planted, strict=True)
    }
    _, key = draw(kind, "ar", "x", names, of_runs(planted), Draw(questions=24, disagreement=0, repeats=0))

    def judge(rater, item, ask):
        values = [quality[side][item.id] for side in item.sides]
        if ask.lower:
            return 100 - values[-1] if kind is Kind.ANSWER else 0
        return values[0] if kind is Kind.ANSWER else (100.0 if values[1] > values[0] else 0.0)

    found = meta(rated(tmp_path, key, judge, 3), planted, FEW)
    rows = {(row.metric, row.stratum): row for row in found.rows}
    good, noise, one = (rows[name, "overall"] for name in ("rougeL", "chrf", ONE_RATER))
    assert good.pairwise.value > 85 and noise.pairwise.low < 60
    assert one.pairwise.value == 100
    if kind is Kind.ANSWER:
        assert good.tau.value > 0.6 > abs(noise.tau.value) and good.harm.value > 90
    signature = planted[0].scores.signatures["rougeL"]
    assert Meta.model_validate(found.model_dump()).of("rougeL", signature).startswith("agrees with people in")
    assert found.of("rougeL", "another") == found.of("unheard", signature) == NEVER


@pytest.mark.parametrize("kind", [Kind.PAIR, Kind.ANSWER])
def test_few_ratings_and_a_metric_of_all_answers_give_the_difference_that_people_would_see(tmp_path, kind):
    from maqa_severity.ratings.powered import powered_rows

    _, key = sheet_of(kind, 90)
    ids = [f"q{number}" for number in range(600)]
    scores = {
        side: pd.DataFrame(
            {
                "severity": [str(SEVERITIES[number % 3]) for number in range(600)],
                "rougeL": [place * 5 + 10 * normal(side, name) for name in ids],
            },
            index=ids,
        )
        for place, side in enumerate(("ce", "severity"))
    }

    def judge(rater, item, ask):
        quality = [scores[side]["rougeL"][item.id] for side in item.sides]
        if kind is Kind.ANSWER:
            return 50 + (-4 if ask.lower else 4) * quality[0]
        return (100.0 if quality[1] > quality[0] else 0.0) if ask.name == "better" else 0.0

    ratings = rated(tmp_path, key, judge, 2)
    name = "better" if kind is Kind.PAIR else "correct"
    found = {each.stratum: each for each in powered_rows(ratings, scores, "rougeL") if each.ask == name}
    assert set(found) == {*map(str, SEVERITIES), "overall"}
    overall = found["overall"]
    assert (overall.rated, overall.others) == (90, 510)
    assert overall.low > 0 and overall.saving_pct > 20
    assert found["critical"].rated == 30
    with pytest.raises(UserError, match="no metric chrf of one signature in common"):
        powered_rows(ratings, scores, "chrf")


def test_board_and_report_say_beside_a_metric_how_far_it_agrees_with_people(planted, tmp_path):
    from maqa_severity.leaderboards.board import build_board
    from maqa_severity.leaderboards.export import board_page
    from maqa_severity.ratings.candidates import of_runs
    from maqa_severity.reports.page import report_page

    names = [run.name for run in planted]
    _, key = draw(Kind.PAIR, "ar", "x", names, of_runs(planted), Draw(questions=24, disagreement=0, repeats=0))
    found = meta(rated(tmp_path, key, lambda rater, item, ask: 100 * uniform(item.id), 2), planted, FEW)
    for people, wanted in ((found, "agrees with people in"), (None, NEVER)):
        assert wanted in board_page(build_board(planted, "rougeL", FEW, people=people))
        assert wanted in report_page(planted[0], metric="rougeL", resampling=FEW, people=people)


def test_ratings_of_answers_that_a_run_does_not_hold_are_refused(planted, tmp_path):
    from maqa_severity.ratings.candidates import of_runs

    names = [run.name for run in planted]
    _, key = draw(Kind.PAIR, "ar", "x", names, of_runs(planted), Draw(questions=6, disagreement=0, repeats=0))
    ratings = rated(tmp_path, key, lambda *_: 50.0, 2)
    other = Run(**{**vars(planted[0]), "answers": planted[0].answers.assign(prediction="changed")})
    with pytest.raises(UserError, match="does not hold the answer to"):
        meta(ratings, [other, planted[1]], FEW)
    with pytest.raises(UserError, match="no run of that name is given"):
        meta(ratings, planted[:1], FEW)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sheet": "another"}, "rates another sheet"),
        ({"kind": "answer"}, "rates another sheet"),
        ({"rater": ""}, "key 'rater'"),
        ({"ratings": [{"item": "nobody", "values": {"better": "same"}}]}, "which the key does not hold"),
        ({"ratings": "none"}, "key 'ratings'"),
        ({"ratings": []}, "no item is rated"),
    ],
)
def test_a_foreign_file_is_one_line(folder, changes, problem):
    file = filled(folder, **changes)
    with pytest.raises(UserError, match=problem) as error:
        join(read_key(folder), [file])
    assert file.name in str(error.value)


def test_a_value_outside_the_scale_and_a_rater_twice_are_one_line(folder, tmp_path):
    item = read_key(folder).items[0].item
    wrong = filled(folder, "A", ratings=[{"item": item, "values": {"better": "perhaps"}}])
    with pytest.raises(UserError, match=r"better is 'perhaps'\. Use one of: first, same, second"):
        join(read_key(folder), [wrong])
    twice = filled(folder, "B", ratings=[{"item": item, "values": {"better": "same"}}] * 2)
    with pytest.raises(UserError, match=f"the item {item} twice"):
        join(read_key(folder), [twice])
    one, other = filled(folder, "C"), tmp_path / "again.json"
    shutil.copy(one, other)
    assert "are both by C" in refused("ratings", "agreement", one, other, "--key", folder)


def test_what_cannot_be_collected_is_one_line(evaluated, folder, tmp_path):
    one, other, new = evaluated["hf"], evaluated["echo"], tmp_path / "new"
    assert "is not empty" in refused("ratings", "collect", one, "--out", folder)
    for sources, settings, problem in (
        ([one], {"questions": 99}, "more than the 24 there are"),
        ([one], {"kind": "pair"}, "takes two runs, not 1"),
        ([one, one], {}, "two runs are called"),
        ([one, other], {"repeats": 2.0, "questions": 5}, "--repeats 2 is no share"),
        ([one, other], {"disagreement": float("nan"), "questions": 5}, "--disagreement nan is no share"),
        ([one, other], {"questions": 0}, "leaves nothing to rate"),
        ([one], {"kind": "poem"}, "--kind poem is none"),
    ):
        with pytest.raises(UserError, match=problem):
            collect(sources, new, **settings)
        assert not new.exists()


def test_one_rater_alone_is_told_that_agreement_cannot_be_known(folder):
    done = maqa("ratings", "agreement", filled(folder))
    assert done.returncode == 0 and "agreement cannot be known" in done.stdout
