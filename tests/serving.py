"""A small real server of ``/v1/completions`` and chats that can misbehave in every way a test needs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.tests.generating import GREEDY

GOOD = "راجع الطبيب."


def answer(text=GOOD, reason="stop", usage=None, **more):
    """The body of an ordinary answer."""
    usage = {"prompt_tokens": 7, "completion_tokens": 5} if usage is None else usage
    return {"choices": [{"text": text, "finish_reason": reason, **more}], "usage": usage}


def chat(text, usage=None, reason="stop"):
    """The body of an ordinary message."""
    usage = {"prompt_tokens": 70, "completion_tokens": 30} if usage is None else usage
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": usage,
    }


def prompt_of(body):
    """What stands in a request: its prompt, or its messages."""
    return body["prompt"] if "prompt" in body else json.dumps(body["messages"])


def error(status, words="no", **headers):
    """A reply of OpenAI's shape of errors."""
    return status, {"error": {"message": words, "type": "x"}}, headers


class Server(ThreadingHTTPServer):
    """``behave(body, nth)`` says what the ``nth`` request (from 0) with that prompt gets: a body, or a triple of
    status, body and headers, or None for a connection that is closed without a word. The body in a triple may be
    bytes, or an iterator that sends them in parts."""

    daemon_threads = True

    def __init__(self, behave):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave = behave
        self.asked, self.paths, self.headers, self.times = [], [], [], []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v1/completions"

    def asked_of(self, prompt):
        """How many requests came with that prompt."""
        return sum(prompt_of(body) == prompt for body in self.asked)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            nth = server.asked_of(prompt_of(body))
            server.asked.append(body)
            server.paths.append(self.path)
            server.headers.append(dict(self.headers))
            server.times.append(time.monotonic())
        reply = server.behave(body, nth)
        if reply is None:
            return
        status, content, headers = reply if isinstance(reply, tuple) else (200, reply, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if not isinstance(content, Iterator):
            content = iter([content if isinstance(content, bytes) else json.dumps(content).encode()])
        with suppress(OSError):
            for part in content:
                self.wfile.write(part)

    def log_message(self, *_):
        pass


@contextmanager
def serving(behave):
    """The server, running."""
    server = Server(behave)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def config_of(server, store, how=GREEDY, **arguments):
    """A model behind that server, asked with two at a time and quick to give up."""
    settings = {"base_url": server.url, "model": "m", "num_concurrent": 2, "max_retries": 2, "timeout": 5}
    return GenerationConfig(kind=Kind.COMPLETIONS, model_args={**settings, **arguments}, decoding=how, store=store)
