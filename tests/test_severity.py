"""Severities in every spelling, and the weights of the published loss."""

import shlex

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.labels import read_ranks
from maqa_severity.harness.data.severity_map import SeverityMap, read_severity_map
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import SCHEMES, Severity, one_hot, parse_grade, parse_severity, parse_weights


@pytest.mark.parametrize(
    ("spelling", "severity"),
    [
        ("حرج", Severity.CRITICAL),
        ("غير حرج", Severity.NON_CRITICAL),
        (" متوسط ", Severity.NEUTRAL),
        ("Non-Critical", Severity.NON_CRITICAL),
        ("MILD", Severity.NON_CRITICAL),
        ("moderate", Severity.NEUTRAL),
        ("high", Severity.CRITICAL),
        ("حرجة", Severity.CRITICAL),
        ("حالة طارئة", Severity.CRITICAL),
        ("طَارِئ", Severity.CRITICAL),
        ("الخطيرة", Severity.CRITICAL),
        ("عاجلة", Severity.NEUTRAL),
        ("متوسطة", Severity.NEUTRAL),
        ("بسيط", Severity.NON_CRITICAL),
        ("بسيطة", Severity.NON_CRITICAL),
        ("غير طارئة", Severity.NON_CRITICAL),
        ("Emergency", Severity.CRITICAL),
        ("URGENT", Severity.NEUTRAL),
        ("Routine", Severity.NON_CRITICAL),
        ("1", Severity.CRITICAL),
        ("٢", Severity.CRITICAL),
        ("3.0", Severity.NEUTRAL),
        ("۴", Severity.NON_CRITICAL),
        ("ESI 5", Severity.NON_CRITICAL),
        ("المستوى ٣", Severity.NEUTRAL),
        ("2 - Emergency", Severity.CRITICAL),
        ("2 - non critical", Severity.NON_CRITICAL),
        ("Level 3: Critical", Severity.CRITICAL),
        ("non-critical (low)", Severity.NON_CRITICAL),
        ("severity_critical", Severity.CRITICAL),
        ("🔴 Critical!", Severity.CRITICAL),
        ("غير حرجة (بسيطة)", Severity.NON_CRITICAL),
        ("٣ – حالة حرجة", Severity.CRITICAL),
        ("طوارئ", Severity.CRITICAL),
        ("خطرة", Severity.CRITICAL),
        ("متوسطة الشدة", Severity.NEUTRAL),
        ("منخفضة الخطورة", Severity.NON_CRITICAL),
        ("حمراء", Severity.CRITICAL),
        ("Very Low", Severity.NON_CRITICAL),
    ],
)
def test_aliases_of_the_wild_are_read(spelling, severity):
    assert parse_severity(spelling) is severity


def test_a_severity_nobody_knows_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UserError, match=r"'purple'.*غير حرج"):
        parse_severity("purple")


@pytest.mark.parametrize(
    ("text", "level"), [("Emergency", 2), ("عاجل", 3), ("4", 4), ("critical", None), ("2 mild", None)]
)
def test_a_level_is_kept_where_one_was_said(text, level):
    assert parse_grade(text).level == level


@pytest.mark.parametrize("text", ["0", "6", "-1", "٩"])
def test_a_level_outside_the_scale_is_refused(text):
    with pytest.raises(UserError, match="outside the scale of 1"):
        parse_grade(text)


@pytest.mark.parametrize(
    "text",
    ["2.5", "mild (critical)", "critical/urgent", "mild - purple", "2 purple", "", "severity", "درجة", "nan"],
)
def test_what_says_no_severity_or_two_is_refused(text):
    with pytest.raises(UserError, match="unknown severity"):
        parse_grade(text)


def test_a_map_says_what_values_mean_and_must_name_each(tmp_path):
    table, whole = tmp_path / "map.csv", tmp_path / "map.json"
    table.write_text("value,severity\nأولى,critical\n2,3\n3,بسيط\n", encoding="utf-8")
    whole.write_text('{"اولي": "critical", "2.0": 3, "3": "routine"}', encoding="utf-8")
    for form in (str(table), str(whole), "أولى=critical، 2=urgent, 3=mild"):
        read = read_severity_map(form, language("ar"))
        grades = [read.of(value).severity for value in ("أُولَى", "٢", "3.0")]
        assert grades == [Severity.CRITICAL, Severity.NEUTRAL, Severity.NON_CRITICAL]
        with pytest.raises(UserError, match=r"does not name '4'\. Add '4=\.\.\.' to --severity-map"):
            read.of("4")
    with pytest.raises(UserError, match=r"unknown severity 'purple'.*--severity-map 'purple=\.\.\.'"):
        read_severity_map(None, language("ar")).of("purple")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            ["1", "5", "3"],
            "'1=critical,2=critical,3=neutral,4=non_critical,5=non_critical' where 1 is the most urgent",
        ),
        (["0", "2.0", "1"], "0=non_critical,1=neutral,2=critical where 0 is the mildest"),
        (["٣", "Level 1"], "1=critical,2=neutral,3=non_critical where 1 is the most urgent"),
        (["7", "8"], "7=...,8=..."),
        (["حرج", "مجهول"], "'حرج=critical,مجهول=...'"),
    ],
)
def test_numbers_of_a_column_need_a_map_and_the_error_has_it_ready(values, line):
    with pytest.raises(UserError) as refused:
        read_ranks(pa.array(values, pa.large_string()), str, SeverityMap(None, language("ar"), levels=False))
    assert f"--severity-map {line}".replace("'", "") in refused.value.remedy.replace("'", "")
    if "..." in line:
        return
    given, back = (
        read_severity_map(shlex.split(part)[1], language("ar"))
        for part in refused.value.remedy.removeprefix("Say what it means: ").split(" or ")
    )
    ranks = read_ranks(pa.array(values, pa.large_string()), str, given)
    assert (ranks + read_ranks(pa.array(values, pa.large_string()), str, back)).tolist() == [2] * len(values)
    assert SeverityMap(None, language("ar"), levels=False).of("ESI 2").level == 2


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("1=critical,2=purple", "says 'purple' for '2': unknown severity"),
        ("1=critical,2=7", "level 7 is outside the scale"),
        ("1=critical,١=mild", "two meanings"),
        ("nowhere.csv", "is no file"),
        ("=critical", "is empty"),
        ("", "names no value"),
    ],
)
def test_a_map_that_says_nothing_is_one_line(given, problem):
    with pytest.raises(UserError, match=problem):
        read_severity_map(given, language("ar"))


def test_one_hot_follows_the_order_of_the_probability_columns():
    assert one_hot([Severity.CRITICAL, Severity.NON_CRITICAL]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot([]).shape == (0, 3)


@pytest.mark.parametrize(("vector", "weight"), [((32, 32, 36), 1.02), ((37, 35, 28), 0.955), ((35, 36, 29), 0.97)])
def test_published_probability_vectors_give_the_published_weights(vector, weight):
    assert SCHEMES["balanced"].of(np.array([vector]) / 100) == pytest.approx([weight])


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0))
def test_a_uniform_prior_weighs_one_under_every_scheme_and_weights_stay_in_their_range(raw):
    probabilities = np.array([raw]) / sum(raw)
    for weights in SCHEMES.values():
        assert weights.of(np.full((1, 3), 1 / 3)) == pytest.approx([1.0])
        assert weights.alpha - 1e-9 <= weights.of(probabilities)[0] <= weights.gamma + 1e-9


@pytest.mark.parametrize("text", ["heavy", "1,2", "1,2,x", "-1,1,1", "nan,1,1", "0,0,0", "inf,1,1"])
def test_weights_that_make_no_sense_are_refused(text):
    with pytest.raises(UserError):
        parse_weights(text)


def test_weights_can_be_given_as_numbers():
    assert parse_weights("0.5,1,1.5") == SCHEMES["balanced"]
