"""Train a language model's arm: base, rows, order, steps, checkpoint and training manifest."""
