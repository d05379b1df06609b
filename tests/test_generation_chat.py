"""Models behind a chat: asked by turns, through the same store, with their tokens and their price."""

import json
import sys

import pytest
from lm_eval.api.instance import Instance
from maqa_severity.cli import main
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.tests.generating import GREEDY, requests
from maqa_severity.tests.serving import GOOD, chat, error, serving
from maqa_severity.tests.tongues import ARABIC

KIND = Kind("local-chat-completions")


def config_of(server, store, **arguments):
    url = server.url.replace("/v1/completions", "")
    settings = {"base_url": url, "model": "m", "num_concurrent": 2, "max_retries": 2, "timeout": 5}
    return GenerationConfig(kind=KIND, model_args={**settings, **arguments}, decoding=GREEDY, store=store)


def ask(config):
    model = StoredModel(config)
    asked = [
        Instance(
            "generate_until",
            each.doc,
            (model.apply_chat_template([{"role": "user", "content": each.doc["question"]}]), each.args[1]),
            0,
        )
        for each in requests(6)
    ]
    model.generate_until(asked)
    return {answer.id: answer for answer in model.answers}


def test_a_conversation_is_sent_as_turns_and_its_answers_are_kept(tmp_path):
    with serving(lambda body, nth: chat(GOOD)) as server:
        answers = ask(config_of(server, tmp_path, payload={"top_k": 1, "seed": None}))
        assert {(each.text, each.prompt_tokens, each.tokens) for each in answers.values()} == {(GOOD, 70, 30)}
        questions = {each.doc["question"] for each in requests(6)}
        assert {body["messages"][-1]["content"] for body in server.asked} == questions
        assert set(server.paths) == {"/v1/chat/completions"}
        body = server.asked[0]
        assert (body["max_tokens"], body["temperature"], body["top_k"]) == (24, 0, 1)
        assert "seed" not in body and "prompt" not in body
        ask(config_of(server, tmp_path, payload={"top_k": 1, "seed": None}))
        assert len(server.asked) == 6, "what is stored is not asked again"


def test_what_a_server_does_wrong_is_tried_again_and_loses_no_answer(tmp_path):
    wrong = [
        error(429, Retry_After="0.1"),
        {"choices": []},
        (200, b"<html>", {}),
        error(500),
        None,
        {"choices": [{"text": "x"}]},
    ]

    def behave(body, nth):
        return chat(GOOD) if nth else wrong.pop()

    with serving(behave) as server:
        answers = ask(config_of(server, tmp_path))
        assert {each.text for each in answers.values()} == {GOOD} and len(server.asked) == 12


def test_requests_keep_their_pace(tmp_path):
    with serving(lambda body, nth: chat(GOOD)) as server:
        ask(config_of(server, tmp_path, rate=600))
        assert server.times[-1] - server.times[0] >= 0.45


@pytest.mark.parametrize(
    ("arguments", "line"),
    [({"price_in": -1}, "price_in"), ({"rate": "soon"}, "rate"), ({"model": None}, "an address and a model"),
     ({"pretrained": "x"}, "knows no model argument pretrained"),
     ({"tokenized_requests": True}, "the server's own chat template"),
     ({"tokenizer_backend": "huggingface"}, "the server's own chat template")],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_one_line(arguments, line, tmp_path):
    with serving(lambda body, nth: chat(GOOD)) as server, pytest.raises(UserError, match=line):
        config_of(server, tmp_path, **arguments)


def test_what_lm_evals_own_commands_for_a_chat_say_is_taken(tmp_path):
    with serving(lambda body, nth: chat(GOOD)) as server:
        assert config_of(server, tmp_path, tokenized_requests=False, tokenizer_backend=None)


@pytest.mark.slow
def test_a_run_behind_a_chat_has_the_languages_system_text_its_cost_and_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("MAQA_API_KEY", "sk-chat-0123456789")
    with serving(lambda body, nth: chat(GOOD)) as server:
        url = server.url.replace("/completions", "/chat/completions")
        words = ["evaluate", "--model", "local-chat-completions", "--limit", "1", "--bertscore-model", "none"]
        arguments = f"base_url={url},model=m,price_in=2,price_out=10"
        monkeypatch.setattr(
            sys, "argv", ["maqa", *words, "--model-args", arguments, "--out", str(tmp_path / "run")]
        )
        with pytest.raises(SystemExit) as done:
            main()
        assert done.value.code == 0
        assert {body["messages"][0]["content"] for body in server.asked} == {ARABIC.system}
        assert {each["Authorization"] for each in server.headers} == {"Bearer sk-chat-0123456789"}
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    count = len(server.asked)
    assert manifest["cost"]["price"] == pytest.approx(count * (70 * 2 + 30 * 10) / 1e6)
    assert manifest["cost"]["prompt_tokens"] == 70 * count
    assert manifest["prompt"]["chat_template"] == ""
    kept = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"sk-chat-0123456789" in path.read_bytes()]
