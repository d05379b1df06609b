"""The tasks as lm-eval sees them, without a model's weights wherever none is needed."""

import pytest
import yaml
from lm_eval.tasks import TaskManager
from maqa_severity.harness.errors import UserError
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tasks.documents import load_documents
from maqa_severity.tests.tongues import ARABIC


def load(**metadata):
    return TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=metadata).load([GROUP])["tasks"]


def test_the_group_holds_one_task_per_severity_over_the_sample(encoder):
    tasks = load(bertscore_model=str(encoder))
    assert set(tasks) == {f"{GROUP}_{severity}" for severity in ("critical", "neutral", "non_critical")}
    for name, task in tasks.items():
        documents = list(task.test_docs())
        assert len(documents) == 100
        assert {f"{GROUP}_{document['severity']}" for document in documents} == {name}
        assert task.doc_to_text(documents[0]) == ARABIC.ask(documents[0]["question"])
        assert task.doc_to_target(documents[0]) == documents[0]["answer"]


def test_few_shot_examples_cannot_leak_the_tested_row(encoder):
    assert {task.get_config("num_fewshot") for task in load(bertscore_model=str(encoder)).values()} == {0}


def test_the_yaml_repeats_the_stop_strings_of_the_language(encoder):
    for task in load(bertscore_model=str(encoder)).values():
        assert tuple(task.get_config("generation_kwargs")["until"]) == ARABIC.stop.plain


def test_every_metric_of_the_tasks_is_scored_and_aggregated(encoder):
    from maqa_severity.harness.scoring import default_metrics

    columns = [column for metric in default_metrics(ARABIC, str(encoder)) for column in metric.columns]
    for task in load(bertscore_model=str(encoder)).values():
        assert [metric["metric"] for metric in task.get_config("metric_list")] == columns
    group = yaml.safe_load((FOLDER / f"{GROUP}.yaml").read_text(encoding="utf-8"))
    assert [metric["metric"] for metric in group["aggregate_metric_list"]] == columns


def test_the_environment_names_data_and_encoder_and_metadata_wins(encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("MAQA_BERTSCORE_MODEL", str(tmp_path / "absent"))
    with pytest.raises(UserError, match="absent"):
        load_documents("critical")
    assert len(load_documents("critical", bertscore_model=str(encoder))["test"]) == 100
    monkeypatch.setenv("MAQA_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="nowhere does not exist"):
        load_documents("critical", bertscore_model=str(encoder))


def test_a_stratum_without_rows_is_named_with_the_remedy(encoder, tmp_path):
    from maqa_severity.harness.data.rows import dataset_from_rows

    row = {"question": "سؤال", "answer": "جواب", "severity": "critical"}
    dataset_from_rows({"test": [row]}, tmp_path / "data", language=ARABIC, source="test")
    assert len(load_documents("critical", data=str(tmp_path / "data"), bertscore_model=str(encoder))["test"]) == 1
    with pytest.raises(UserError, match=r"no test row of severity 'neutral'.*maqa label"):
        load_documents("neutral", data=str(tmp_path / "data"), bertscore_model=str(encoder))
