"""Arms, data order and settings, before anything is trained."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.settings import Role
from maqa_severity.harness.severity import Weights
from maqa_severity.trainers.arms import ARMS, Arm, ArmSpec, arm_levels, arm_weights, scaled_to_mean_one
from maqa_severity.trainers.lm.config import TrainConfig, load_config
from maqa_severity.trainers.lm.order import BLANK, presentation, sorted_windows, steps_for
from maqa_severity.trainers.lm.plan import plan_of
from maqa_severity.trainers.losses.token_loss import check_slope

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4], [0.3, 0.4, 0.3]])


def train(probabilities=PROBABILITIES):
    frame = pd.DataFrame(probabilities, columns=["p_non_critical", "p_neutral", "p_critical"])
    return frame.assign(
        id=[f"row-{number}" for number in range(len(frame))],
        severity=["non_critical", "critical", "critical", "neutral"][: len(frame)],
    )


def test_severity_weights_follow_the_formula():
    weights = arm_weights(ArmSpec.of("severity", weights="0.25,1,1.75"), train(), seed=0)
    assert weights == pytest.approx([0.55, 1.525, 1.0, 1.0])


def test_shuffled_and_severity_have_the_same_weights_on_other_rows():
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], 200)
    many = pd.DataFrame(probabilities, columns=["p_non_critical", "p_neutral", "p_critical"]).assign(id="row")
    severity = arm_weights(ArmSpec.of("severity"), many, seed=3)
    shuffled = arm_weights(ArmSpec.of("shuffled"), many, seed=3)
    assert np.array_equal(np.sort(severity), np.sort(shuffled))
    assert (severity != shuffled).mean() > 0.9
    assert not np.array_equal(shuffled, arm_weights(ArmSpec.of("shuffled"), many, seed=4))


def test_constant_is_the_mean_and_hard_the_likeliest_class_with_ties_to_the_graver():
    mean = arm_weights(ArmSpec.of("severity"), train(), seed=0).mean()
    assert arm_weights(ArmSpec.of("constant"), train(), seed=0) == pytest.approx([mean] * 4)
    assert arm_weights(ArmSpec.of("hard"), train(), seed=0).tolist() == [0.5, 1.5, 1.5, 1.0]


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_scaled_weights_have_a_token_weighted_mean_of_one(weights, seed):
    lengths = np.random.default_rng(seed).integers(1, 100, len(weights))
    scaled = scaled_to_mean_one(np.array(weights), lengths)
    assert (scaled * lengths).sum() / lengths.sum() == pytest.approx(1)


@given(st.floats(1e-3, 1e3), st.integers(1, 50), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_equal_weights_scale_to_exactly_one(weight, rows, seed):
    lengths = np.random.default_rng(seed).integers(1, 100, rows)
    assert (scaled_to_mean_one(np.full(rows, weight), lengths).astype(np.float32) == 1).all()


@pytest.mark.parametrize("given_weights", ["-1,1,1", "nan,1,1", "inf,1,1", "0,0,0", "1,1", "heavy"])
def test_impossible_weights_are_refused(given_weights):
    with pytest.raises(UserError, match="three weights such as"):
        ArmSpec.of("severity", weights=given_weights)


@pytest.mark.parametrize("weights", ["1e308,1,1", "1,1,1e7", "1e-9,1e-9,1e-9"])
def test_absurd_weights_are_refused_as_they_are_given(weights):
    with pytest.raises(UserError, match="are absurd: a weight counts beside others of about 1"):
        ArmSpec.of("severity", weights=weights)


@pytest.mark.parametrize("most", [1e308, 3e38, 1e7])
def test_absurd_weights_of_rows_are_refused_by_their_row(most):
    class Grown(Arm):
        name = "grown"

        def weights(self, rows, scheme, seed):
            return np.where(np.arange(len(rows)) == 2, most, 1.0)

    with pytest.raises(UserError, match=r"of arm 'grown' are absurd: .* of training row 'row-2'"):
        arm_weights(ArmSpec(Grown()), train(), seed=0)


def test_weights_that_are_all_zero_on_these_rows_are_refused():
    certain = train(np.array([[1.0, 0, 0], [1.0, 0, 0]]))
    with pytest.raises(UserError, match="not all zero"):
        arm_weights(ArmSpec.of("severity", weights="0,1,1"), certain, seed=0)


def test_a_row_without_probabilities_is_named():
    rows = train(np.array([[1.0, 0, 0], [np.nan] * 3]))
    with pytest.raises(UserError, match=r"1 of 2 training rows .*'row-1'.*maqa label"):
        arm_weights(ArmSpec.of("shuffled"), rows, seed=0)
    assert arm_weights(ArmSpec.of("ce"), rows, seed=0).tolist() == [1, 1]


class ByLength(Arm):
    """Long answers count for more: weights that need neither a scheme nor labels."""

    name = "length"

    def weights(self, rows, scheme, seed):
        assert scheme == Weights(1, 1, 1)
        return rows["answer"].str.len().to_numpy(float)


def test_an_arm_may_have_weights_of_another_kind_on_unlabelled_rows():
    rows = pd.DataFrame({"id": ["a", "b"], "answer": ["x", "xyz"]})
    assert arm_weights(ArmSpec(ByLength()), rows, seed=0).tolist() == [1, 3]
    assert arm_levels(ArmSpec(ByLength()), rows, 0) is None


def test_weights_that_are_not_one_a_row_are_a_defect_of_the_arm():
    class Short(ByLength):
        def weights(self, rows, scheme, seed):
            return super().weights(rows, scheme, seed)[:1]

    with pytest.raises(ValueError, match=r"arm 'length' gives weights of shape \(1,\) for 2 rows"):
        arm_weights(ArmSpec(Short()), pd.DataFrame({"id": ["a", "b"], "answer": ["x", "xyz"]}), seed=0)


def test_every_declared_arm_says_what_it_does_and_its_slope_is_that_of_its_loss():
    assert list(ARMS) == [
        "base", "ce", "severity", "curriculum", "permuted", "unordered", "constant", "shuffled", "matched",
        "hard", "oversample", "focal", "paced",
    ]  # fmt: skip
    for each in ARMS.things():
        assert each.summary and "\n" not in each.summary
        check_slope(each.token_loss)


def test_a_slope_that_is_not_that_of_the_loss_is_named_before_anything_is_trained():
    def focal(nll):
        p = (-nll).exp()
        return (1 - p) ** 2 * nll, (1 - p) ** 2 + 2 * (1 - p) * p * nll

    check_slope(focal)
    with pytest.raises(ValueError, match=r"gives the slope .* at nll .*, where its value rises by"):
        check_slope(lambda nll: (focal(nll)[0], (1 - (-nll).exp()) ** 2))


def test_matched_weights_change_places_within_category_and_length_alone():
    rng = np.random.default_rng(0)
    many = pd.DataFrame(rng.dirichlet([1, 1, 1], 400), columns=["p_non_critical", "p_neutral", "p_critical"])
    many = many.assign(
        id="row", category=rng.choice(["a", "b", None], 400), answer=["x" * n for n in rng.integers(1, 99, 400)]
    )
    many.loc[0, ["category", "answer"]] = ["alone", "x"]
    severity = arm_weights(ArmSpec.of("severity"), many, seed=3)
    matched = arm_weights(ArmSpec.of("matched"), many, seed=3)
    assert (severity != matched).mean() > 0.9 and severity[0] == matched[0]
    lengths = many["answer"].str.len()
    band = np.searchsorted(np.quantile(lengths, [0.25, 0.5, 0.75]), lengths)
    for category in ("a", "b", None):
        for quarter in range(4):
            own = (many["category"].fillna("none") == (category or "none")) & (band == quarter)
            assert sorted(severity[own]) == sorted(matched[own]) and own.sum() > 10
    assert np.array_equal(matched, arm_weights(ArmSpec.of("matched"), many, seed=3))
    assert not np.array_equal(matched, arm_weights(ArmSpec.of("matched"), many, seed=4))


def test_oversampled_rows_are_shown_in_proportion_to_their_weight_in_as_many_steps():
    probabilities = np.random.default_rng(0).dirichlet([0.2, 0.2, 0.2], 200)
    many = pd.DataFrame(probabilities, columns=["p_non_critical", "p_neutral", "p_critical"]).assign(id="row")
    config = load_config(settings=["epochs=3"])
    severity, plain = (
        plan_of(ArmSpec.of(arm, scheme), many, config, 8)
        for arm, scheme in (("oversample", "strong"), ("ce", None))
    )
    assert severity.steps == plain.steps and not severity.shared and plain.shared
    weights = arm_weights(ArmSpec.of("severity", "strong"), many, seed=0)
    times = np.bincount(severity.order[severity.order != BLANK], minlength=200)
    assert times.sum() == 600 and (np.abs(times - 3 * weights / weights.mean()) < 1).all()
    assert (arm_weights(ArmSpec.of("oversample", "strong"), many, seed=0) == 1).all()
    again = plan_of(ArmSpec.of("oversample", "strong"), many, config, 8)
    assert np.array_equal(severity.order, again.order)
    # Shares that hardly differ are those of plain cross-entropy, to the order.
    flat = plan_of(ArmSpec.of("oversample", weights="0.99,1,1.01"), many, config, 8)
    assert np.array_equal(flat.order, plain.order)


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 10])
def test_the_focal_loss_has_the_slope_of_its_value_and_is_cross_entropy_at_0(gamma):
    import torch

    token_loss = ArmSpec.of("focal", gamma=gamma).token_loss
    check_slope(token_loss)
    nll = torch.tensor([0.0, 1e-7, 0.5, 30.0])
    value, slope = token_loss(nll)
    assert value.isfinite().all() and slope.isfinite().all()
    assert value[2] == pytest.approx((1 - np.exp(-0.5)) ** gamma * 0.5)
    if gamma == 0:
        assert torch.equal(value, nll) and torch.equal(slope, torch.ones(4))


def test_a_gamma_is_part_of_the_arms_name_and_refused_where_there_is_none():
    assert (ArmSpec.of("focal").name, ArmSpec.of("focal", gamma=0.5).name) == ("focal-2", "focal-0.5")
    assert ArmSpec.of("focal").weights is None and ArmSpec.of("severity").gamma is None
    for arm, gamma, words in (
        ("ce", 1, "has no gamma"),
        ("focal", -1, "from 0"),
        ("focal", float("nan"), "from 0"),
    ):
        with pytest.raises(UserError, match=words):
            ArmSpec.of(arm, gamma=gamma)


def test_an_arm_without_weights_refuses_some():
    with pytest.raises(UserError, match="has no weights"):
        ArmSpec.of("ce", scheme="balanced")
    with pytest.raises(UserError, match="exclude each other"):
        ArmSpec.of("severity", scheme="mild", weights="1,1,1")
    assert ArmSpec.of("severity").weights == Weights(0.5, 1.0, 1.5)


def test_the_curriculum_has_the_severities_for_levels_and_needs_them():
    assert arm_levels(ArmSpec.of("curriculum"), train(), 0).tolist() == [0, 2, 2, 1]
    with pytest.raises(UserError, match=r"'row-2' has no severity"):
        arm_levels(ArmSpec.of("curriculum"), train().assign(severity=["neutral", "critical", None, "neutral"]), 0)

    class Short(ByLength):
        def levels(self, rows, seed):
            return np.zeros(1, int)

    with pytest.raises(ValueError, match=r"gives levels of shape \(1,\) for 4 rows"):
        arm_levels(ArmSpec(Short()), train(), 0)


@given(st.integers(1, 60), st.floats(0.1, 4), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_every_row_is_shown_equally_often_whatever_the_batch(rows, epochs, batch, seed):
    order = presentation([np.arange(rows)], rows, epochs, batch, seed)
    total = round(rows * epochs)
    assert len(order) == steps_for(rows, epochs, batch) * batch
    assert (order[:total] != BLANK).all() and (order[total:] == BLANK).all()
    counts = np.bincount(order[:total], minlength=rows)
    assert counts.max() - counts.min() <= 1
    assert np.array_equal(order[:total], presentation([np.arange(rows)], rows, epochs, 1, seed)[:total])


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_within_a_step_the_longest_come_first_and_no_row_changes_its_step(rows, batch, seed):
    lengths = np.random.default_rng(seed).integers(1, 50, rows)
    order = presentation([np.arange(rows)], rows, 2, batch, seed)
    steps = zip(order.reshape(-1, batch), sorted_windows(order, lengths, batch).reshape(-1, batch), strict=True)
    for before, after in steps:
        assert sorted(before) == sorted(after)
        found = [0 if row == BLANK else lengths[row] for row in after]
        assert found == sorted(found, reverse=True)


def test_the_curriculum_takes_as_many_steps_and_starts_with_the_mild_rows():
    stages = [np.arange(4), np.arange(8), np.arange(12)]
    order = presentation(stages, 12, 3, 4, seed=0)
    assert len(order) == len(presentation([np.arange(12)], 12, 3, 4, seed=0))
    assert set(order[:12]) == set(range(4)) and set(order[12:24]) == set(range(8))
    assert set(order[24:]) == set(range(12))


def test_every_setting_is_declared_identity_or_runtime():
    declared = [TrainConfig().of_role(role).keys() for role in Role]
    assert sorted(name for names in declared for name in names) == sorted(TrainConfig.model_fields)


def test_later_files_and_settings_override_earlier_ones(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("learning_rate: 1e-3\nlora: {r: 4, dropout: 0}\nepochs: 2\n")
    second.write_text("lora: {r: 8}\n")
    config = load_config([first, second], ["epochs=5", "lora.targets=[c_attn]"])
    assert (config.learning_rate, config.epochs) == (1e-3, 5)
    assert (config.lora.r, config.lora.dropout, config.lora.targets) == (8, 0, ("c_attn",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr: 1", "unknown key 'lr'"),
        ("lora: {rank: 1}", "unknown key 'lora.rank'"),
        ("epochs: -1", "key 'epochs'"),
        ("epochs: [", "is not YAML"),
        ("- epochs", "holds no mapping"),
    ],
)
def test_a_wrong_settings_file_is_named_with_its_key(text, message, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        load_config([path])
    assert "wrong.yaml" in str(caught.value) and "\n" not in str(caught.value)
