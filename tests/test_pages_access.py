"""What a keyboard and a screen reader find in the pages, and what a hostile text does to pages and tables."""

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from maqa_severity.harness.pages import render
from maqa_severity.harness.pages.lines import Line, line_chart
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics import Resampling
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page, csv_text
from maqa_severity.reports.page import report_page
from maqa_severity.trainers import lm

FEW = Resampling(resamples=100)


class Page(HTMLParser):
    """The tables of a page and the regions that scroll."""

    def __init__(self, text):
        super().__init__()
        self.regions, self.tables, self._part = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "scroll" in (given.get("class") or "").split():
            self.regions.append(given)
        if tag == "table":
            self.tables.append({"captions": 0, "heads": [], "rows": []})
        elif self.tables:
            table = self.tables[-1]
            table["captions"] += tag == "caption"
            if tag in ("thead", "tbody"):
                self._part = tag
            elif tag == "tr" and self._part == "tbody":
                table["rows"].append([])
            elif tag == "th":
                (table["rows"][-1] if self._part == "tbody" else table["heads"]).append(given.get("scope"))


@pytest.fixture(scope="module")
def pages(evaluated):
    runs = {name: load_run(path) for name, path in evaluated.items()}
    chart = line_chart("loss", [Line("ce", [(0, 2.0), (5, 1.0)])])
    return {
        "board": board_page(build_board(list(runs.values()), "bertscore_f1")),
        "report": report_page(runs["hf"], runs["constant"], "bertscore_f1", FEW),
        "curves": render(Path(lm.__file__).parent, "curves.html", title="a", about="b", charts=[chart]),
    }


@pytest.mark.parametrize("name", ["board", "report", "curves"])
def test_whatever_scrolls_is_reached_by_the_keyboard_and_has_a_name(pages, name):
    regions = Page(pages[name]).regions
    assert regions
    assert all(each["tabindex"] == "0" and each["role"] == "region" and each["aria-label"] for each in regions)


@pytest.mark.parametrize("name", ["board", "report"])
def test_every_table_has_a_caption_and_each_row_and_column_its_header(pages, name):
    tables = Page(pages[name]).tables
    assert len(tables) >= 3
    for table in tables:
        assert table["captions"] == 1
        assert set(table["heads"]) == {"col"}
        assert all(row == ["row"] for row in table["rows"])


@pytest.mark.parametrize(
    "cell", ["=1+1", " =1+1", "\t=1", "\u00a0@SUM(1)", "\u200b=1", "\uff1d1+1", "\uff0b1", "\r\n=1", "\x00=1", "-1"]
)
def test_no_cell_that_a_spreadsheet_would_run_stays_bare(cell):
    ((written,),) = csv.reader(io.StringIO(csv_text([[cell]])))
    assert written.startswith("'")


def test_cells_without_a_formula_stay_as_they_are_and_hidden_bytes_are_seen():
    assert csv_text([["a=1", " b", 1.5, -2.0, None]]) == "a=1, b,1.5,-2.0,\n"
    assert csv_text([["a\x00b\x1b"]]) == "a\\x00b\\x1b\n"


def test_control_bytes_of_an_answer_are_seen_in_a_page(tmp_path):
    (tmp_path / "one.html").write_text("<p>{{ text }}</p>")
    assert render(tmp_path, "one.html", text="a\x00<b>\x1b\n") == "<p>a\\x00&lt;b&gt;\\x1b\n</p>"
