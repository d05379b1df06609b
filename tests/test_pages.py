"""Pages: model text is hostile, numbers have one form, pictures stay inside their frame."""

import pytest
from maqa_severity.harness.pages import IntervalRow, interval_chart, render
from maqa_severity.harness.pages.render import decoding_in_words, number, p_value, signed


def test_hostile_text_is_escaped(tmp_path):
    (tmp_path / "x.html").write_text("<p>{{ text }}</p>")
    assert render(tmp_path, "x.html", text="<script>alert(1)</script>{{ 7*7 }}") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}</p>"
    )


def test_a_missing_value_is_an_error_not_a_gap(tmp_path):
    (tmp_path / "x.html").write_text("{{ absent }}")
    with pytest.raises(Exception, match="absent"):
        render(tmp_path, "x.html")


def test_numbers_have_one_form():
    assert number(None) == number(float("nan")) == "—"
    assert signed(-1.005) == "−1.00" and signed(2) == "+2.00"
    assert p_value(0.0001) == "< 0.001" and p_value(0.04) == "0.040"


def test_a_number_that_rounds_to_zero_has_no_sign():
    assert number(-0.001) == signed(-0.001) == signed(0.001) == signed(0.0) == "0.00"
    assert signed(-0.005001) == "−0.01" and signed(0.3, 1) == "+0.3"


def test_sampling_at_the_models_own_temperature_is_not_called_temperature_0():
    assert decoding_in_words({"do_sample": True, "max_gen_toks": 16}).startswith("sampling at temperature 1,")
    assert decoding_in_words({"do_sample": False, "max_gen_toks": 16}) == "greedy, at most 16 new tokens"


@pytest.mark.parametrize(
    "rows", [[(50.0, 40.0, 60.0)], [(50.0, None, None)], [(0.0, 0.0, 0.0)], [(-2.0, -5.5, 1.0), (99, 98, 100)]]
)
def test_every_dot_and_whisker_lies_inside_the_picture(rows):
    chart = interval_chart("t", [IntervalRow("a", *row) for row in rows], zero=True)
    for row in chart.rows:
        for value in (row.mean, row.low, row.high):
            if value is not None:
                assert chart.left <= chart.axis.x(value) <= chart.width
    assert chart.axis.start <= 0 <= chart.axis.stop
    assert 2 <= len(chart.axis.ticks) <= 9
