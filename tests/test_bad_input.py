"""What a user can mend is one line with the place and the remedy, exit status 2, and nothing half-written."""

import json
import sys

import pytest
from maqa_severity.cli import main
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.tests.tongues import ARABIC

ROWS = [
    {"question": f"سؤال عن الألم رقم {number}", "answer": "راجع الطبيب", "severity": severity}
    for number, severity in enumerate(["critical", "neutral", "non_critical"] * 2)
]


@pytest.fixture
def refused(monkeypatch, capsys):
    """A function that runs `maqa` and returns the one line that it refuses with."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
        assert stopped.value.code == 2, lines
        assert len(lines) == 1 and lines[0].startswith("maqa: "), lines
        return lines[0]

    return run


def evaluate(out, encoder, *more):
    return ("evaluate", "--model", "echo", "--out", out, "--bertscore-model", encoder, *more)


def test_a_dataset_folder_without_its_json(refused, tmp_path, encoder):
    (tmp_path / "data").mkdir()
    line = refused(*evaluate(tmp_path / "run", encoder, "--data", tmp_path / "data"))
    assert "dataset.json does not exist" in line and "maqa prepare" in line
    assert not list((tmp_path / "run").glob("*.parquet"))


def test_a_bucket_with_no_rows(refused, tmp_path, encoder):
    rows = [row for row in ROWS if row["severity"] != "neutral"]
    dataset_from_rows({"test": rows}, tmp_path / "data", language=ARABIC, source="test")
    line = refused(*evaluate(tmp_path / "run", encoder, "--data", tmp_path / "data"))
    assert "no test row of severity 'neutral'" in line and "maqa label" in line


def test_an_unlabelled_dataset(refused, tmp_path, encoder):
    rows = [{"question": row["question"], "answer": row["answer"]} for row in ROWS]
    dataset_from_rows({"test": rows}, tmp_path / "data", language=ARABIC, source="test")
    assert "maqa label" in refused(*evaluate(tmp_path / "run", encoder, "--data", tmp_path / "data"))


def test_an_unknown_encoder(refused, tmp_path):
    line = refused(*evaluate(tmp_path / "run", tmp_path / "no-such-encoder"))
    assert "no-such-encoder" in line
    assert not (tmp_path / "run" / "scores.parquet").exists()


def test_the_papers_encoder_is_never_replaced_when_it_cannot_be_loaded(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty-cache"))
    line = refused("evaluate", "--model", "echo", "--out", tmp_path / "run")
    assert "bert-base-multilingual-cased" in line and "--bertscore-model" in line


def test_an_output_folder_that_cannot_be_made(refused, tmp_path, encoder):
    (tmp_path / "file").write_text("in the way")
    line = refused(*evaluate(tmp_path / "file" / "run", encoder))
    assert "file" in line
    assert (tmp_path / "file").read_text() == "in the way"


def test_an_output_folder_that_holds_something_else(refused, tmp_path, encoder):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.json").write_text("{}")
    assert "holds something else" in refused(*evaluate(tmp_path / "run", encoder))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--model", "gpt9"], "gpt9"),
        (["--model", "echo", "--decoding", "beam"], "beam"),
        (["--model", "hf"], "Give --model-args pretrained="),
        (["--model", "vllm"], "Give --model-args pretrained="),
        (["--model", "hf", "--model-args", "pretrained=/no/such/model"], "/no/such/model"),
    ],
)
def test_a_model_or_decoding_that_does_not_exist(refused, tmp_path, encoder, arguments, word):
    line = refused("evaluate", *arguments, "--out", tmp_path / "run", "--bertscore-model", encoder)
    assert word in line
    assert not (tmp_path / "run").exists()


def test_boards_and_reports_of_nothing(refused, tmp_path):
    assert "nowhere does not exist" in refused("leaderboard", tmp_path / "nowhere", "--out", tmp_path / "board")
    assert "nowhere does not exist" in refused("report", tmp_path / "nowhere", "--out", tmp_path / "r.html")
    assert "nowhere does not exist" in refused("rescore", tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_a_file_is_to_be_written(refused, evaluated, tmp_path):
    (tmp_path / "board" / "index.html").mkdir(parents=True)
    echo, constant = evaluated["echo"], evaluated["constant"]
    assert f"{tmp_path} is a folder" in refused("report", echo, "--out", tmp_path)
    assert f"{tmp_path} is a folder" in refused("compare", "--a", echo, "--b", constant, "--json", tmp_path)
    assert "index.html is a folder" in refused("leaderboard", echo, "--out", tmp_path / "board")
    assert list(tmp_path.iterdir()) == [tmp_path / "board"]


def test_a_report_of_runs_of_other_rows(refused, evaluated, tmp_path, encoder):
    dataset_from_rows({"test": ROWS}, tmp_path / "data", language=ARABIC, source="test")
    from maqa_severity.harness.evaluation.evaluate import evaluate as run_evaluation
    from maqa_severity.harness.evaluation.options import EvaluationOptions
    from maqa_severity.harness.generation.config import GenerationConfig
    from maqa_severity.harness.generation.decoding import decoding
    from maqa_severity.tasks import FOLDER, GROUP

    config = GenerationConfig(
        kind="echo", decoding=decoding("greedy", ARABIC, max_new_tokens=16), store=tmp_path / "run" / "answers"
    )
    options = EvaluationOptions(out=tmp_path / "run", data=tmp_path / "data", bertscore_model=str(encoder))
    run_evaluation(config, options, FOLDER, GROUP)
    line = refused("report", tmp_path / "run", "--against", evaluated["echo"], "--out", tmp_path / "r.html")
    assert "cannot be compared" in line
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, ["colour"]),
        ({"arms": [{"arm": "magic"}]}, ["arms.0", "magic"]),
        ({"arms": [{"arm": "ce", "scheme": "strong"}]}, ["arms.0", "weights"]),
        ({"compare": ["ce", "severity"]}, ["severity", "ce"]),
        ({"training": {"learning_rat": 1}}, ["learning_rat"]),
        ({"seeds": []}, ["seeds"]),
    ],
)
def test_an_experiment_with_a_wrong_key_names_it(refused, tmp_path, change, words):
    experiment = {
        "name": "x", "data": {"source": "sample"}, "models": [{"name": "m", "id": "demo"}], "arms": [{"arm": "ce"}],
    }  # fmt: skip
    (tmp_path / "x.yaml").write_text(json.dumps({**experiment, **change}))
    line = refused("run", tmp_path / "x.yaml", "--out", tmp_path / "out")
    assert all(word in line for word in [*words, "x.yaml"])
    assert not (tmp_path / "out").exists()


def test_an_experiment_that_nobody_ships(refused, tmp_path):
    line = refused("run", "papr", "--out", tmp_path / "out")
    assert "shipped ones: case-study, case-study-quick, curriculum, demo, demo-null, paper" in line


def test_an_experiment_folder_of_another_experiment(refused, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert "holds no experiment" in refused("run", "demo", "--out", tmp_path / "out")
