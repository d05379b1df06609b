"""Small real models, made once per test process."""

import functools
import gc
import os
import signal
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
import typer.main
import typer.testing
from hypothesis import HealthCheck, settings
from maqa_severity.cli import application
from maqa_severity.commands.app import app
from maqa_severity.harness.languages.messages import choose
from maqa_severity.tests.falah_draw import FALAH
from maqa_severity.tests.tongues import ARABIC

# A shell's background job ignores Ctrl-C, `nohup` what ends with the terminal, and so would every command that the
# tests start from one.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Every run of the command in this process would make its forty commands anew, a tenth of a second each time.
_made, _once = typer.main.get_command, functools.cache(lambda: _made(application()))


def _command(of: typer.Typer):
    return _once() if of is app else _made(of)


typer.main.get_command = typer.testing._get_command = _command


@pytest.fixture(scope="module", autouse=True)
def _frozen():
    """Put aside what is alive, or each collection that a training or an encoder asks for goes through all of it:
    a tenth to a third of the suite's time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _in_english():
    """Leave no test the language that another's command was told to speak."""
    yield
    choose(None)


@pytest.fixture(scope="session")
def falah() -> Path:
    """The real question-answer pairs, where they are at hand."""
    if not FALAH.is_file():
        pytest.skip(f"FALAH-Mix is not at {FALAH}")
    return FALAH


@pytest.fixture(scope="module")
def browser():
    """A real browser, for the pages of one file of tests."""
    from maqa_severity.tests.real_browser import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def sample_texts() -> list[str]:
    """Questions and answers of the shipped sample."""
    from maqa_severity.tasks.sample import handwritten_rows

    return [row[key] for row in handwritten_rows(ARABIC) for key in ("question", "answer")]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory, sample_texts) -> Path:
    """A tiny BERTScore encoder that knows the letters of the sample."""
    from maqa_severity.trainers.demo.models import make_demo_encoder

    return make_demo_encoder(tmp_path_factory.mktemp("models") / "encoder", sample_texts, epochs=1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A tiny causal model that has seen a few everyday answers."""
    from maqa_severity.tasks.sample.grammar import everyday_rows
    from maqa_severity.trainers.demo.models import make_demo_base

    pairs = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 200)]
    return make_demo_base(tmp_path_factory.mktemp("models") / "base", pairs, epochs=1, language=ARABIC)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, encoder, checkpoint):
    """Run folders of a tiny model and two trivial systems on 8 questions a severity, through real lm-eval."""
    from maqa_severity.harness.evaluation.evaluate import EvaluationOptions, evaluate
    from maqa_severity.harness.generation.config import GenerationConfig
    from maqa_severity.harness.generation.decoding import decoding
    from maqa_severity.tasks import FOLDER, GROUP

    root = tmp_path_factory.mktemp("runs")
    models = {"hf": {"pretrained": str(checkpoint)}, "echo": {}, "constant": {}}
    for kind, arguments in models.items():
        config = GenerationConfig(
            kind=kind,
            model_args=arguments,
            decoding=decoding("greedy", ARABIC, max_new_tokens=16),
            answer=ARABIC.referral,
            device="cpu",
            store=root / kind / "answers",
        )
        options = EvaluationOptions(out=root / kind, bertscore_model=str(encoder), limit=8)
        evaluate(config, options, FOLDER, GROUP)
    return {kind: root / kind for kind in models}


@pytest.fixture(scope="session")
def pairs(sample_texts) -> tuple[list[str], list[str]]:
    """1,000 Arabic predictions with their references: equal, unrelated, cut, shuffled and misspelt ones."""
    import random

    draw = random.Random(0)

    def disturbed(text: str) -> str:
        words = text.split()
        for _ in range(draw.randrange(len(words))):
            place = draw.randrange(len(words))
            words[place] = draw.choice(
                [*words, draw.choice(sample_texts).split()[0], words[place].replace("ة", "ه")]
            )
        return " ".join(words[: draw.randrange(1, len(words) + 1)])

    references = [draw.choice(sample_texts) for _ in range(1000)]
    changes = [lambda text: text, lambda text: draw.choice(sample_texts), disturbed, disturbed, disturbed]
    return [draw.choice(changes)(reference) for reference in references], references


@pytest.fixture
def browse(tmp_path):
    """A function that opens a page in headless Chromium and returns the document after its scripts ran."""
    import subprocess

    def dump(page: Path) -> str:
        flags = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
        ]  # fmt: skip
        done = subprocess.run(
            ["chromium", *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    return dump
