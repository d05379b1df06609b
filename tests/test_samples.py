"""Several answers to one question count together: its score is their mean, wherever it is compared."""

import shutil

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import evaluate
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.metrics.aggregates import GATES, Aggregate, aggregates
from maqa_severity.harness.metrics.chrf import Chrf
from maqa_severity.harness.metrics.rouge import Rouge
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.manifest import NAME as MANIFEST
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.runs.samples import GENERATION
from maqa_severity.harness.scores.signatures import is_rate, of_one_answer
from maqa_severity.harness.statistics import paired
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.generating import hf_config
from maqa_severity.tests.tongues import ARABIC


@pytest.fixture(scope="module")
def sampled(tmp_path_factory, checkpoint, encoder):
    """Runs of three samples a question at two temperatures, and of one sample."""
    root = tmp_path_factory.mktemp("sampled")
    for name, temperature, samples in (("warm", 1.0, 3), ("hot", 2.0, 3), ("single", 1.0, 1)):
        _evaluated(root / name, checkpoint, encoder, temperature, samples)
    return root


def _evaluated(out, checkpoint, encoder, temperature, samples):
    how = decoding("paper", ARABIC, temperature=temperature, max_new_tokens=12)
    config = hf_config(checkpoint, out / "answers", how, samples=samples)
    return evaluate(config, EvaluationOptions(out=out, bertscore_model=str(encoder), limit=4), FOLDER, GROUP)


def by_hand(folder):
    """Every answer's scores, and those of each question: means over what is scored, in the order of the ids."""
    frame = pd.read_parquet(folder / GENERATION)
    assert set(frame.groupby("id").size()) == {3}
    frame["safe"] = [
        0.0 if any(row[gate] == 100 for gate in GATES) else row["bertscore_f1"] for _, row in frame.iterrows()
    ]
    questions = {}
    for name, rows in frame.groupby("id"):
        questions[name] = {
            column: np.mean([value for value in rows[column] if not np.isnan(value)] or [np.nan])
            for column in frame.columns
            if frame[column].dtype == float
        }
    return frame, pd.DataFrame(questions).T.sort_index()


def test_means_over_all_samples_are_what_is_compared_and_summed_up(sampled):
    warm, hot = (load_run(sampled / name) for name in ("warm", "hot"))
    tables = [by_hand(run.path)[1] for run in (warm, hot)]
    for run, means in zip((warm, hot), tables, strict=True):
        ours = run.scores.frame.set_index("id").sort_index()
        for metric in run.scores.metrics:
            np.testing.assert_allclose(ours[metric].astype(float), means[metric], rtol=1e-12, err_msg=metric)
        found = {each.aggregate: each.value for each in aggregates(run.scores)}
        assert found[Aggregate.SAFE_SCORE] == pytest.approx(means["safe"].mean(), rel=1e-12)
        assert found[Aggregate.BERTSCORE_F1] == pytest.approx(means["bertscore_f1"].mean(), rel=1e-12)
    change = paired(warm.scores, hot.scores, "bertscore_f1", "chrf")
    for each in (each for each in change if each.stratum == "overall"):
        assert each.mean == pytest.approx((tables[1] - tables[0])[each.metric].mean(), rel=1e-9)


def test_the_signature_says_how_many_and_a_rate_becomes_a_share(sampled):
    warm, single = (load_run(sampled / name).scores for name in ("warm", "single"))
    for metric, signature in warm.signatures.items():
        assert signature.endswith("|samples:3") and not is_rate(signature)
        assert of_one_answer(signature) == of_one_answer(single.signatures[metric])
        assert "samples:" not in single.signatures[metric]


def test_runs_of_other_numbers_of_samples_are_refused_with_a_remedy_that_works(sampled):
    warm, single = (load_run(sampled / name) for name in ("warm", "single"))
    for anyway in (False, True):
        with pytest.raises(UserError, match="answers_per_question: 3 and 1") as refused:
            compare(warm, single, anyway=anyway)
        assert "of as many --samples each" in refused.value.remedy


@pytest.mark.parametrize("damage", ["another score", "a metric gone", "a sample gone", "a question gone"])
def test_a_file_of_all_samples_that_does_not_fit_the_run_is_refused_with_a_remedy(sampled, tmp_path, damage):
    run = shutil.copytree(sampled / "warm", tmp_path / "run")
    frame = pd.read_parquet(run / GENERATION)
    if damage == "another score":
        frame.loc[frame["sample"] == 0, "chrf"] += 1
    elif damage == "a metric gone":
        frame = frame.drop(columns="chrf")
    else:
        frame = frame[frame["id"] != frame["id"][0]] if damage == "a question gone" else frame.iloc[:-1]
    frame.to_parquet(run / GENERATION, index=False)
    with pytest.raises(UserError, match=GENERATION) as refused:
        load_run(run)
    assert "\n" not in str(refused.value)
    rescored = damage in ("another score", "a metric gone")
    assert (
        f"maqa rescore {run}" if rescored else f"Remove {run / MANIFEST} and evaluate the run again"
    ) in refused.value.remedy
    if damage == "another score":
        rescore(run, lambda language: [Rouge(language), Chrf(language)])
        assert load_run(run).scores.metrics == [*Rouge.columns, *Chrf.columns]


def test_evaluating_again_brings_back_the_samples_of_a_damaged_run(sampled, checkpoint, encoder, tmp_path):
    run = shutil.copytree(sampled / "warm", tmp_path / "run")
    pd.read_parquet(run / GENERATION).iloc[:-1].to_parquet(run / GENERATION, index=False)
    (run / MANIFEST).unlink()
    again = _evaluated(run, checkpoint, encoder, 1.0, 3)
    assert again.scores.frame.equals(load_run(sampled / "warm").scores.frame)
