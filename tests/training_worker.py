"""Run by `accelerate launch`: the gradients of one step on two processes under each loss, saved by the first."""

import sys
from pathlib import Path

import torch
from accelerate import PartialState
from maqa_severity.tests.training import causal_model, examples, step_gradients
from maqa_severity.trainers.loss_modes import LossMode
from safetensors.torch import save_file


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


if __name__ == "__main__":
    main()
