"""The store of answers: whole chunks survive, halves and damage do not, and any union of parts is the same."""

import json
import resource
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.records import FinishReason, Generated, Prompt
from maqa_severity.harness.generation.store.lines import Answer, union
from maqa_severity.harness.generation.store.store import Store, answer_key, merge

IDENTITY = {"kind": "hf", "weights": "abc"}


def prompts(*numbers, identity=IDENTITY, folder=None):
    digest = Store(folder, identity).digest if folder else "d"
    return [
        Prompt(answer_key(digest, f"سؤال {n}", 0), f"سؤال {n}", 0, f"id-{n}", "critical", f"سؤال {n}")
        for n in numbers
    ]


def generated(*numbers, seconds=0.5):
    return [Generated(f"جواب {n}\nسطر\u2028آخر", FinishReason.STOP, 3, 4, seconds) for n in numbers]


def fill(folder, *chunks, part="", identity=IDENTITY):
    store = Store(folder, identity, part)
    with store.opened():
        for chunk in chunks:
            store.append(prompts(*chunk, folder=folder, identity=identity), generated(*chunk))
    return store


def kept(folder, identity=IDENTITY):
    with Store(folder, identity).opened() as store:
        keys = {n: prompts(n, folder=folder, identity=identity)[0].key for n in range(20)}
        return {n: store[key].text for n, key in keys.items() if key in store}


def test_what_is_appended_is_there_again_after_opening(tmp_path):
    fill(tmp_path, [0, 1], [2])
    assert kept(tmp_path) == {n: f"جواب {n}\nسطر\u2028آخر" for n in (0, 1, 2)}


def test_a_store_cut_off_at_any_byte_keeps_exactly_its_whole_chunks(tmp_path):
    path = fill(tmp_path / "whole", [0, 1, 2], [3, 4]).path
    content = path.read_bytes()
    first = content.index(b"\n", content.index(b"\n", content.index(b"\n") + 1) + 1) + 1
    for cut in range(0, len(content), 37):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / path.name).write_bytes(content[:cut])
        assert sorted(kept(folder)) == ([0, 1, 2] if cut >= first else [])
        fill(folder, [5])
        assert sorted(kept(folder)) == ([0, 1, 2, 5] if cut >= first else [5])


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace("جواب".encode(), "دواء".encode()),
        lambda line: b'{"some": "other program"}',
        lambda line: b"not json",
        lambda line: line.replace(b'"tokens":4', b'"tokens":5'),
    ],
    ids=["a changed text", "a foreign line", "no json", "a changed number"],
)
def test_a_damaged_line_is_reported_by_its_number_set_aside_and_never_used(tmp_path, caplog, damage):
    path = fill(tmp_path, [0], [1], [2]).path
    lines = path.read_bytes().split(b"\n")
    lines[1] = damage(lines[1])
    path.write_bytes(b"\n".join(lines))
    assert sorted(kept(tmp_path)) == [0, 2]
    assert "lines 2 " in caplog.text and path.name in caplog.text
    assert path.with_suffix(".damaged").read_bytes() == lines[1] + b"\n"
    caplog.clear()
    assert sorted(kept(tmp_path)) == [0, 2]
    assert not caplog.text


def test_a_damaged_last_line_costs_that_answer_alone(tmp_path):
    path = fill(tmp_path, [0, 1, 2]).path
    path.write_bytes(path.read_bytes().rstrip(b"\n")[:-4] + b"0000\n")
    assert sorted(kept(tmp_path)) == [0, 1]
    assert sorted(kept(tmp_path)) == [0, 1]


def test_two_identities_in_one_folder_share_nothing(tmp_path):
    other = {**IDENTITY, "weights": "abd"}
    fill(tmp_path, [0, 1])
    assert kept(tmp_path, other) == {}
    fill(tmp_path, [1], identity=other)
    assert sorted(kept(tmp_path)) == [0, 1] and sorted(kept(tmp_path, other)) == [1]


def test_the_identity_is_spelled_out_beside_the_answers(tmp_path):
    store = fill(tmp_path, [0])
    assert json.loads(store.path.with_suffix(".json").read_text()) == IDENTITY


def test_shards_copied_into_one_folder_are_united_on_opening(tmp_path):
    fill(tmp_path, [0, 1], part="shard-0-of-2")
    fill(tmp_path, [2], part="shard-1-of-2")
    fill(tmp_path, [3])
    assert sorted(kept(tmp_path)) == [0, 1, 2, 3]


def answers():
    texts, seconds = st.sampled_from(["", "نعم", "لا"]), st.sampled_from([0.1, 0.25])
    build = st.builds(
        lambda key, text, seconds: Answer(key, key, "neutral", 0, text, FinishReason.STOP, 1, 1, seconds),
        st.sampled_from("abcd"),
        texts,
        seconds,
    )
    return st.lists(build, max_size=6)


@settings(deadline=None, max_examples=60)
@given(answers(), answers(), answers())
def test_union_does_not_depend_on_order_grouping_or_repetition(a, b, c):
    whole = union([a, b, c])
    assert union([c, a, b]) == whole
    assert union([union([a, b]).values(), c]) == whole
    assert union([a, b, c, b, a]) == whole
    assert union([whole.values()]) == whole


def test_merging_in_any_order_and_again_writes_the_same_bytes(tmp_path):
    stores = {name: tmp_path / name for name in "abc"}
    fill(stores["a"], [0, 1])
    fill(stores["b"], [1, 2], part="shard-1-of-2")
    fill(stores["c"], [3])
    name = fill(stores["c"], identity={"kind": "echo"}).path.name
    for target, order in (("x", "abc"), ("y", "cba"), ("z", "abcab")):
        merge([stores[one] for one in order], tmp_path / target)
    merge([tmp_path / "z"], tmp_path / "z")
    read = {t: {p.name: p.read_bytes() for p in (tmp_path / t).glob("*.json*")} for t in "xyz"}
    assert read["x"] == read["y"] == read["z"]
    assert name in read["x"]
    assert sorted(kept(tmp_path / "x")) == [0, 1, 2, 3]


def test_parts_that_contradict_each_other_are_reported(caplog):
    one = Answer("k", "i", "neutral", 0, "نعم", FinishReason.STOP, 1, 1, 0.1)
    assert union([[one], [replace(one, text="لا")]])["k"].text == "لا"
    assert "1 answers differ" in caplog.text


def test_a_second_process_may_not_write_to_the_same_file(tmp_path):
    code = (
        "import sys; from pathlib import Path; from maqa_severity.harness.generation.store.store import Store\n"
        f"with Store(Path(sys.argv[1]), {IDENTITY!r}).opened(): print('opened')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with Store(tmp_path, IDENTITY).opened():
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "another process writes" in refused.stderr
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "opened\n"


def test_a_full_disk_is_one_line_and_keeps_what_was_there(tmp_path):
    with Store(tmp_path, IDENTITY).opened() as store:
        store.append(prompts(0, 1, folder=tmp_path), generated(0, 1))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        # A limit of the file's size fails a write in the middle, as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size + 100, limits[1]))
        try:
            with pytest.raises(UserError, match=r"the 2 answers before are kept.*run the same command again"):
                store.append(prompts(2, 3, folder=tmp_path), generated(2, 3))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert store.path.read_bytes().count(b"\n") == 2
        store.append(prompts(2, folder=tmp_path), generated(2))
    assert sorted(kept(tmp_path)) == [0, 1, 2]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(UserError, match=r"cannot write the answers to .*file"), Store(blocked, IDENTITY).opened():
        pass
    with (
        pytest.raises(UserError, match="cannot write the answers to /proc/"),
        Store(tmp_path.__class__("/proc/answers"), IDENTITY).opened(),
    ):
        pass


def test_what_a_kill_left_of_a_file_being_written_is_no_identity_to_merge(tmp_path):
    store = fill(tmp_path / "a", [0])
    (tmp_path / "a" / f".{store.path.stem}.json.k1lledxy.json").touch()
    assert merge([tmp_path / "a"], tmp_path / "b") == 1
    assert sorted(kept(tmp_path / "b")) == [0]


def test_answers_that_nobody_claims_are_not_silently_left_out_of_a_merge(tmp_path):
    path = fill(tmp_path / "a", [0], part="shard-0-of-2").path
    (tmp_path / "a" / f"{path.name.split('.')[0]}.json").unlink()
    with pytest.raises(UserError, match=rf"{path} .*Copy the store again, with its \.json files"):
        merge([tmp_path / "a"], tmp_path / "b")
    fill(tmp_path / "b", [1])
    assert merge([tmp_path / "a"], tmp_path / "b") == 2


def test_merging_a_store_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        merge([tmp_path / "nowhere"], tmp_path / "out")
