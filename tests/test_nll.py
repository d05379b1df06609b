"""The references' likelihood: that of transformers' own loss, row by row, whatever goes together in a batch."""

import numpy as np
import pytest
import torch
from maqa_severity.tests.training import causal_model, encoded
from maqa_severity.trainers.lm.batches import Collator
from maqa_severity.trainers.lm.causal import weighted_forward
from maqa_severity.trainers.lm.nll import by_length, forward_of, likelihoods, measuring


def ours(model, rows, budget, share=(0, 1)):
    with weighted_forward(model), measuring(model):
        return likelihoods(forward_of(model, "cpu"), rows, Collator(0), budget, filler=2, share=share)


def stock(model, rows):
    """transformers' own loss of each row alone, in float64, summed over its answer."""
    model = model.double().eval()
    found = []
    for row in range(len(rows)):
        ids = torch.tensor(rows.ids(row).astype(np.int64))[None]
        labels = ids.clone()
        labels[:, : rows.prompts[row]] = -100
        with torch.no_grad():
            found.append(float(model(input_ids=ids, labels=labels).loss) * rows.answer_lengths[row])
    model.float()
    return np.array(found)


@pytest.mark.parametrize("budget", [1, 40, 10_000])
@pytest.mark.parametrize("shape", ["gpt2", "qwen2", "qwen2-tied"])
def test_it_equals_the_loss_of_transformers_row_by_row(shape, budget):
    model, rows = causal_model(shape), encoded(23)
    expected = stock(model, rows)
    found = ours(model.train(), rows, budget)
    assert np.abs(found - expected).max() / expected.max() < 1e-5
    assert np.abs((found - expected) / rows.answer_lengths).max() < 1e-5


def test_what_goes_together_in_a_batch_and_who_computes_it_changes_nothing():
    model, rows = causal_model("qwen2-tied"), encoded(23)
    whole = ours(model, rows, 10_000)
    shares = [ours(model, rows, 40, (process, 3)) for process in range(3)]
    # Nobody's row is another's, and all are somebody's.
    assert (np.count_nonzero(shares, axis=0) == 1).all()
    assert np.abs(sum(shares) - whole).max() < 1e-4


def test_batches_hold_rows_of_like_lengths_and_no_more_tokens_than_asked():
    lengths = np.array([3, 50, 7, 8, 50, 120, 2])
    batches = by_length(lengths, 100)
    assert sorted(np.concatenate(batches)) == list(range(7))
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= 100 for rows in batches)
    assert [lengths[rows].max() for rows in batches] == sorted(
        [lengths[rows].max() for rows in batches], reverse=True
    )


def test_dropout_is_off_while_it_is_measured_and_on_again_afterwards():
    model, rows = causal_model("gpt2", resid_pdrop=0.5), encoded(9)
    with weighted_forward(model):
        model.train()
        model.transformer.drop.eval()
        state, found = torch.get_rng_state(), []
        for _ in range(2):
            with measuring(model):
                found.append(likelihoods(forward_of(model, "cpu"), rows, Collator(0), 40, filler=2))
        assert np.array_equal(*found) and torch.equal(torch.get_rng_state(), state)
        dropout = model.transformer.h[0].mlp.dropout
        assert model.training and dropout.training and not model.transformer.drop.training


def test_no_logits_of_all_positions_are_ever_held(monkeypatch):
    from maqa_severity.trainers.losses import weighted

    monkeypatch.setattr(weighted, "_chunk_rows", lambda vocabulary: 4)
    largest = []
    linear = torch.nn.functional.linear

    def watched(hidden, matrix, bias=None):
        found = linear(hidden, matrix, bias)
        if matrix.shape[0] == 101:
            largest.append(found.shape[0])
        return found

    monkeypatch.setattr(torch.nn.functional, "linear", watched)
    model, rows = causal_model("qwen2"), encoded(23)
    with weighted_forward(model), measuring(model):
        # What the check of the head read.
        largest.clear()
        likelihoods(forward_of(model, "cpu"), rows, Collator(0), 10_000, filler=2)
    assert max(largest) == 4 and sum(largest) == rows.answer_lengths.sum()
