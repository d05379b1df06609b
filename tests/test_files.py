"""Files are whole or absent."""

import json
import math
import os

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import atomic, ensure_writable, read_json, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "scores.json"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nan_becomes_null_because_json_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"a": math.nan, "b": [math.inf, 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": [None, 1.5]}


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/sub/a\.json"):
        write_text(tmp_path / "file" / "sub" / "a.json", "x")


def test_a_name_that_is_too_long_is_one_line(tmp_path):
    with pytest.raises(UserError, match="cannot write"):
        write_text(tmp_path / ("x" * 300), "x")


def test_a_device_or_pipe_is_never_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for write in (lambda: write_text(pipe, "x"), lambda: ensure_writable(pipe)):
        with pytest.raises(UserError, match="pipe is no ordinary file"):
            write()
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "does not exist"), (b"{", "line 1 is not JSON"), (b'"\xff"', "not UTF-8 at byte 1")],
)
def test_unreadable_json_names_the_file_and_the_place(tmp_path, content, message):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"x.json.*{message}.*Mend it"):
        read_json(path, "Mend it")
