"""A grid on a local Ray: killed, short of what it needs; still to the last byte what one process makes of it."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from maqa_severity.experiment import run_experiment
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.grid import (
    board_but_for_its_cost,
    broken,
    cell_files,
    command,
    environment,
    run,
    write_grid,
)
from maqa_severity.trainers.execution.grid import driver_of
from maqa_severity.trainers.execution.job import Job
from maqa_severity.trainers.execution.nodes import Needs, demand_everywhere
from maqa_severity.trainers.execution.progress import look
from maqa_severity.trainers.execution.ray import RayEngine
from maqa_severity.trainers.execution.status import State, read_status, worker_of
from maqa_severity.trainers.execution.work import CellWork
from maqa_severity.trainers.experiments.config import load_experiment
from rich.console import Console

pytest.importorskip("ray", reason="Ray is not installed here: pip install 'maqa-severity[ray]'")
pytestmark = pytest.mark.slow

KILLS, OF_DRIVERS = 10, 3
RAY = ("--engine", "ray", "--workers", "2")


class Grid:
    """An experiment that a driver works on in another process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.driver = folder, folder / "out", None
        self.experiment = load_experiment(folder / "grid.yaml")

    def start(self) -> None:
        with (self.folder / "log.txt").open("a") as log:
            self.driver = subprocess.Popen(
                command(*RAY), cwd=self.folder, env=environment(), stdout=log, stderr=log
            )

    def done(self) -> int:
        """How many cells and floors are done."""
        return sum(each.state is State.DONE for each in look(self.experiment, self.out))

    def wait(self, what, limit_s: float = 300.0):
        """What a function finds, as soon as that is something."""
        deadline = time.monotonic() + limit_s
        while not (found := what()):
            assert self.driver.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return found

    def workers(self) -> list[int]:
        holders = (worker_of(self.out, each.label) for each in look(self.experiment, self.out))
        return [holder.pid for holder in holders if holder]

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()[-5000:]


@pytest.fixture
def grid(tmp_path, encoder):
    """One that is written down and not begun."""

    def write(name: str = "grid", **parts) -> Grid:
        write_grid(tmp_path / name, encoder, **parts)
        return Grid(tmp_path / name)

    return write


@pytest.mark.weekly
def test_ten_kills_of_workers_and_drivers_change_no_byte_and_nothing_is_done_twice(grid, tmp_path):
    disturbed = grid("disturbed", arms=4, seeds=6)
    shutil.copytree(disturbed.folder, tmp_path / "whole", symlinks=True)
    for folder in (disturbed.folder, tmp_path / "whole"):
        broken(folder, "severity/seed-3")
    undisturbed = run(tmp_path / "whole")
    assert undisturbed.returncode == 1, undisturbed.stderr[-3000:]

    draw = random.Random(0)
    moments = sorted(draw.sample(range(22), KILLS))
    of_drivers = set(draw.sample(range(KILLS), OF_DRIVERS))
    finished: dict[str, tuple[int, bytes]] = {}
    disturbed.start()
    for number, moment in enumerate(moments):
        disturbed.wait(lambda moment=moment: disturbed.done() >= moment and disturbed.workers())
        time.sleep(draw.uniform(0, 1.5))
        finished |= cell_files(disturbed.folder)
        if number in of_drivers:
            disturbed.driver.kill()
            disturbed.driver.wait()
            disturbed.start()
        else:
            os.kill(draw.choice(disturbed.wait(disturbed.workers)), signal.SIGKILL)
    assert disturbed.driver.wait(timeout=600) == 1, disturbed.log()

    assert board_but_for_its_cost(disturbed.folder) == board_but_for_its_cost(tmp_path / "whole")
    after = cell_files(disturbed.folder)
    assert {name: after[name] for name in finished} == finished and len(finished) > 10
    log = (disturbed.folder / "log.txt").read_text()
    # Each of the driver's lines once, and none of Ray's.
    assert "its worker died" in log and not any(sign in log for sign in ("(raylet", "(_task", "pid=", "Traceback"))
    assert driver_of(disturbed.out) is None and disturbed.workers() == []


@pytest.mark.weekly
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_the_driver_ends_its_workers_and_what_is_done_is_kept(grid, sign):
    ended = grid()
    ended.start()
    ended.wait(lambda: ended.done() >= 1 and ended.workers())
    before, (pid, *_) = cell_files(ended.folder), ended.workers()
    ended.driver.send_signal(sign)
    assert ended.driver.wait(timeout=60) == 128 + sign, ended.log()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists() and "Traceback" not in ended.log()
    assert run(ended.folder).returncode == 0
    assert {name: cell_files(ended.folder)[name] for name in before} == before


@pytest.mark.weekly
def test_a_worker_that_dies_each_time_is_given_up_and_the_rest_goes_on(grid, monkeypatch, tmp_path):
    dying = grid(seeds=1)
    monkeypatch.chdir(dying.folder)

    class Deadly(CellWork):
        """Its process dies as one does that the system ends for want of memory."""

        def steps(self, job):
            for step in super().steps(job):
                yield step._replace(do=lambda: os.kill(os.getpid(), signal.SIGKILL))

    def engine(works, job, said):
        works = [Deadly("ce") if work.labels == ("ce",) else work for work in works]
        return RayEngine(workers=1)(works, job, said)

    outcome = run_experiment(load_experiment(Path("grid.yaml")), Path("out"), Console(quiet=True), engine=engine)
    (missing,) = outcome.boards["greedy"].missing
    assert missing.name == "ce" and missing.reason.startswith("its worker died 5 times, the last time by ")
    assert {row.name for row in outcome.boards["greedy"].rows} == {"severity", "constant"}
    assert read_status(Path("out"), "ce").state is State.FAILED


def test_a_machine_without_the_data_or_the_base_is_named_before_anything_is_done(grid, monkeypatch, cluster):
    short = grid()
    monkeypatch.chdir(short.folder)
    job = Job(short.experiment, Path("out"), Path("data"), ("encoder", None))
    Path("out").mkdir()
    needs = Needs.of(job)
    demand_everywhere(cluster, needs)
    for name, what in (("data", "the dataset"), ("base", "the base tiny"), ("encoder", "the encoder")):
        Path(name).rename("away")
        with pytest.raises(UserError, match=rf"machine \S+ has no {short.folder / name}, {what}\. Put it where"):
            demand_everywhere(cluster, needs)
        Path("away").rename(name)
    older = Needs(**{**vars(needs), "versions": {**needs.versions, "torch": "1.0"}})
    with pytest.raises(UserError, match=r"machine \S+ has torch 2\.\S+, the driver 1\.0\. Install the same"):
        demand_everywhere(cluster, older)


@pytest.fixture
def cluster():
    """Two CPUs, and nothing else."""
    import ray

    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    yield ray
    ray.shutdown()
