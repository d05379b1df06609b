"""Complaints labelled by people: what is chosen, the page by keyboard in both languages, labels from elsewhere."""

from __future__ import annotations

import base64
import csv
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.data.severity_map import SeverityMap
from maqa_severity.harness.labelling.audit.gold_table import read_gold_table
from maqa_severity.harness.labelling.quality.gold import read_gold
from maqa_severity.harness.labelling.sources.choose import Around, open_sources
from maqa_severity.harness.labelling.triage.manual import load_manual, signs
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.harness.statistics import Resampling
from maqa_severity.ratings.agreement import read_agreement
from maqa_severity.ratings.candidates import of_dataset
from maqa_severity.ratings.collected import join, read_ratings, write_ratings
from maqa_severity.ratings.collecting import collect
from maqa_severity.ratings.elsewhere import ratings_elsewhere
from maqa_severity.ratings.gold import gold_of, write_gold
from maqa_severity.ratings.sheet import Chosen, read_key
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

FEW = Resampling(resamples=200)
ROWS = random.Random(3).sample(handwritten_rows(ARABIC), 60)


@pytest.fixture
def dataset(tmp_path):
    rows = [{**row, "severity": None} for row in ROWS]
    return dataset_from_rows({"train": rows[:50], "test": rows[50:]}, tmp_path / "d", language=ARABIC, source="s")


def file_of(path: Path, value, rows=ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "severity"], *([row["id"], value(row)] for row in rows)])
    return path


def test_where_sources_disagree_is_chosen_beside_random_ones(dataset, tmp_path):
    odd = {row["id"] for row in ROWS[:8]}
    true = file_of(tmp_path / "x.csv", lambda row: row["severity"])
    other = {"critical": "mild", "neutral": "critical", "non_critical": "critical"}
    most = file_of(tmp_path / "y.csv", lambda row: other[row["severity"]] if row["id"] in odd else row["severity"])
    sources = open_sources([str(true), str(most)], ARABIC, None, Around(dataset))
    found = {each.id: each.disagreement for each in of_dataset(dataset, sources)}
    assert all((found[key] > 0) == (key in odd) for key in found)
    collect([dataset.folder], tmp_path / "sheet", questions=24, repeats=0.25, labellers=sources)
    key = read_key(tmp_path / "sheet")
    chosen = {each.id for each in key.items if each.chosen is Chosen.DISAGREEMENT}
    assert chosen and chosen <= odd
    assert sum(each.repeat_of is not None for each in key.items) == 6
    assert len({each.severity for each in key.items}) == 3


SCRIPT = """<script>addEventListener("load", async () => {
  let saved = null;
  URL.createObjectURL = blob => { saved = blob; return "#"; };
  const press = (key, on) => (on || document.activeElement || document).dispatchEvent(
    new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  const seen = {};
  if (document.documentElement.lang !== "LANG") press("l", document);
  seen.lang = document.documentElement.lang; seen.dir = document.documentElement.dir;
  document.getElementById("rater").focus();
  document.getElementById("rater").value = "Noor";
  document.getElementById("start").requestSubmit();
  document.getElementById("rater").blur();
  press("m", document);
  const help = document.getElementById("help");
  seen.open = help.open; seen.manual = help.textContent;
  const find = help.querySelector("input[type=search]");
  find.value = "SOUGHT"; find.oninput();
  seen.found = [...help.querySelectorAll("details[open] li:not([hidden])")].map(each => each.textContent);
  press("1", help); help.close();
  seen.keys = document.querySelector("[data-word=keys]").textContent;
  seen.buttons = [...document.querySelectorAll(".choices button")].map(each => each.textContent);
  for (let item = 0; item < COUNT; item++) {
    press(String(1 + item % 5), document);
    if (item === 0) {
      press("n", document); seen.focus = document.activeElement.id;
      document.activeElement.value = "note"; document.activeElement.dispatchEvent(new Event("input"));
      press("2"); press("Escape"); seen.left = document.activeElement.id;
    }
    if (item === 1) { press("Backspace", document); press("Enter", document); }
    press("Enter", document);
  }
  press("s", document);
  const out = JSON.stringify({seen, saved: JSON.parse(await saved.text())});
  document.title = "saved:" + btoa(unescape(encodeURIComponent(out)));
});</script>"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
@pytest.mark.parametrize(("code", "direction"), [("ar", "rtl"), ("en", "ltr")])
def test_a_clinician_labels_by_keyboard_in_either_language_with_the_manual_at_hand(
    dataset, tmp_path, browse, code, direction
):
    collect([dataset.folder], tmp_path / "sheet", questions=10, repeats=0.2)
    key = read_key(tmp_path / "sheet")
    name, more = signs(language(code))[0].named[0]
    script = SCRIPT.replace("COUNT", str(len(key.items))).replace("LANG", code).replace("SOUGHT", name)
    page = tmp_path / "driven.html"
    text = (tmp_path / "sheet" / "sheet.html").read_text(encoding="utf-8")
    page.write_text(text.replace("</body>", script + "</body>"), encoding="utf-8")
    told = json.loads(base64.b64decode(browse(page).split("<title>saved:")[1].split("<")[0]))
    seen = told["seen"]
    assert (seen["lang"], seen["dir"], seen["open"]) == (code, direction, True)
    manual = load_manual(language(code))
    for words in (manual.title, *manual.steps, *(each.follows for each in manual.levels.values()), name, more):
        assert words in seen["manual"]
    assert all(each.name in seen["manual"] for each in manual.levels.values())
    assert seen["found"] and all(name.lower() in line.lower() for line in seen["found"])
    assert len(seen["buttons"]) == 5 and "S" in seen["keys"]
    assert (seen["focus"], seen["left"]) == ("note", "")
    saved = tmp_path / "ratings_noor.json"
    saved.write_text(json.dumps(told["saved"]), encoding="utf-8")
    found = join(key, [saved])
    assert len(found.table) == len(key.items) and told["saved"]["ratings"][0]["note"] == "note"
    assert [each["values"]["level"] for each in told["saved"]["ratings"]] == [
        str(1 + place % 5) for place in range(len(key.items))
    ]


def test_nothing_on_the_page_says_what_a_complaint_was_labelled(dataset, tmp_path):
    collect([dataset.folder], tmp_path / "sheet", questions=10)
    key = read_key(tmp_path / "sheet")
    book = openpyxl.load_workbook(tmp_path / "sheet" / "sheet.xlsx")
    (choices,) = book["ratings"].data_validations.dataValidation
    assert choices.formula1 == '"1,2,3,4,5"'
    for name in ("sheet.html", "label_studio_tasks.json"):
        text = (tmp_path / "sheet" / name).read_text(encoding="utf-8")
        assert not any(each.id in text for each in key.items) and "repeat_of" not in text


def test_sheets_make_a_gold_that_check_and_audit_read_with_its_raters(dataset, tmp_path):
    collect([dataset.folder], tmp_path / "sheet", questions=12, repeats=0.5)
    key = read_key(tmp_path / "sheet")
    truth = {row["id"]: {"critical": 2, "neutral": 3, "non_critical": 5}[row["severity"]] for row in ROWS}
    files = []
    for rater, shift in (("Sami", 0), ("Noor", 1)):
        given = [
            {"item": each.item, "values": {"level": str(min(5, truth[each.id] + shift))}} for each in key.items
        ]
        files.append(tmp_path / f"ratings_{rater}.json")
        content = {"version": 1, "sheet": key.sheet, "kind": "complaint", "rater": rater, "ratings": given}
        files[-1].write_text(json.dumps(content), encoding="utf-8")
    ratings = join(key, files)
    (asked,) = read_agreement(ratings, FEW).agreements
    assert asked.between.kappa.value > 0.5 and asked.within["Sami"].exact.value == 100
    write_gold(tmp_path / "gold.csv", gold_of(ratings))
    gold = read_gold(tmp_path / "gold.csv", ARABIC)
    assert gold == {each.id: CLASS_OF_LEVEL[truth[each.id]].rank for each in key.items}
    table = read_gold_table(tmp_path / "gold.csv", ARABIC, dataset)
    assert table.annotators == ["Noor", "Sami"] and table.overlapping
    assert table.ranks.tolist() == [gold[name] for name in table.ids]


@pytest.mark.parametrize(
    ("values", "kind"), [(("2", "3", "5"), "complaint"), (("حرجة", "عاجل", "mild"), "severity")]
)
def test_labels_from_elsewhere_become_ratings_with_agreement_and_a_gold(dataset, tmp_path, values, kind):
    word = dict(zip(("critical", "neutral", "non_critical"), values, strict=True))
    one = file_of(tmp_path / "a.csv", lambda row: word[row["severity"]])
    two = file_of(
        tmp_path / "b.csv", lambda row: word["critical"] if row is ROWS[0] else word[row["severity"]], ROWS[:30]
    )
    found = ratings_elsewhere([one, two], dataset, SeverityMap(None, ARABIC))
    assert found.key.kind == kind and list(found.raters) == ["a", "b"]
    (asked,) = read_agreement(found, FEW).agreements
    assert asked.between.units == 30 and asked.between.kappa.value > 0.9
    write_ratings(tmp_path / "r.json", found)
    assert len(read_ratings(tmp_path / "r.json").table) == 90
    write_gold(tmp_path / "gold.csv", gold_of(found))
    rank = {"critical": 2, "neutral": 1, "non_critical": 0}
    assert read_gold(tmp_path / "gold.csv", ARABIC) == {row["id"]: rank[row["severity"]] for row in ROWS} | {
        ROWS[0]["id"]: 2
    }


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"}
    )


def test_the_commands_import_labels_from_elsewhere_and_refuse_in_one_line(dataset, tmp_path):
    both = tmp_path / "both.csv"
    lines = [["id", "annotator", "severity"], *([row["id"], who, row["severity"]] for row in ROWS for who in "ab")]
    with both.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(lines)
    out = ["--out", tmp_path / "r.json", "--gold", tmp_path / "g.csv", "--resamples", 200]
    done = maqa("ratings", "import", both, "--data", dataset.folder, *out)
    assert done.returncode == 0 and "agreement of 2 raters" in done.stdout, done.stderr
    done = maqa("ratings", "import", both, "--data", dataset.folder, "--severity-map", "critical=1", *out)
    assert done.returncode == 2 and "does not name" in done.stderr and len(done.stderr.splitlines()) == 1


def test_raters_without_an_item_in_common_are_one_line_and_one_alone_is_said(dataset, tmp_path):
    one, two = (
        file_of(tmp_path / f"{name}.csv", lambda row: "2", ROWS[place : place + 5])
        for name, place in (("a", 0), ("b", 5))
    )
    with pytest.raises(UserError, match=r"a and b rated no item in common.*Have them rate some items in common"):
        read_agreement(ratings_elsewhere([one, two], dataset, SeverityMap(None, ARABIC)), FEW)
    alone = read_agreement(ratings_elsewhere([one], dataset, SeverityMap(None, ARABIC)), FEW)
    assert alone.agreements[0].between is None
