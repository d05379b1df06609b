"""Arms found among runs, compared over questions and trainings, and what may be claimed of them."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from maqa_severity import cli
from maqa_severity.commands.arms_tables import questions_in_words
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.arms import bases_of, compare_named
from maqa_severity.harness.runs.claim import Claim, Leg, controls_of, named
from maqa_severity.harness.runs.over_bases import InteractionOverBases
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.signatures import Better
from maqa_severity.harness.statistics import Difference, Method, Resampling, Verdict
from maqa_severity.harness.statistics.over_models import OverModels, over_models
from maqa_severity.tests.test_groups import maqa, trained
from scipy import stats

FEW = Resampling(resamples=200)
GAINS = {"ce": 0.0, "severity": 4.0, "shuffled": 0.2, "constant": 3.9}


@pytest.fixture(scope="module")
def folders(evaluated, tmp_path_factory):
    root = tmp_path_factory.mktemp("named")
    return {
        (base, arm, seed): trained(
            root / f"{base}-{arm}-{seed}", evaluated["hf"], arm, seed, gain + seed * 0.3, base=base
        )
        for base in ("b1", "b2")
        for arm, gain in GAINS.items()
        for seed in range(3)
    }


@pytest.fixture(scope="module")
def runs(folders):
    return {key: load_run(path) for key, path in folders.items()}


def of(runs, *arms, bases=("b1",), seeds=range(3)):
    return [run for (base, arm, seed), run in runs.items() if arm in arms and base in bases and seed in seeds]


def test_arms_are_found_by_how_the_runs_were_trained_and_compared_with_the_first(runs):
    (found,) = compare_named(of(runs, *GAINS), ["ce", "severity"], ["bertscore_f1"], FEW).bases
    ((pair, compared),) = found.pairs.items()
    assert pair == ("ce", "severity") and compared.trained == (3, 3)
    assert compared.difference("bertscore_f1", "overall").verdict is Verdict.GAIN
    (part,) = [each for each in compared.parts if each.stratum == "overall"]
    assert 0 <= part.components.seed < 1 and 0.3 < part.components.residual < 1.2


def test_severity_must_beat_the_plain_arm_and_every_weighted_control(runs):
    (found,) = compare_named(of(runs, *GAINS), list(GAINS), ["bertscore_f1"], FEW).bases
    assert set(found.pairs) == {("ce", arm) for arm in GAINS if arm != "ce"} | {
        (control, "severity") for control in ("shuffled", "constant")
    }
    (claim,) = found.claims
    assert [(leg.against, leg.holds) for leg in claim.legs] == [
        ("ce", True),
        ("shuffled", True),
        ("constant", False),
    ]
    assert claim.holds is False
    assert str(claim).startswith("not shown that severity-aware training helps (bertscore_f1, overall): severity")
    assert "does not beat constant (+" in str(claim) and "it beats ce (+" in str(claim)
    (found,) = compare_named(of(runs, *GAINS), ["ce", "severity", "shuffled"], ["bertscore_f1"], FEW).bases
    assert found.claims[0].holds and str(found.claims[0]).startswith("severity-aware training helps")
    (found,) = compare_named(of(runs, *GAINS), ["ce", "severity"], ["bertscore_f1"], FEW).bases
    words = str(found.claims[0])
    assert (
        "; no weighted control (constant, shuffled, matched) says whether severity is why; against ce: whether"
        in words
    )
    assert found.claims[0].specific in found.pairs["ce", "severity"].words["bertscore_f1"]


def test_several_bases_are_compared_each_and_together(runs):
    compared = compare_named(of(runs, *GAINS, bases=("b1", "b2")), ["ce", "severity"], ["bertscore_f1"], FEW)
    assert [each.base for each in compared.bases] == list(bases_of(of(runs, "ce", bases=("b1", "b2"))))
    (over,) = compared.over
    means = [each.pairs["ce", "severity"].difference("bertscore_f1", "overall").mean for each in compared.bases]
    assert min(means) <= over.found.mean <= max(means) and over.found.models == 2
    assert "over 2 models; between models SD" in str(over)


def test_whether_critical_gains_more_is_asked_over_the_bases_too(runs):
    metrics = ["bertscore_f1", "rougeL"]
    both = of(runs, *GAINS) + of(runs, *GAINS, bases=("b2",), seeds=[0, 2])
    compared = compare_named(both, ["ce", "severity"], metrics, FEW)
    over = next(each for each in compared.interactions if each.metric == "bertscore_f1")
    own = [each.pairs["ce", "severity"].interactions[0] for each in compared.bases]
    assert over.found.mean == pytest.approx(np.mean([each.mean for each in own])) and not over.specific
    assert "change in critical less that in non_critical: " in str(over) and "over 2 models" in str(over)
    assert str(over).endswith("; that they differ is not shown")
    (_, saved) = compared.as_json()["bases"], compared.as_json()["interactions_over_models"]
    assert saved[0]["words"] == str(over)
    assert not compare_named(of(runs, *GAINS), ["ce", "severity"], metrics, FEW).interactions
    assert not compare_named(both[:1] + of(runs, "severity", seeds=[0]), ["ce", "severity"], metrics, FEW,
                             untrained=True).interactions  # fmt: skip


def test_a_gain_in_critical_alone_is_severity_specific_over_bases_only_where_it_is_found():
    def over(mean, here, p, better=Better.HIGHER, family=1):
        found = OverModels(5, mean, mean - 1, mean + 1, p, 0.2, 4.0, 0.4, 0.0)
        return InteractionOverBases("ce", "severity", "m", found, here, better, p, family)

    assert over(3.0, 4.0, 0.001).specific and str(over(3.0, 4.0, 0.001)).endswith("critical gains more")
    assert over(-3.0, -4.0, 0.001, Better.LOWER).specific
    for each in (
        over(3.0, 4.0, 0.2),
        over(3.0, -1.0, 0.001),
        over(-3.0, 4.0, 0.001),
        over(3.0, 4.0, 0.001, Better.NEITHER),
    ):
        assert not each.specific and "severity-specific" not in str(each)
    assert str(over(3.0, -1.0, 0.001)).endswith("that they differ is found")
    assert "Holm p = 0.001" in str(over(3.0, 4.0, 0.001, family=2))


def difference(mean, p, verdict, n=300):
    return Difference(
        "m", "overall", n, mean, mean - 1, mean + 1, Method.TWO_LEVELS, p, 5.0, None, Better.HIGHER, 50.0, 40.0,
        verdict=verdict,
    )  # fmt: skip


def test_a_claim_without_the_plain_arm_or_with_one_training_says_nothing_of_arms():
    gain = difference(2.0, 0.001, Verdict.GAIN)
    alone = Claim("severity", "m", "overall", (Leg("ce", gain, (3, 1)),))
    assert alone.holds is None
    assert "1 training of severity and 3 trainings of ce tell these checkpoints apart, not the arms" in str(alone)
    without = Claim("severity", "m", "overall", (Leg("shuffled", gain, (3, 3)),))
    assert without.holds is None and "arm ce is missing" in str(without)


def test_a_claim_says_which_of_its_differences_the_engine_makes_by_itself():
    gain = difference(0.2, 0.001, Verdict.GAIN)
    words = str(Claim("severity", "m", "overall", (Leg("ce", gain, (3, 3), True), Leg("shuffled", gain, (3, 3)))))
    assert words.count("within the noise of this engine") == 1
    assert "ce (+0.2 [-0.8, +1.2], p 0.001, within the noise of this engine), shuffled" in words


def test_controls_are_those_of_the_same_scheme_where_there_are_any():
    arms = ["ce", "severity-mild", "severity-balanced", "constant-balanced", "shuffled-mild", "hard-balanced"]
    assert controls_of("severity-balanced", arms) == ["constant-balanced"]
    assert controls_of("severity-strong", arms) == ["constant-balanced", "shuffled-mild"]
    assert named("severity balanced", "severity-balanced") and named("severity-balanced", "severity")
    assert not named("severity-mild", "severity-balanced") and not named(None, "ce")


def test_arms_that_cannot_be_compared_are_refused_with_the_reason(runs):
    def refused(chosen, names, words, **options):
        with pytest.raises(UserError, match=words):
            compare_named(chosen, names, ["bertscore_f1"], FEW, **options)

    refused(of(runs, *GAINS), ["ce"], "fewer than two arms")
    refused(of(runs, *GAINS), ["ce", "hard"], "no run is of arm 'hard' of .*, only of ce, severity")
    few = of(runs, "ce") + of(runs, "severity", seeds=[0])
    refused(few, ["ce", "severity"], "arm severity has one training, .*which says nothing about the arm")
    other = of(runs, "ce", seeds=[0, 1]) + of(runs, "severity", seeds=[1, 2])
    refused(other, ["ce", "severity"], "the seeds differ between arms: ce has 0, 1 and severity has 1, 2")
    (found,) = compare_named(other, ["ce", "severity"], ["bertscore_f1"], FEW, unpaired=True).bases
    assert found.pairs["ce", "severity"].trainings == "2 and 2 trainings, not paired by seed"
    apart = [
        Run(**{**vars(run), "answers": run.answers.assign(id="x" + run.answers["id"])})
        for run in of(runs, "severity")
    ]
    refused([*of(runs, "ce"), *apart], ["ce", "severity"], "arms ce and severity have no common question")


@pytest.mark.slow
def test_the_command_prints_components_claim_and_needs_and_writes_them(folders, tmp_path):
    paths = [path for (base, *_), path in folders.items() if base == "b1"]
    file = tmp_path / "arms.json"
    done = maqa("compare", "--arms", "ce", "severity", "constant", *paths, "--json", file)
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    assert "standard deviations in points" in printed and "residual" in printed
    assert "3 trainings each, paired by seed (0, 1, 2)" in printed
    assert "to find 1 points with 80 % power:" in printed
    assert "signature of bertscore_f1: refs:1|" in printed and "|resamples:10000|seed:0" in printed
    assert printed.count("questions taken as independent: ") == 1
    (base,) = json.loads(file.read_text())["bases"]
    (claim,) = base["claims"]
    assert claim["holds"] is False and claim["words"] in printed
    assert len(base["pairs"]) == 3


def test_what_clusters_cost_is_said_once_of_a_base_and_of_each_pair_where_it_differs(runs):
    (found,) = compare_named(of(runs, *GAINS), ["ce", "severity", "constant"], ["bertscore_f1"], FEW).bases
    (line,) = questions_in_words(found)
    assert line == f"{found.base}: {found.pairs['ce', 'severity'].questions}."
    clustered = {
        pair: replace(compared, questions=f"{place} clusters")
        for place, (pair, compared) in enumerate(found.pairs.items())
    }
    assert questions_in_words(replace(found, pairs=clustered)) == [
        f"{found.base}, {second} - {first}: {place} clusters." for place, (first, second) in enumerate(found.pairs)
    ]


def test_models_that_agree_to_the_last_digit_have_an_interval_and_a_p_that_agree_too():
    found = over_models([4.0, 4.0, 4.0], [0.1, 0.2, 0.1])
    assert (found.low, found.high, found.p) == (4.0, 4.0, 1e-15)
    assert "p ≤ 1e-15 over 3 models" in str(found)
    assert over_models([0.0, 0.0], [0.1, 0.2]).p == 1
    near = over_models([4.0, 4.0 + 1e-12], [0.1, 0.2])
    assert 0 < near.p < 0.05 and near.low > 0


def test_options_of_arms_and_of_two_sides_are_never_passed_over(folders, capsys, monkeypatch):
    ce, severity = ([folders["b1", arm, seed] for seed in range(2)] for arm in ("ce", "severity"))
    for arguments, words in (
        (("--arms", "ce", "severity", *ce, *severity, "--a", ce[0]), "--a and --b are for two sides"),
        ((ce[0], severity[0], "--unpaired"), "--unpaired and --effect are for arms"),
        ((ce[0], severity[0], "--effect", "2"), "--unpaired and --effect are for arms"),
        (("--arms", "ce", "severity", *ce, *severity, "--effect", "inf"), "Give points above 0 and up to 100"),
    ):
        code, said, complained = here(capsys, monkeypatch, *arguments)
        assert (code, said, complained.count("\n")) == (2, "", 1)
        assert words in complained


def test_arms_are_judged_against_a_margin_too(folders, capsys, monkeypatch):
    runs = [path for (base, arm, _), path in folders.items() if base == "b1" and arm in ("ce", "shuffled")]
    _, said, _ = here(
        capsys, monkeypatch, "--arms", "ce", "shuffled", *runs, "--margin", "2", *("--resamples", 200)
    )
    assert "equivalent within 2.0 in critical, neutral, non_critical, overall" in " ".join(said.split())


def here(capsys, monkeypatch, *arguments):
    """``maqa compare`` in this process: its exit status and what it said."""
    monkeypatch.setattr(sys, "argv", ["maqa", "compare", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, *capsys.readouterr()


@pytest.mark.slow
def test_the_command_refuses_in_one_line(folders, evaluated):
    one = [folders["b1", "ce", 0], folders["b1", "ce", 1], folders["b1", "severity", 0]]
    for runs, words in (
        (one, "arm severity has one training"),
        ([], "there are no runs"),
        ([*one, evaluated["constant"]], "does not say how its model was trained"),
    ):
        done = maqa("compare", "--arms", "ce", "severity", *runs)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert words in done.stderr


BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip
"""Tuberculosis and no tuberculosis, vaccinated and not, of 13 trials (Colditz et al. 1994)."""


def test_the_heterogeneity_is_the_one_published_for_the_bcg_vaccine():
    """metafor's rma(measure="RR", method="DL") of dat.bcg: tau² 0.3088, Q 152.2330, I² 92.12 %."""
    a, b, c, d = np.array(BCG, float).T
    ratios = np.log(a / (a + b)) - np.log(c / (c + d))
    errors = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    found = over_models(ratios, errors)
    student = stats.ttest_1samp(ratios, 0)
    assert (found.p, found.low) == pytest.approx((student.pvalue, student.confidence_interval().low))
    assert found.deviation**2 == pytest.approx(0.3088, abs=5e-5)
    assert (found.q, found.i2_pct) == pytest.approx((152.2330, 92.12), abs=5e-3)


def test_a_mean_over_models_keeps_its_level_and_one_model_has_none():
    rng = np.random.default_rng(0)
    errors = [0.3, 0.6, 1.0, 0.5]
    for between in (0, 0.6):
        worlds = rng.normal(0, between, (3000, 4)) + rng.normal(0, errors, (3000, 4))
        p = [over_models(world, errors).p for world in worlds]
        assert 0.03 <= np.mean(np.array(p) < 0.05) <= 0.06
    assert str(over_models([1.0], [0.2])) == "one model: nothing is known about others"


@pytest.mark.slow
def test_board_page_and_terminal_say_the_claim_in_the_same_words(runs, folders, tmp_path):
    from maqa_severity.leaderboards.board import build_board
    from maqa_severity.leaderboards.export import board_page

    board = build_board(of(runs, *GAINS), resampling=FEW)
    (claim,) = board.claims
    assert claim.holds is False and "severity does not beat constant (" in claim.words
    assert claim.words in board_page(board).replace("&#39;", "'").replace("&#34;", '"')
    paths = [path for (base, *_), path in folders.items() if base == "b1"]
    done = maqa("leaderboard", *paths, "--out", tmp_path, "--resamples", 200)
    assert claim.words in " ".join(done.stdout.split())
    single = build_board(of(runs, "ce", "severity", seeds=[0]), resampling=FEW)
    assert single.claims[0].holds is None and "tell these checkpoints apart, not the arms" in single.claims[0].words


def test_the_words_of_two_checkpoints_are_never_about_their_arms(runs):
    from maqa_severity.harness.runs.comparison import compare

    (one,), (other,) = of(runs, "ce", seeds=[0]), of(runs, "severity", seeds=[0])
    assert compare(one, other, resampling=FEW).words["bertscore_f1"].startswith("these two checkpoints: gain found")
