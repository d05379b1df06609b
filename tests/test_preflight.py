"""An experiment says before its first training what would stop it later, and what it is going to do."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.experiment import plan, run_experiment
from maqa_severity.harness.core.errors import UserError
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import gpt2_base, medical_dataset
from maqa_severity.trainers.experiments.config import load_experiment, training_config
from rich.console import Console
from typer.testing import CliRunner

END = "<|endoftext|>"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


def experiment(folder, source, models, *, encoder="none", **changes):
    """An experiment's file: two arms of two seeds on the models."""
    settings = {
        "name": "small",
        "data": {"source": str(source)},
        "models": models,
        "arms": [{"arm": "base"}, {"arm": "ce"}],
        "seeds": [0, 1],
        "training": {"method": "full", "epochs": 1, "batch_size": 8, "max_length": 128},
        "evaluation": {"bertscore_model": str(encoder), "floors": [], "limit": 1},
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**settings, **changes}))
    return path


def model(name, base, **training):
    return {"name": name, "id": str(base), "training": training}


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(tmp_path, dataset):
    whole, no_weights = gpt2_base(tmp_path / "gpt2"), gpt2_base(tmp_path / "no weights")
    (no_weights / "model.safetensors").unlink()
    cut = gpt2_base(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:-100])
    short, small = gpt2_base(tmp_path / "short", n_positions=64), gpt2_base(tmp_path / "small", vocab_size=100)
    models = [
        model("fine", whole, pad_token=END),
        model("padless", whole),
        model("foreign pad", whole, pad_token="[PAD]"),
        model("weightless", no_weights, pad_token=END),
        model("cut", cut, pad_token=END),
        model("short", short, pad_token=END),
        model("small", small, pad_token=END),
        model("elsewhere", tmp_path / "elsewhere", pad_token=END),
        model("adapted", whole, pad_token=END, method="lora", lora={"targets": ["q_proj"]}),
        model("two faults", short),
    ]
    path = experiment(tmp_path, dataset.folder, models, encoder=tmp_path / "encoder")
    out = tmp_path / "out"
    with pytest.raises(UserError) as caught:
        run_experiment(load_experiment(path), out, Console(quiet=True))
    told = str(caught.value)
    assert "fine:" not in told and "\n" not in told and told.count(") elsewhere: ") == 1
    for words in (
        f"padless: the tokenizer of base {whole} has no pad token. Name one, such as --set pad_token='{END}'",
        f"foreign pad: pad_token '[PAD]' is not a token of base {whole}. Name a token that it has, such as '{END}'",
        "weightless: cannot load base",
        "cut: cannot load base",
        "short: max_length 128 is more than the 64 tokens",
        "short: 128 new tokens leave no room for a question in the 64 tokens",
        "small: the tokenizer of base",
        "elsewhere: cannot load base",
        "adapted: no adapters for GPT2LMHeadModel",
        "two faults: the tokenizer of base",
        "two faults: max_length 128",
        "encoder folder",
    ):
        assert words in told, words
    assert not out.exists()


def test_labels_that_an_arm_will_need_are_missed_before_any_training(tmp_path, checkpoint, encoder):
    from maqa_severity.harness.data.rows import dataset_from_rows
    from maqa_severity.tasks.sample.grammar import medical_rows

    rows = [{key: row[key] for key in ("id", "question", "answer", "category")} for row in medical_rows(ARABIC, 3)]
    data = dataset_from_rows(
        {"train": rows[:6], "validation": [], "test": rows[6:]}, tmp_path / "data", language=ARABIC, source="x"
    )
    for arm in ({"arm": "severity"}, {"arm": "curriculum"}):
        path = experiment(
            tmp_path, data.folder, [model("tiny", checkpoint)], encoder=encoder, arms=[{"arm": "ce"}, arm]
        )
        with pytest.raises(UserError, match="maqa label"):
            run_experiment(load_experiment(path), tmp_path / arm["arm"], Console(quiet=True))
        assert not (tmp_path / arm["arm"] / "checkpoints").exists()


def test_data_that_is_not_there_is_missed_beside_the_rest(tmp_path, checkpoint, encoder):
    path = experiment(tmp_path, tmp_path / "absent.csv", [model("tiny", checkpoint)], encoder=encoder)
    with pytest.raises(UserError, match=r"absent\.csv does not exist\. Correct data\.source"):
        run_experiment(load_experiment(path), tmp_path / "out", Console(quiet=True))
    assert not (tmp_path / "out").exists()


def test_without_an_encoder_the_board_could_not_be_made(tmp_path, dataset, checkpoint):
    path = experiment(tmp_path, dataset.folder, [model("tiny", checkpoint)])
    with pytest.raises(UserError, match="nothing to rank by"):
        run_experiment(load_experiment(path), tmp_path / "out", Console(quiet=True))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_check_tells_what_is_planned_and_done_and_writes_nothing(
    tmp_path, dataset, checkpoint, encoder, monkeypatch
):
    import maqa_severity.commands.demo  # noqa: F401

    monkeypatch.setenv("COLUMNS", "100")
    path = experiment(tmp_path, dataset.folder, [model("tiny", checkpoint)], encoder=encoder)
    out = tmp_path / "out"

    def check():
        done = CliRunner().invoke(app, ["run", str(path), "--out", str(out), "--check"])
        assert done.exit_code == 0, done.output
        planned = done.output.split("Still to do")[0]
        rows = [line.split("│")[1:-1] for line in planned.splitlines() if line.startswith("│")]
        return [[cell.strip() for cell in row] for row in rows], done.output

    rows, output = check()
    assert rows == [["tiny", "base", "—", "to do", "0 of 1"], ["tiny", "ce", "0, 1", "2 to do", "0 of 2"]]
    assert "3 to do, 0 started, 0 done" in output and "All that it needs is there" in output
    assert not out.exists()
    run_experiment(load_experiment(path), out, Console(quiet=True))
    (out / "checkpoints" / "ce" / "seed-1" / "training.json").unlink()
    (out / "runs" / "base" / "manifest.json").unlink()
    rows, output = check()
    assert [row[3:] for row in rows] == [["done", "0 of 1"], ["1 done, 1 to do", "2 of 2"]]
    assert "1 to do, 0 started, 2 done" in output


@pytest.mark.slow
def test_what_is_done_needs_its_base_no_more(tmp_path, dataset, encoder):
    base = gpt2_base(tmp_path / "base")
    models = [model("one", base, pad_token=END)]
    path = experiment(tmp_path, dataset.folder, models, encoder=encoder, arms=[{"arm": "base"}])
    out = tmp_path / "out"
    run_experiment(load_experiment(path), out, Console(quiet=True))
    (base / "model.safetensors").unlink()
    from maqa_severity.trainers.experiments.preflight import demand_ready

    loaded = load_experiment(path)
    demand_ready(loaded, plan(loaded, out), out)


def test_every_seed_is_read_before_anything_starts(tmp_path, dataset, checkpoint):
    path = experiment(tmp_path, dataset.folder, [model("tiny", checkpoint)], seeds=[0, -1])
    with pytest.raises(UserError, match="key 'seed'"):
        load_experiment(path)


def test_an_arm_takes_weights_of_its_own_as_the_command_does(tmp_path, dataset, checkpoint):
    arms = [{"arm": "severity", "weights": [0.5, 1, 2.25]}, {"arm": "severity", "scheme": "mild"}]
    read = load_experiment(experiment(tmp_path, dataset.folder, [model("tiny", checkpoint)], arms=arms))
    assert read.labels == ["severity-0.5,1,2.25", "severity-mild"]
    assert read.arms[0].spec.weights.gamma == 2.25
    for wrong in ({"weights": [0, 0, 0]}, {"weights": [1, 2]}, {"weights": [1, 1, 1], "scheme": "mild"}):
        path = experiment(
            tmp_path, dataset.folder, [model("tiny", checkpoint)], arms=[{"arm": "severity", **wrong}]
        )
        with pytest.raises(UserError, match="arms"):
            load_experiment(path)


def test_no_arm_goes_by_the_name_of_a_floor(tmp_path, dataset, checkpoint):
    from maqa_severity.trainers.experiments.grid import cells

    arms = [{"arm": "ce"}, {"arm": "constant", "scheme": "strong"}, {"arm": "hard"}]
    floors = {"bertscore_model": "none", "floors": ["echo", "constant"]}
    path = experiment(
        tmp_path, dataset.folder, [model("tiny", checkpoint)], arms=arms, seeds=[0], evaluation=floors
    )
    read = load_experiment(path)
    labels = [cell.label for cell in cells(read, tmp_path / "out")]
    assert labels == ["ce", "constant-strong", "hard"] and not set(labels) & set(read.evaluation.floors)


def test_an_experiment_of_before_a_key_was_known_goes_on(tmp_path, dataset, checkpoint):
    import json

    path, out = experiment(tmp_path, dataset.folder, [model("tiny", checkpoint)]), tmp_path / "out"
    read = load_experiment(path)
    old = read.model_dump(mode="json")
    for arm in old["arms"]:
        del arm["weights"]
    out.mkdir()
    (out / "experiment.json").write_text(json.dumps(old))
    assert len(plan(read, out)) == 3
    (out / "experiment.json").write_text(json.dumps({**old, "seeds": [7]}))
    assert_another(read, out)


def test_an_experiment_goes_on_with_other_settings_of_running_but_of_nothing_else(tmp_path, dataset, checkpoint):
    import json

    tiny, out = model("tiny", checkpoint, epochs=1), tmp_path / "out"
    read = load_experiment(experiment(tmp_path, dataset.folder, [tiny]))
    out.mkdir()
    (out / "experiment.json").write_text(json.dumps(read.model_dump(mode="json")))
    for changed in ({"batch_size": 2}, {"gradient_checkpointing": True}):
        tiny = model("tiny", checkpoint, epochs=1, **changed)
        assert plan(load_experiment(experiment(tmp_path, dataset.folder, [tiny])), out)
    for changed in ({"learning_rate": 1e-5}, {"epochs": 2}):
        tiny = model("tiny", checkpoint, **{"epochs": 1, **changed})
        assert_another(load_experiment(experiment(tmp_path, dataset.folder, [tiny])), out)


def assert_another(read, out):
    with pytest.raises(UserError, match="holds another experiment"):
        plan(read, out)


def test_the_published_grid_names_a_pad_token_where_the_base_has_none():
    paper = load_experiment(Path("paper"))
    pads = {each.name: training_config(paper, each, 0).pad_token for each in paper.models}
    assert pads["AraGPT2-Base"] == pads["AraGPT2-Medium"] == pads["Dialect-ar-gpt-2021"] == END


def test_an_analysis_by_a_detector_for_screening_is_refused_before_any_training(tmp_path, dataset, encoder):
    import_module("maqa_severity.commands.demo")
    models = [model("one", gpt2_base(tmp_path / "base"), pad_token=END)]
    analysis = {"primary": "harmful_remedy", "contrasts": [{"arm": "ce", "against": "base"}]}
    path = experiment(tmp_path, dataset.folder, models, encoder=encoder, analysis=analysis)
    for arguments in ([], ["--check"]):
        done = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out"), *arguments])
        assert isinstance(done.exception, UserError)
        assert "the analysis declares harmful_remedy, which is screening only: " in str(done.exception)
        assert not (tmp_path / "out" / "checkpoints").exists()


def test_without_a_network_the_published_grid_is_checked_without_loading_torch(tmp_path):
    code = (
        "import sys; import atexit; from maqa_severity.cli import main;"
        "atexit.register(lambda: print('torch' in sys.modules, 'transformers' in sys.modules));"
        "sys.argv = ['maqa', 'run', 'paper', '--check', '--out', 'out']; main()"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert run.stdout.splitlines()[-1] == "False False"
    assert "Qwen/Qwen3-0.6B: it is not in the hub's cache, and the hub does not answer" in run.stderr
    assert "bert-base-multilingual-cased cannot be loaded: it is not in the hub's cache" in run.stderr
    assert "GB" in run.stdout and " h" in run.stdout
