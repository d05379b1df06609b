"""Runs of several trainings are one arm, and are compared as one."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.conditions import training_of
from maqa_severity.harness.runs.groups import as_group, group_of, grouped
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.table import ScoreTable, write_scores
from maqa_severity.harness.statistics import Verdict
from maqa_severity.leaderboards.board import build_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.sealing import resealed


def trained(folder, source, arm, seed, shift=0.0, base="b1", exposure=None, **conditions):
    """A copy of a run as one of a checkpoint that was trained so, with other scores."""
    shutil.copytree(source, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    conditions = {"base": base, "steps": 10, "config.seed": seed, **conditions}
    training = {"arm": arm, "scheme": None, "seed": seed, "conditions": conditions, "exposure": exposure}
    manifest["model"]["training"] = training
    manifest["name"] = folder.name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    scores = load_run(source).scores
    rng = np.random.default_rng([*arm.encode(), seed])
    moved = 50 + 0.3 * scores.frame["bertscore_f1"] + shift + rng.normal(0, 0.5, len(scores.frame))
    write_scores(
        folder / "scores.parquet",
        ScoreTable(scores.frame.assign(bertscore_f1=moved.clip(0, 100)), scores.signatures),
    )
    # No two trainings answer the same.
    for path in folder.glob("samples_*"):
        rows = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        for row in rows:
            row["filtered_resps"] = [f"{row['filtered_resps'][0]} {folder.name}"]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return resealed(folder)


@pytest.fixture(scope="module")
def folders(evaluated, tmp_path_factory):
    root = tmp_path_factory.mktemp("arms")
    return {
        f"{arm}-{seed}": trained(root / f"{arm}-{seed}", evaluated["hf"], arm, seed, gain + seed * 0.3)
        for arm, gain in (("ce", 0.0), ("severity", 4.0))
        for seed in range(3)
    }


@pytest.fixture
def runs(folders):
    return {name: load_run(path) for name, path in folders.items()}


def maqa(*arguments):
    command = [sys.executable, "-m", "maqa_severity", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_runs_are_grouped_by_base_and_arm_and_told_apart_by_their_seeds(runs, evaluated):
    plain = load_run(evaluated["constant"])
    ce, severity, alone = grouped([*runs.values(), plain])
    assert (ce.arm, list(ce.runs), severity.arm) == ("ce", [0, 1, 2], "severity")
    assert (alone.arm, alone.base, alone.runs) == (None, None, {None: plain})
    assert ce.name == "ce (seeds 0, 1, 2)" and ce.first is runs["ce-0"]
    single = group_of(runs["ce-1"])
    assert (single.name, single.arm, list(single.runs)) == ("ce-1", "ce", [1])


def test_answering_again_is_no_other_training(runs, tmp_path):
    again = Run(**{**vars(runs["ce-0"]), "path": tmp_path})
    (group,) = grouped([runs["ce-0"], again, runs["ce-1"]])
    assert list(group.runs) == [0, 1] and group.first is runs["ce-0"]
    with pytest.raises(UserError, match="are of one training, seed 0"):
        as_group([runs["ce-0"], again])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"arm": "hard"}, "arm: ce and hard"),
        ({"base": "b2"}, "base: b1 and b2"),
        ({"steps": 20}, "training steps: 10 and 20"),
    ],
)
def test_runs_that_are_no_trainings_of_one_arm_are_refused(runs, evaluated, tmp_path, change, named):
    odd = trained(tmp_path / "odd", evaluated["hf"], **{"arm": "ce", "seed": 1, **change})
    with pytest.raises(UserError, match=f"are no trainings of one arm: .*{named}"):
        as_group([runs["ce-0"], load_run(odd)])
    with pytest.raises(UserError, match="does not say how its model was trained"):
        as_group([runs["ce-0"], load_run(evaluated["constant"])])
    with pytest.raises(UserError, match="has no run"):
        as_group([])


def test_a_comparison_of_groups_of_one_is_that_of_the_runs(runs):
    one, other = runs["ce-0"], runs["severity-0"]
    assert compare(as_group([one]), as_group([other])).as_json() == compare(one, other).as_json()
    assert compare(one, other).trainings == "one training each: nothing is known about other trainings"


def test_arms_over_their_trainings_are_compared_on_both_levels(runs):
    arms = [as_group([run for name, run in runs.items() if name.startswith(arm)]) for arm in ("ce", "severity")]
    compared = compare(*arms)
    assert compared.trainings == "3 trainings each, paired by seed (0, 1, 2)"
    change = compared.difference("bertscore_f1", "overall")
    means = [np.mean([run.scores.frame["bertscore_f1"].mean() for run in arm.runs.values()]) for arm in arms]
    assert change.mean == pytest.approx(means[1] - means[0])
    assert change.verdict is Verdict.GAIN and change.error > 0
    for side, mean in zip(compared.summaries, means, strict=True):
        assert side[-1].mean == pytest.approx(mean)
    assert [each[-1].seeds for each in compared.seeds] == [3, 3] and compared.aggregates == ([], [], [])
    (part,) = [each for each in compared.parts if each.stratum == "overall"]
    assert 0 < part.trainings < 2 and part.questions > 0


def test_trainings_that_answer_the_same_are_named_within_an_arm(runs, tmp_path):
    copy = Run(**{**vars(runs["ce-1"]), "answers": runs["ce-0"].answers})
    compared = compare(as_group([runs["ce-0"], copy]), as_group([runs["severity-0"], runs["severity-1"]]))
    assert compared.notes == [
        "all 24 answers of ce-0 and ce-1 are the same: a shared cache, or the same model twice?"
    ]


def test_the_command_compares_arms_and_single_runs_with_the_same_words(folders, tmp_path):
    ce, severity = ([folders[f"{arm}-{seed}"] for seed in range(3)] for arm in ("ce", "severity"))
    done = maqa(
        "compare", "--a", *ce, "--metric", "bertscore_f1", "--b", *severity, "--json", tmp_path / "arms.json"
    )
    assert done.returncode == 0, done.stderr
    assert "A = ce (seeds 0, 1, 2)" in done.stdout and "paired by seed (0, 1, 2)" in done.stdout
    assert "over trainings" in done.stdout
    saved = json.loads((tmp_path / "arms.json").read_text())
    assert saved["words"]["bertscore_f1"].split(";")[0] in " ".join(done.stdout.split())
    assert {part["stratum"] for part in saved["parts"] if part["trainings"]} >= {"critical", "overall"}
    pair = maqa("compare", f"--a={ce[0]}", "--b", severity[0]).stdout
    chosen = "Reference: ce-0, the plain arm (ce). The order of the runs plays no part.\n"
    assert pair == maqa("compare", severity[0], ce[0]).stdout.replace(chosen, "")
    assert "one training each: nothing is known about other trainings" in " ".join(pair.split())


@pytest.mark.parametrize("sides", [(), ("--a",), ("one",), ("one", "--b")])
def test_one_side_alone_is_refused_in_one_line(folders, sides):
    arguments = [part if part.startswith("-") else folders["ce-0"] for part in sides]
    if sides and sides[-1].startswith("-"):
        arguments.append(folders["ce-1"])
    done = maqa("compare", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--a RUN... --b RUN..." in done.stderr


def test_a_board_keeps_what_each_rank_is_by_and_compares_arms_over_their_seeds(runs):
    board = build_board(list(runs.values()))
    first, *others = board.rows
    assert first.tested is None and all(row.tested for row in others)
    for row in others:
        compared = compare(runs[row.tested.against], runs[row.name])
        change = compared.difference("bertscore_f1", "overall")
        assert (row.tested.mean, row.tested.p) == pytest.approx((change.mean, change.p))
    ce, severity = board.seeds
    assert (ce.against, severity.against) == (None, "ce")
    assert severity.trainings == "3 trainings each, paired by seed (0, 1, 2)"
    assert severity.differences["overall"].verdict == "gain"


def test_what_a_run_says_of_its_training_can_be_asked_below_the_boards(runs, evaluated):
    assert training_of(runs["ce-2"])["seed"] == 2 and training_of(load_run(evaluated["constant"])) is None


def test_the_report_of_an_arm_is_over_its_trainings_and_shows_the_texts_of_one(runs):
    ce = as_group([runs["ce-0"], runs["ce-1"]], "ce")
    severity = as_group([runs["severity-2"], runs["severity-1"], runs["severity-0"]], "severity")
    page = report_page(severity, ce)
    assert "2 trainings each, paired by seed (0, 1); without a partner, left out: seed 2" in page
    assert "severity minus ce" in re.sub(r"<[^>]+>", "", page) and "over questions and trainings" in page
    assert "<bdi>severity-1</bdi>" in page and "severity-2" not in page
    single = report_page(runs["severity-0"], runs["ce-0"])
    assert "One training each: nothing is known about other trainings" in single and 'id="trainings"' not in single


def test_several_trainings_are_compared_with_one_in_events_too(runs):
    """Their means are shares and the single answers are events, so neither is taken for events."""
    three = as_group([runs[f"ce-{seed}"] for seed in range(3)])
    for one, other in ((three, runs["severity-0"]), (runs["severity-0"], three)):
        compared = compare(one, other, ["bertscore_f1", "empty"])
        assert compared.trained in ((3, 1), (1, 3))
        assert compared.words["bertscore_f1"].startswith("these checkpoints: ")
        assert "missed_emergency" in {each.metric for each in compared.safety.differences}
        assert not compared.safety.left_out
