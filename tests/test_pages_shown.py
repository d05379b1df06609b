"""Pages as they are seen: on a phone, in Arabic, on paper, and with names and texts of real life."""

import re
from dataclasses import replace

import pytest
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.leaderboards.columns import Place, board_columns
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tests.made_runs import made_run
from maqa_severity.tests.real_browser import needs_chromium, opened
from maqa_severity.tests.test_board_truth import FEW, board_of, made

pytestmark = needs_chromium
START = "organisation/" + "x" * 47
NAMES = [f"{START}-one", f"{START}-two", "0123456789abcdef" * 4, "CohereLabs/c4ai-command-r7b-arabic-02-2025"]
LONG = "هذا جواب طويل جدا. " * 2_700
# Whether all of these elements lie inside the window, and inside whatever scrolls around them.
IN_VIEW = """found => found.length > 0 && found.every(each => {
  const box = each.getBoundingClientRect(), around = each.closest(".scroll")?.getBoundingClientRect();
  return box.width > 0 && box.left >= 0 && box.right <= innerWidth &&
    (!around || (box.left >= around.left - 1 && box.right <= around.right + 1));
})"""
# Whether the first number of each element lies left of its last one.
FORWARD = """found => found.length > 0 && found.every(each => {
  const at = [...each.textContent.matchAll(/[\\d.]+/g)], text = document.createTreeWalker(each, NodeFilter.SHOW_TEXT).nextNode();
  if (at.length < 2 || text.data !== each.textContent) return true;
  const left = found => { const range = document.createRange(); range.setStart(text, found.index); range.setEnd(text, found.index + 1); return range.getBoundingClientRect().left; };
  return left(at[0]) < left(at[at.length - 1]);
})"""  # noqa: E501
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    runs = [made(name, seed=at, arm=["ce", "severity", None, None][at], missed=5) for at, name in enumerate(NAMES)]
    path = tmp_path_factory.mktemp("board") / "board.html"
    path.write_text(board_page(board_of(runs)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    ours, theirs = made_run("ours", 12, 1, {0: LONG}), made_run("theirs", 12, 2)
    path = tmp_path_factory.mktemp("report") / "report.html"
    runs = replace(ours, name=NAMES[0]), replace(theirs, name=NAMES[1])
    path.write_text(report_page(*runs, metric="chrf", resampling=FEW), encoding="utf-8")
    return path


@pytest.mark.parametrize(("language", "label"), [("en", "overall"), ("ar", "جميع الدرجات")])
def test_a_phone_shows_verdict_and_overall_without_scrolling_sideways(browser, board, report, language, label):
    with opened(browser, board, width=360, language=language) as tab:
        assert tab.evaluate(FITS)
        assert tab.eval_on_selector_all(".verdict, #board tbody th", IN_VIEW)
        assert tab.eval_on_selector_all(f'#board td[data-label="{label}"], #board td small', IN_VIEW)
        assert tab.locator("#board thead").is_hidden()
    with opened(browser, report, width=360, language=language) as tab:
        assert tab.evaluate(FITS)
        assert tab.eval_on_selector_all(".verdict, .cards th[scope=row], .cards td", IN_VIEW)


def test_figures_in_an_arabic_page_run_from_left_to_right_and_pictures_begin_with_their_names(browser, report):
    with opened(browser, report, width=360, language="ar") as tab:
        assert tab.evaluate("getComputedStyle(document.querySelector('main')).direction") == "rtl"
        assert tab.eval_on_selector_all("#safety-table td bdi[dir=ltr], .cards td.number, td small", FORWARD)
        assert tab.eval_on_selector_all(".chart.small .name", IN_VIEW)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_chart_of_intervals_fits_a_phone_and_is_drawn_once(browser, report, language):
    inside = "all => all.map(each => each.parentElement).every(each => each.scrollWidth <= each.clientWidth)"
    for width, shown, hidden in ((360, "small", "wide"), (1280, "wide", "small")):
        with opened(browser, report, width=width, language=language) as tab:
            assert (
                tab.locator(f".chart.{shown}").first.is_visible()
                and tab.locator(f".chart.{hidden}").first.is_hidden()
            )
            assert tab.eval_on_selector_all(f".chart.{shown}", inside)


def test_on_a_phone_points_are_numbers_whose_names_stand_below(browser, board):
    counts = """all => all.map(keys => [
      keys.children.length, keys.previousElementSibling.querySelectorAll('.small g text').length])"""
    inside = "all => all.every(each => each.parentElement.scrollWidth <= each.parentElement.clientWidth)"
    with opened(browser, board, width=360) as tab:
        found = tab.eval_on_selector_all("ol.keys", counts)
        assert found and all(names == numbers > 1 for names, numbers in found)
        assert tab.locator("ol.keys").first.is_visible() and tab.eval_on_selector_all(".chart.small", inside)
        told = tab.locator("ol.keys").first.inner_text()
        assert all(name in told for name in NAMES)
    with opened(browser, board) as tab:
        assert tab.locator("ol.keys").first.is_hidden()


@pytest.mark.parametrize("language", ["en", pytest.param("ar", marks=pytest.mark.slow)])
def test_paper_holds_verdict_table_detectable_difference_and_reproduce_block_on_two_pages(
    browser, report, language
):
    with opened(browser, report, theme="dark", language=language) as tab:
        tab.emulate_media(media="print")
        shown = [".verdict", ".cards", ".cards td:nth-child(8)", "#reproduce", "#reproduce dd", ".print-only"]
        assert all(tab.locator(each).first.is_visible() for each in shown)
        assert not any(tab.locator(each).first.is_visible() for each in ["#browser", ".example", "#language"])
        pages = tab.pdf(format="A4")
    assert len(re.findall(rb"/Type /Page\b", pages)) == 2


def with_rouge(run):
    """The run with three more metrics, each in four columns."""
    more = ["rouge1", "rouge2", "rougeL"]
    frame = run.scores.frame.assign(**dict.fromkeys(more, run.scores.frame["chrf"]))
    return replace(run, scores=ScoreTable(frame, {**run.scores.signatures, **dict.fromkeys(more, "rouge|test")}))


@pytest.mark.slow
def test_long_names_are_told_apart_and_forty_columns_scroll_beside_the_names(browser, tmp_path):
    board = board_of([with_rouge(made(name, seed=at)) for at, name in enumerate(NAMES)])
    columns = [name for name in board_columns(board, Place.CSV) if name not in ("rank", "name")]
    assert len(columns) >= 38
    (tmp_path / "wide.html").write_text(board_page(board, ["rank", "name", *columns[:38]]), encoding="utf-8")
    for language in ("en", "ar"):
        with opened(browser, tmp_path / "wide.html", language=language) as tab:
            assert tab.evaluate(FITS) and tab.locator("#board thead th").count() == 40
            assert len(set(tab.locator("#board tbody th > bdi").all_inner_texts())) == 4
            tab.evaluate(
                "document.querySelector('#board').parentElement.scrollLeft = document.dir === 'rtl' ? -900 : 900"
            )
            assert tab.eval_on_selector_all("#board tbody th", IN_VIEW)


def test_an_answer_of_100_kb_is_folded_and_opens(browser, report):
    with opened(browser, report, "#a=q0") as tab:
        side = tab.locator(".side").first
        assert len(side.inner_text()) < 5_000 and tab.locator("#detail").bounding_box()["height"] < 4_000
        side.get_by_text("Show all").click()
        assert len(side.inner_text()) > 50_000
        card = tab.locator(".example", has=tab.locator("details.whole")).first
        assert len(card.inner_text()) < 9_000
        card.locator("summary").click()
        assert len(card.inner_text()) > 50_000
