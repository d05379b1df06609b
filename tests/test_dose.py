"""Schemes of growing strength as doses: the effect by the strength of the weights, over the trainings."""

import json

import pytest
from maqa_severity.harness.runs.arms import compare_named
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics import Resampling
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.test_groups import maqa, trained
from scipy import stats

FEW = Resampling(resamples=200)
STRENGTHS = {None: 0.0, "mild": 0.1, "balanced": 0.2, "strong": 0.3}


@pytest.fixture(scope="module")
def folders(evaluated, tmp_path_factory):
    """Arms whose scores rise by 1.5 points for each 0.1 of their weights' spread."""
    root, found = tmp_path_factory.mktemp("doses"), {}
    for scheme, cv in STRENGTHS.items():
        for seed in range(3):
            arm = "severity" if scheme else "ce"
            folder = trained(root / f"{arm}-{scheme}-{seed}", evaluated["hf"], arm, seed, 15 * cv + 0.2 * seed * cv)
            manifest = json.loads((folder / "manifest.json").read_text())
            manifest["model"]["training"] |= {"scheme": scheme, "weights": {"cv": cv} if scheme else None}
            (folder / "manifest.json").write_text(json.dumps(manifest))
            found[scheme, seed] = resealed(folder)
    return found


def runs(folders, *schemes):
    return [load_run(path) for (scheme, _), path in folders.items() if scheme in schemes]


def test_the_slope_is_that_of_least_squares_with_an_interval_over_the_trainings(folders):
    names = ["ce", *(f"severity-{scheme}" for scheme in STRENGTHS if scheme)]
    (base,) = compare_named(runs(folders, *STRENGTHS), names, ["bertscore_f1"], FEW).bases
    overall, critical = base.doses
    assert (overall.stratum, critical.stratum, overall.seeds) == ("overall", "critical", 3)
    assert [cv for cv, _ in overall.doses.values()] == list(STRENGTHS.values())
    slopes = [
        stats.linregress(
            list(STRENGTHS.values()),
            [load_run(folders[scheme, seed]).scores.frame["bertscore_f1"].mean() for scheme in STRENGTHS],
        ).slope
        for seed in range(3)
    ]
    assert overall.slope == pytest.approx(sum(slopes) / 3) == pytest.approx(15, abs=3)
    low, high = stats.t.interval(0.95, 2, sum(slopes) / 3, stats.sem(slopes))
    assert (overall.low, overall.high) == pytest.approx((low, high))
    assert overall.p == pytest.approx(stats.ttest_1samp(slopes, 0).pvalue)
    assert "ce 0.00: +0.0" in str(overall) and "per 0.1, p = " in str(overall)


def test_two_strengths_have_no_slope(folders):
    (base,) = compare_named(runs(folders, None, "strong"), ["ce", "severity"], ["bertscore_f1"], FEW).bases
    assert base.doses == []


def test_one_training_each_says_nothing_of_others(folders):
    one = [run for run in runs(folders, *STRENGTHS) if run.name.endswith("-0")]
    names = ["ce", "severity-mild", "severity-strong"]
    (base,) = compare_named(one, names, ["bertscore_f1"], FEW, untrained=True).bases
    assert base.doses[0].low is None and str(base.doses[0]).endswith("of one training")


@pytest.mark.slow
def test_the_command_prints_and_writes_it(folders, tmp_path):
    names = ["ce", *(f"severity-{scheme}" for scheme in STRENGTHS if scheme)]
    done = maqa("compare", "--arms", *names, *folders.values(), "--resamples", 200, "--json", tmp_path / "x.json")
    assert "effect by strength of the weights" in " ".join(done.stdout.split()), done.stderr
    (base,) = json.loads((tmp_path / "x.json").read_text())["bases"]
    assert base["doses"][0]["words"] in " ".join(done.stdout.split())
