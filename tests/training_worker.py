"""Run by `accelerate launch`: gradients on two processes, under each loss by DDP and sharded by FSDP, saved by the
first."""

import sys
from pathlib import Path

import torch
from accelerate import PartialState
from maqa_severity.tests.training import batch, causal_model, examples, numerator_and_denominator, step_gradients
from maqa_severity.trainers.lm.head_check import check_head
from maqa_severity.trainers.losses.weighted import LossMode, answer_lengths
from safetensors.torch import save_file


def sharded_gradients(weights):
    """Gradients of a step on four examples, weights and gradients sharded over both processes."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model, mesh = causal_model("qwen2-tied"), init_device_mesh("cpu", (2,))
    check_head(model)  # As in a training: before the weights are sharded.
    for layer in [*model.model.layers, model]:
        fully_shard(layer, mesh=mesh)
    whole, first = batch(4, weights), 2 * PartialState().process_index
    numerator, _ = numerator_and_denominator(
        model, {name: each[first : first + 2] for name, each in whole.items()}, LossMode.TOKENS
    )
    (2 * numerator / LossMode.TOKENS.denominator(whole["weights"], answer_lengths(whole["labels"]))).backward()
    return {name: each.grad.full_tensor() for name, each in model.named_parameters()}


def main():
    folder = Path(sys.argv[1])
    weights = [float(weight) for weight in sys.argv[2].split(",")]
    rows = len(weights)
    for mode in LossMode:
        # The last place is a blank: the processes' shares of the tokens and of the rows differ.
        data = examples(rows, weights, [*range(rows), -1])
        model = causal_model("qwen2-tied")
        found, loss = step_gradients(model, data, folder / mode, mode=mode, batch_size=1, accumulation=2)
        assert PartialState().num_processes == 2
        if PartialState().is_main_process:
            found = {name.removeprefix("module."): each.contiguous() for name, each in found.items()}
            save_file({**found, "loss": torch.tensor(loss)}, folder / f"{mode}.safetensors")
    found = sharded_gradients([*weights, 0.7])
    if PartialState().is_main_process:
        save_file(found, folder / "fsdp.safetensors")
    # gloo's threads, still running when Python ends, end the process with SIGABRT now and then.
    PartialState().destroy_process_group()


if __name__ == "__main__":
    main()
