"""How the demo's models are fitted: one-cycle AdamW, which goes on where a kill stopped it, to the same weights."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from ...harness.core.console import Terminal
from ...harness.core.files import atomic
from ...harness.core.folders import disk_told

Batch = dict[str, Any]

_EVERY_S = 5.0
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of every parameter."""


def fit(
    name: str,
    model: Any,
    loss_of: Callable[[Batch], Any],
    batches: Sequence[Batch],
    state: Path,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    random: Any = None,
) -> None:
    """Fit a model to batches in random order.

    Args:
        name: of the model, for the progress bar.
        model: a network with its first weights.
        loss_of: the loss of a batch.
        batches: the same in every call.
        state: a file that is there while the model is fitted; every few seconds it gets all that going on needs.
        epochs: passes over the batches.
        learning_rate: the highest.
        seed: of the order.
        random: a generator that the loss draws from.
    """
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=epochs * len(batches))
    order = torch.Generator().manual_seed(seed)
    steps = [i for _ in range(epochs) for i in torch.randperm(len(batches), generator=order).tolist()]
    # Whatever would end in other weights has a state of its own.
    told = json.dumps([name, seed, learning_rate, steps])
    what = _digest(told, [*batches, _weights(model)])
    begun = _restore(state, what, model, optimizer, schedule, random)
    model.train()
    console = Terminal(stderr=True)
    title = f"pre-training the demo's {name}"
    shown = track(steps[begun:], title, console=console, transient=True, disable=not console.is_terminal)
    saved = time.monotonic()
    for done, index in enumerate(shown, begun + 1):
        loss_of(dict(batches[index])).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if time.monotonic() - saved > _EVERY_S and done < len(steps):
            _save(state, what, done, model, optimizer, random)
            saved = time.monotonic()
    model.eval()


def _save(state: Path, what: str, done: int, model: Any, optimizer: Any, random: Any) -> None:
    from safetensors.torch import save_file

    tensors = {f"weights.{key}": tensor for key, tensor in _weights(model).items()}
    for number, parameter in enumerate(model.parameters()):
        # Nothing is kept of a parameter that the loss does not reach.
        moments = optimizer.state.get(parameter, {})
        tensors |= {f"{number}.{key}": moments[key].clone() for key in _MOMENTS if moments}
    if random is not None:
        tensors["random"] = random.get_state()
    told = f"the fit of the demo's model cannot be kept in {state}"
    with disk_told(told, "Make room, then run the same command again"), atomic(state) as temporary:
        save_file(tensors, temporary, {"what": what, "done": str(done)})


def _restore(state: Path, what: str, model: Any, optimizer: Any, schedule: Any, random: Any) -> int:
    """Take over what was kept, if it is of this very fit; returns the steps that are done."""
    from safetensors import SafetensorError, safe_open

    for left in state.parent.glob(f".{state.name}.*"):
        # By a kill, of a file that was being written.
        left.unlink(missing_ok=True)
    try:
        with safe_open(state, "pt") as kept:
            told = kept.metadata() or {}
            tensors = {key: kept.get_tensor(key) for key in kept.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return 0
    if told.get("what") != what:
        return 0
    model.load_state_dict(
        {key.removeprefix("weights."): tensor for key, tensor in tensors.items() if key.startswith("weights.")},
        strict=False,
    )
    for number, parameter in enumerate(model.parameters()):
        if f"{number}.{_MOMENTS[0]}" in tensors:
            optimizer.state[parameter] = {key: tensors[f"{number}.{key}"] for key in _MOMENTS}
    if random is not None:
        random.set_state(tensors["random"])
    done = int(told["done"])
    with warnings.catch_warnings():
        # That no optimizer went before; the rates of a cycle follow from the step alone.
        warnings.simplefilter("ignore")
        for _ in range(done):
            schedule.step()
    return done


def _weights(model: Any) -> dict[str, Any]:
    """The parameters by name, one that serves twice once."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _digest(told: str, tensors: Sequence[Batch]) -> str:
    found = hashlib.sha256(told.encode())
    for batch in tensors:
        for key, tensor in batch.items():
            found.update(key.encode() + tensor.numpy().tobytes())
    return found.hexdigest()
