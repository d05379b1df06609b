"""Pages in the reader's language: what they say first, what a switch puts there, and in which direction."""

import json
import re
from pathlib import Path

import pytest
from maqa_severity.harness import pages
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.languages.direction import direction_of
from maqa_severity.harness.languages.messages import VARIABLE, choose, messages, reader
from maqa_severity.harness.pages import render
from maqa_severity.harness.pages.glossary import glossary_text


@pytest.fixture(autouse=True)
def usual_language():
    yield
    choose(None)


def page(folder, body, **values):
    (folder / "one.html").write_text(
        '{% extends "base.html" %}{% block title %}{{ say("page.none") }}{% endblock %}{% block content %}'
        f"{body}{{% endblock %}}"
    )
    return render(folder, "one.html", **values)


def held(text):
    return json.loads(re.search(r'id="languages">(.*?)</script>', text)[1])


def test_one_page_holds_both_languages_and_begins_in_the_chosen_one(tmp_path):
    body = '<p>{{ say("page.empty") }}</p>'
    english = page(tmp_path, body)
    choose("ar")
    arabic = page(tmp_path, body)
    assert '<html lang="en" dir="ltr">' in english and '<html lang="ar" dir="rtl">' in arabic
    assert re.search(r'<p data-say="\d+">empty</p>', english)
    place = int(re.search(r'<p data-say="(\d+)">إجابة فارغة</p>', arabic)[1])
    assert held(arabic)["texts"]["en"][place] == "empty"
    assert page(tmp_path, body) == arabic


def test_a_sentence_may_stand_in_elements_attributes_and_beside_other_text(tmp_path):
    none = '{{ say("page.none") }}'
    found = page(
        tmp_path,
        f"""<p aria-label="{none}">n 3 <b>b</b> {{{{ say("page.step", n=4) }}}}<i>{none}, c</i></p>
        <svg><title>{none}</title></svg>""",
    )
    assert re.search(r'<p aria-label="None\." data-say-on="aria-label \d+">n 3 <b>b</b>', found)
    assert re.search(r' <span data-say="\d+">step 4</span><i data-say="\d+">None\., c</i>', found)
    assert re.search(r'<title data-say="\d+">None\.</title></svg>', found)
    assert "الخطوة \u2066٤\u2069" in held(found)["texts"]["ar"]


def test_a_hostile_value_is_text_in_every_language_and_can_forge_no_sentence(tmp_path):
    body = '<p>{{ bad }}</p><b>{{ say("page.step", n=bad) }}</b>'
    found = page(tmp_path, body, bad="</script><img src=x>\ue0000\ue001\ue002")
    assert "<img" not in found and found.count("</script>") == 2
    assert not re.search("[\ue000-\ue002]", found)
    assert all("<img" not in text for texts in held(found)["texts"].values() for text in texts)


def test_the_environment_gives_the_language_and_an_unknown_one_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "ar")
    assert reader() == "ar"
    choose("en")
    assert reader() == "en"
    with pytest.raises(UserError, match=r"--lang: unknown language 'xx'. Use one of: ar, en"):
        choose("xx")
    choose(None)
    monkeypatch.setenv(VARIABLE, "xx")
    with pytest.raises(UserError, match="MAQA_LANG"):
        reader()


@pytest.mark.parametrize(
    ("text", "usual", "found"),
    [
        ("Paracetamol 500 mg كل ٦ ساعات", "rtl", "rtl"),
        ("Paracetamol 500 mg كل ٦ ساعات بعد الطعام", "ltr", "rtl"),
        ("Take one tablet of باراسيتامول a day", "rtl", "ltr"),
        ("500 — 20 %", "rtl", "rtl"),
        ("", "ltr", "ltr"),
    ],
)
def test_a_text_runs_as_most_of_its_words_do(text, usual, found):
    assert direction_of(text, usual) == found


@pytest.mark.parametrize(("code", "name"), [("en", "glossary.md"), ("ar", "glossary.ar.md")])
def test_the_glossary_of_the_docs_is_that_of_the_pages(code, name):
    kept = (Path(__file__).parents[1] / "docs" / name).read_text(encoding="utf-8")
    assert all(line in kept for line in glossary_text(code).splitlines())


def test_every_key_of_a_template_is_there_and_every_key_is_used():
    folder = Path(__file__).parents[1]
    sources = [*folder.glob("*/*.html"), *folder.glob("*/*/*.html")]
    asked = {key for each in sources for key in re.findall(r'say\(\s*"([\w.]+)"', each.read_text(encoding="utf-8"))}
    known = set(messages("en").known())
    begun = {key for key in asked if key.endswith(".")}
    assert asked - begun <= known and all(any(key.startswith(start) for key in known) for start in begun)
    text = "".join(each.read_text(encoding="utf-8") for each in [*sources, *folder.glob("[lr]e*/*.py")])
    begun |= set(re.findall(r'"((?:board|report)\.[\w.]*\.)["{]', text))
    ours = {key for key in known if key.startswith(("board.", "report.")) and not key.startswith(tuple(begun))}
    assert {key for key in ours if key not in text} <= {key for key in ours if key.endswith("_apart")}


def test_styles_name_no_left_or_right():
    style = (Path(pages.__file__).parent / "style.css").read_text(encoding="utf-8")
    assert not re.search(r"\b(left|right)\b", style)
