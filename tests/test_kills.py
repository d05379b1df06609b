"""What SIGKILL leaves is gone on with by the same command, to the same bytes."""

import random

import pytest
from maqa_severity.harness.labelling import stream
from maqa_severity.tests import kills as killing
from maqa_severity.tests.kills import Killing, kills
from maqa_severity.tests.writers import make_table, run

LIGHT = ("prepare", "label", "score", "leaderboard", "compare --json")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def prepared(tmp_path):
    make_table(tmp_path)
    words = ["prepare", tmp_path / "data.csv", "--out", tmp_path / "data"]
    assert run(words)[0] == 0
    return words, tmp_path / "data"


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_a_dataset_that_a_kill_left_half_written_is_written_anew_by_the_same_command(prepared, more):
    words, out = prepared
    whole = content(out)
    # As it is while the splits are moved to their places, the last of all files still under its other name.
    (out / "dataset.json").rename(out / ".dataset.json.abcd_123.json")
    (out / "train.parquet").rename(out / ".train.parquet.abcd_123.parquet")
    assert run([*words, *more])[::2] == (0, "")
    assert content(out) == whole


def test_a_folder_without_what_a_kill_left_is_no_dataset_of_ours(prepared):
    words, out = prepared
    (out / "dataset.json").rename(out / ".dataset.json.bak.json")
    assert "holds files but no dataset.json" in run([*words, "--overwrite"])[2]


def test_what_a_kill_left_of_labelling_that_was_done_goes_with_the_same_command(prepared):
    _, out = prepared
    label = ["label", out, "--out", out.with_name("labelled"), "--with", "rules"]
    assert run(label)[0] == 0
    (out.with_name("labelled") / ".labelling-done").mkdir()
    (out.with_name("labelled") / ".labelling-done" / "identity.json").write_text("{}")
    assert "holds a dataset" in run(label)[2]
    assert not (out.with_name("labelled") / ".labelling-done").exists()


def test_the_card_of_labels_goes_to_its_place_with_them(prepared, monkeypatch):
    _, out = prepared
    assert run(["label", out, "--check", out, "--with", "rules", "--out", out])[0] == 0
    label, labelled = (
        ["label", out, "--out", out.with_name("labelled"), "--with", "rules"],
        out.with_name("labelled"),
    )

    def struck(folder):
        if (folder / ".labelling" / "whole").exists():
            raise KeyboardInterrupt
        return False

    with monkeypatch.context() as patched:
        patched.setattr(stream, "finish_labelling", struck)
        assert run(label)[0] == 130 and not (labelled / "dataset.json").exists()
    assert run(label)[0] == 0
    assert {"dataset.json", "report_card.json"} <= set(content(labelled))


@pytest.mark.slow
@pytest.mark.weekly
def test_random_kills_of_light_commands_change_no_byte_and_leave_nothing_behind():
    found = list(kills(5, 0, LIGHT))
    assert len(found) == 5 and [kill for kill in found if kill.wrong] == []


class Late(random.Random):
    """Draws the last but few of a command's changes to files."""

    def random(self):
        return 0.9


@pytest.mark.slow
def test_half_a_file_other_bytes_and_what_is_left_behind_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(killing, "make_inputs", make_table)
    prepare = Killing(tmp_path.resolve(), ["prepare"])
    sound = prepare.kill("prepare", Late())
    assert sound.wrong == "" and sound.files and sound.where.startswith("change"), sound
    monkeypatch.setattr(killing, "whole", lambda path: False)
    assert (
        "half-written: ['into/data/test.parquet', 'into/data/train.parquet'"
        in prepare.kill("prepare", Late()).wrong
    )
    monkeypatch.setattr(killing, "whole", lambda path: True)
    prepare.undisturbed["prepare"][1].update({"into/data/test.parquet": b"", "into/data/.begun": b""})
    assert "other files: ['into/data/.begun', 'into/data/test.parquet']" in prepare.kill("prepare", Late()).wrong
