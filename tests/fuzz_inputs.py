"""Malformed inputs over all readers: none may end in a traceback, take more than 10 seconds or 2 GB.

``python -m maqa_severity.tests.fuzz_inputs --count 10000 --seed 0`` prints each that does, and the worst of all.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.memory import peak_bytes, reset_peak
from maqa_severity.harness.core.refused import refusal
from maqa_severity.harness.core.yaml_files import read_yaml
from maqa_severity.harness.data.options import PrepareOptions, parse_share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.tests.malformed import damaged, hostile, valid
from maqa_severity.tests.tongues import ARABIC

LONGEST_S = 10.0
"""Of the processor: a busy machine makes no input malign."""
HANGS_S = 600.0
LARGEST = 2 * 10**9


@dataclass(frozen=True)
class Outcome:
    """How one input ended: its line or its traceback; seconds of the processor, bytes at the peak."""

    name: str
    said: str
    wrong: str
    seconds: float
    peak: int

    @property
    def fails(self) -> bool:
        """Whether it went over a bound, or ended in a traceback."""
        return bool(self.wrong) or self.seconds > LONGEST_S or self.peak > LARGEST


def read(path: Path) -> None:
    """Read a file as the command does that takes it."""
    _READERS.get(path.suffix, _table)(path)


def _table(path: Path) -> None:
    tenth = parse_share("0.1")
    options = PrepareOptions(language=ARABIC, test=tenth, validation=tenth)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        prepare(path, Path(scratch) / "out", options)


def _template(path: Path) -> None:
    from maqa_severity.harness.generation import chat

    tokenizer = _tokenizer()
    tokenizer.chat_template = path.read_text(encoding="utf-8", errors="replace")
    chat.rendered(tokenizer, [{"role": "user", "content": "a"}], True)


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")))


@cache
def _libraries() -> None:
    """What is imported once is no input's time."""
    import maqa_severity.harness.generation.chat
    import maqa_severity.harness.labelling.sources.classifier_tfidf
    import maqa_severity.trainers.lm.bases  # noqa: F401

    _tokenizer()


def _weights(path: Path) -> None:
    """A checkpoint whose weights these are."""
    from maqa_severity.tests.training import causal_model
    from maqa_severity.trainers.lm.bases import load_model

    folder = path.parent / "checkpoint"
    if not folder.exists():
        causal_model("gpt2").save_pretrained(folder)
    (folder / "model.safetensors").write_bytes(path.read_bytes())
    load_model(str(folder), None, _tokenizer())


def _classifier(path: Path) -> None:
    """A classifier whose model this is."""
    from maqa_severity.harness.labelling.sources.classifier_tfidf import MODEL, TfidfModel

    folder = path.parent / "classifier"
    folder.mkdir(exist_ok=True)
    (folder / MODEL).write_bytes(path.read_bytes())
    TfidfModel.load(folder, _info())


@cache
def _info() -> Any:
    import sklearn

    return SimpleNamespace(versions={"scikit-learn": sklearn.__version__}, language=ARABIC.code)


_READERS: dict[str, Callable[[Path], None]] = {
    ".yaml": lambda path: read_yaml(path, "Mend it") and None,
    ".jinja": _template,
    ".safetensors": _weights,
    ".skops": _classifier,
}


def inputs(count: int, seed: int, scratch: Path, ends: list[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Names and contents: first what was made to hurt, unless ``ends`` chooses formats; then damaged files."""
    seeds = valid(scratch)
    if ends is None:
        yield from ((f"hostile-{number}.{end}", content) for number, (end, content) in enumerate(hostile()))
    for number in range(count):
        draw = random.Random(f"{seed}-{number}")
        end = draw.choice(ends or [*seeds])
        yield f"{number}.{end}", damaged(end, seeds, draw)


def tried(name: str, content: bytes, folder: Path) -> Outcome:
    """Read one input in this process."""
    path = folder / name
    path.write_bytes(content)
    reset_peak()
    said = wrong = ""
    if path.suffix in (".jinja", ".safetensors", ".skops"):
        _libraries()
    began = time.process_time()
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            contextlib.redirect_stderr(nowhere),
        ):
            read(path)
        said = "read"
    except UserError as error:
        said = str(error)
        if len(said.splitlines()) != 1:
            wrong = f"several lines: {said}"
    except Exception as error:
        found = refusal(error)
        said = found.problem if found else ""
        wrong = "" if found else "".join(traceback.format_exception(error)[-4:])
    seconds = time.process_time() - began
    path.unlink()
    return Outcome(name, said, wrong, seconds, peak_bytes())


def _serve(pipe: Connection, folder: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while True:
        asked = pipe.recv()
        # The system ends this process where library code does not come back.
        signal.setitimer(signal.ITIMER_PROF, 3 * LONGEST_S)
        pipe.send(tried(*asked, folder))


def fuzz(count: int, seed: int, ends: list[str] | None = None) -> Iterator[Outcome]:
    """Every input's outcome. They are read in another process, which is ended when it does not come back."""
    # No fork of this process: arrow's threads do not live on in one.
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload([prepare.__module__, damaged.__module__])
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as last:
        worker = None
        for name, content in inputs(count, seed, Path(scratch), ends):
            if worker is None:
                ours, theirs = forked.Pipe()
                worker = forked.Process(target=_serve, args=(theirs, Path(scratch)), daemon=True)
                worker.start()
                theirs.close()
                last.callback(worker.kill)
            ours.send((name, content))
            try:
                if not ours.poll(HANGS_S):
                    raise TimeoutError
                yield ours.recv()
            except (TimeoutError, EOFError) as error:
                worker.kill()
                worker = None
                ended = "hangs" if isinstance(error, TimeoutError) else f"died, or took {3 * LONGEST_S:g} s"
                yield Outcome(name, "", f"the reader {ended}", 0.0, 0)


def main() -> int:
    """Fuzz, and print what is wrong and the worst of all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--ends", nargs="*", help="Damaged files of these formats alone, such as parquet skops.")
    given = asked.parse_args()
    tally: Counter[str] = Counter()
    slowest, largest = 0.0, 0
    began = time.monotonic()
    for outcome in fuzz(given.count, given.seed, given.ends):
        tally["wrong" if outcome.fails else "read" if outcome.said == "read" else "refused in one line"] += 1
        slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.peak)
        if outcome.fails:
            bounds = f"{outcome.seconds:.1f} s, {outcome.peak / 1e9:.2f} GB"
            sys.stdout.write(f"{outcome.name}: {bounds}\n{outcome.wrong or outcome.said}\n")
            sys.stdout.flush()
    counts = ", ".join(f"{number:,} {what}" for what, number in tally.most_common())
    took = time.monotonic() - began
    sys.stdout.write(
        f"{tally.total():,} inputs: {counts}; slowest {slowest:.1f} s, peak {largest / 1e9:.2f} GB; "
        f"{took:.0f} s in all\n"
    )
    return bool(tally["wrong"])


if __name__ == "__main__":
    sys.exit(main())
