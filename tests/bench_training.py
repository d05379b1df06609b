"""The claims about the cost of the weighted loss, measured side by side in one run: ``make bench-training``.

A step is forward and backward pass and AdamW update of a Qwen2-shaped model with the real vocabulary, half of the
tokens masked; the reference is the library's own cross-entropy. On the CPU, times are processor time on one thread,
so that other work on the machine does not decide. Where there is a GPU the same is measured on it in bf16. Prints
``claim | ours | reference | ratio | goal | holds`` and exits with 0 only if every claim holds.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from maqa_severity.trainers.lm.batches import Collator, Examples
from maqa_severity.trainers.lm.causal import weighted_forward
from maqa_severity.trainers.lm.cost import peak_memory_bytes, reset_peak_memory
from maqa_severity.trainers.lm.encoding import Encoded
from maqa_severity.trainers.lm.nll import forward_of, likelihoods, measuring
from maqa_severity.trainers.lm.split import Split, fitting, free_bytes
from maqa_severity.trainers.losses.weighted import LossMode, answer_lengths
from rich.console import Console
from transformers import Gemma2Config, Gemma2ForCausalLM, Qwen2Config, Qwen2ForCausalLM

VOCABULARY = 151_936
TIME_GOAL, MEMORY_GOAL, WEIGHTS_GOAL, SPLIT_GOAL = 0.5, 0.4, 1.02, 1.0


LIKELIHOOD_GOAL = 0.6


@dataclass(frozen=True)
class Workload:
    """What one device is given, and how often: ``slow`` rounds of all three steps, ``quick`` of our two alone,
    ``split`` of a step in passes."""

    device: str
    hidden: int
    layers: int
    examples: int
    length: int
    slow: int
    quick: int
    split: int


WORKLOADS = {
    "cpu": Workload("cpu", hidden=256, layers=1, examples=8, length=256, slow=2, quick=9, split=3),
    "cuda": Workload("cuda", hidden=896, layers=24, examples=16, length=512, slow=10, quick=30, split=10),
}


class Steps:
    """One model and batch, and a step of it under each loss; ``capped``: of a Gemma 2, which caps its logits."""

    def __init__(self, work: Workload, *, capped: bool = False) -> None:
        torch.manual_seed(0)
        sizes: dict[str, Any] = {
            "vocab_size": VOCABULARY,
            "hidden_size": work.hidden,
            "intermediate_size": 4 * work.hidden,
            "num_hidden_layers": work.layers,
            "num_attention_heads": work.hidden // 64,
            "num_key_value_heads": work.hidden // 64,
            "tie_word_embeddings": True,
        }
        self.device = work.device
        model = (
            Gemma2ForCausalLM(Gemma2Config(**sizes, head_dim=64))
            if capped
            else Qwen2ForCausalLM(Qwen2Config(**sizes))
        )
        self.model = model.to(work.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-6)
        ids = torch.randint(0, VOCABULARY, (work.examples, work.length), device=work.device)
        labels = ids.clone()
        labels[:, : work.length // 2] = -100
        self.inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
        self.lengths = answer_lengths(labels)
        self.ones = torch.ones(work.examples, device=work.device)
        self.weights = torch.linspace(0.5, 1.5, work.examples, device=work.device)

    def stock(self) -> None:
        self._update(lambda: self.model(**self.inputs).loss)

    def unweighted(self) -> None:
        self._update(lambda: self._ours(self.ones))

    def weighted(self) -> None:
        self._update(lambda: self._ours(self.weights))

    def split(self, rows: int) -> None:
        """The weighted step in passes of so many rows."""
        mode, parts = LossMode.TOKENS, range(0, len(self.ones), rows)
        denominator = mode.denominator(self.weights, self.lengths)
        with weighted_forward(self.model):
            for start in parts:
                part = slice(start, start + rows)
                inputs = {name: value[part] for name, value in self.inputs.items()}
                coefficients = mode.coefficients(self.weights[part], self.lengths[part])
                with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
                    loss = self.model(**inputs, coefficients=coefficients)["loss"]
                (loss / denominator).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def fitting(self) -> Split:
        """The split of a step that memory is measured to hold."""

        def passing(rows: int) -> int:
            reset_peak_memory()
            before = peak_memory_bytes()
            self.split(rows)
            return peak_memory_bytes() - before

        return fitting(len(self.ones), passing, free_bytes())

    def _ours(self, weights: torch.Tensor) -> torch.Tensor:
        mode = LossMode.TOKENS
        with weighted_forward(self.model):
            loss = self.model(**self.inputs, coefficients=mode.coefficients(weights, self.lengths))["loss"]
        return loss / mode.denominator(weights, self.lengths)

    def _update(self, loss_of: Callable[[], Any]) -> None:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            loss = loss_of()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def measure(device: str, step: Callable[[], None]) -> tuple[float, int]:
    """Seconds and additional peak memory in bytes of one step."""
    reset_peak_memory()
    before = peak_memory_bytes()
    clock = time.perf_counter if device == "cuda" else time.process_time
    start = clock()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start, peak_memory_bytes() - before


def claims(work: Workload, show: Callable[[str], None]) -> bool:
    steps = Steps(work)
    kinds = {"stock": steps.stock, "unweighted": steps.unweighted, "weighted": steps.weighted}
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in kinds}
    for step in kinds.values():
        step()
    for _ in range(work.slow):
        for name, step in kinds.items():
            found[name].append(measure(work.device, step))
    for number in range(work.quick):
        # The second of a pair finds warmer caches: take turns.
        for name in ("weighted", "unweighted")[:: 1 if number % 2 else -1]:
            found[name].append(measure(work.device, kinds[name]))
    seconds = {name: statistics.median(time for time, _ in values) for name, values in found.items()}
    memory = {name: max(extra for _, extra in values) / 1e9 for name, values in found.items()}
    title = f"V {VOCABULARY:,}, B {work.examples}, T {work.length}, half masked, {work.device}"
    chosen = steps.fitting()
    for rows in (chosen.rows, 1) * work.split:
        found.setdefault(f"split {rows}", []).append(measure(work.device, lambda rows=rows: steps.split(rows)))
    splits = [statistics.median(time for time, _ in found[f"split {rows}"]) for rows in (chosen.rows, 1)]
    lines = [
        (f"{chosen.rows} x {chosen.accumulation} by memory over 1 x {work.examples}", *splits, "s", SPLIT_GOAL),
        (f"step time, {title}", seconds["weighted"], seconds["stock"], "s", TIME_GOAL),
        (f"extra memory, {title}", memory["weighted"], memory["stock"], "GB", MEMORY_GOAL),
        (f"weighted over unweighted, {work.device}", seconds["weighted"], seconds["unweighted"], "s", WEIGHTS_GOAL),
    ]
    capped, stock = _capped(work)
    lines.append((f"step time, logits capped, {work.device}", capped, stock, "s", TIME_GOAL))
    for name, ours, reference, unit, goal in lines:
        verdict = "holds" if ours / reference <= goal else "falls short"
        show(f"{name} | {ours:.3f} {unit} | {reference:.3f} {unit} | {ours / reference:.3f} | ≤ {goal} | {verdict}")
    return all(ours / reference <= goal for _, ours, reference, _, goal in lines)


def _capped(work: Workload) -> tuple[float, float]:
    """Seconds of a weighted and of a stock step of a model that caps its logits."""
    steps = Steps(work, capped=True)
    kinds = (steps.weighted, steps.stock)
    for step in kinds:
        step()
    taken = [[measure(work.device, step)[0] for step in kinds] for _ in range(work.slow)]
    ours, stock = (statistics.median(values) for values in zip(*taken, strict=True))
    return ours, stock


def likelihoods_claim(device: str, show: Callable[[str], None]) -> bool:
    """The likelihood of 2,000 references: ours in batches of like lengths, against the library's loop over full
    logits in batches of eight in the order of the rows."""
    rows, vocabulary = 2000, 8000
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    settings = Qwen2Config(
        vocab_size=vocabulary, hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=1,
        num_key_value_heads=1, tie_word_embeddings=True,
    )  # fmt: skip
    model = Qwen2ForCausalLM(settings).to(device).eval()
    prompts = draw.integers(8, 24, rows)
    lengths = prompts + np.clip(draw.lognormal(2.8, 0.6, rows), 2, 90).astype(np.int64)
    offsets = np.concatenate([[0], lengths.cumsum()])
    nothing = np.zeros(rows, np.int64)
    tokens = draw.integers(3, vocabulary, offsets[-1]).astype(np.int32)
    encoded = Encoded(tokens, offsets, prompts, nothing, nothing)
    collator, examples = Collator(0), Examples(encoded, np.ones(rows), nothing, np.arange(rows), 2)

    def stock() -> np.ndarray:
        found = []
        with torch.no_grad():
            for start in range(0, rows, 8):
                batch = collator([examples[row] for row in range(start, min(start + 8, rows))])
                batch = {name: batch[name].to(device) for name in ("input_ids", "attention_mask", "labels")}
                labels = batch.pop("labels")[:, 1:]
                logits = model(**batch).logits[:, :-1].float()
                nll = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
                found.append(nll.sum(dim=1).cpu().numpy())
        return np.concatenate(found)

    def ours() -> np.ndarray:
        with weighted_forward(model), measuring(model):
            return likelihoods(forward_of(model, device), encoded, collator, 8 * 512, filler=2)

    clock = time.perf_counter if device == "cuda" else time.process_time
    seconds, values = {}, {}
    for name, measured in (("ours", ours), ("stock", stock)):
        start = clock()
        values[name] = measured()
        seconds[name] = clock() - start
    apart = float(np.abs(values["ours"] - values["stock"]).max() / values["stock"].max())
    ratio = seconds["ours"] / seconds["stock"]
    holds = ratio <= LIKELIHOOD_GOAL and apart < 1e-5
    show(
        f"likelihood of {rows:,} references, {device} | {seconds['ours']:.3f} s | {seconds['stock']:.3f} s | "
        f"{ratio:.3f} | ≤ {LIKELIHOOD_GOAL}, {apart:.1e} apart | {'holds' if holds else 'falls short'}"
    )
    return holds


def main() -> int:
    torch.set_num_threads(1)
    console = Console(highlight=False, soft_wrap=True)
    console.print("claim | ours | reference | ratio | goal | holds", markup=False)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    hold = [claims(WORKLOADS[device], lambda line: console.print(line, markup=False)) for device in devices]
    hold += [likelihoods_claim(device, lambda line: console.print(line, markup=False)) for device in devices]
    return 0 if all(hold) else 1


if __name__ == "__main__":
    sys.exit(main())
