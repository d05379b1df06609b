"""The `evaluate` face is made and used without a network and says what the statistics say."""

import json
import subprocess
import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bertscore.encoder import NO_ENCODER
from maqa_severity.harness.metrics.evaluate_face import SeverityScores
from maqa_severity.harness.metrics.scoring import default_metrics, score_table
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.harness.statistics import STRATA, summarise
from maqa_severity.tests.tongues import ARABIC

OFFLINE = """
import json, socket, sys
def refuse(*arguments, **options):
    raise OSError("there is no network here")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from maqa_severity.harness.metrics.evaluate_face import SeverityScores
found = SeverityScores().compute(**json.load(sys.stdin))
print(json.dumps(found["critical"]["rougeL"]))
"""


@pytest.fixture(scope="module")
def answers(pairs):
    predictions, references = pairs
    return {
        "predictions": predictions[:90],
        "references": references[:90],
        "severities": [str(SEVERITIES[row % 3]) for row in range(90)],
    }


def test_it_gives_the_means_and_intervals_of_the_statistics(answers, tmp_path):
    found = SeverityScores(cache_dir=str(tmp_path)).compute(**answers)
    assert list(found) == [*STRATA, "signatures"]
    scored = Answers(answers["predictions"], answers["references"], severities=[*SEVERITIES] * 30)
    table = score_table([f"row {row}" for row in range(90)], scored, default_metrics(ARABIC, NO_ENCODER))
    for summary in summarise(table):
        record = found[summary.stratum][summary.metric]
        assert (record["n"], record["method"]) == (summary.n, summary.method)
        assert (record["mean"], record["low"], record["high"]) == (summary.mean, summary.low, summary.high)
    assert found["signatures"] == table.signatures


def test_it_takes_severities_in_the_spellings_of_the_data(answers, tmp_path):
    spelt = {"critical": "حرج", "neutral": "متوسط", "non_critical": "غير حرج"}
    arabic = {**answers, "severities": [spelt[severity] for severity in answers["severities"]]}
    metric = SeverityScores(cache_dir=str(tmp_path))
    assert metric.compute(**arabic) == metric.compute(**answers)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("predictions", None, "row 3 has no prediction"),
        ("references", None, "row 3 has no reference"),
        ("references", " ", "row 3 has no reference"),
        ("severities", None, "row 3: unknown severity None"),
        ("severities", "purple", "row 3: unknown severity 'purple'"),
    ],
)
def test_a_missing_text_or_an_unknown_severity_is_refused_with_its_row(answers, tmp_path, column, value, message):
    wrong = {**answers, column: [*answers[column][:2], value, *answers[column][3:]]}
    with pytest.raises(UserError, match=message):
        SeverityScores(cache_dir=str(tmp_path)).compute(**wrong)


def test_batches_added_one_by_one_are_scored_together(answers, tmp_path):
    metric = SeverityScores(cache_dir=str(tmp_path))
    for start in (0, 30, 60):
        metric.add_batch(**{name: values[start : start + 30] for name, values in answers.items()})
    assert metric.compute() == SeverityScores(cache_dir=str(tmp_path)).compute(**answers)


def test_several_references_are_taken_as_asked(answers, tmp_path):
    first, others = answers["references"], answers["references"][1:] + answers["references"][:1]

    def rouge(references, taken=None):
        metric = SeverityScores(cache_dir=str(tmp_path), references=taken)
        found = metric.compute(**{**answers, "references": references})
        return found["overall"]["rougeL"]["mean"], found["signatures"]["rougeL"]

    several = [[one, "", other] for one, other in zip(first, others, strict=True)]
    assert rouge(several) == rouge(first) == rouge([[one] for one in first])
    (mean, mean_signature), (best, best_signature) = rouge(several, "mean"), rouge(several, "best")
    assert mean == pytest.approx((rouge(first)[0] + rouge(others)[0]) / 2)
    assert best > max(rouge(first)[0], rouge(others)[0])
    assert mean_signature.endswith("references:mean") and best_signature.endswith("references:best")


@pytest.mark.parametrize("references", [None, []])
def test_a_row_without_any_of_several_references_is_refused(answers, tmp_path, references):
    several = [[reference] for reference in answers["references"]]
    several[4] = references
    with pytest.raises(UserError, match="row 5 has no reference"):
        SeverityScores(cache_dir=str(tmp_path)).compute(**{**answers, "references": several})


def test_bertscore_is_added_with_an_encoder(answers, encoder, tmp_path):
    found = SeverityScores(str(encoder), cache_dir=str(tmp_path)).compute(**answers)
    assert 0 < found["overall"]["bertscore_f1"]["mean"] <= 100


@pytest.mark.slow
def test_it_works_where_there_is_no_network(answers, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        input=json.dumps(answers),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HF_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["n"] == 30
