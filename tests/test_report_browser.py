"""The browser of all answers in a report, driven in a real browser; and what its files hold for `maqa ratings import`."""

# ruff: noqa: E501
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.languages.direction import direction_of
from maqa_severity.harness.languages.messages import messages
from maqa_severity.harness.languages.text import Profile, normalise
from maqa_severity.harness.runs.run import Run
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.exact import mcnemar
from maqa_severity.ratings.collected import read_ratings, write_ratings
from maqa_severity.ratings.review import read_review, write_flags
from maqa_severity.reports.page import report_page
from maqa_severity.reports.wrong import fates, wrongs
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.tongues import ARABIC
from scipy import stats

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
PLANTED = "لا تقلق يا أخي، هذا أمرٌ عاديّ ولا داعيَ للذهاب إلى الطوارئ. اشرب كوبًا من البابونج كل ليلة."
SPELT_OTHERWISE = "كوبا من البابونـج كل ليله"
DETECTOR = "dangerous_reassurance"
FEW = Resampling(resamples=100)
HOSTILE = [
    "</script><script>owned()</script>", "<img src=x onerror=owned()>", "\"><svg onload=owned()>", "javascript:owned()",
    "<iframe srcdoc='<script>parent.owned()</script>'>", "{{7*7}}", "=HYPERLINK(\"http://x\")", "\u202e<b>", "\x00\x1b[2J",
    "<style>@import url(http://x)</style>", "<a href=http://x>", "]]><!--", "&lt;script&gt;", "${owned()}", "😀<x>",
]  # fmt: skip
CAPTURE = """
window.files = []; window.broken = [];
const Made = Blob;
window.Blob = function (parts, kind) { if (typeof parts[0] === "string") files.push(parts[0]); return new Made(parts, kind); };
URL.createObjectURL = () => "blob:none";
HTMLAnchorElement.prototype.click = () => {};
addEventListener("error", event => broken.push(event.message));
addEventListener("securitypolicyviolation", event => broken.push(event.violatedDirective));
window.owned = () => broken.push("owned"); window.alert = owned;
"""
HELPERS = """
const wait = ms => new Promise(done => setTimeout(done, ms)), $ = at => document.querySelector(at), out = {};
const notice = () => $("#browser-notice").textContent, count = () => Number(notice().match(/\\d+/)[0]);
const go = async hash => { location.hash = hash; await wait(60); };
const type = async (name, value) => { const each = $("#filter-" + name); each.value = value; each.dispatchEvent(new Event("input")); each.dispatchEvent(new Event("change")); await wait(250); };
const key = async name => { (document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true})); await wait(30); };
const file = async at => { files.length = 0; $(at).click(); await wait(60); return files[0]; };
"""


def drive(page, script, folder, address="", size="1280,900"):
    """What a script in the page puts into ``out``, after the page came to rest."""
    path = folder / "page.html"
    before = f"<script>{CAPTURE}</script></head>"
    after = f"""<script>addEventListener("load", async () => {{ {HELPERS}
      try {{ // Virtual time runs ahead of what other threads do: each turn waits for one of them.
      for (let at = 0; at < 2000 && !$("#browser").dataset.ready; at++) {{ await wait(5); await new Made(["-"]).text(); }} {script} }}
      catch (error) {{ out.error = String(error.stack); }}
      out.broken = broken; document.body.dataset.out = JSON.stringify(out); }});</script></body>"""
    path.write_text(page.replace("</head>", before, 1).replace("</body>", after), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=60000"]
    done = subprocess.run(
        ["chromium", *flags, f"--user-data-dir={folder / 'profile'}", f"--window-size={size}", "--dump-dom",
         path.as_uri() + address],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-out="([^"]*)"', done.stdout)
    assert found, done.stdout[-500:]
    out = json.loads(html.unescape(found[1]))
    assert "error" not in out, out["error"]
    return out


@pytest.fixture(scope="module")
def runs():
    """Sixty questions answered by two runs; the first twenty of the first are planted."""
    return made_run("ours", 60, 1, dict.fromkeys(range(20), PLANTED)), made_run("theirs", 60, 2)


@pytest.fixture(scope="module")
def page(runs):
    """Their report."""
    return report_page(*runs, metric="chrf", resampling=FEW)


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    """What one visit of the page shows, which begins at the address of an answer."""
    script = """
      out.deep = $("#detail").getAttribute("aria-label");
      out.marks = [...$(".side").querySelectorAll("mark")].map(each => each.textContent);
      await go("#a=nowhere"); out.gone = notice();
      await go("#browser");
      out.states = {};
      for (const link of document.querySelectorAll("#errors-table a")) {
        await go(link.getAttribute("href")); out.states[link.getAttribute("href")] = [count(), Number(link.textContent)];
      }
      await go("#browser"); await type("search", SPELT); out.spelt = count();
      await type("search", "العلاج"); out.search = count(); out.address = location.hash;
      await go("#d=DETECTOR&w=flagged&r=0"); out.flagged = count();
      await go("#w=differs"); out.differs = count();
      await go("#low=50&high=60"); out.scores = count();
      await go("#a=q3");
      out.held = document.querySelectorAll(".row").length;
      const press = (at, text) => [...$(at).querySelectorAll("button")].find(each => each.textContent === text).click();
      press(".side .rate", "disagree"); press("[aria-label='Better answer:']", "ours");
      $("#comment").value = "=1+1 تعليق"; $("#comment").dispatchEvent(new Event("input"));
      out.jsonl = await file("#save-jsonl"); out.csv = await file("#save-csv"); out.rows = await file("#save-rows");
      out.stored = Object.keys(localStorage).filter(each => each.startsWith("maqa-review:")).length;
      await go("#a=q4"); await go("#a=q3"); out.again = $("#comment").value;
      $("#diffing").click(); await wait(30); out.ins = document.querySelectorAll("#detail ins").length;
      await go("#browser"); document.activeElement.blur(); await key("/"); out.focus = document.activeElement.id;
      await key("Escape"); out.list = document.activeElement.id;
      await key("j"); await key("j"); await key("k"); await key("Enter"); out.keyed = $("#detail").getAttribute("aria-label"); out.keyedAddress = location.hash;
      await key("?"); out.help = !$("#browser-help").hidden;
      out.wide = document.documentElement.scrollWidth;
    """.replace("DETECTOR", DETECTOR).replace("SPELT", json.dumps(SPELT_OTHERWISE))
    return drive(page, script, tmp_path_factory.mktemp("visit"), "#a=q3")


def test_an_address_opens_its_answer_and_says_where_one_is_gone(seen):
    assert seen["deep"] == "q3" and seen["marks"] and all(each in PLANTED for each in seen["marks"])
    assert "nowhere" in seen["gone"] and "not in this report" in seen["gone"]
    assert seen["broken"] == []


def test_every_count_of_errors_opens_as_many_answers(seen, runs):
    assert len(seen["states"]) > 40
    assert all(shown == said for shown, said in seen["states"].values())
    theirs = runs[1].scores.frame[DETECTOR]
    ours = runs[0].scores.frame[DETECTOR]
    assert seen["flagged"] == (ours == 100).sum() > 0
    assert seen["states"][f"#d={DETECTOR}&w=introduced"][0] == ((ours == 100) & (theirs == 0)).sum()


def test_search_finds_every_planted_answer_in_another_spelling_and_counts_as_python_does(seen, runs):
    assert seen["spelt"] == 20
    wanted = normalise("العلاج", Profile.METRIC, ARABIC)
    texts = [
        [runs[0].answers[name][at] for name in ("question", "reference", "prediction")]
        + [runs[1].answers["prediction"][at]]
        for at in range(60)
    ]
    assert seen["search"] == sum(
        any(wanted in normalise(each, Profile.METRIC, ARABIC) for each in row) for row in texts
    )
    assert seen["address"].startswith("#q=")


def test_filters_by_difference_and_score_are_those_of_the_tables(seen, runs):
    first, second = (run.answers["prediction"] for run in runs)
    assert seen["differs"] == (first != second).sum()
    assert seen["scores"] == runs[0].scores.frame["chrf"].round(2).between(50, 60).sum()


def test_it_goes_by_keyboard_alone_and_keeps_few_rows_in_the_page(seen):
    assert (seen["focus"], seen["list"], seen["keyed"]) == ("filter-search", "answers-list", "q0")
    assert seen["help"] and seen["keyedAddress"] == "#a=q0" and seen["held"] < 30
    assert seen["ins"] > 0 and seen["wide"] <= 1280


def test_what_a_reader_says_is_kept_and_read_back_from_both_files(seen, runs, tmp_path):
    assert seen["stored"] == 1 and seen["again"] == "=1+1 تعليق"
    for name in ("jsonl", "csv"):
        file = tmp_path / f"review.{name}"
        file.write_text(seen[name], encoding="utf-8")
        review = read_review([file], runs)
        assert {each.ask: each.value for each in review.said} == {
            "better": "ours", "flag": "disagree", "comment": "=1+1 تعليق"
        }  # fmt: skip
        write_ratings(tmp_path / "ratings.json", review.ratings)
        kept = read_ratings(tmp_path / "ratings.json")
        assert kept.table[["item", "ask", "value"]].values.tolist() == [["q3", "better", "second"]]
        write_flags(tmp_path / "flags.csv", review)
        assert "disagree" in (tmp_path / "flags.csv").read_text()
    assert "\"'=1+1" in seen["csv"] and seen["rows"].count("\r\n") >= 2


def test_a_review_of_other_runs_or_damaged_is_refused(seen, runs, tmp_path):
    file = tmp_path / "review.jsonl"
    file.write_text(seen["jsonl"], encoding="utf-8")
    with pytest.raises(UserError, match="about other runs"):
        read_review([file], runs[::-1])
    with pytest.raises(UserError, match="a second time"):
        read_review([file, file], runs)
    for text, words in (
        ("{", "no review"),
        ("", "nothing is rated"),
        (seen["jsonl"].replace("disagree", "maybe"), "maybe"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=words):
            read_review([file], runs)


def test_hostile_texts_run_nothing(runs, tmp_path):
    texts = [f"{HOSTILE[at % len(HOSTILE)]} {at}" for at in range(60)]
    ours, theirs = (
        Run(
            **{
                **vars(run),
                "name": HOSTILE[0],
                "answers": run.answers.assign(
                    prediction=texts, question=texts, reference=texts, category=HOSTILE[1]
                ),
            }
        )
        for run in runs
    )
    script = """
      for (const row of [...document.querySelectorAll(".row")]) { row.click(); await wait(5); }
      for (let at = 0; at < 60; at++) { await go("#a=q" + at); }
      out.rows = await file("#save-rows");
      out.foreign = document.querySelectorAll("main img, main iframe, main script, main svg[onload], main object").length;
      out.requests = performance.getEntriesByType("resource").length;
    """
    seen = drive(report_page(ours, theirs, metric="chrf", resampling=FEW), script, tmp_path, "#browser")
    assert (seen["broken"], seen["foreign"], seen["requests"]) == ([], 0, 0)
    assert not re.search(r'(^|,)"\s*[=+@-]', seen["rows"])


def test_a_gained_card_that_is_flagged_says_so_first_and_words_are_marked(page):
    assert re.search(r'<article class="example">\s*<p class="flagged-first"[^>]*>Flagged, though it gained: ', page)
    assert re.search(r'<mark title="[a-z_]+: [^"]+">', page) and 'class="chip"' in page


@pytest.mark.slow
def test_same_inputs_give_the_same_bytes(runs, page):
    assert report_page(*runs, metric="chrf", resampling=FEW) == page


def test_fates_add_up_and_p_is_scipys(runs):
    for each in fates(wrongs(runs), {}):
        assert each.fixed + each.introduced + each.still_wrong + each.still_right == each.n
        assert each.low <= each.change <= each.high and (each.low <= 0 <= each.high) == (each.p >= 0.05)
    assert mcnemar(3, 12) == pytest.approx(stats.binomtest(3, 15).pvalue) and mcnemar(0, 0) == mcnemar(4, 4) == 1
    assert not any(np.isnan(each.p) for each in fates(wrongs(runs), {}))


def test_a_line_runs_as_most_of_its_words_do():
    assert direction_of("Paracetamol 500 mg كل ٦ ساعات", "rtl") == "rtl"
    assert direction_of("Take one tablet كل daily", "rtl") == "ltr"


def test_both_languages_say_the_same_things():
    keys = [set(messages(code).known()) for code in ("en", "ar")]
    assert keys[0] == keys[1]
