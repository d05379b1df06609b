"""An experiment from a csv to boards and reports, with real training, and gone on with where it stopped."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.experiment import _report_path, plan, run_experiment
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.sealing import with_seal
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.experiments.config import DataPart, load_experiment, training_config
from maqa_severity.trainers.experiments.ingredients import demand_source
from rich.console import Console
from typer.testing import CliRunner

LANDED = Path(__file__).parent / "data" / "landed" / "dataset"


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, checkpoint, encoder):
    """Two seeds of two arms on 60 rows of a file, under two decodings."""
    folder = tmp_path_factory.mktemp("experiment")
    rows = pd.DataFrame([row for row in handwritten_rows(ARABIC) if int(row["id"][-3:]) <= 20])
    rows[["question", "answer", "category", "severity"]].to_csv(folder / "source.csv", index=False)
    settings = {
        "name": "small",
        "data": {"source": str(folder / "source.csv"), "test": 15, "validation": 3},
        "models": [{"name": "tiny", "id": str(checkpoint)}],
        "arms": [{"arm": "base"}, {"arm": "ce"}, {"arm": "severity", "scheme": "strong"}],
        "seeds": [0, 1],
        "training": {"method": "full", "epochs": 1, "batch_size": 8, "max_length": 128},
        "evaluation": {
            "bertscore_model": str(encoder),
            "model_args": {"dtype": "float32"},
            "decodings": ["greedy", "paper"],
            "floors": ["nearest"],
            "limit": 3,
        },
        "compare": ["ce", "severity"],
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(settings))
    return load_experiment(folder / "small.yaml")


@pytest.fixture(scope="module")
def done(experiment, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "small"
    return out, run_experiment(experiment, out, Console(quiet=True), "maqa run small.yaml --out small")


def test_every_cell_is_trained_evaluated_ranked_and_reported(done):
    out, outcome = done
    cells = {"base", "ce/seed-0", "ce/seed-1", "severity/seed-0", "severity/seed-1", "nearest"}
    for preset, board in outcome.boards.items():
        assert {row.name for row in board.rows} == cells, preset
        assert all(not row.differs for row in board.rows), [row.differs for row in board.rows]
        assert {row.arm for row in board.seeds} == {"ce", "severity strong"}
        assert {row.command for row in board.rows} == {"maqa run small.yaml --out small"}
    for page in outcome.pages:
        assert page.is_file()
    assert {page.relative_to(out).as_posix() for page in outcome.pages} == {
        f"{folder}{page}" for folder in ("", "paper/") for page in ("leaderboard/index.html", "report.html")
    }


def test_the_arms_are_compared_once_per_base_and_decoding_over_all_their_trainings(done):
    out, outcome = done
    for preset, board in outcome.boards.items():
        (compared,) = outcome.verdicts[preset]
        assert (compared.first, compared.second) == ("ce", "severity")
        assert compared.trainings == "2 trainings each, paired by seed (0, 1)"
        means = {row.name: row.cell("bertscore_f1", "overall").mean for row in board.rows}
        sums = {arm: means[f"{arm}/seed-0"] + means[f"{arm}/seed-1"] for arm in ("ce", "severity")}
        gain = (sums["severity"] - sums["ce"]) / 2
        assert compared.difference("bertscore_f1", "overall").mean == pytest.approx(gain)
    page = (out / "report.html").read_text()
    assert "2 trainings each, paired by seed (0, 1)." in page and 'id="trainings"' in page
    assert "One training seed says nothing about another" not in page


@pytest.mark.weekly
@pytest.mark.slow
def test_every_number_of_it_is_computed_again_wherever_it_lies(done, tmp_path):
    from maqa_severity.commands import verify  # noqa: F401

    def verified(*places, status):
        told = CliRunner().invoke(app, ["verify", *map(str, places), "--json", str(tmp_path / "found.json")])
        assert told.exit_code == status, told.output
        return {each["name"]: each for each in json.loads((tmp_path / "found.json").read_text())["of"]}

    moved = Path(shutil.copytree(done[0], tmp_path / "moved"))
    for place in (done[0], moved):
        found = verified(place, status=0)
        assert {"arms, greedy", "arms, paper", "ce/seed-0", "nearest", "board by bertscore_f1"} <= found.keys()
        assert all(each["numbers"] > 100 for each in found.values())
    for board in ("leaderboard", "paper/leaderboard"):
        assert verified(moved / board, status=0)["board by bertscore_f1"]["numbers"] > 1000
    path = moved / "paper" / "arms.json"
    arms = json.loads(path.read_text())
    arms["bases"][0]["pairs"][0]["differences"][0]["mean"] += 1
    path.write_text(json.dumps(with_seal(arms)))
    (one,) = verified(moved, status=1)["arms, paper"]["unequal"]
    assert one["metric"] == "bases[0].pairs[0].differences[0].mean"
    shutil.rmtree(moved / "runs" / "ce" / "seed-1")
    assert "ce/seed-1" in verified(moved, status=1)["arms, greedy"]["untold"][0]


def test_the_command_prints_the_verdict_of_each_comparison(done, experiment, tmp_path):
    from maqa_severity.commands import run, score  # noqa: F401
    from maqa_severity.commands.app import app

    out, outcome = done
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(experiment.model_dump(mode="json")))
    printed = " ".join(CliRunner().invoke(app, ["run", str(file), "--out", str(out)]).stdout.split())
    assert printed.count("severity against ce: 2 trainings each, paired by seed (0, 1)") == 2
    for (compared,) in outcome.verdicts.values():
        assert compared.words["bertscore_f1"] in printed


def test_a_gold_that_says_nothing_of_the_data_is_refused_before_any_training(done, experiment, tmp_path):
    out, _ = done
    (tmp_path / "people.csv").write_text("id,severity\nnobody,critical\n")
    for gold, words in (
        (tmp_path / "people.csv", "names no row that .*prepared asks"),
        (tmp_path / "no.csv", "no.csv"),
    ):
        with pytest.raises(UserError, match=words):
            run_experiment(experiment.model_copy(update={"gold": str(gold)}), out, Console(quiet=True))


def test_several_bases_have_a_page_each(experiment, tmp_path):
    (model,) = experiment.models
    two = experiment.model_copy(update={"models": [model, model.model_copy(update={"name": "org/other"})]})
    assert _report_path(two, "org/other", tmp_path) == tmp_path / "reports" / "org-other.html"
    assert _report_path(experiment, "tiny", tmp_path) == tmp_path / "report.html"


def test_arms_of_a_seed_differ_in_the_arm_alone_and_the_run_says_how_it_was_trained(done):
    out, _ = done
    first, second = (load_run(out / "runs" / arm / "seed-1") for arm in ("ce", "severity"))
    one, other = (run.manifest.model.training for run in (first, second))
    assert (one["arm"], other["arm"], other["scheme"]) == ("ce", "severity", "strong")
    assert one["seed"] == other["seed"] == 1
    shared = set(one["conditions"]) & set(other["conditions"])
    assert "order_sha256" in shared and all(one["conditions"][key] == other["conditions"][key] for key in shared)


def test_the_same_call_does_nothing_again_and_a_lost_cell_comes_back_the_same(done, experiment):
    out, _ = done
    weights = {path: path.read_bytes() for path in sorted(out.glob("checkpoints/**/model.safetensors"))}
    times = {path: path.stat().st_mtime_ns for path in weights}
    lost = out / "checkpoints" / "ce" / "seed-0"
    shutil.rmtree(lost)
    run_experiment(experiment, out, Console(quiet=True))
    assert {path: path.read_bytes() for path in weights} == weights
    changed = {path for path in weights if path.stat().st_mtime_ns != times[path]}
    assert changed == {lost / "model.safetensors"}


def test_a_kill_in_the_very_first_write_leaves_a_folder_to_go_on_in(experiment, tmp_path):
    (tmp_path / ".experiment.json.k1lledxy.json").touch()
    assert len(plan(experiment, tmp_path)) > 1
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="is not empty and holds no experiment"):
        plan(experiment, tmp_path)


def test_a_folder_of_another_experiment_is_refused(done, experiment):
    out, _ = done
    with pytest.raises(UserError, match="holds another experiment"):
        run_experiment(experiment.model_copy(update={"seeds": [0]}), out, Console(quiet=True))


def test_the_shipped_experiments_are_read_and_hold_what_they_promise():
    paper = load_experiment(Path("paper"))
    assert len(paper.models) == 10 and len(paper.seeds) >= 3
    assert {"base", "ce", "severity-mild", "severity-balanced", "severity-strong", "curriculum"} <= set(
        paper.labels
    )
    assert {"constant-balanced", "shuffled", "hard"} <= set(paper.labels)
    config = training_config(paper, paper.models[0], 0)
    assert (config.lora.r, config.lora.alpha, config.learning_rate) == (16, 32, 2e-4)
    assert config.lora.targets == ("c_attn",)
    demo = load_experiment(Path("demo"))
    assert demo.labels == ["base", "ce", "severity", "shuffled"]


def test_the_sample_trains_on_the_grammar_and_tests_on_the_handwritten_rows(tmp_path):
    from maqa_severity.trainers.experiments.ingredients import sample_dataset

    dataset = sample_dataset(tmp_path / "sample", ARABIC)
    assert set(dataset.split("test")["id"]) == {row["id"] for row in handwritten_rows(ARABIC)}
    assert dataset.split("train")["id"].str.startswith("grammar-").all()
    counts = json.loads((tmp_path / "sample" / "dataset.json").read_text())["counts"]
    assert counts["train"]["rows"] + counts["validation"]["rows"] == 3000


def test_the_sample_of_a_language_without_grammar_trains_validates_and_tests_on_its_handwritten_rows(tmp_path):
    from maqa_severity.trainers.experiments.ingredients import experiment_dataset

    dataset = experiment_dataset(DataPart(source="sample", language="en"), tmp_path)
    rows = {name: dataset.split(name) for name in ("train", "validation", "test")}
    assert dataset.language.code == "en" and sum(map(len, rows.values())) == 60
    for frame in rows.values():
        assert frame["severity"].value_counts().nunique() == 1 and set(frame["severity"]) == set(SEVERITIES)


def test_a_language_that_the_data_cannot_have_is_named_before_anything_is_done(tmp_path):
    for data, words in (
        (DataPart(source="sample", language="tlh"), "unknown language 'tlh'"),
        (DataPart(source=str(LANDED), language="en"), r"is in Arabic \(ar\), not in en"),
    ):
        with pytest.raises(UserError, match=words):
            demand_source(data, tmp_path)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"arm": "severity", "against": ["ce", "hard"]}, "claim names 'hard', which is none of base, ce, severity"),
        ({"arm": "severity", "against": ["severity", "ce"]}, "claim names 'severity' twice"),
        ({"arm": "severity", "against": ["base"]}, "claim.against lacks the plain arm ce"),
        ({"arm": "severity", "against": []}, "claim.against"),
        ({"arm": "severity", "against": ["ce"], "level": 0.1}, "level"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_refused(tmp_path, experiment, claim, words):
    file = tmp_path / "claim.yaml"
    file.write_text(yaml.safe_dump({**experiment.model_dump(mode="json"), "claim": claim}))
    with pytest.raises(UserError, match=words):
        load_experiment(file)


def test_the_shipped_experiments_declare_their_claims_with_every_control(tmp_path):
    paper, demo = load_experiment(Path("paper")), load_experiment(Path("demo"))
    assert (paper.claim.arm, paper.claim.against) == ("severity-balanced", ["ce", "constant-balanced", "shuffled"])
    assert (demo.claim.arm, demo.claim.against) == ("severity", ["ce", "shuffled"])
    settings = paper.model_dump(mode="json")
    settings["claim"]["against"].remove("shuffled")
    file = tmp_path / "paper.yaml"
    file.write_text(yaml.safe_dump(settings))
    with pytest.raises(UserError, match=r"claim\.against leaves out the weighted control 'shuffled'"):
        load_experiment(file)


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        ({"primary": "bertscore_f1"}, "analysis declares no contrasts"),
        (
            {"primary": "bertscore_f1", "contrasts": [{"arm": "hard", "against": "ce"}]},
            "analysis names an arm 'hard', which is none of base, ce, severity",
        ),
        (
            {"primary": "bertscore_f1", "contrasts": [{"arm": "severity", "against": "ce"}], "models": ["big"]},
            "analysis names a model 'big', which is none of tiny",
        ),
        ({"primary": "bertscore_f1", "margin": 0.01}, "reads as a share"),
        ("elsewhere.yaml", "cannot read .*elsewhere.yaml"),
    ],
)
def test_an_analysis_that_the_experiment_cannot_do_is_refused(tmp_path, experiment, analysis, words):
    file = tmp_path / "analysis.yaml"
    file.write_text(yaml.safe_dump({**experiment.model_dump(mode="json"), "analysis": analysis}))
    with pytest.raises(UserError, match=words):
        load_experiment(file)


def test_a_claim_and_an_analysis_are_judged_over_the_trainings_and_may_be_added_later(done, experiment, tmp_path):
    out, _ = done
    declared = {
        "primary": "bertscore_f1",
        "secondary": ["rougeL"],
        "contrasts": [{"arm": "severity", "against": "ce"}],
    }
    (tmp_path / "declared.yaml").write_text(yaml.safe_dump(declared))
    gold = tmp_path / "people.csv"
    open_dataset(out / "prepared").split("test")[["id", "severity"]].to_csv(gold, index=False)
    claimed = {"gold": str(gold), "claim": {"arm": "severity", "against": ["ce"]}, "analysis": "declared.yaml"}
    (tmp_path / "claiming.yaml").write_text(yaml.safe_dump({**experiment.model_dump(mode="json"), **claimed}))
    claiming = load_experiment(tmp_path / "claiming.yaml")
    assert claiming.equals(experiment.model_dump(mode="json"))
    with pytest.raises(UserError, match="--look 1: the analysis plans no looks"):
        run_experiment(claiming, out, Console(quiet=True), look=1)
    outcome = run_experiment(claiming, out, Console(quiet=True))
    words = {each.labels.words for verdicts in outcome.verdicts.values() for each in verdicts}
    (words,) = words
    # This gold is the column that the labels came from, so it may not vouch for them.
    repeats = "checked on 9 rows against a gold that repeats them (gold people.csv), which shows nothing"
    assert repeats in words and repeats in (out / "report.html").read_text()
    for preset, found in outcome.declared.items():
        page = (out / ("" if preset == "greedy" else preset) / "report.html").read_text()
        assert outcome.boards[preset].analysis == found and found.sha256 in page
        primary, secondary = found.tests
        change = outcome.verdicts[preset][0].difference("bertscore_f1", "overall")
        assert (primary.model, primary.p_adjusted, primary.verdict) == ("tiny", change.p_holm, change.verdict)
        assert primary.p in (None, change.p)
        assert primary.holds or secondary.verdict == "not tested"
    assert outcome.declared.keys() == outcome.arms.keys()
    for preset, arms in outcome.arms.items():
        (base,) = arms.bases
        (claim,) = base.claims
        assert claim.legs[0].seeds == (2, 2) and claim.holds is not None
        assert outcome.verdicts[preset] == [base.pairs["ce", "severity-strong"]]
        assert str(claim).partition(" (")[0] in (out / "report.html").read_text()
        assert [cell.holds for cell in outcome.boards[preset].claims] == [claim.holds]
