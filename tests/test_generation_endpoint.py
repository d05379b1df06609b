"""An OpenAI-compatible endpoint, by a server in this process."""

import json
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import evaluate
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.records import FinishReason
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.generating import GREEDY, requests
from maqa_severity.tests.tongues import ARABIC


class Endpoint(ThreadingHTTPServer):
    """Answers with the prompt's length and the seed; ``asked`` are the requests, ``fail`` how many to refuse.

    With ``crowd`` no request is answered before that many are waiting; ``most`` counts those under way at once.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.fail, self.running, self.most = [], 0, 0, 0
        self.crowd = threading.Barrier(1)
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1/completions"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append(body)
            self.server.running += 1
            self.server.most = max(self.server.most, self.server.running)
            refuse, self.server.fail = self.server.fail > 0, self.server.fail - 1
        self.server.crowd.wait(timeout=600)
        text, limited = f" {len(body['prompt'])} {body['seed']}\ud800", len(body["prompt"]) % 2
        # A server that knows no stop strings goes on after them.
        text += "" if limited else f"{GREEDY.until[0]}زائد"
        choice = {"text": text, "finish_reason": "length" if limited else "stop"}
        reply = {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}
        # Before the answer: with it the client may send its next request.
        with self.server.lock:
            self.server.running -= 1
        self.send_response(503 if refuse else 200)
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def config(endpoint, store, how=GREEDY, **arguments):
    model_args = {"base_url": endpoint.url, "model": "m", "auth_token": "hush-hush", **arguments}
    return GenerationConfig(kind=Kind.COMPLETIONS, model_args=model_args, decoding=how, store=store)


def test_answers_come_with_their_finish_reason_and_tokens(endpoint, tmp_path):
    model = StoredModel(config(endpoint, tmp_path))
    texts = model.generate_until(requests())
    for text, found, prompt in zip(texts, model.answers, model.prompts, strict=True):
        assert text.startswith(f" {len(prompt.text)} ") and text.endswith("\ufffd")
        assert found.finish_reason is (FinishReason.LENGTH if len(prompt.text) % 2 else FinishReason.STOP)
        assert (found.prompt_tokens, found.tokens) == (7, 5)
    assert {(body["temperature"], body["max_tokens"], tuple(body["stop"])) for body in endpoint.asked} == {
        (0, GREEDY.max_new_tokens, GREEDY.until)
    }
    assert len(endpoint.asked) == 30


def test_as_many_requests_as_asked_for_are_under_way_at_once_and_no_more(endpoint, tmp_path):
    endpoint.crowd = threading.Barrier(5)
    StoredModel(config(endpoint, tmp_path, num_concurrent=5)).generate_until(requests())
    assert len(endpoint.asked) == 30 and endpoint.most == 5


def test_sampling_sends_every_prompt_its_own_seed(endpoint, tmp_path):
    how = decoding("paper-curriculum", ARABIC)
    StoredModel(config(endpoint, tmp_path, how)).generate_until(requests(how=how))
    assert len({body["seed"] for body in endpoint.asked}) == 30
    assert {(body["temperature"], body["top_p"]) for body in endpoint.asked} == {(0.7, 0.9)}


def test_a_refused_request_is_tried_again_and_what_was_answered_is_kept(endpoint, tmp_path):
    endpoint.fail = 2
    StoredModel(config(endpoint, tmp_path / "again", num_concurrent=1)).generate_until(requests(3))
    assert len(endpoint.asked) == 5
    endpoint.fail = 999
    with pytest.raises(UserError, match=r"does not answer: 503.*Start the server"):
        StoredModel(config(endpoint, tmp_path, max_retries=1)).generate_until(requests())
    endpoint.fail = 0
    StoredModel(config(endpoint, tmp_path)).generate_until(requests())


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_an_endpoint_that_keeps_silent(endpoint, tmp_path):
    endpoint.crowd = threading.Barrier(9)
    command = [
        sys.executable, "-m", "maqa_severity", "evaluate", "--model", "local-completions",
        "--bertscore-model", "none", "--model-args",
        f"base_url={endpoint.url},model=m,num_concurrent=8", "--out", str(tmp_path / "run"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while endpoint.running < 8:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
        endpoint.crowd.abort()
    assert process.returncode == 130 and "interrupted; 0 answers are kept" in said


def test_an_endpoint_that_is_not_there_is_named(endpoint, tmp_path):
    endpoint.server_close()
    with pytest.raises(UserError, match=rf"{endpoint.url} does not answer"):
        StoredModel(config(endpoint, tmp_path, max_retries=1)).generate_until(requests(1))


def test_an_address_is_needed(tmp_path):
    with pytest.raises(UserError, match="needs an address and a model"):
        GenerationConfig(kind=Kind.COMPLETIONS, model_args={}, decoding=GREEDY, store=tmp_path)


def test_a_run_does_not_hold_the_key(endpoint, tmp_path):
    options = EvaluationOptions(
        out=tmp_path / "run", bertscore_model="none", limit=2, command="maqa --model-args auth_token=hush-hush"
    )
    run = evaluate(config(endpoint, tmp_path / "run" / "answers"), options, FOLDER, GROUP)
    assert run.manifest.model.args == {"base_url": endpoint.url, "model": "m"}
    for path in options.out.rglob("*"):
        assert path.is_dir() or b"hush" not in path.read_bytes(), path
