"""The pictures of a board: on its page and as files."""

import re
from itertools import pairwise

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.languages.messages import choose
from maqa_severity.harness.pages.sheets import draw, keep, sheet
from maqa_severity.leaderboards.export import board_page
from maqa_severity.leaderboards.figures import board_figures, pareto, write_board_figures
from maqa_severity.leaderboards.records import Board, Cell, DifferenceCell, DoseRow, Row, SeedRow

LONG = "organisation/" + "a-name-with-a-common-start-" * 3


def cell(mean: float) -> Cell:
    return Cell(n=50, mean=mean, low=mean - 2, high=mean + 2)


def board(**changes: object) -> Board:
    """Three runs: one of more quality, one of fewer missed emergencies, one behind both."""
    given = {f"{LONG}one": (60.0, 30.0), f"{LONG}two": (55.0, 10.0), "نموذج $x$ <b>": (50.0, 40.0)}
    rows = [
        Row(
            rank=place, rank_low=place, rank_high=3, name=name, arm=None, seed=None, backend="hf", floor=False,
            metrics={"rougeL": {"overall": cell(quality)}, "missed_emergency": {"critical": cell(missed)}},
            aggregates={}, differs=[], command=None, path=name,
        )
        for place, (name, (quality, missed)) in enumerate(given.items(), start=1)
    ]  # fmt: skip
    change = DifferenceCell(mean=1.5, low=0.5, high=2.5, p=0.01, p_holm=0.02, verdict="gain")
    seeds = [SeedRow(arm="severity", runs=["a", "b"], cells={}, against="ce", differences={"critical": change})]
    doses = [
        DoseRow(stratum="critical", doses={"ce": (0.0, 0.0), "weak": (0.2, 1.0), "strong": (0.4, 2.0)}, slope=5.0,
                low=4.0, high=6.0, p=0.01, words="slope +0.50 per 0.1")
    ]  # fmt: skip
    record = Board(
        metric="rougeL", signature="refs:1|version:1", reference="a", data="d", decoding={}, rows=rows, seeds=seeds,
        doses=doses,
    )  # fmt: skip
    return record.model_copy(update=changes)


def test_on_the_front_stands_whom_nobody_beats_in_both():
    assert pareto([(60, 30), (55, 10), (50, 40), (60, 35), (55, 10)]) == [(55, 10), (60, 30)]
    front = pareto([(quality, missed) for quality in range(5) for missed in (9 - quality, quality)])
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(front))


def test_a_board_has_the_pictures_that_it_has_data_for():
    assert list(board_figures(board())) == ["forest", "ranks", "quality_safety", "doses_1"]
    assert list(board_figures(board(seeds=[], doses=[], rows=[board().rows[0]]))) == []
    chart = board_figures(board())["quality_safety"][0]
    assert chart.path == ((10, 55), (30, 60))
    screened = board_figures(board(screening={"missed_emergency": "precision 70 %"}))["quality_safety"][0]
    assert "screening only" in screened.title and not screened.path


def test_the_page_shows_them_and_runs_nothing():
    page = board_page(board())
    assert page.count('role="img"') >= 4 and "<b>" not in page.split("<script>")[0].replace("&lt;b&gt;", "")
    assert "+1.50" in page and "slope +0.50 per 0.1" in page


def test_the_files_are_the_same_twice_and_carry_no_formula(tmp_path):
    one, two = (write_board_figures(tmp_path / name, board()) for name in ("one", "two"))
    assert sorted(path.name for path in one) == sorted(
        f"{name}.{kind}" for name in ("forest", "ranks", "quality_safety", "doses_1") for kind in ("png", "svg")
    )
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    drawn = (tmp_path / "one" / "ranks.svg").read_text()
    assert "<script" not in drawn and not re.search(r"<dc:date>", drawn)


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "figures").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*figures"):
        write_board_figures(tmp_path / "figures", board())


@pytest.fixture
def arabic():
    choose("ar")
    yield
    choose(None)


def test_the_files_speak_the_reader_s_language_from_right_to_left(arabic):
    (axes,) = draw(*board_figures(board())["quality_safety"]).axes
    title, x_label = axes.get_title(loc="right"), axes.get_xlabel()
    assert axes.get_title(loc="left") == "" and "\u0645\u0642\u0627\u0628\u0644" in title
    # What begins with a name in Latin letters runs from right to left too.
    assert x_label.startswith("\u200f\u2068missed_emergency\u2069")


def test_a_long_sentence_that_is_cut_leaves_no_isolate_open(arabic):
    (axes,) = draw(
        *board_figures(board(seeds=[SeedRow(**{**vars(board().seeds[0]), "arm": "x" * 70})]))["forest"]
    ).axes
    (label,) = [each.get_text() for each in axes.get_yticklabels()]
    assert "\u2026" in label and not {"\u2068", "\u2066"} & set(label)


def test_arabic_letters_are_joined_and_no_sign_is_missing(tmp_path, recwarn):
    drawn = []
    for text in ("\u0628\u0628\u0628", "\u0628\u200c\u0628\u200c\u0628"):
        figure = sheet(2, 1)
        figure.text(0.1, 0.5, text)
        keep(figure, tmp_path / "x.png")
        drawn.append((tmp_path / "x.png").read_bytes())
    assert drawn[0] != drawn[1]
    choose("ar")
    try:
        write_board_figures(tmp_path / "ar", board())
    finally:
        choose(None)
    assert not [each for each in recwarn if "missing from font" in str(each.message)]
    assert (tmp_path / "ar" / "forest.png").is_file()
