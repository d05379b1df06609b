"""What was changed in a run, a dataset or a board after it was written is named, whoever reads it."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.core.sealing import with_seal
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.languages.messages import messages, spoken
from maqa_severity.harness.metrics.scoring import default_metrics
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.nll import Likelihoods, write_nll
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_answers, load_run
from maqa_severity.harness.runs.seals import RESCORED, changes, contents, rewriting
from maqa_severity.harness.scores.table import read_scores, write_scores
from maqa_severity.harness.severity import PROBABILITY_COLUMNS
from maqa_severity.harness.statistics import Resampling
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.evidence import read_evidence
from maqa_severity.leaderboards.export import board_page, write_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.sealing import resealed

LANDED = Path(__file__).parent / "data" / "landed"
FEW = Resampling(resamples=200)
METRIC = "rougeL"
TASKS = ("critical", "neutral", "non_critical")


def complete(name, out):
    """A landed run with every kind of file that a run may have, sealed."""
    folder = Path(shutil.copytree(LANDED / "runs" / name, out))
    answers = load_run(folder).answers
    rows = answers[["id", "severity"]].assign(split="test", tokens=10, nll=25.0)
    write_nll(folder / "nll.parquet", Likelihoods(rows, "nll|made", {"test": "0" * 64}))
    sure = answers[["id", "severity"]].assign(**dict.fromkeys(PROBABILITY_COLUMNS, 1 / 3))
    sure.to_parquet(folder / "severity.parquet", index=False)
    return resealed(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("sealed")
    return {name: complete(name, root / name) for name in ("ce", "severity")}


def samples(folder, severity="critical"):
    return next(folder.glob(f"samples_*severity_{severity}_maqa.jsonl"))


def lines_of(path):
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def lines_changed(change, severity="critical"):
    def forge(folder, other):
        path = samples(folder, severity)
        path.write_text("\n".join(change(lines_of(path))) + "\n", encoding="utf-8")
        return path.name

    return forge


def row_changed(change, severity="critical", place=0):
    def lines(found):
        row = json.loads(found[place])
        change(row)
        return [*found[:place], json.dumps(row, ensure_ascii=False), *found[place + 1 :]]

    return lines_changed(lines, severity)


def put(*path, value):
    def change(row):
        for key in path[:-1]:
            row = row[key]
        row[path[-1]] = value

    return change


def scores_changed(change):
    def forge(folder, other):
        path = folder / "scores.parquet"
        scores = read_scores(path)
        write_scores(path, change(scores))
        return path.name

    return forge


def value_moved(column, row):
    def change(scores):
        scores.frame.loc[row, column] = abs(scores.frame.loc[row, column] - 50)
        return scores

    return change


def frame_moved(change):
    def forged(scores):
        return type(scores)(change(scores.frame), scores.signatures, findings=scores.findings)

    return forged


def parquet_changed(name, change):
    def forge(folder, other):
        pd_frame = pd.read_parquet(folder / name)
        table = pq.read_table(folder / name)
        schema = table.schema.metadata
        made = pq.ParquetFile(folder / name).schema_arrow
        changed = change(pd_frame)
        import pyarrow as pa

        out = pa.Table.from_pandas(changed, schema=made.remove_metadata(), preserve_index=False)
        pq.write_table(out.replace_schema_metadata(schema), folder / name)
        return name

    return forge


def copied(name):
    def forge(folder, other):
        file = samples(folder, name).name if name in TASKS else name
        shutil.copy(other / file, folder / file)
        return file

    return forge


def gone(name):
    def forge(folder, other):
        file = samples(folder, name).name if name in TASKS else name
        (folder / file).unlink()
        return file

    return forge


def cut(name):
    def forge(folder, other):
        file = samples(folder, name) if name in TASKS else folder / name
        file.write_bytes(file.read_bytes()[:-20])
        return file.name

    return forge


def manifest_put(*path, value):
    def forge(folder, other):
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        put(*path, value=value)(raw)
        write_json(folder / "manifest.json", raw)
        return "manifest.json"

    return forge


def seal_of_other(folder, other):
    mine, theirs = (json.loads((each / "manifest.json").read_text(encoding="utf-8")) for each in (folder, other))
    write_json(folder / "manifest.json", {**mine, "seal": theirs["seal"]})
    return "manifest.json"


def digest_mended(folder, other):
    """A changed answer whose digest was put right in the manifest by hand."""
    from maqa_severity.harness.core.files import sha256_file

    name = lines_changed(lambda rows: [row.replace("\\n", " ") for row in rows][::-1])(folder, other)
    raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    raw["seal"]["files"][name] = sha256_file(folder / name)
    write_json(folder / "manifest.json", raw)
    return "manifest.json"


def added(name):
    def forge(folder, other):
        raw = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        del raw["seal"]["files"][name]
        raw["seal"]["sha256"] = ""
        from maqa_severity.harness.core.sealing import content_digest

        raw["seal"]["sha256"] = content_digest(raw)
        write_json(folder / "manifest.json", raw)
        return name

    return forge


def swapped(first, second):
    def forge(folder, other):
        one, two = samples(folder, first), samples(folder, second)
        texts = one.read_bytes(), two.read_bytes()
        one.write_bytes(texts[1])
        two.write_bytes(texts[0])
        return one.name

    return forge


RUN_FORGERIES = {
    **{f"answer {task}": row_changed(put("filtered_resps", value=["نعم"]), task) for task in TASKS},
    "answer of the last row": row_changed(put("filtered_resps", value=["راجع الطبيب"]), place=-1 % 3),
    "raw answer": row_changed(put("resps", value=[["نعم"]])),
    "question": row_changed(put("doc", "question", value="سؤال آخر")),
    "reference": row_changed(put("doc", "answer", value="جواب آخر")),
    "label": row_changed(put("doc", "severity", value="neutral")),
    "category": row_changed(put("doc", "category", value="other")),
    "id": row_changed(put("doc", "id", value="another")),
    "prompt": row_changed(put("arguments", "gen_args_0", "arg_0", value="قل نعم")),
    "decoding": row_changed(put("arguments", "gen_args_0", "arg_1", "temperature", value=0.5)),
    "sample's score": row_changed(put("rougeL", value=99.0)),
    **{f"dropped row {task}": lines_changed(lambda rows: rows[1:], task) for task in TASKS},
    **{f"doubled row {task}": lines_changed(lambda rows: [*rows, rows[0]], task) for task in TASKS},
    **{f"reordered rows {task}": lines_changed(lambda rows: rows[::-1], task) for task in TASKS},
    "packed anew": lines_changed(lambda rows: [json.dumps(json.loads(row)) for row in rows]),
    **{f"cut {name}": cut(name) for name in (*TASKS, "scores.parquet", "generation.parquet", "results_maqa.json")},
    **{f"copied samples {task}": copied(task) for task in TASKS},
    "swapped samples": swapped("critical", "neutral"),
    "copied scores": copied("scores.parquet"),
    "copied generation": copied("generation.parquet"),
    "copied results": copied("results_maqa.json"),
    "copied manifest": lambda folder, other: copied("manifest.json")(folder, other),
    **{f"gone {name}": gone(name) for name in ("critical", "scores.parquet", "generation.parquet")},
    **{f"gone {name}": gone(name) for name in ("results_maqa.json", "nll.parquet", "severity.parquet")},
    "score value": scores_changed(value_moved(METRIC, 0)),
    "last score value": scores_changed(value_moved("bertscore_f1", 3)),
    "score column": scores_changed(frame_moved(lambda frame: frame.assign(rougeL=frame["rougeL"] / 2))),
    "score columns swapped": scores_changed(
        frame_moved(lambda frame: frame.assign(rougeL=frame["bertscore_f1"], bertscore_f1=frame["rougeL"]))
    ),
    "scores shuffled": scores_changed(
        frame_moved(lambda frame: frame.assign(rougeL=frame["rougeL"][::-1].to_numpy()))
    ),
    "score column dropped": scores_changed(frame_moved(lambda frame: frame.drop(columns="rougeL"))),
    "score row dropped": scores_changed(frame_moved(lambda frame: frame.iloc[1:])),
    "score row doubled": scores_changed(frame_moved(lambda frame: pd.concat([frame, frame.iloc[:1]]))),
    "score label": scores_changed(frame_moved(lambda frame: frame.assign(severity="critical"))),
    "generation's answer": parquet_changed("generation.parquet", lambda frame: frame.assign(prediction="نعم")),
    "generation's row": parquet_changed("generation.parquet", lambda frame: frame.iloc[1:]),
    "generation's tokens": parquet_changed("generation.parquet", lambda frame: frame.assign(tokens=1)),
    "likelihood": parquet_changed("nll.parquet", lambda frame: frame.assign(nll=frame["nll"] / 2)),
    "likelihood's row": parquet_changed("nll.parquet", lambda frame: frame.iloc[1:]),
    "likelihoods reordered": parquet_changed("nll.parquet", lambda frame: frame.iloc[::-1]),
    "sureness": parquet_changed("severity.parquet", lambda frame: frame.assign(**{PROBABILITY_COLUMNS[0]: 1.0})),
    "added likelihood": added("nll.parquet"),
    "manifest's arm": manifest_put("model", "training", value={"arm": "severity", "seed": 0, "conditions": {}}),
    "manifest's name": manifest_put("name", value="better"),
    "manifest's model": manifest_put("model", "name", value="another"),
    "manifest's identity": manifest_put("model", "identity", value={}),
    "manifest's command": manifest_put("runtime", "command", value="maqa evaluate --model other"),
    "manifest's fingerprint": manifest_put("data", "fingerprint", value="0" * 64),
    "manifest's source": manifest_put("data", "source", value="another hospital"),
    "manifest's labeller": manifest_put("data", "severity_source", "name", value="people"),
    "manifest's decoding": manifest_put("decoding", "seed", value=7),
    "manifest's samples": manifest_put("answers_per_question", value=5),
    "manifest's encoder": manifest_put("scoring", value={"encoder": "other"}),
    "manifest's date": manifest_put("created", value="2020-01-01T00:00:00+00:00"),
    "manifest's files": manifest_put("seal", "files", value={}),
    "seal of another run": seal_of_other,
    "digest put right by hand": digest_mended,
}


@pytest.mark.parametrize("forgery", RUN_FORGERIES)
def test_a_forged_run_is_named_with_its_file_and_refused_in_one_line(world, tmp_path, forgery):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    load_run(folder)
    name = RUN_FORGERIES[forgery](folder, world["severity"])
    with pytest.raises(UserError) as refused:
        load_run(folder, anyway=False)
    words = str(refused.value)
    assert "\n" not in words and str(folder) in words
    # A file that cannot be read, or rows that do not belong together, are told as before, by what shows it first.
    told = {name, "scores.parquet"} if "severity_" in name else {name, "samples"}
    assert any(each in words for each in told)


def test_there_are_at_least_sixty_forgeries():
    assert len(RUN_FORGERIES) + len(DATASET_FORGERIES) + len(BOARD_FORGERIES) >= 60


def test_the_changed_row_is_named_where_another_file_tells_it(world, tmp_path):
    answer = Path(shutil.copytree(world["ce"], tmp_path / "answer"))
    changed = json.loads(lines_of(samples(answer))[0])["doc"]["id"]
    row_changed(put("filtered_resps", value=["نعم"]))(answer, None)
    with pytest.raises(UserError, match=f"the answer to {changed!r}"):
        load_run(answer)
    score = Path(shutil.copytree(world["ce"], tmp_path / "score"))
    scores_changed(value_moved(METRIC, 2))(score, None)
    row = read_scores(score / "scores.parquet").frame["id"][2]
    with pytest.raises(UserError, match=f"{METRIC} of {row!r}") as refused:
        load_run(score)
    assert f"maqa rescore {score}" in refused.value.remedy and "--anyway" not in refused.value.remedy


def test_anyway_goes_on_and_board_comparison_and_pages_begin_with_it(world, tmp_path):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    scores_changed(value_moved(METRIC, 0))(folder, None)
    run, other = load_run(folder, anyway=True), load_run(world["severity"])
    words = f"numbers of a run that was changed after it was written: {run.name}: scores.parquet"
    compared = compare(run, other, [METRIC], FEW)
    assert compared.changed[0].startswith(words) and compared.as_json()["changed"] == compared.changed
    assert list(compared.contents) == [other.name]
    board = build_board([run, other], METRIC, FEW)
    assert board.changed == compared.changed and not build_board([other], METRIC, FEW).changed
    for page in (board_page(board), report_page(run, metric=METRIC, resampling=FEW)):
        assert words[1:] in page
    assert not any("not sealed" in note for note in board.notes)


@pytest.mark.parametrize("command", ["compare", "leaderboard", "report", "rescore"])
def test_commands_refuse_a_changed_run_and_go_on_with_anyway(world, tmp_path, monkeypatch, capsys, command):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    row_changed(put("filtered_resps", value=["نعم"]))(folder, None)
    few = [] if command == "rescore" else ["--metric", METRIC]
    rest = {
        "compare": [world["severity"]],
        "leaderboard": ["--out", tmp_path / "board"],
        "report": ["--out", tmp_path / "report.html"],
        "rescore": ["--bertscore-model", "none"],
    }[command]

    def maqa(*more):
        arguments = ["maqa", command, folder, *rest, *few, "--resamples", 200, *more]
        monkeypatch.setattr("sys.argv", [str(each) for each in arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    code, out, err = maqa()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "was changed after it was written" in err and "--anyway" in err
    code, out, err = maqa("--anyway")
    assert not code, err
    assert "Numbers of a run that was changed after it was written" in " ".join(out.split())
    with pytest.raises(UserError, match="was changed"):
        load_run(folder)


def test_runs_of_before_have_no_seal_and_are_read_with_a_note(world):
    run = load_run(LANDED / "runs" / "ce")
    board = build_board([run, load_run(world["severity"])], METRIC, FEW)
    assert any(
        note.startswith(f"not sealed, so nothing shows whether they were changed: {run.name} (")
        for note in board.notes
    )
    assert list(board.contents) == [load_run(world["severity"]).name] and contents([run]) == {}


def test_rescoring_seals_what_it_writes_and_nothing_else(world, tmp_path):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    scores_changed(value_moved(METRIC, 0))(folder, None)
    rescore(folder, lambda language: default_metrics(language, "none"))
    assert "bertscore_f1" not in load_run(folder).scores.metrics
    parquet_changed("nll.parquet", lambda frame: frame.assign(nll=1.0))(folder, None)
    with pytest.raises(UserError, match=r"nll\.parquet"):
        rescore(folder, lambda language: default_metrics(language, "none"))
    rescore(folder, lambda language: default_metrics(language, "none"), anyway=True)
    with pytest.raises(UserError, match=r"nll\.parquet"):
        load_run(folder)
    manifest_put("name", value="better")(folder, None)
    rescore(folder, lambda language: default_metrics(language, "none"), anyway=True)
    with pytest.raises(UserError, match=r"manifest\.json \(its content"):
        load_run(folder)


def test_a_kill_while_scores_are_written_is_told_and_the_same_command_mends_it(world, tmp_path):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    before = load_run(folder).manifest
    with pytest.raises(KeyboardInterrupt), rewriting(folder, RESCORED):
        raise KeyboardInterrupt
    after = load_run(folder).manifest
    assert (after.seal.files, after.seal.open) == (before.seal.files, [])
    with pytest.raises(KeyboardInterrupt), rewriting(folder, RESCORED):
        scores_changed(value_moved(METRIC, 0))(folder, None)
        raise KeyboardInterrupt
    with pytest.raises(UserError, match="being scored anew, which did not end") as refused:
        load_run(folder)
    assert f"Run `maqa rescore {folder}`" in refused.value.remedy
    rescore(folder, lambda language: default_metrics(language, "none"))
    assert load_run(folder).changed == ()


def test_answers_alone_are_read_whatever_became_of_the_scores(world, tmp_path):
    folder = Path(shutil.copytree(world["ce"], tmp_path / "run"))
    scores_changed(value_moved(METRIC, 0))(folder, None)
    assert load_answers(folder).changed == ()


def dataset_changed(split, change):
    def forge(folder):
        path = folder / f"{split}.parquet"
        change(pd.read_parquet(path)).to_parquet(path, index=False)
        return path.name

    return forge


DATASET_FORGERIES = {
    f"{what} of {split}": dataset_changed(split, change)
    for split in ("train", "test")
    for what, change in {
        "label": lambda frame: frame.assign(severity=frame["severity"].replace("critical", "neutral")),
        "answer": lambda frame: frame.assign(answer=frame["answer"] + "."),
        "dropped row": lambda frame: frame.iloc[1:],
        "doubled row": lambda frame: pd.concat([frame, frame.iloc[:1]]),
        "other order": lambda frame: frame.iloc[::-1],
    }.items()
}


@pytest.mark.parametrize("forgery", DATASET_FORGERIES)
def test_a_forged_dataset_is_named(tmp_path, forgery):
    folder = Path(shutil.copytree(LANDED / "dataset", tmp_path / "dataset"))
    open_dataset(folder)
    name = DATASET_FORGERIES[forgery](folder)
    with pytest.raises(UserError, match=rf"{name} was changed since"):
        open_dataset(folder)


@pytest.fixture(scope="module")
def experiment(world, tmp_path_factory):
    """What `maqa claim` reads of an experiment."""
    out = tmp_path_factory.mktemp("experiment")
    write_json(out / "experiment.json", {"name": "study", "models": [{"name": "toy"}]})
    board = build_board([load_run(each) for each in world.values()], METRIC, FEW)
    write_board(out / "leaderboard", board)
    write_json(out / "arms.json", with_seal({"bases": [], "over_models": []}))
    return out


def board_put(*path, value):
    return "leaderboard/leaderboard.json", put(*path, value=value)


BOARD_FORGERIES = {
    "mean": board_put("rows", 0, "metrics", METRIC, "overall", "mean", value=99.0),
    "rank": board_put("rows", 1, "rank", value=7),
    "name": board_put("rows", 0, "name", value="mine"),
    "row dropped": board_put("rows", value=[]),
    "signature": board_put("signature", value="rougeL|other"),
    "digest of a run": board_put("contents", value={}),
    "what was said": board_put("changed", value=["nothing"]),
    "arms": ("arms.json", put("over_models", value=[{"first": "a", "second": "b", "words": "helps"}])),
}


@pytest.mark.parametrize("forgery", BOARD_FORGERIES)
def test_a_forged_board_is_named_by_the_claim_and_taken_anyway_with_a_word(experiment, tmp_path, forgery):
    folder = Path(shutil.copytree(experiment, tmp_path / "out"))
    read_evidence(folder)
    name, change = BOARD_FORGERIES[forgery]
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    write_json(folder / name, content)
    with pytest.raises(UserError, match=f"{name} was changed after it was written"):
        read_evidence(folder)
    if "row" not in forgery:
        assert "was changed after it was written" in read_evidence(folder, anyway=True).scope[0]


def test_boards_of_before_are_read(experiment, tmp_path):
    folder = Path(shutil.copytree(experiment, tmp_path / "out"))
    shutil.copy(LANDED / "board" / "leaderboard.json", folder / "leaderboard" / "leaderboard.json")
    assert read_evidence(folder).changed == []


def test_the_sentences_exist_in_every_language_of_the_pages():
    for code in spoken():
        assert "run-1" in messages(code)("seal.changed", run="run-1", files="a")
        assert "run-1" in messages(code)("seal.none", runs="run-1")


def test_an_intact_run_has_no_changes(world):
    run = load_run(world["ce"])
    assert changes(run.path, run.manifest) == []
