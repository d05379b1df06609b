"""A declared analysis: what it tests, what it refuses, and what it leaves exploratory."""

import html
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.alike import Alike
from maqa_severity.harness.runs.analysis import Analysis, Contrast, load_analysis
from maqa_severity.harness.runs.comparison import Comparison
from maqa_severity.harness.runs.declared import UNDECLARED, judge_declared
from maqa_severity.harness.scores.signatures import Better
from maqa_severity.harness.statistics import Difference, Method, Resampling
from maqa_severity.harness.statistics.margins import Margin, against_margin
from maqa_severity.harness.statistics.spending import Spending, boundaries, level_at, repeated_p, spent
from maqa_severity.leaderboards.records import Board
from maqa_severity.tests.test_groups import trained
from scipy import stats

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "analysis.md"
FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]
FEW = ("--resamples", 200)
GATE = {"arm": "severity", "against": ["ce", "shuffled"]}


@pytest.fixture(scope="module")
def folders(evaluated, tmp_path_factory):
    root = tmp_path_factory.mktemp("declared")
    return {
        (arm, seed): trained(root / f"{arm}-{seed}", evaluated["hf"], arm, seed, gain + seed * 0.3)
        for arm, gain in (("ce", 0.0), ("severity", 4.0), ("shuffled", 0.1))
        for seed in range(3)
    }


def of(folders, *arms):
    return [path for (arm, _), path in folders.items() if arm in arms]


@pytest.fixture
def maqa(capsys):
    """Run a command in this process: its exit status, and what it printed."""

    def run(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
            code = 0
            try:
                cli.main()
            except SystemExit as ended:
                code = ended.code or 0
        return code, *capsys.readouterr()

    return run


def written(path, **content):
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        (Spending.OBRIEN_FLEMING, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (Spending.POCOCK, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_boundaries_are_the_published_ones_of_five_equal_looks(spending, published):
    assert boundaries(spending, FIVE, 0.05) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("spending", Spending)
def test_the_looks_spend_what_an_independent_integration_finds(spending):
    at = [0.3, 0.45, 1.0]
    limits = boundaries(spending, at, 0.05)
    covariance = np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at))
    for look in (2, 3):
        inside = stats.multivariate_normal(np.zeros(look), covariance[:look, :look], abseps=1e-6)
        kept = inside.cdf(limits[:look], lower_limit=-np.array(limits[:look]))
        assert 1 - kept == pytest.approx(spent(spending, 0.05, at[look - 1]), abs=2e-5)


def test_a_repeated_p_is_the_level_at_which_its_look_finds_it():
    at = tuple(FIVE)
    for look, limit in enumerate(boundaries(Spending.OBRIEN_FLEMING, FIVE, 0.05), start=1):
        p = 2 * stats.norm.sf(limit)
        assert repeated_p(p, Spending.OBRIEN_FLEMING, at, look) == pytest.approx(0.05, rel=1e-6)
    assert repeated_p(0.0123, Spending.POCOCK, (1.0,), 1) == 0.0123
    assert level_at(Spending.POCOCK, [1.0], 1, 0.05) == pytest.approx(0.05)


@pytest.mark.parametrize("at", [(0.5, 1.0), (0.3, 0.31, 1.0), (0.01, 1.0), (0.99, 1.0)])
def test_a_repeated_p_is_never_below_p_and_rises_with_it(at):
    p = [0.0, 1e-300, *10.0 ** np.arange(-16, -1, 2), 0.5, 1 - 1e-9, 1.0]
    for spending in Spending:
        for look in range(1, len(at) + 1):
            found = [repeated_p(each, spending, at, look) for each in p]
            assert found == sorted(found) and all(one >= each for one, each in zip(found, p, strict=True))
            assert found[-1] == 1


def test_a_null_crosses_at_any_look_no_more_often_than_the_level():
    rng = np.random.default_rng(0)
    at = [0.25, 0.5, 1.0]
    walks = np.cumsum(rng.normal(size=(100_000, 3)) * np.sqrt(np.diff([0, *at])), axis=1) / np.sqrt(at)
    for spending in Spending:
        crossed = (np.abs(walks) > boundaries(spending, at, 0.05)).any(axis=1).mean()
        assert crossed == pytest.approx(0.05, abs=0.0025)
    assert (np.abs(walks) > 1.96).any(axis=1).mean() > 0.09


def test_the_digest_is_of_the_content_and_not_of_its_form(tmp_path):
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("primary: rougeL  # decides\nmargin: 1\ncontrasts: [{arm: severity, against: ce}]\n")
    other.write_text('{"contrasts": [{"against": ["ce"], "arm": "severity"}], "primary": "rougeL", "margin": 1.0}')
    assert load_analysis(one).sha256 == load_analysis(other).sha256
    assert load_analysis(one).sha256 != Analysis(primary="rougeL", margin=1).sha256
    assert re.fullmatch("[0-9a-f]{64}", load_analysis(one).sha256)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("primary: m\nmargn: 1", "key 'margn' with 1: Extra inputs are not permitted"),
        ("secondary: [m]", "key 'primary': Field required"),
        ("primary: m\nmargin: 0.01", "a margin of 0.01 reads as a share; margins are in percentage points"),
        ("primary: m\nmargin: {m: 0.02}", "a margin of 0.02 reads as a share"),
        ("primary: m\nmargin: 1 %", "a margin of 1 % is no number"),
        ("primary: m\nmargin: {x: 1}", "margin has 'x', which is no declared metric"),
        ("primary: m\nmargin: 100", "a margin of 100 holds for any two scores"),
        ("primary: m\nmargin: true", "a margin of True is no number"),
        ("primary: m\nmargin: -1", "a margin of -1 is not above 0"),
        ("primary: m\nmargin: .nan", "a margin of nan is no number"),
        ("primary: m\nlooks: {at: [0.6, 0.3, 1]}", "looks are not in the order of their information"),
        ("primary: m\nlooks: {at: [30, 60, 100]}", "looks are shares of the planned information"),
        ("primary: m\nlooks: {at: [0.3, 0.6]}", "and the last is 1"),
        ("primary: m\nlooks: {at: [0.3, 0.301, 1]}", "two looks lie closer than 0.01"),
        ("primary: m\nlooks: {at: [0.5, 1], spending: haybittle}", "key 'looks.spending' with 'haybittle'"),
        ("primary: m\nstrata: [severe]", "strata has 'severe', which is none of"),
        ("primary: m\nsecondary: [m]", "'m' is primary and secondary"),
        ("primary: m\nsecondary: [x, x]", "secondary has 'x' twice"),
        ("primary: m\ncontrasts: [{arm: ce, against: [ce]}]", "names arm 'ce' twice"),
        ("primary: m\ncontrasts: [{arm: ce, against: []}]", "key 'contrasts.0.against'"),
        (
            "primary: m\ncontrasts: [{arm: a, against: [b, c]}, {arm: a, against: [c, b]}]",
            "contrasts has 'a against b, c' twice, in another order",
        ),
        ("primary: m\ncontrasts: [{arm: '', against: ce}]", "key 'contrasts.0.arm' with ''"),
        ("primary: m\ncontrasts: [{arm: ce, against: ['']}]", "key 'contrasts.0.against.0' with ''"),
        ("primary: m\nprimary: n", "key 'primary' stands twice"),
        ("- m", "holds no mapping"),
        ("!!map m", "is not YAML"),
        ("[m]: 1", "is not YAML"),
        ("primary: [", "is not YAML"),
    ],
)  # fmt: skip
def test_a_file_that_declares_nothing_usable_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "analysis.yaml"
    path.write_text(content)
    with pytest.raises(UserError) as refused:
        load_analysis(path)
    assert str(path) in str(refused.value) and words in str(refused.value)


def compared(changes):
    """A comparison of three trainings each with such differences, by metric: mean and p."""
    differences = [
        Difference(
            metric, "overall", 300, mean, mean - 1, mean + 1, Method.TWO_LEVELS, p, 5.0, None, Better.HIGHER, 50,
            40, error=1.0, freedom=5.0,
        )
        for metric, (mean, p) in changes.items()
    ]  # fmt: skip
    same = Alike("a", "b", 300, 0)
    words = dict.fromkeys(changes, "")
    return Comparison(
        "a", "b", "", words, "", differences, [], {}, Resampling(), same, [], trained=(3, 3)
    )  # fmt: skip


def judged(analysis, models, look=1):
    pairs = {model: {(other, "s"): compared(made) for other, made in by.items()} for model, by in models.items()}
    return judge_declared(analysis, look, pairs, analysis.contrasts)


def test_a_declared_margin_is_tested_at_the_level_over_the_tests_of_its_role():
    one = Analysis(primary="m", margin=1, contrasts=[Contrast(arm="s", against=["ce"])])
    assert one.margins_at(1, 1) == {"m": Margin(1.0, 0.05)} and Margin(1.0).levels == (0.95, 0.9)
    several = Analysis(primary="m", secondary=["x", "y"], margin={"m": 1, "x": 2}, strata=["critical", "neutral"])
    assert several.margins_at(1, 3) == {"m": Margin(1.0, 0.05 / 6), "x": Margin(2.0, 0.05 / 12)}
    looks = Analysis(primary="m", margin=1, looks={"at": [0.5, 1.0]})
    first, last = (looks.margins_at(look, 1)["m"].alpha for look in (1, 2))
    assert first < 0.01 < last < 0.05


def normal_difference(metric, mean, error, limit):
    """One of known standard error, judged against a margin by intervals of its levels."""
    wanted = [stats.norm.ppf((1 + level) / 2) for level in limit.levels]
    ends = [(mean - z * error, mean + z * error) for z in wanted]
    return Difference(
        metric, "overall", 300, mean, mean - 1.96 * error, mean + 1.96 * error, Method.TWO_LEVELS,
        2 * stats.norm.sf(abs(mean) / error), 5.0, None, Better.HIGHER, 50, 40, error=error, freedom=1e6,
        margin=against_margin(limit, Better.HIGHER, *ends),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.weekly
def test_what_is_said_in_favour_of_an_arm_is_wrong_no_more_often_than_the_level():
    """Of four models one is truly equal and three are truly worse by just the margin: none is better, and
    none of the three no worse. With each interval at 95 % one of these would be said in 10 %."""
    analysis = Analysis(primary="m", margin=1, contrasts=[Contrast(arm="s", against=["ce"])])
    limit = analysis.margins_at(1, 4)["m"]
    rng, wrong, worlds = np.random.default_rng(0), 0, 2000
    blank = compared({"m": (0.0, 1.0)})
    for means in rng.normal([0, -1, -1, -1], 0.25, (worlds, 4)):
        made = {
            name: {("ce", "s"): replace(blank, differences=[normal_difference("m", mean, 0.25, limit)])}
            for name, mean in zip("abcd", means, strict=True)
        }
        tests = judge_declared(analysis, 1, made, analysis.contrasts)[0].tests
        told = [test.no_worse == "no worse by 1.0" for test in tests[1:]]
        wrong += any(test.holds for test in tests) or any(told)
    assert wrong / worlds <= 0.055


def test_a_gain_that_is_found_is_no_worse_and_a_test_says_it_of_the_leg_that_shows_least():
    analysis = Analysis(primary="m", margin=1, contrasts=[Contrast(arm="s", against=["ce", "shuffled"])])
    limit = analysis.margins_at(1, 1)["m"]
    blank = compared({"m": (0.0, 1.0)})

    def said(*means):
        pairs = zip(("ce", "shuffled"), means, strict=True)
        made = {
            (name, "s"): replace(blank, differences=[normal_difference("m", mean, 0.3, limit)])
            for name, mean in pairs
        }
        declared, _ = judge_declared(analysis, 1, {"": made}, analysis.contrasts)
        assert ("no worse is a family of its own" in declared.rules) == bool(declared.tests[0].no_worse)
        return str(declared.tests[0])

    assert said(2.0, 2.0).endswith("; no worse by 1.0") and "gain" in said(2.0, 2.0)
    assert said(0.1, 0.1).endswith("; no worse by 1.0") and "no evidence" in said(0.1, 0.1)
    assert said(2.0, -0.7).endswith("; not shown: no worse by 1.0")


def test_holm_is_over_models_and_contrasts_and_the_gate_opens_only_if_all_of_them_hold():
    analysis = Analysis(primary="m", secondary=["x", "y"], contrasts=[Contrast(arm="s", against=["ce"])])
    second = {"x": (2.0, 0.001), "y": (2.0, 0.02)}
    declared, pairs = judged(
        analysis, {"one": {"ce": {"m": (2.0, 0.01), **second}}, "two": {"ce": {"m": (2.0, 0.03), **second}}}
    )
    assert [test.p_adjusted for test in declared.tests] == pytest.approx([0.02, 0.03, 0.03, 0.03, 0.04, 0.04])
    assert all(test.holds for test in declared.tests)
    assert pairs["one"]["ce", "s"].difference("m", "overall").p_holm == pytest.approx(0.02)
    declared, pairs = judged(
        analysis, {"one": {"ce": {"m": (2.0, 0.001), **second}}, "two": {"ce": {"m": (-2.0, 0.001), **second}}}
    )
    assert [test.verdict for test in declared.tests] == ["gain", "loss", *["not tested"] * 4]
    assert pairs["one"]["ce", "s"].difference("x", "overall").verdict == "not tested"


def test_a_contrast_with_several_arms_holds_only_if_every_leg_does_whatever_the_others_show():
    analysis = Analysis(primary="m", contrasts=[Contrast(arm="s", against=["ce", "shuffled"])])
    for leg, p, verdict in (
        ((2.0, 0.04), 0.04, "gain"),
        ((2.0, 0.06), 0.06, "no evidence"),
        ((-2.0, 1e-9), 1.0, "no evidence"),
    ):
        declared, pairs = judged(analysis, {"": {"ce": {"m": (3.0, 1e-6)}, "shuffled": {"m": leg}}})
        (test,) = declared.tests
        assert (test.p, test.p_adjusted, test.verdict) == (p, p, verdict)
        assert pairs[""]["ce", "s"].difference("m", "overall").verdict == "gain"


def test_arms_are_judged_over_exactly_what_is_declared(folders, tmp_path, maqa):
    (example,) = re.findall(r"^```yaml\n(primary:.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    analysis = tmp_path / "analysis.yaml"
    analysis.write_text(example)
    runs, file = of(folders, "ce", "severity", "shuffled"), tmp_path / "compared.json"
    asked = ("--arms", "ce", "severity", "shuffled", *runs, "--analysis", analysis, "--json", file, *FEW)
    code, out, err = maqa("compare", *asked)
    assert (code, err) == (0, "")
    found = json.loads(file.read_text())
    declared = found["analysis"]
    assert declared["sha256"] == load_analysis(analysis).sha256 and declared["sha256"] in out
    tests = declared["tests"]
    assert [(test["role"], test["metric"], test["stratum"]) for test in tests] == [
        (role, metric, stratum)
        for role, metric in (("primary", "bertscore_f1"), ("secondary", "rougeL"), ("secondary", "chrf"))
        for stratum in ("overall", "critical")
    ]
    first, second = tests[:2]
    assert (first["verdict"], first["family"], len(first["legs"])) == ("gain", 2, 2)
    assert first["p"] == max(leg["p"] for leg in first["legs"])
    smaller, larger = sorted((first["p"], second["p"]))
    assert sorted((first["p_adjusted"], second["p_adjusted"])) == pytest.approx(
        [min(1, 2 * smaller), max(2 * smaller, larger)]
    )
    printed = " ".join(out.split())
    assert f"primary: bertscore_f1, overall, {first['model']}: severity against ce (+" in printed
    assert "Whatever is not among these tests is exploratory." in printed
    assert "shuffled - ce" in printed and "exploratory" in printed and "declared: gain found in critical" in printed
    pairs = found["bases"][0]["pairs"]
    declared_changes = [each for pair in pairs for each in pair["differences"] if each["metric"] != "x"]
    assert all(each["margin"]["points"] == 1 for each in declared_changes if each["n"])


def test_secondary_metrics_are_not_tested_behind_a_shut_gate(folders, tmp_path, maqa):
    contrasts = [{"arm": "shuffled", "against": "ce"}]
    analysis = written(tmp_path / "a.yaml", primary="bertscore_f1", secondary=["rougeL"], contrasts=contrasts)
    file = tmp_path / "compared.json"
    runs = of(folders, "ce", "shuffled")
    code, out, err = maqa(
        "compare", "--arms", "ce", "shuffled", *runs, "--analysis", analysis, "--json", file, *FEW
    )
    assert (code, err) == (0, "")
    primary, secondary = json.loads(file.read_text())["analysis"]["tests"]
    assert primary["verdict"] != "gain"
    assert (secondary["verdict"], secondary["p_adjusted"]) == ("not tested", None)
    assert "the gate is shut: not every primary test holds" in " ".join(out.split())


@pytest.mark.slow
def test_two_sides_board_and_report_say_the_same_of_a_declared_test(folders, tmp_path, maqa):
    alone = written(tmp_path / "sides.yaml", primary="bertscore_f1", looks={"at": [0.5, 1]})
    first, second = folders["ce", 0], folders["severity", 0]
    told = ("--analysis", alone, "--look", 1, *FEW)
    code, out, err = maqa("compare", first, second, *told, "--json", tmp_path / "two.json")
    assert (code, err) == (0, "")
    found = json.loads((tmp_path / "two.json").read_text())
    (test,) = found["analysis"]["tests"]
    change = next(each for each in found["differences"] if each["stratum"] == "overall")
    assert (test["p"], test["p_adjusted"]) == (change["p"], change["p_holm"])
    assert test["p_adjusted"] == pytest.approx(repeated_p(test["p"], Spending.OBRIEN_FLEMING, (0.5, 1.0), 1))
    assert "look 1 of 2 (obrien-fleming, level 0.0031)" in out and found["analysis"]["level"] < 0.0032
    assert "exploratory:" in out and "Aggregates, percent; exploratory" in out
    code, out, err = maqa("report", second, "--against", first, "--out", tmp_path / "r.html", *told)
    assert (code, err) == (0, "")
    page = (tmp_path / "r.html").read_text()
    assert found["analysis"]["sha256"] in page and "Exploratory: scores per severity" in page
    assert "exploratory: " in page

    arms = written(tmp_path / "arms.yaml", primary="bertscore_f1", contrasts=[GATE])
    runs = of(folders, "ce", "severity", "shuffled")
    code, out, err = maqa("leaderboard", *runs, "--analysis", arms, "--out", tmp_path / "board", *FEW)
    assert (code, err) == (0, "")
    board = Board.model_validate(json.loads((tmp_path / "board" / "leaderboard.json").read_text()))
    (line,) = board.analysis.lines
    page = html.unescape((tmp_path / "board" / "index.html").read_text())
    assert line in page and line in out and board.analysis.sha256 in page
    assert "Exploratory: bertscore_f1, percent" in " ".join(out.split())


def test_what_is_undeclared_has_the_same_numbers_and_a_quiet_line(folders, tmp_path, maqa):
    pair = (folders["ce", 0], folders["severity", 0])
    analysis = written(tmp_path / "a.yaml", primary="rougeL")
    for name, more in (("plain", ()), ("declared", ("--analysis", analysis))):
        code, _, err = maqa(
            "compare", *pair, "--metric", "bertscore_f1", "--json", tmp_path / f"{name}.json", *more, *FEW
        )
        assert (code, err) == (0, "")
    plain, declared = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("plain", "declared"))
    assert "analysis" not in plain and "declared" not in plain
    for one in plain["differences"]:
        other = next(
            each for each in declared["differences"]
            if (each["metric"], each["stratum"]) == (one["metric"], one["stratum"])
        )  # fmt: skip
        numbers = ("mean", "low", "high", "p")
        assert [one[key] for key in numbers] == pytest.approx([other[key] for key in numbers], rel=1e-12)
    assert declared["words"]["bertscore_f1"].startswith("these two checkpoints: exploratory: gain")
    maqa("report", pair[1], "--against", pair[0], "--out", tmp_path / "r.html", *FEW)
    assert UNDECLARED in (tmp_path / "r.html").read_text()
    maqa("leaderboard", *pair, "--out", tmp_path / "b", *FEW)
    assert UNDECLARED in (tmp_path / "b" / "index.html").read_text()


@pytest.mark.slow
def test_what_an_analysis_needs_and_does_not_find_is_refused_in_one_line(folders, tmp_path, maqa):
    ce, severity, shuffled = (of(folders, arm)[:2] for arm in ("ce", "severity", "shuffled"))
    declared = {"primary": "bertscore_f1", "contrasts": [GATE]}
    lone = written(tmp_path / "lone.yaml", primary="bertscore_f1")
    gate = written(tmp_path / "gate.yaml", **declared)
    absent = written(tmp_path / "absent.yaml", primary="comet", contrasts=[{"arm": "severity", "against": "ce"}])
    model = written(tmp_path / "model.yaml", **declared, models=["Qwen"])
    looks = written(tmp_path / "looks.yaml", **declared, looks={"at": [0.5, 1]})
    other = written(tmp_path / "other.yaml", primary="bertscore_f1", models=["Qwen"])
    two = ("compare", ce[0], severity[0])
    arms = ("compare", "--arms", "ce", "severity")
    out = ("--out", tmp_path / "out")
    for arguments, words in (
        ((*two, "--look", 2), "--look 2 is a look of no analysis"),
        ((*two, "--analysis", tmp_path / "none.yaml"), "cannot read"),
        ((*two, "--analysis", absent), "has no scores of comet, which the analysis declares"),
        (
            (*two, "--analysis", gate),
            "the analysis declares severity against ce, shuffled, and these two sides are",
        ),
        ((*two, "--analysis", other), "the analysis declares Qwen, and these two sides are of"),
        ((*two, "--analysis", lone, "--look", 1), "--look 1: the analysis plans no looks"),
        ((*two, "--analysis", lone, "--margin", 1), "--margin was given beside --analysis"),
        ((*two, "--margin", 0.01), "--margin 0.01: a margin of 0.01 reads as a share"),
        ((*arms, *ce, *severity, "--analysis", absent), "has no scores of comet, which the analysis declares"),
        (
            (*arms, *ce, *severity, "--analysis", gate),
            "a contrast names arm 'shuffled', which is none of ce, severity",
        ),
        ((*arms, "shuffled", *ce, *severity, "--analysis", gate), "no run is of arm 'shuffled'"),
        ((*arms, "shuffled", *ce, *severity, *shuffled, "--analysis", model), "declares model 'Qwen'"),
        ((*arms, "shuffled", *ce, *severity, *shuffled, "--analysis", looks), "nothing says which one this is"),
        ((*arms, *ce, *severity, "--analysis", lone), "the analysis declares no contrasts"),
        (("leaderboard", *ce, *severity, "--analysis", gate, *out), "no run is of arm 'shuffled'"),
        (("leaderboard", *ce, "--analysis", lone, *out), "the analysis declares none"),
        (("report", ce[0], "--analysis", lone, *out), "a report of one run tests nothing of the analysis"),
        (("report", severity[0], "--against", ce[0], "--analysis", looks, "--look", 3, *out), "plans 2 looks"),
    ):
        code, printed, err = maqa(*arguments, *FEW)
        assert (code, printed, err.count("\n")) == (2, "", 1), (arguments, err)
        assert words in err, (words, err)
    assert not (tmp_path / "out").exists()
