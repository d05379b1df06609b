"""Runs in the shapes of plain lm-eval: several in one folder, and answers without scores."""

import json
import shutil

import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.metrics.scoring import default_metrics
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run


def plain_copies(run, folder, *times):
    """Our run's files as plain lm-eval would have left them, once per time, all in one folder."""
    folder.mkdir()
    for time in times:
        for path in [*run.glob("results_*.json"), *run.glob("samples_*.jsonl")]:
            shutil.copy(path, folder / path.name.replace("_maqa.json", f"_{time}.json"))
    return [folder / f"results_{time}.json" for time in times]


def test_rescoring_one_of_several_results_in_a_folder_leaves_the_others_alone(evaluated, tmp_path):
    one, other = plain_copies(evaluated["hf"], tmp_path / "plain", "2026-01-01", "2026-01-02")
    before = load_run(other).scores
    samples = next(one.parent.glob("samples_*non_critical_2026-01-01.jsonl"))
    rows = [json.loads(line) for line in samples.read_text(encoding="utf-8").split("\n")[:-1]]
    samples.write_text(
        "".join(json.dumps({**row, "filtered_resps": [row["doc"]["answer"]]}) + "\n" for row in rows)
    )
    rescored = rescore(one, lambda language: default_metrics(language, "none")).scores
    assert (rescored.frame["rougeL"] == 100).sum() == len(rows)
    pd.testing.assert_frame_equal(load_run(one).scores.frame, rescored.frame)
    pd.testing.assert_frame_equal(load_run(other).scores.frame, before.frame)


def test_a_run_is_the_same_by_its_folder_and_by_its_results_file(evaluated):
    by_folder, by_file = load_run(evaluated["hf"]), load_run(evaluated["hf"] / "results_maqa.json")
    assert by_file.manifest == by_folder.manifest and by_file.scores_file == by_folder.scores_file


def test_answers_of_predict_only_have_no_scores_until_they_are_rescored(evaluated, tmp_path):
    (results,) = plain_copies(evaluated["hf"], tmp_path / "plain", "2026-01-01")
    for path in results.parent.glob("samples_*.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
        kept = [
            {key: value for key, value in row.items() if key not in row["metrics"]}
            | {"metrics": ["bypass"], "bypass": None}
            for row in rows
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
    with pytest.raises(UserError, match=r"without scores.*maqa rescore"):
        load_run(results.parent)
    scores = rescore(results.parent, lambda language: default_metrics(language, "none")).scores
    pd.testing.assert_frame_equal(scores.frame, load_run(evaluated["hf"]).scores.frame[list(scores.frame.columns)])
    assert load_run(results.parent).scores.metrics == scores.metrics


def test_prompts_in_the_shape_of_a_chat_endpoint_are_read(evaluated, tmp_path):
    (results,) = plain_copies(evaluated["hf"], tmp_path / "plain", "2026-01-01")
    for path in results.parent.glob("samples_*.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
        for row in rows:
            request = row["arguments"]["gen_args_0"]
            # lm-eval's JsonChatStr is a tuple of one text.
            request["arg_0"] = [json.dumps([{"role": "user", "content": request["arg_0"]}])]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for prompt, question in load_run(results).answers[["prompt", "question"]].itertuples(index=False):
        assert question in json.loads(prompt)[0]["content"]


def test_results_under_the_name_that_lm_eval_was_given_are_a_run(evaluated, tmp_path):
    (results,) = plain_copies(evaluated["hf"], tmp_path / "plain", "2026-01-01T00-00-00.000001")
    named = results.rename(results.with_name(results.name.replace("results_", "my_board_")))
    pd.testing.assert_frame_equal(load_run(named).answers, load_run(evaluated["hf"]).answers)
