"""The claims about the speed of generation, measured side by side in one run: ``make bench-generation``.

Runs where vLLM is installed. The model has 76 M random parameters; its answers are given lengths drawn evenly from
4 to 128 tokens, the same for every engine, and only tokens up to the end of an answer count. Rates are per second
of processor time on one thread, so that other work on the machine does not decide; with a GPU they are per second
of wall time. Prints ``claim | ours | reference | ratio | goal | holds`` and exits with 0 only if every claim holds.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import gc
import logging
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.engines.hf_sampling import StopRows
from maqa_severity.harness.generation.engines.vllm import VLLMEngine
from maqa_severity.harness.generation.records import Engine, Prompt
from maqa_severity.harness.generation.workers.chunks import chunks
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tasks.sample.grammar import everyday_rows
from maqa_severity.tests.killing import sound
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.demo.models import make_demo_base
from maqa_severity.trainers.demo.tokenizers import causal_tokenizer
from rich.console import Console

GPU = torch.cuda.is_available()
PROMPTS, ALONE, NEW_TOKENS = (1024, 32, 128) if GPU else (96, 16, 128)


@dataclass(frozen=True)
class Claim:
    """``ours`` and ``reference`` as they are printed."""

    name: str
    ours: str
    reference: str
    ratio: float
    goal: str
    holds: bool

    def line(self) -> str:
        verdict = "holds" if self.holds else "falls short"
        return " | ".join((self.name, self.ours, self.reference, f"{self.ratio:.2f}", self.goal, verdict))


@dataclass(frozen=True)
class Rate:
    """Useful tokens per second over so many answers."""

    tokens_per_s: float
    answers: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.tokens_per_s:.0f} tokens/s ({self.answers} answers, {self.tokens} tokens)"


def length_of(prompt: Prompt) -> int:
    """How many tokens the answer shall have."""
    return random.Random(prompt.id).randint(4, NEW_TOKENS)


class StopAtLength(StopRows):
    """Ends each row at its own length."""

    lengths: list[int]

    def __call__(self, input_ids, scores, **_):
        made = input_ids.shape[1] - self._prompt_tokens
        rows = zip(self.ended, self.lengths, strict=True)
        self.ended = [done or (made if made >= length else 0) for done, length in rows]
        pause = self.ended.count(0) <= self._pause_at
        return torch.tensor([pause or done > 0 for done in self.ended], device=input_ids.device)


class HF(HFEngine):
    """transformers, with answers of given lengths; ``plain`` is its ``generate`` as it is."""

    def __init__(self, config: GenerationConfig, plain: bool) -> None:
        super().__init__(config)
        self.shrinks = self.shrinks and not plain

    def _stop(self, prompts, prompt_tokens, pause_at):
        stop = StopAtLength(self.lm.tokenizer, (), (), prompt_tokens, len(prompts), pause_at)
        stop.lengths = [length_of(prompt) for prompt in prompts]
        return stop


class VLLM(VLLMEngine):
    """vLLM, with answers of given lengths."""

    def _sampling(self, prompt: Prompt, until):
        how = super()._sampling(prompt, until)
        how.max_tokens, how.ignore_eos = length_of(prompt), True
        return how


def random_model(out: Path) -> Path:
    """A model of base size that says nothing."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    rows = [*handwritten_rows(ARABIC), *everyday_rows(ARABIC, 400)]
    tokenizer = causal_tokenizer([row[key] for row in rows for key in ("question", "answer")])
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=640,
        intermediate_size=1792,
        num_hidden_layers=16,
        num_attention_heads=10,
        num_key_value_heads=5,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config)
    # Never chosen: only the given lengths end an answer.
    model.generation_config.eos_token_id = None
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def prompts(number: int) -> list[Prompt]:
    rows = (handwritten_rows(ARABIC) * (1 + number // 300))[:number]
    return [Prompt(f"{n:05}", ARABIC.ask(row["question"]), 0, str(n), "", "") for n, row in enumerate(rows)]


def rate(engine: Engine, number: int) -> Rate:
    """Useful tokens per second of a started engine, which is released."""
    asked = prompts(number)
    limits = {"max_prompts": engine.max_prompts, "max_tokens": engine.max_tokens}
    planned = chunks(asked, engine.lengths(asked), new_tokens=NEW_TOKENS, **limits)
    engine.generate(asked[:2])
    clock = time.perf_counter if GPU else time.process_time
    start = clock()
    tokens = sum(answer.tokens for chunk in planned for answer in engine.generate(chunk))
    elapsed = clock() - start
    engine.release()
    gc.collect()
    if tokens != sum(map(length_of, asked)):
        raise RuntimeError(f"{tokens} tokens instead of {sum(map(length_of, asked))}")
    return Rate(tokens / elapsed, number, tokens)


def rates_claims(model: Path) -> list[Claim]:
    how = decoding("greedy", ARABIC, max_new_tokens=NEW_TOKENS, until=())

    def asked(kind: Kind, batch_size: int | None = None) -> GenerationConfig:
        arguments = {"pretrained": str(model), "dtype": "float32"}
        return GenerationConfig(kind=kind, model_args=arguments, decoding=how, store=model, batch_size=batch_size)

    alone = rate(HF(asked(Kind.HF, 1), plain=True), ALONE)
    sixteen = rate(HF(asked(Kind.HF, 16), plain=True), PROMPTS)
    budget = rate(HF(asked(Kind.HF), plain=False), PROMPTS)
    vllm = rate(VLLM(asked(Kind.VLLM)), PROMPTS)
    faster, batched = vllm.tokens_per_s / sixteen.tokens_per_s, budget.tokens_per_s / alone.tokens_per_s
    return [
        Claim(
            "vLLM against transformers in sorted batches of 16",
            str(vllm), str(sixteen), faster, ">= 3 x", faster >= 3,
        ),
        Claim(
            "transformers in shrinking batches by token budget against one by one",
            str(budget), str(alone), batched, ">= 3 x", batched >= 3,
        ),
    ]  # fmt: skip


def one_engine_claim(folder: Path) -> Claim:
    """Processor time from the configurations of six arms to their answers, starting one engine, or six."""
    from maqa_severity.tests.adapters import foreign_adapter

    pairs = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 300)]
    base = make_demo_base(folder / "speaker", pairs, language=ARABIC)
    arms = [base, *(foreign_adapter(base, folder / f"arm{seed}", seed=seed) for seed in range(5))]
    how = decoding("greedy", ARABIC, max_new_tokens=32)
    arguments = [{"pretrained": str(arm), "dtype": "float32"} for arm in arms]
    configs = [GenerationConfig(kind=Kind.VLLM, model_args=each, decoding=how, store=base) for each in arguments]
    asked = prompts(30)
    clock = time.perf_counter if GPU else time.process_time

    def taken(*groups) -> tuple[float, list[list[str]]]:
        start, said = clock(), []
        for group in groups:
            engine = VLLMEngine(*group)
            whose = [number for number in range(len(group)) for _ in asked]
            texts = [answer.text for answer in engine.generate(asked * len(group), whose)]
            engine.release()
            said += [texts[number * len(asked) :][: len(asked)] for number in range(len(group))]
        return clock() - start, said

    # What importing takes is no engine's.
    taken(configs[:1])
    six, alone = taken(*([config] for config in configs))
    one, together = taken(configs)
    same = sum(a == b for one, other in zip(alone, together, strict=True) for a, b in zip(one, other, strict=True))
    number = len(arms) * len(asked)
    return Claim(
        "six arms of a base by one vLLM engine against six engines",
        f"{one:.1f} s ({same} of {number} answers the same)",
        f"{six:.1f} s",
        one / six,
        "<= 0.4 x, all the same",
        one / six <= 0.4 and same == number,
    )


def first_answer_claim(folder: Path) -> Claim:
    """Processor time from the start of the command until the first batch of answers is there."""
    pairs = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 100)]
    model = make_demo_base(folder / "demo", pairs, epochs=1, language=ARABIC)
    times = [(ours_first(model, folder / f"ours{n}"), plain_first(model, folder / f"plain{n}")) for n in range(3)]
    ours, plain = (statistics.median(column) for column in zip(*times, strict=True))
    return Claim(
        "time to the first answer, same task, tiny model",
        f"maqa evaluate {ours:.1f} s",
        f"lm_eval {plain:.1f} s",
        ours / plain,
        "<= 0.5 x",
        ours / plain <= 0.5,
    )


def ours_first(model: Path, out: Path) -> float:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "maqa_severity", "evaluate", "--model", "hf", "--out", str(out), "--limit", "8",
            "--model-args", f"pretrained={model},dtype=float32", "--bertscore-model", "none", "--batch-size", "8",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    elapsed = 0.0
    while process.poll() is None:
        if not elapsed and sound(out):
            elapsed = processor_seconds(process.pid)
        time.sleep(0.01)
    if process.returncode or not elapsed:
        raise RuntimeError("maqa evaluate failed")
    return elapsed


def plain_first(model: Path, out: Path) -> float:
    process = subprocess.Popen(
        [
            sys.executable, "-u", "-m", "lm_eval", "run", "--model", "hf", "--tasks", GROUP, "--limit", "8",
            "--model_args", f"pretrained={model},dtype=float32", "--include_path", str(FOLDER), "--batch_size", "8",
            "--metadata", "bertscore_model=none", "--log_samples", "--output_path", str(out),
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=out.parent,
    )  # fmt: skip
    said, elapsed = b"", 0.0
    while piece := os.read(process.stderr.fileno(), 4096):
        said += piece
        if not elapsed and re.search(rb"generate_until requests:.*?\| [1-9]\d*/24 ", said):
            elapsed = processor_seconds(process.pid)
    if process.wait() or not elapsed:
        raise RuntimeError(said.decode()[-2000:])
    return elapsed


def processor_seconds(pid: int) -> float:
    """What a process and its finished children have used."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    console = Console(soft_wrap=True, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        claims = [
            one_engine_claim(Path(folder)),
            first_answer_claim(Path(folder)),
            *rates_claims(random_model(Path(folder) / "random")),
        ]
    console.print("claim | ours | reference | ratio | goal | holds", markup=False)
    for claim in claims:
        console.print(claim.line(), markup=False)
    if not GPU:
        console.print("on a GPU: skipped, since torch sees none here", markup=False)
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
