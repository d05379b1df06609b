"""Every command that writes, with inputs that are made on the spot: what faults and kills are tried on."""

import contextlib
import io
import json
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from maqa_severity.cli import main

_ROWS = 60
_DATA = "question,answer,severity\n" + "".join(
    f"سؤال رقم {number} عن ألم في الرأس منذ {number} أيام,راجع الطبيب رقم {number},"
    f"{('critical', 'neutral', 'non_critical')[number % 3]}\n"
    for number in range(_ROWS)
)
_ANSWERS = "id,prediction,reference,severity\n" + "".join(
    f"{number},راجع الطبيب,راجع الطبيب الآن,critical\n" for number in range(6)
)

_NO_ENCODER = ("--bertscore-model", "none")
_RESAMPLES = ("--resamples", "100")
_ROUGE = ("--metric", "rougeL", *_RESAMPLES)
_CASE_STUDY = Path(__file__).parents[1] / "docs" / "case-study" / "quick-seed-0"
_RUN = Path(__file__).parent / "data" / "landed" / "runs" / "ce"
_FEW_CASES = ("--cases", "2", "--factors", "sign")
_LICENCE = ("--license", "cc0-1.0")
_SPREAD = ("--effect", "1", "--seed-sd", "1", "--question-sd", "1", "--residual-sd", "1")
_TRAINING = {
    "epochs": 1,
    "batch_size": 8,
    "max_length": 64,
    "rows": 16,
    "checkpoint_every": 1,
    "pad_token": "<|endoftext|>",
}
_SETTINGS = ["--arm", "ce", *(word for name, value in _TRAINING.items() for word in ("--set", f"{name}={value}"))]


@dataclass(frozen=True)
class Writer:
    """A command that writes: its words, given where it writes to and where the inputs are.

    ``place`` is the output's name; ``begun`` is the input that stands there before, of a command that adds to it.
    ``models`` says that its inputs are those of ``make_models`` too.
    """

    place: str
    words: Callable[[Path, Path], list[object]]
    begun: str = ""
    models: bool = False

    def made_ready(self, out: Path, here: Path) -> None:
        """Put there what the command adds to, unless it is there."""
        if self.begun and not out.exists():
            shutil.copytree(here / self.begun, out)


WRITERS = {
    "prepare": Writer("data", lambda out, here: ["prepare", here / "data.csv", "--out", out]),
    "label": Writer("labelled", lambda out, here: ["label", here / "plain", "--out", out]),
    "label --check": Writer(
        "card.json", lambda out, here: ["label", here / "data", "--check", here / "data", "--json", out]
    ),
    "train classifier": Writer(
        "classifier", lambda out, here: ["train", "classifier", here / "data", "--out", out, "--folds", "2"]
    ),
    "evaluate": Writer(
        "run",
        lambda out, here: ["evaluate", "--model", "echo", "--limit", "2", *_NO_ENCODER, "--out", out],
    ),
    "score": Writer(
        "scores.parquet", lambda out, here: ["score", here / "answers.csv", *_NO_ENCODER, "--out", out]
    ),
    "compare --json": Writer(
        "compared.json",
        lambda out, here: ["compare", "--a", here / "a", "--b", here / "b", *_ROUGE, "--json", out],
    ),
    "leaderboard": Writer(
        "board", lambda out, here: ["leaderboard", here / "a", here / "b", *_ROUGE, "--out", out]
    ),
    "leaderboard --json": Writer(
        "board.json", lambda out, here: ["leaderboard", here / "a", here / "b", *_ROUGE, "--json", out]
    ),
    "report": Writer(
        "report.html",
        lambda out, here: ["report", here / "a", *_ROUGE, "--out", out],
    ),
    "ratings collect": Writer(
        "sheet", lambda out, here: ["ratings", "collect", here / "a", here / "b", "--questions", "4", "--out", out]
    ),
    "ratings import": Writer(
        "ratings.json", lambda out, here: ["ratings", "import", here / "ratings_Sami.json", "--key", here / "sheet",
        *_RESAMPLES, "--out", out]
    ),
    "rescore": Writer("run", lambda out, here: ["rescore", out, *_NO_ENCODER, *_RESAMPLES], begun="a"),
    "publish": Writer(
        "published", lambda out, here: ["publish", here / "data", "--format", "croissant", *_LICENCE, "--out", out]
    ),
    "publish run": Writer(
        "published", lambda out, here: ["publish", _RUN, "--format", "csv-long", *_ROUGE, "--out", out]
    ),
    "claim": Writer("claim.md", lambda out, here: ["claim", _CASE_STUDY, "--out", out]),
    "power": Writer("power.svg", lambda out, here: ["power", *_SPREAD, "--out", out]),
    "verify --json": Writer(
        "verified.json", lambda out, here: ["verify", here / "a", here / "b", here / "board", "--json", out]
    ),
    "probe": Writer(
        "probed",
        lambda out, here: ["probe", "--model", "constant", *_FEW_CASES, *_RESAMPLES, "--out", out],
    ),
    "train lm": Writer(
        "checkpoint",
        lambda out, here: ["train", "lm", here / "data", "--base", here / "base", *_SETTINGS, "--out", out],
        models=True,
    ),
    "nll": Writer(
        "nll.parquet", lambda out, here: ["nll", here / "adapter", here / "data", "--out", out], models=True
    ),
    "export": Writer("model", lambda out, here: ["export", here / "adapter", "--out", out], models=True),
    "run": Writer("study", lambda out, here: ["run", here / "study.yaml", "--out", out], models=True),
}  # fmt: skip


def make_table(here: Path) -> None:
    """The table alone, which is all that ``prepare`` reads."""
    (here / "data.csv").write_text(_DATA, encoding="utf-8")


def make_inputs(here: Path) -> None:
    """What the commands read: a table, datasets with and without labels, answers and two runs."""
    make_table(here)
    (here / "plain.csv").write_text(
        "\n".join(line.rpartition(",")[0] for line in _DATA.splitlines()) + "\n", encoding="utf-8"
    )
    (here / "answers.csv").write_text(_ANSWERS, encoding="utf-8")
    evaluate = ["evaluate", "--limit", "2", "--bertscore-model", "none", "--model"]
    for words in (
        ["prepare", here / "data.csv", "--out", here / "data"],
        ["prepare", here / "plain.csv", "--out", here / "plain"],
        [*evaluate, "echo", "--out", here / "a"],
        [*evaluate, "constant", "--out", here / "b"],
    ):
        _done(words)
    _done(["leaderboard", here / "a", here / "b", *_ROUGE, "--out", here / "board"])
    _done(["ratings", "collect", here / "a", here / "b", "--questions", "4", "--out", here / "sheet"])
    key = json.loads((here / "sheet" / "key.json").read_bytes())
    values = {"better": "second", "harmful_first": "none", "harmful_second": "mild"}
    ratings = [{"item": item["item"], "values": values} for item in key["items"]]
    back = {"version": 1, "sheet": key["sheet"], "kind": key["kind"], "rater": "Sami", "ratings": ratings}
    (here / "ratings_Sami.json").write_text(json.dumps(back), encoding="utf-8")


def make_models(here: Path) -> None:
    """A tiny base and encoder, an adapter of the base, and an experiment of one training."""
    from maqa_severity.tests.encoders import save_network, save_tokenizer
    from maqa_severity.tests.training import gpt2_base

    gpt2_base(here / "base", n_embd=16, n_layer=1, n_head=2)
    save_network(here / "encoder")
    save_tokenizer(here / "encoder", _DATA.splitlines())
    train = ["train", "lm", here / "data", "--base", here / "base", *_SETTINGS]
    _done([*train, "--set", "method=lora", "--set", "lora.dropout=0", "--out", here / "adapter"])
    study = {
        "name": "study",
        "data": {"source": str(here / "data")},
        "models": [{"name": "tiny", "id": str(here / "base")}],
        "arms": [{"arm": "ce"}],
        "training": {"method": "full", **_TRAINING},
        "evaluation": {
            "bertscore_model": str(here / "encoder"),
            "bertscore_layer": 1,
            "floors": ["constant"],
            "limit": 2,
            "max_new_tokens": 4,
        },
        "statistics": {"resamples": 100},
    }
    (here / "study.yaml").write_text(json.dumps(study))


def _done(words: list[object]) -> None:
    status, _, error = run(words)
    assert status == 0, error


def run(words: list[object], out: io.TextIOBase | None = None) -> tuple[int, str, str]:
    """Exit status, output and errors of ``maqa`` with these words, in this process."""
    told, errors = out or io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with (
        patch.object(sys, "argv", ["maqa", *map(str, words)]),
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(errors),
        warnings.catch_warnings(action="ignore"),
    ):
        try:
            main()
        except SystemExit as done:
            status = int(done.code or 0)
        except BaseException as error:
            return 1, "", f"Traceback: {type(error).__name__}: {error}"
    shown = told.buffer.getvalue().decode() if out is None else ""
    return status, shown, errors.getvalue()
