"""Keys and passwords reach the server and stand nowhere else."""

import base64
import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from maqa_severity.commands.options import model_arguments
from maqa_severity.harness.core import secrets
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.secrets import as_written, is_secret, public_url, redact, without_secrets
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.store.identity import identity
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.runs.leaks import leaks
from maqa_severity.harness.runs.run import load_run
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import write_board
from maqa_severity.tests.generating import GREEDY, requests
from maqa_severity.tests.sealing import resealed
from maqa_severity.tests.serving import answer, config_of, error, serving
from maqa_severity.trainers.experiments.config import FOLDER, load_experiment


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No key in the environment, and what these tests give is no secret in others'."""
    monkeypatch.setattr(secrets, "_known", set())
    for name in ("MAQA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_secrets_are_known_by_their_names_and_a_tokenizers_tokens_are_none():
    for name in ("api_key", "API-KEY", "apiKey", "token", "auth_token", "hf_token", "password", "header",
                 "X-Api-Key", "client_secret", "access_token", "db_password"):  # fmt: skip
        assert is_secret(name), name
    for name in ("tokenizer", "eos_token", "add_bos_token", "max_tokens", "prefix_token_id", "think_end_token",
                 "api_key_file", "model", "key", "signature", "tokenized_requests", "base_url"):  # fmt: skip
        assert not is_secret(name), name
    assert is_secret("key", in_query=True) and is_secret("sig", in_query=True) and not is_secret("v", in_query=True)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("http://h/v1/completions", "http://h/v1/completions"),
        ("http://h/v1?version=2&x=", "http://h/v1?version=2&x="),
        ("http://user:hush@h:8/v1", "http://h:8/v1"),
        ("http://hush@h/v1", "http://h/v1"),
        ("https://h/v1?api_key=hush&version=2", "https://h/v1?version=2"),
        ("https://h/v1?version=2&KEY=hush", "https://h/v1?version=2"),
        ("https://h/v1?api%2Dkey=hush", "https://h/v1"),
        ("https://a:b%40hush@[::1]:80/v1?sig=hush#x", "https://[::1]:80/v1#x"),
        ("https://h/v1?x=1;token=hush", "https://h/v1?x=1"),
        ("https://h/v1?azure_key=hush&pass=hush&jwt=hush&session=hush&n=5", "https://h/v1?n=5"),
        ("https://h/v1;token=hush", "https://h/v1;token=***"),
        ("https://h/v1#access_token=hush", "https://h/v1#access_token=***"),
    ],
)
def test_an_address_is_public_without_its_secrets(url, public):
    assert public_url(url) == public
    assert "hush" not in redact(f"cannot ask {url}: refused")


def test_a_text_is_cleared_of_secrets_by_name_by_place_and_by_what_was_given():
    without_secrets({"api_key": "sk-one two", "base_url": "http://u:p%40ss word@h"})
    for text in (
        "--model-args 'base_url=http://h?api_key=hush&v=1,model=m' --out o",
        "--model-args 'header=X-Key: hush hush,model=m'",
        'header={"X": "hush"},model=m',
        "{'api_key': 'hush', 'model': 'm'}",
        '{"header": {"X": "hush"}, "model": "m"}',
        "Authorization: Bearer hush12345678 model",
        "password=\"hush hush\" model",
        "url: /v1/completions?key=hush (Caused by model",
        "X-Api-Key: hush12345678, model",
        "api_key: 'hush12345678' model",
        "api_key = hush12345678 model",
        r'"{\"api_key\": \"hush\", \"model\": \"m\"}"',
    ):  # fmt: skip
        assert "hush" not in redact(text) and "m" in redact(text) and "***" in redact(text), text
        assert redact(redact(text)) == redact(text)
    for form in ("sk-one two", "sk-one%20two", "p@ss word", "p%40ss%20word"):
        assert redact(f"Incorrect key {form}.") == "Incorrect key ***."
    for plain in (
        "eos_token=</s>, max_tokens=5, see http://h/v1?page=2 or mail me@h.org; Basic authentication",
        "hf knows no model argument key. Did you mean api_key=? It knows token",
        "invalid token: a word of 2000 signs; 3 secrets: none",
    ):
        assert redact(plain) == plain


def headers_sent(server, tmp_path, **arguments):
    model = StoredModel(config_of(server, tmp_path / str(len(server.asked)), **arguments))
    model.generate_until(requests(1))
    return server.headers[-1]


def test_keys_and_passwords_are_sent(tmp_path, monkeypatch):
    with serving(lambda body, nth: answer()) as server:
        port = server.server_port
        assert "Authorization" not in headers_sent(server, tmp_path)
        for name in ("api_key", "auth_token", "token"):
            assert headers_sent(server, tmp_path, **{name: "hush-1"})["Authorization"] == "Bearer hush-1"
        given = {"base_url": f"http://me:pass%40word@127.0.0.1:{port}/v1/completions?version=2&api_key=hush"}
        basic = base64.b64encode(b"me:pass@word").decode()
        assert headers_sent(server, tmp_path, **given)["Authorization"] == f"Basic {basic}"
        assert server.paths[-1] == "/v1/completions?version=2&api_key=hush"
        for header in ("X-Key: a: b", {"X-Key": "a: b"}, '{"X-Key": "a: b"}', "{'X-Key': 'a: b'}"):
            assert headers_sent(server, tmp_path, header=header)["X-Key"] == "a: b"
        both = headers_sent(server, tmp_path, header="authorization: Key 1", api_key="2")
        assert both["authorization"] == "Key 1"
        both = headers_sent(server, tmp_path, header="X-Org: 1", api_key="2")
        assert (both["X-Org"], both["Authorization"]) == ("1", "Bearer 2")
        (tmp_path / "key").write_text("  from-file\n")
        sent = headers_sent(server, tmp_path, api_key_file=str(tmp_path / "key"))
        assert sent["Authorization"] == "Bearer from-file"
        monkeypatch.setenv("OPENAI_API_KEY", "theirs")
        assert headers_sent(server, tmp_path)["Authorization"] == "Bearer theirs"
        monkeypatch.setenv("MAQA_API_KEY", "ours\n")
        assert headers_sent(server, tmp_path)["Authorization"] == "Bearer ours"
        assert headers_sent(server, tmp_path, api_key="given")["Authorization"] == "Bearer given"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"header": "no header hush"}, "header= in --model-args is no header. Write it as NAME: VALUE"),
        ({"header": "{'X': 'hush'"}, "is no header"),
        ({"header": "X-Ключ: hush"}, "is no header"),
        ({"header": "X-Key: hush\nX: y"}, "header X-Key holds a character that a request cannot carry"),
        ({"api_key": "hush ключ"}, "api_key= in --model-args holds a character"),
        ({"api_key_file": "/nowhere/hush"}, "cannot read /nowhere/hush: No such file"),
        ({"api_key_file": os.devnull}, f"{os.devnull} holds no key"),
        ({"api_key_file": __file__}, "holds more than a key"),
        ({"api_key": ["hush"]}, "api_key in --model-args is no text"),
        ({"token": {"hush": "hush"}}, "token in --model-args is no text"),
        ({"base_url": "me:hush@h/v1"}, "base_url in --model-args is no address"),
        ({"base_url": "h/v1?key=hush"}, "base_url in --model-args is no address"),
        ({"base_url": "http://me:hu/sh@h/v1"}, "base_url in --model-args is no address.*%2F"),
    ],
)
def test_a_secret_that_cannot_be_sent_is_one_line_without_it(tmp_path, arguments, line):
    with serving(lambda body, nth: answer()) as server, pytest.raises(UserError, match=line) as raised:
        headers_sent(server, tmp_path, **arguments)
    assert "hush" not in str(raised.value).replace("/nowhere/hush", "") and "hu/sh" not in str(raised.value)
    assert not server.asked and redact(str(raised.value)) == str(raised.value), "the remedy can be read"


def test_answers_do_not_depend_on_the_secret(tmp_path):
    with serving(lambda body, nth: answer()) as server:
        url, other = server.url, server.url.replace("//", "//u:p@") + "?api_key=x"
        (tmp_path / "key").write_text("k")
        found = [
            identity(config_of(server, tmp_path, **{"base_url": each, **more}))
            for each in (url, other)
            for more in (
                {},
                {"api_key": "1"},
                {"api_key": "2"},
                {"token": 3},
                {"header": "A: b"},
                {"api_key_file": str(tmp_path / "key")},
            )
        ]
    assert all(one == found[0] for one in found) and found[0]["model_args"]["base_url"] == url


def test_a_key_of_digits_is_sent_as_it_was_written():
    parsed = {"model": 1, "api_key": 123, "token": "45", "auth_token": None}
    assert as_written("model=1,api_key=0123,token='45',auth_token=none", parsed) == {
        **parsed, "api_key": "0123",
    }  # fmt: skip


def test_a_secret_that_a_backend_has_no_use_for_is_refused_without_it(tmp_path):
    for kind, arguments in (("echo", {"token": "hush"}), ("hf", {"pretrained": "x", "api_key": "hush"})):
        with pytest.raises(UserError, match=f"{kind} has no argument (token|api_key)") as raised:
            GenerationConfig(kind=kind, model_args=arguments, decoding=GREEDY, store=tmp_path)
        assert "hush" not in str(raised.value)


def test_a_token_of_the_hub_is_used_and_stands_in_no_identity(checkpoint, tmp_path, monkeypatch):
    from huggingface_hub import get_token

    monkeypatch.setenv("HF_TOKEN", "before")
    models = [
        StoredModel(
            GenerationConfig(
                kind="hf", model_args={"pretrained": str(checkpoint), **more}, decoding=GREEDY, store=tmp_path
            )
        )
        for more in ({}, {"token": "hf_hush"})
    ]
    assert get_token() == "hf_hush" and models[0].identity == models[1].identity
    assert "hush" not in repr(models[1].config)


SECRETS = ("hush-key", "hush-word", "hush-query", "hush-head")


def maqa(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "maqa_severity", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_no_file_no_page_and_no_line_of_a_run_holds_a_secret(tmp_path):
    bad = []

    def behave(body, nth):
        with server.lock:
            bad[:] = bad or [body["prompt"]]
        key = server.headers[-1]["Authorization"]
        return error(400, f"not with {key} and {server.paths[-1]}") if body["prompt"] == bad[0] else answer()

    with serving(behave) as server:
        place = server.url.removeprefix("http://")
        arguments = (
            f"base_url=http://me:hush-word@{place}?api_key=hush-query,model=org/small,api_key=hush-key,"
            "header=X-Key: hush-head,num_concurrent=1"
        )
        out = tmp_path / "run"
        command = ("evaluate", "--model", "local-completions", "--model-args", arguments, "--limit", 3)
        done = maqa(*command, "--bertscore-model", "none", "--out", out)
        assert done.returncode == 0, done.stderr
        assert server.headers[-1]["X-Key"] == "hush-head" and "hush-query" in server.paths[-1]
    assert "1 answers refused: 400 not with Bearer *** and /v1/completions?api_key=***" in done.stdout
    run = load_run(out)
    assert run.name == "small" and run.manifest.model.name == "org/small"
    assert run.manifest.answers == {"all": 9, "refused": 1, "filtered": 0}
    assert "api_key=***" in run.manifest.runtime["command"]
    frame_error = json.loads((out / run.manifest.results).read_text())["generation"]["overall"]["errors"]
    assert frame_error == 1 and (run.scores.frame["rougeL"] == 0).sum() >= 1
    board = maqa("leaderboard", out, "--metric", "rougeL", "--out", tmp_path / "board")
    server_gone = maqa(*command, "--bertscore-model", "none", "--out", tmp_path / "other")
    assert board.returncode == 0 and server_gone.returncode == 2, board.stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 10
    for text in (*written, *(each.stdout + each.stderr for each in (done, board, server_gone))):
        assert not [one for one in SECRETS if one in (text if isinstance(text, str) else text.decode("latin-1"))]
    assert len(server_gone.stderr.strip().splitlines()) == 1 and "does not answer" in server_gone.stderr
    assert list(leaks(tmp_path)) == []


def test_whatever_a_line_says_it_says_without_a_secret(tmp_path):
    done = maqa("evaluate", "--model", "echo", "--data", "http://me:hush@h/data", "--out", tmp_path / "run")
    assert done.returncode == 2 and "http:/***@h/data does not exist" in done.stderr


def test_the_doctor_names_the_files_and_keys_of_old_folders_and_not_the_secret(evaluated, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(evaluated["echo"], old)
    path = old / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["model"]["args"] = {"api_key": "hush", "base_url": "http://me:hush@h/v1?key=hush", "eos_token": "x"}
    manifest["runtime"]["command"] = "maqa evaluate --model-args 'api_key=hush,header=X: hush'"
    path.write_text(json.dumps(manifest))
    board = build_board([load_run(resealed(old))], metric="rougeL")
    files = write_board(tmp_path / "board", board)
    assert not [file for file in files if "hush" in file.read_text()], "a board of an old run shows none"
    (tmp_path / "index.html").write_text("<code>maqa evaluate --model-args token=hush,model=m</code>")
    found = {leak.path: leak.places for leak in leaks(tmp_path)}
    assert found == {
        path: ("model.args.api_key", "model.args.base_url (a password in an address)", "model.args.base_url (key)",
               "runtime.command (header)", "runtime.command (api_key)"),
        tmp_path / "index.html": ("token",),
    }  # fmt: skip
    done = maqa("doctor", tmp_path)
    assert done.returncode == 1 and "hush" not in done.stdout + done.stderr
    assert f"{path}: model.args.api_key" in done.stdout and "invalid where it was issued" in done.stdout
    clean = maqa("doctor", evaluated["echo"])
    assert clean.returncode == 0 and "no secret in clear" in clean.stdout
    assert maqa("doctor", tmp_path / "nowhere").returncode == 2


def test_the_doctor_reads_every_kind_of_text_and_takes_no_vocabulary_for_keys(tmp_path):
    told = {
        "answers.jsonl": ('{"a": 1}\n{"args": {"api_key": "hush"}}\n{"c": "token=hush', ["args.api_key", "token"]),
        "request.yaml": ("args:\n  api_key: hush\n  header: {X: hush}\n", ["args.api_key", "args.header"]),
        "broken.yml": ("a: [\nargs: api_key=hush\n", ["api_key"]),
        "index.html": ("<pre>{&#34;api_key&#34;: &#34;hush&#34;}</pre>", ["api_key"]),
        "page.HTM": ("<code>base_url=http://h?x=1&amp;key=hush</code>", ["key"]),
        "embedded.html": (r"<script>'{\"token\": \"hush\"}'</script>", ["token"]),
        "run.sh": ("maqa evaluate --model-args api_key=hush", ["api_key"]),
        "notes": ("X-Api-Key: hush12345678", ["X-Api-Key"]),
        "nested.json": ('{"a": [{"header": {"X": "hush"}}], "b": {"header": {"X": "***"}}}', ["a[0].header"]),
        "vocabulary.json": (json.dumps({"vocab": {"password": 3, **{f"w{n}": n for n in range(300)}}}), []),
        "fine.yaml": ("api_key: '***'\ntoken: null\neos_token: </s>\n", []),
        "weights.bin": ("\0api_key=hush", []),
    }  # fmt: skip
    for name, (text, _) in told.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    found = {leak.path.name: list(leak.places) for leak in leaks(tmp_path)}
    assert found == {name: places for name, (_, places) in told.items() if places}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("model=m,model=n", "gives model twice"),
        (' {"model": "m", "model": "n"}', "gives model twice"),
        ("api_key=hush,hush-after-the-comma,model=m", "no name=value in its part 2 of 3.*as JSON"),
        ('model=m,header={"X": "y", "Z": "hush"}', "no name=value in its part 3 of 3"),
        ("=hush", "no name=value in its part 1 of 1"),
        ("[1]", "no name=value"),
        ('{"api_key": "hush', "is no JSON"),
    ],
)
def test_arguments_that_cannot_be_read_are_one_line_without_what_may_be_half_a_key(given, line):
    with pytest.raises(UserError, match=line) as raised:
        model_arguments(given)
    assert "hush" not in str(raised.value)


def test_arguments_are_read_as_lm_eval_reads_them():
    assert model_arguments(" model =m , x= 3,,api_key=a=b=007,") == {"model": "m", "x": 3, "api_key": "a=b=007"}
    assert model_arguments("") == model_arguments(",") == {}


def test_an_experiment_uses_a_secret_and_does_not_write_it_down(tmp_path):
    settings = yaml.safe_load((FOLDER / "demo.yaml").read_text())
    settings["evaluation"]["model_args"] = {"dtype": "float32", "token": "hush"}
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(settings))
    one = load_experiment(tmp_path / "e.yaml")
    assert "hush" not in one.model_dump_json() + repr(one) and one.evaluation.secrets == {"token": "hush"}
    settings["evaluation"]["model_args"]["token"] = "hush-other"
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(settings))
    assert load_experiment(tmp_path / "e.yaml").equals(one.model_dump(mode="json"))


@pytest.mark.parametrize(
    "wrong",
    [
        "evaluation: {api_kye: hush-hush-1}",
        "evaluation: {modelargs: {api_key: hush-hush-1}}",
        "evaluation: {limit: {token: hush-hush-1}}",
        "api_key: hush-hush-1",
        "data: [hush-hush-1]",
    ],
)
def test_a_wrong_key_of_an_experiment_shows_no_value_that_may_be_a_secret(tmp_path, wrong):
    file = tmp_path / "x.yaml"
    start = "" if wrong.startswith("data") else "data: {source: sample}\n"
    text = f"name: x\n{start}models: [{{name: m, id: demo}}]\narms: [{{arm: ce}}]\n{wrong}\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_experiment(file)
    assert "hush" not in str(raised.value) and wrong.split(":")[0] in str(raised.value)
