"""`maqa power`: a table of designs from a pilot or from given components, and a picture."""

import json
import shutil

import pytest
from maqa_severity.harness.runs.arms import compare_named
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.scores.table import ScoreTable, write_scores
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.test_groups import maqa, trained

GIVEN = ("--seed-sd", 0.7, "--question-sd", 3, "--residual-sd", 5.7)


@pytest.fixture(scope="module")
def pilot(evaluated, tmp_path_factory):
    root = tmp_path_factory.mktemp("pilot")
    return [
        trained(root / f"{arm}-{seed}", evaluated["hf"], arm, seed, seed * 0.4)
        for arm in ("ce", "severity")
        for seed in range(3)
    ]


def test_given_components_become_a_table_and_what_it_takes(tmp_path):
    file = tmp_path / "power.json"
    done = maqa("power", *GIVEN, "--effect", 1.5, "--seeds", "3,5", "--questions", "300,2000", "--json", file)
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    assert "Power for 1.5 points" in printed and "to find 1.5 points with 80 % power:" in printed
    planned = {
        (each["design"]["seeds"], each["design"]["questions"]): each
        for each in json.loads(file.read_text())["planned"]
    }
    assert set(planned) == {(3, 300), (3, 2000), (5, 300), (5, 2000)}
    assert planned[3, 300]["power_pct"] < planned[3, 2000]["power_pct"] < planned[5, 2000]["power_pct"]
    cell = planned[5, 2000]
    assert f"{cell['power_pct']:.0f} ({cell['detectable']:.1f})" in printed


@pytest.mark.slow
def test_a_pilots_components_are_those_of_its_comparison(pilot, tmp_path):
    file = tmp_path / "power.json"
    done = maqa("power", *pilot, "--json", file)
    assert done.returncode == 0, done.stderr
    runs = [load_run(path) for path in pilot]
    compared = compare_named(runs, ["ce", "severity"], ["bertscore_f1"]).bases[0].pairs["ce", "severity"]
    (part,) = [each.components for each in compared.parts if each.stratum == "overall"]
    assert json.loads(file.read_text())["components"] == pytest.approx(vars(part))


@pytest.mark.slow
def test_a_design_effect_counts_questions_as_fewer_independent_ones(tmp_path):
    file = tmp_path / "power.json"
    saved = {}
    for name, more in (
        ("clustered", ("--questions", 2400, "--design-effect", 2.4)),
        ("alone", ("--questions", 1000)),
    ):
        for kind in ((), ("--interaction", "--shares", "25,50")):
            done = maqa("power", *GIVEN, "--seeds", 3, *more, *kind, "--json", file)
            assert done.returncode == 0, done.stderr
            saved[name, bool(kind)] = json.loads(file.read_text()), " ".join(done.stdout.split())
    for kind in (False, True):
        (clustered, told), (alone, plain) = saved["clustered", kind], saved["alone", kind]
        assert clustered["planned"][0]["power_pct"] == pytest.approx(alone["planned"][0]["power_pct"], abs=0.1)
        assert "Assumed: design effect 2.4, in question and residual alike: 2,400 questions count as 1,000" in told
        assert clustered["assumed"] in told and "Assumed: questions stand alone." in plain


@pytest.mark.slow
def test_a_pilot_with_clusters_says_so_and_is_not_enlarged_twice(pilot, tmp_path):
    clustered = []
    for path in pilot:
        copy = shutil.copytree(path, tmp_path / path.name)
        scores = load_run(path).scores
        together = scores.frame.assign(cluster=[f"case {row // 3}" for row in range(len(scores.frame))])
        write_scores(copy / "scores.parquet", ScoreTable(together, scores.signatures))
        clustered.append(resealed(copy))
    file = tmp_path / "power.json"
    for kind in ((), ("--interaction",)):
        done = maqa("power", *clustered, *kind, "--json", file)
        assert done.returncode == 0, done.stderr
        words = json.loads(file.read_text())["assumed"]
        assert words.startswith(
            "Assumed: questions belong together as the pilot's do, which these deviations hold: "
        )
        assert "clusters, largest 3, design effect" in words and words in " ".join(done.stdout.split())
        done = maqa("power", *clustered, *kind, "--design-effect", 2)
        assert done.returncode == 2 and "hold that of its own clusters" in done.stderr
    done = maqa("power", *pilot, "--design-effect", 2, "--json", file)
    assert done.returncode == 0 and json.loads(file.read_text())["planned"][0]["design"]["design_effect"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_picture_is_written_as_its_name_ends(tmp_path, ending, begins):
    path = tmp_path / f"power.{ending}"
    done = maqa("power", *GIVEN, "--seeds", "3", "--questions", "100,300", "--samples", "1,4", "--out", path)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing says how much the difference varies"),
        (("--seed-sd", 1), "nothing says how much the difference varies"),
        ((*GIVEN, "--seeds", "1,3"), "--seeds '1,3' are no numbers from 2 to 10,000,000"),
        ((*GIVEN, "--questions", "99999999999"), "--questions '99999999999' are no numbers from 2 to 10,000,000"),
        ((*GIVEN, "--effect", 0), "--effect 0 is no difference to find"),
        ((*GIVEN, "--effect", "inf"), "--effect inf is no difference to find"),
        ((*GIVEN, "--out", "power.pdf"), "power.pdf is no picture that can be written"),
        ((*GIVEN, "--design-effect", 0.5), "--design-effect 0.5 is none"),
        ((*GIVEN, "--design-effect", "nan"), "--design-effect nan is none"),
        ((*GIVEN, "--questions", 10, "--design-effect", 6), "makes 10 questions count as fewer than two"),
        ((*GIVEN, "--sampling-sd", 9), "--sampling-sd 9 is no part of the residual"),
        (("--seed-sd", -1, "--question-sd", 1, "--residual-sd", 1), "--seed-sd -1 is no standard deviation"),
        (
            ("--seed-sd", 1, "--question-sd", "nan", "--residual-sd", 1),
            "--question-sd nan is no standard deviation",
        ),
        (("--seed-sd", 0, "--question-sd", 3, "--residual-sd", 0), "are 0, as if no two trainings differed"),
        ((*GIVEN, "--json", "."), "is a folder"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_planned_is_refused_in_one_line(arguments, words):
    done = maqa("power", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_what_cannot_be_found_is_said_to_be():
    done = maqa(
        "power", "--seed-sd", 90, "--question-sd", 3, "--residual-sd", 5, "--seeds", 2, "--questions", 100,
        "--samples", "1,4",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    assert "(none)" in printed and "more than 50 seeds of each arm with 100 questions" in printed
    assert "with 2 seeds no number of questions is enough" in printed
    assert "More samples change nothing unless --sampling-sd says" in printed


def test_a_pilot_of_one_training_is_refused(pilot):
    done = maqa("power", pilot[0], pilot[3])
    assert done.returncode == 2 and "has one training" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--interaction",)])
def test_a_pilot_whose_trainings_do_not_differ_promises_nothing(pilot, more):
    done = maqa("power", *pilot, "--metric", "rougeL", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no two trainings of the pilot differ in rougeL" in done.stderr


def test_a_pilot_of_other_seeds_is_refused_with_a_remedy_that_this_command_has(pilot):
    done = maqa("power", *pilot[:2], *pilot[4:])
    assert done.returncode == 2 and "the seeds differ between arms" in done.stderr
    assert "Give runs of the same seeds; `maqa compare` also takes --unpaired" in done.stderr


@pytest.mark.slow
def test_what_finds_a_gain_in_critical_alone_is_planned_too(pilot, tmp_path):
    file = tmp_path / "power.json"
    done = maqa("power", *pilot, "--interaction", "--seeds", "3,5", "--questions", "300", "--json", file)
    assert done.returncode == 0, done.stderr
    compared = compare_named([load_run(path) for path in pilot], ["ce", "severity"], ["bertscore_f1"])
    (found,) = compared.bases[0].pairs["ce", "severity"].interactions
    saved = json.loads(file.read_text())
    assert saved["components"] == pytest.approx(vars(found.components))
    assert saved["shares"] == pytest.approx([1 / 3, 1 / 3])
    assert "whether the gain differs between critical and non_critical" in " ".join(done.stdout.split())
    powers = [
        json.loads(file.read_text())["planned"][0]["power_pct"]
        for shares in ("10,80", "45,45")
        if maqa("power", *GIVEN, "--interaction", "--shares", shares, "--json", file).returncode == 0
    ]
    assert len(powers) == 2 and powers[0] < powers[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--interaction",), "nothing says how many questions are critical and non_critical"),
        (("--interaction", "--shares", "60,60"), "--shares '60,60' are no two percentages"),
        (("--interaction", "--shares", "1"), "--shares '1' are no two percentages"),
        (("--interaction", "--shares", "0.25,0.5"), "--shares '0.25,0.5' read as shares of 1"),
        (("--shares", "20,30"), "--shares says nothing without --interaction"),
        (("--interaction", "--shares", "20,30", "--sampling-sd", 9), "--sampling-sd 9 is no part of the residual"),
    ],
)
def test_shares_that_mean_nothing_are_refused_in_one_line(arguments, words):
    done = maqa("power", *GIVEN, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr
