"""The tasks as lm-eval sees them, without a model's weights wherever none is needed."""

import pytest
import yaml
from lm_eval.tasks import TaskManager
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tasks.documents import load_documents
from maqa_severity.tests.tongues import ARABIC


def load(**metadata):
    return TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=metadata).load([GROUP])["tasks"]


def test_the_group_holds_one_task_per_severity_over_the_sample(encoder):
    tasks = load(bertscore_model=str(encoder))
    assert set(tasks) == {f"maqa_by_severity_{severity}" for severity in ("critical", "neutral", "non_critical")}
    for name, task in tasks.items():
        documents = list(task.test_docs())
        assert len(documents) == 100
        assert {f"maqa_by_severity_{document['severity']}" for document in documents} == {name}
        assert task.doc_to_text(documents[0]) == ARABIC.ask(documents[0]["question"])
        assert task.doc_to_target(documents[0]) == documents[0]["answer"]


def test_every_metric_of_the_tasks_is_scored_and_aggregated(encoder):
    from maqa_severity.harness.metrics.scoring import default_metrics

    columns = [column for metric in default_metrics(ARABIC, str(encoder)) for column in metric.columns]
    for task in load(bertscore_model=str(encoder)).values():
        assert [metric["metric"] for metric in task.get_config("metric_list")] == columns
    group = yaml.safe_load((FOLDER / "severity" / f"{GROUP}.yaml").read_text(encoding="utf-8"))
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


def built(**settings):
    """The tasks' requests, without a model."""
    from lm_eval.utils import simple_parse_args_string

    given = simple_parse_args_string(settings.pop("gen_kwargs", ""))
    shots, seed = settings.pop("num_fewshot", 0), settings.pop("seed", 1234)
    requests = {}
    for name, task in load(**settings.pop("metadata", {"bertscore_model": "none"})).items():
        task.set_config("generation_kwargs", given, update=True)
        task.set_config("num_fewshot", shots)
        task.set_fewshot_seed(seed)
        task.build_all_requests(**{"limit": 4, **settings})
        requests[name] = task
    return requests


def answered(task, *texts):
    """A task's answers after the model gave ``texts``."""
    for instance, text in zip(task.instances, texts, strict=True):
        instance.resps.append(text)
    task.apply_filters()
    return [instance.filtered_resps["none"] for instance in task.instances]


def test_the_users_stop_strings_stand_instead_of_the_marks():
    task = built(limit=1, gen_kwargs="until=##")["maqa_by_severity_critical"]
    assert task.instances[0].args[1]["until"] == ["##"]
    assert answered(task, "أ\nالاجابة: ب## ج") == ["أ\nالاجابة: ب"]


def test_the_users_limit_of_tokens_counts_by_whatever_name():
    for name in ("max_gen_toks", "max_new_tokens", "max_tokens"):
        decoding = built(limit=1, gen_kwargs=f"{name}=9")["maqa_by_severity_critical"].instances[0].args[1]
        assert decoding["max_gen_toks"] == 9 and "max_new_tokens" not in decoding


def test_examples_come_from_the_training_rows_by_the_seed_and_the_question_alone():
    from maqa_severity.tasks.sample.grammar import medical_rows

    train = {row["question"] for row in medical_rows(ARABIC)}
    prompts = {name: [each.args[0] for each in task.instances] for name, task in built(num_fewshot=2).items()}
    few = {name: [each.args[0] for each in task.instances] for name, task in built(num_fewshot=2, limit=2).items()}
    for name, task in built().items():
        for place, plain in enumerate(task.instances):
            *examples, question = prompts[name][place].split("\n\n###\n\n")
            assert question == plain.args[0] and len(examples) == 2
            assert {example.split("\nالاجابة:")[0] for example in examples} <= train
        assert few[name] == prompts[name][:2]
    other = built(num_fewshot=2, seed=1)
    assert [each.args[0] for each in other["maqa_by_severity_critical"].instances] != prompts[
        "maqa_by_severity_critical"
    ]


def test_a_near_copy_of_the_tested_question_is_never_an_example():
    from maqa_severity.tasks.examples import examples

    asked = {"id": "1", "language": "ar", "question": "ما علاج الصُّداع؟", "answer": "الراحة"}
    near = [
        {**asked, "answer": "اخرى", "question": "ما علاج الصداع"},
        {**asked, "question": "ما علاج الم الراس؟", "answer": "الراحه."},
    ]
    far = [{"question": f"سؤال {word}؟", "answer": f"جواب {word}"} for word in ("اول", "ثان")]
    for seed in range(20):
        drawn = examples([*near, *far, *far], asked, 2, seed)
        assert sorted(row["question"] for row in drawn) == ["سؤال اول؟", "سؤال ثان؟"]
    with pytest.raises(UserError, match="3 examples were asked for, and 2 of the 6 training rows"):
        examples([*near, *far, *far], asked, 3, 0)


def test_samples_are_the_rows_of_these_numbers_in_this_order():
    task = built(samples=[5, 2])["maqa_by_severity_neutral"]
    assert [each.doc["id"] for each in task.instances] == ["neutral-006", "neutral-003"]
    for samples, message in (([], "no row"), ([1, 1], "a row twice"), ([100], "row 100 "), ([-1], "row -1 ")):
        with pytest.raises(UserError, match=f"--samples .*{message}"):
            built(samples=samples)


def test_a_system_instruction_is_parted_from_the_question():
    plain, with_it = built(limit=1), built(limit=1, system_instruction="أنت طبيب.")
    for name, task in plain.items():
        assert with_it[name].instances[0].args[0] == f"أنت طبيب.\n\n{task.instances[0].args[0]}"


def test_blank_lines_and_thoughts_end_no_answer_and_the_marks_do():
    task = built(limit=3)["maqa_by_severity_critical"]
    text = "أهلا بك.\n\nراجع الطبيب فورا"
    mark = "\nالاجابة:"
    assert answered(task, f"\n\n{text}", f"<think>لا{mark}</think>{text}", f"{text}{mark} لا") == [
        f"\n\n{text}", text, "أهلا بك.",
    ]  # fmt: skip
    assert mark in task.instances[0].args[1]["until"]


def test_in_a_chat_template_no_mark_of_the_plain_prompt_ends_an_answer():
    def chat(history, add_generation_prompt=True):
        return "".join(f"<{turn['role']}>{turn['content']}" for turn in history)

    task = built(limit=1, apply_chat_template=True, chat_template=chat)["maqa_by_severity_critical"]
    assert answered(task, "أ\nالاجابة: ب\n\nج") == ["أ\nالاجابة: ب\n\nج"]
