"""Small real models, made once per test process."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest

FALAH = Path(__file__).parents[2] / "shared" / "data" / "falah-mix" / "FALAH-Mix.xlsx"


@pytest.fixture(scope="session")
def falah() -> Path:
    """The real question-answer pairs, where they are at hand."""
    if not FALAH.is_file():
        pytest.skip(f"FALAH-Mix is not at {FALAH}")
    return FALAH


@pytest.fixture(scope="session")
def sample_texts() -> list[str]:
    """Questions and answers of the shipped sample."""
    from maqa_severity.tasks.sample import handwritten_rows

    return [row[key] for row in handwritten_rows() for key in ("question", "answer")]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory, sample_texts) -> Path:
    """A tiny BERTScore encoder that knows the letters of the sample."""
    from maqa_severity.trainers.tiny import make_demo_encoder

    return make_demo_encoder(tmp_path_factory.mktemp("models") / "encoder", sample_texts, epochs=1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A tiny causal model that has seen a few everyday answers."""
    from maqa_severity.tasks.sample.grammar import everyday_rows
    from maqa_severity.trainers.tiny import make_demo_base

    pairs = [(row["question"], row["answer"]) for row in everyday_rows(200)]
    return make_demo_base(tmp_path_factory.mktemp("models") / "base", pairs, epochs=1)
