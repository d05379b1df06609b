"""Learning curves: readable while a training runs, safe whatever things are called, and in words, too."""

import json
import re

import pytest
from maqa_severity.tests.training import SETTINGS, medical_dataset
from maqa_severity.trainers.arms import ArmSpec
from maqa_severity.trainers.lm.config import load_config
from maqa_severity.trainers.lm.curves import Curves, write_curves, write_experiment_curves
from maqa_severity.trainers.lm.train import train_lm

# The sentences in both languages, and the switch between them.
OWN_SCRIPTS = 2


def log(folder, lines):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "training_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def lines(count, start=3.0):
    return [
        {"step": step, "loss": start / step, "loss_critical": 2 / step, "learning_rate": 1e-3 / step}
        for step in range(1, count + 1)
    ]  # fmt: skip


@pytest.fixture
def dataset(tmp_path):
    return medical_dataset(tmp_path / "dataset")


def test_a_training_leaves_curves_of_loss_validation_rate_gradient_and_speed(
    dataset, checkpoint, tmp_path, monkeypatch
):
    seen = []
    write = Curves.write

    def watched(self, **how):
        write(self, **how)
        seen.append((tmp_path / "out" / "curves.html").is_file())

    monkeypatch.setattr(Curves, "write", watched)
    config = load_config(settings=[*SETTINGS, "evaluate_every=2"])
    train_lm(dataset, str(checkpoint), ArmSpec.of("severity"), config, tmp_path / "out")
    # It is there from the first line on.
    assert all(seen) and len(seen) > 5
    page = (tmp_path / "out" / "curves.html").read_text()
    for heading in (
        "training loss per severity",
        "validation likelihood per severity",
        "learning rate",
        "norm of the",
    ):
        assert re.search(f"<h2[^>]*>{heading}", page)
    assert re.search(r'aria-label="training loss per severity: critical from [\d.]+ at step \d+ to', page)
    assert page.count("<script") == OWN_SCRIPTS and not re.search(r"(src|href|url\()=?[\"']?https?:", page)
    assert "prefers-color-scheme: dark" in page


def test_it_is_written_no_more_often_than_it_may_cost(tmp_path):
    log(tmp_path, lines(3))
    curves = Curves(tmp_path, "t")
    curves.write()
    (tmp_path / "curves.html").unlink()
    curves.write()
    assert not (tmp_path / "curves.html").exists()
    curves.write(now=True)
    assert (tmp_path / "curves.html").exists()


def test_half_a_line_no_log_and_a_long_one_are_drawn(tmp_path):
    log(tmp_path / "a", lines(5))
    with (tmp_path / "a" / "training_log.jsonl").open("a") as stream:
        stream.write('{"step": 6, "lo')
    write_curves(tmp_path / "a", "a")
    assert "step 5" in (tmp_path / "a" / "curves.html").read_text()
    (tmp_path / "b").mkdir()
    write_curves(tmp_path / "b", "b")
    assert "Nothing was logged yet" in (tmp_path / "b" / "curves.html").read_text()
    log(tmp_path / "c", lines(20_000))
    write_curves(tmp_path / "c", "c")
    assert (tmp_path / "c" / "curves.html").stat().st_size < 100_000


def test_arms_lie_over_one_another_and_hostile_names_are_text(tmp_path):
    evil = '"><script>alert(1)</script>'
    log(tmp_path / "ce", lines(5))
    log(tmp_path / "other", lines(5, 4.0))
    folders = {"ce": tmp_path / "ce", evil: tmp_path / "other", "not yet": tmp_path / "none"}
    write_experiment_curves(tmp_path, evil, folders)
    page = (tmp_path / "curves.html").read_text()
    assert page.count("<script") == OWN_SCRIPTS and "&lt;script&gt;" in page and "not yet" not in page
    chart = re.split(r"<h2[^>]*>loss as it is minimised</h2>", page)[1].split("</svg>")[0]
    assert chart.count("<polyline") == 2 and "ce from 3 at step 1 to 0.6 at step 5" in chart
