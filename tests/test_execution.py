"""A grid whose cells fail, are done again, are watched, and are placed: each cell for itself."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.core.errors import Interrupted, UserError
from maqa_severity.harness.core.holding import hold
from maqa_severity.tests.grid import board_files, broken, cell_files, run, write_grid
from maqa_severity.trainers.execution.job import Job
from maqa_severity.trainers.execution.progress import Seen, hours_left, look
from maqa_severity.trainers.execution.room import Room, gpu_share, room_of
from maqa_severity.trainers.execution.status import CellStatus, State, lock_file, read_status, write_status
from maqa_severity.trainers.execution.work import CellWork
from maqa_severity.trainers.experiments.config import load_experiment
from rich.console import Console

REASON = "train: out/checkpoints/severity/seed-1 is not empty and holds no training"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, encoder):
    """A grid of four cells, one of them broken, after its first run."""
    folder = tmp_path_factory.mktemp("grid")
    write_grid(folder, encoder)
    broken(folder, "severity/seed-1")
    return folder, run(folder)


@pytest.fixture
def grid(stopped, tmp_path, monkeypatch):
    """A copy of it, to go on with in this process."""
    # With the times, or nothing would pass for untouched.
    folder = Path(shutil.copytree(stopped[0], tmp_path / "grid", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def go_on(**changes):
    experiment = load_experiment(Path("grid.yaml"))
    return run_experiment(experiment.model_copy(update=changes), Path("out"), Console(quiet=True))


@pytest.mark.slow
def test_a_failing_cell_keeps_no_other_from_being_done_and_the_exit_status_is_1(stopped):
    folder, done = stopped
    assert done.returncode == 1 and "Traceback" not in done.stderr
    board = json.loads((folder / "out/leaderboard/leaderboard.json").read_text())
    assert {row["name"] for row in board["rows"]} == {"ce/seed-0", "ce/seed-1", "severity/seed-0", "constant"}
    (missing,) = board["missing"]
    assert missing["name"] == "severity/seed-1" and missing["reason"].startswith(REASON)
    assert json.loads((folder / "out/arms.json").read_text())["missing"] == [missing]
    said = f"severity/seed-1 is missing: {REASON}"
    assert said in done.stdout and said in (folder / "out/leaderboard/index.html").read_text()


@pytest.mark.slow
def test_the_arms_are_compared_over_the_trainings_that_are_there(grid):
    outcome = go_on()
    (compared,) = outcome.verdicts["greedy"]
    assert compared.trained == (2, 1) and not outcome.whole


@pytest.mark.slow
def test_a_failed_cell_is_tried_again_and_finished_ones_are_left_alone(grid):
    before = cell_files(grid)
    shutil.rmtree("out/checkpoints/severity/seed-1")
    outcome = go_on()
    assert outcome.whole and len(outcome.boards["greedy"].rows) == 5
    after = cell_files(grid)
    assert {name: after[name] for name in before} == before and len(after) == len(before) + 2
    assert "missing" not in json.loads(Path("out/arms.json").read_text())


@pytest.mark.slow
def test_going_on_with_nothing_to_do_shows_the_same_to_the_last_byte(grid):
    before = board_files(grid)
    assert run(grid).returncode == 1
    assert board_files(grid) == before


@pytest.mark.slow
def test_weights_that_were_swapped_since_are_noticed_though_finished_cells_are_not_read_again(grid):
    one, other = (Path("out/checkpoints/ce") / seed / "model.safetensors" for seed in ("seed-0", "seed-1"))
    one.write_bytes(other.read_bytes())
    (missing,) = [row for row in go_on().boards["greedy"].missing if row.name == "ce/seed-0"]
    assert "evaluate greedy: out/runs/ce/seed-0 holds another run" in missing.reason


@pytest.mark.slow
def test_an_analysis_is_not_judged_while_a_training_that_it_takes_is_missing(grid):
    analysis = {"primary": "bertscore_f1", "contrasts": [{"arm": "severity", "against": ["ce"]}]}
    settings = yaml.safe_load(Path("grid.yaml").read_text())
    Path("grid.yaml").write_text(yaml.safe_dump({**settings, "analysis": analysis}))
    outcome = go_on()
    assert outcome.declared == {}
    assert outcome.boards["greedy"].notes[-1].endswith("it takes severity/seed-1, which is missing here")
    shutil.rmtree("out/checkpoints/severity/seed-1")
    assert go_on().declared["greedy"].tests


@pytest.mark.slow
def test_a_claim_is_not_made_easier_by_an_arm_that_is_missing(grid):
    from maqa_severity.trainers.experiments.config import ClaimPart

    claim = ClaimPart(arm="severity", against=["ce"])
    (base,) = go_on(claim=claim).arms["greedy"].bases
    assert len(base.claims) == 1
    shutil.rmtree("out/checkpoints/severity/seed-0")
    broken(grid, "severity/seed-0")
    outcome = go_on(claim=claim)
    assert outcome.arms["greedy"].bases == [] and not Path("out/report.html").exists()


def test_a_defect_is_marked_with_its_traceback_and_the_rest_goes_on(grid, monkeypatch):
    train = Job.train

    def failing(job, label):
        if label == "severity/seed-1":
            raise ZeroDivisionError("division by zero")
        train(job, label)

    monkeypatch.setattr(Job, "train", failing)
    (missing,) = go_on().boards["greedy"].missing
    assert missing.reason == "train: ZeroDivisionError: division by zero"
    status = read_status(Path("out"), "severity/seed-1")
    assert status.state is State.FAILED and "in failing" in status.traceback


def test_who_ends_the_work_ends_all_of_it(grid, monkeypatch):
    def interrupted(job, label):
        raise Interrupted("interrupted", "Run the same command again")

    shutil.rmtree("out/checkpoints/ce")
    monkeypatch.setattr(Job, "train", interrupted)
    with pytest.raises(Interrupted):
        go_on()
    assert {each.state for each in look(load_experiment(Path("grid.yaml")), Path("out")) if each.cell} >= {
        State.WAITING
    }


def test_a_second_driver_is_refused_and_told_who_the_first_is(grid):
    with hold(Path("out/.driver.lock"), "the experiment"):
        done = run(grid)
    assert done.returncode == 2 and "the experiment in out is worked on by process" in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_is_left_of_a_run_that_was_refused_before_it_began(grid):
    Path("base/model.safetensors").unlink()
    with pytest.raises(UserError, match="cannot load base"):
        run_experiment(load_experiment(Path("grid.yaml")), Path("new"), Console(quiet=True))
    assert not Path("new").exists()


def test_the_status_tells_from_the_folder_alone_what_is_done_running_waiting_and_failed(grid):
    (Path("out/runs/ce/seed-0/manifest.json")).unlink()
    write_status(Path("out"), "ce/seed-1", CellStatus(state=State.RUNNING, step="train", begun=0.0))
    with hold(lock_file(Path("out"), "ce/seed-1"), "ce/seed-1"):
        found = {each.label: each.state for each in look(load_experiment(Path("grid.yaml")), Path("out"))}
        printed = run(grid, "--status").stdout
    assert found == {
        "ce/seed-0": State.WAITING,
        "ce/seed-1": State.RUNNING,
        "severity/seed-0": State.DONE,
        "severity/seed-1": State.FAILED,
        "constant": State.DONE,
    }
    assert "2 done, 1 running, 1 waiting, 1 failed; about" in printed and "left" in printed
    assert "nobody works on it" in printed and "ce/seed-1: train 100 %" in printed
    assert f"severity/seed-1 failed: {REASON}" in printed
    # Whoever held it is gone without a word.
    assert look(load_experiment(Path("grid.yaml")), Path("out"))[1].state is State.DONE


def test_the_hours_left_are_those_of_finished_cells_of_the_same_arm(grid):
    ce, _, severity, *_ = look(load_experiment(Path("grid.yaml")), Path("out"))
    waiting = [Seen(f"ce/{number}", ce.cell, State.WAITING) for number in range(4)]
    done = [Seen("a", ce.cell, State.DONE, 3600.0), Seen("b", severity.cell, State.DONE, 7200.0)]
    assert hours_left([*done, *waiting]) == 4
    assert hours_left([*done, *waiting], now_running=2) == 2
    # The slowest cell is not done sooner than it takes.
    assert hours_left([*done, *waiting], now_running=100) == 1
    at_work = Seen("c", severity.cell, State.RUNNING, 1800.0)
    assert hours_left([*done, at_work]) == 1.5
    assert hours_left([*waiting, Seen("f", None, State.DONE, 5.0)]) is None
    assert hours_left(done) == 0


def test_several_cells_share_a_gpu_by_what_one_was_measured_to_take():
    def took(gigabytes, of=80):
        return CellStatus(
            state=State.DONE, peak_memory_bytes=gigabytes * 2**30, device_memory_bytes=of and of * 2**30
        )

    assert gpu_share([]) == 1 == gpu_share([took(5, of=0)])
    assert gpu_share([took(10), took(20)]) == 0.29
    assert gpu_share([took(20), took(20, of=40)]) == 0.58
    assert gpu_share([took(79)]) == 1


def test_a_cell_asks_for_a_whole_gpu_until_one_of_its_base_was_measured(grid):
    experiment = load_experiment(Path("grid.yaml"))
    job, work = Job(experiment, Path("out"), Path("data")), CellWork("ce/seed-0")
    # Measured without a GPU, so nothing is known of one.
    assert room_of(work, job, Room(16, 4, 2**38), threads=16) == Room(1, 1)
    taken = max(
        read_status(Path("out"), label).peak_memory_bytes for label in ("ce/seed-0", "ce/seed-1", "severity/seed-0")
    )
    found = room_of(work, job, Room(16, 0, 2**38), threads=2)
    assert (found.cpus, found.gpus) == (2, 0) and found.memory == pytest.approx(1.1 * taken)
    assert room_of(work, job, Room(1, 0, 2**20), threads=2) == Room(1, 0, 2**20)
    shutil.rmtree("out/cells")
    weights = Path("base/model.safetensors").stat().st_size
    assert room_of(work, job, Room(16, 0, 2**38), threads=2).memory == 2 * 2**30 + 8 * weights


def test_workers_are_of_ray_alone(grid):
    done = run(grid, "--workers", "2")
    assert done.returncode == 2 and "Add --engine ray" in done.stderr
