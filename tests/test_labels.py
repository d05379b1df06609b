"""Strata that labels made: what is known of them stands beside each, and differences are corrected for it."""

import io
import json
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.files import write_json
from maqa_severity.harness.data.dataset import open_dataset
from maqa_severity.harness.labelling.quality.report_card import report_card
from maqa_severity.harness.labelling.quality.trust import Trust, dataset_trust, in_words, mark
from maqa_severity.harness.metrics.true_rates import true_rates
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.labels import labels_of
from maqa_severity.harness.runs.run import Run, load_run
from maqa_severity.harness.scores.signatures import RATE
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.harness.statistics import Resampling, Verdict, summarise
from maqa_severity.harness.statistics.bounds import worst_case
from maqa_severity.harness.statistics.label_draws import Sample
from maqa_severity.harness.statistics.misclassification import Gold, gold_of, true_means
from maqa_severity.harness.statistics.ppi import powered_mean
from maqa_severity.harness.statistics.rogan_gladen import Detection, true_difference, true_rate
from maqa_severity.leaderboards.board import build_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.validity_labels import LABELLERS, SHARES, corrected, coverage, gold_rows, powered_coverage
from maqa_severity.tests.validity_labels import labels_of as noisy_labels

FEW = Resampling(resamples=300)
RULES = {"name": "rules", "version": "1.1", "sha256": "abc"}


@dataclass
class Said:
    returncode: int
    stdout: str
    stderr: str


def maqa(*arguments):
    """Run a command in this process, which is quicker."""
    said, complained = io.StringIO(), io.StringIO()
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(complained):
        patch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        patch.setenv("COLUMNS", "160")
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Said(code, said.getvalue(), complained.getvalue())


def test_the_means_of_true_severities_solve_the_mixture():
    # 60 rows called critical of which 44 are, and so on; the questions are the gold rows themselves.
    rows = np.array([[44, 16, 0], [10, 80, 10], [0, 16, 44]])
    wanted = np.array([4.0, 1.0, -2.0])
    codes, truth = np.repeat(np.arange(9) // 3, rows.ravel()), np.repeat(np.arange(9) % 3, rows.ravel())
    noise = np.tile([-5.0, 5.0], rows.sum() // 2)
    gold = Gold(rows.astype(float), np.zeros(3))
    found = true_means(Sample([], wanted[truth] + noise, codes), gold, FEW)
    assert [each.mean for each in found] == pytest.approx(wanted)
    assert all(each.worst_low <= each.low <= each.mean <= each.high <= each.worst_high for each in found)


def test_labels_that_are_always_right_change_nothing():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 80)
    sample = Sample([], rng.normal(0, 5, 240), codes)
    found = true_means(sample, Gold(np.diag([4000.0, 4000, 4000]), np.zeros(3)), Resampling())
    assert [each.mean for each in found] == pytest.approx(sample.means)
    students = [2 * 1.99 * rows.std(ddof=1) / 80**0.5 for rows in sample.strata]
    assert [each.high - each.low for each in found] == pytest.approx(students, rel=0.06)


def test_rows_that_people_labelled_are_not_corrected():
    everything = gold_of([[5, 5, 5]] * 3, (1.0, 1.0, 1.0))
    assert np.allclose(everything.predictive, np.eye(3))
    half = gold_of([[10, 0, 0], [0, 10, 10], [0, 0, 10]], (0.5, 0.0, 0.0)).predictive
    assert half[0].tolist() == [0.75, 0.25, 0.0]  # half of what is called critical is right half the time


def test_labels_near_chance_get_no_number():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 100)
    gold = Gold(gold_rows("labels near chance", 200, rng), np.zeros(3))
    found = true_means(Sample([], rng.normal(0, 5, 300), codes), gold, FEW)
    assert "cannot carry a claim per severity" in found


def test_a_label_without_gold_rows_or_questions_gets_no_number():
    codes = np.repeat([0, 1, 2], 10)
    sample = Sample([], np.arange(30.0), codes)
    rows = np.array([[5.0, 1, 0], [0, 0, 0], [0, 1, 5]])
    assert true_means(sample, Gold(rows, np.zeros(3)), FEW) == "no row of the gold is called neutral"
    gold = Gold(np.eye(3) * 9, np.zeros(3))
    few = Sample([], np.arange(11.0), np.repeat([0, 2, 1], [5, 5, 1]))
    assert true_means(few, gold, FEW) == "fewer than two questions are called neutral"


def test_worst_cases_are_those_of_every_way_to_choose_the_rows():
    """By brute force: two of four rows called critical are so, and one of three called neutral."""
    from itertools import combinations

    values = {0: [3.0, -1, 4, 2], 1: [0.5, -6, 2.5], 2: [1.0, 1]}
    codes = np.repeat([0, 1, 2], [4, 3, 2])
    sample = Sample([], np.concatenate([values[place] for place in range(3)]), codes)
    predictive = np.array([[0.5, 0.5, 0], [1 / 3, 2 / 3, 0], [0, 0, 1]])
    least, most = worst_case(sample, predictive[None], None)
    means = [np.mean([*one, *other]) for one in combinations(values[0], 2) for other in combinations(values[1], 1)]
    assert (least[0, 0], most[0, 0]) == pytest.approx((min(means), max(means)))


def test_a_gain_in_the_truly_critical_is_found_there_and_the_interval_holds_it():
    found, raw, _ = corrected("a middling classifier", 200, 40, n=300)
    assert np.mean(raw[:, 1]) > 0.5  # and reads as a gain in neutral
    assert np.mean(coverage(found)) >= 90
    assert np.mean([made[0].mean for made in found]) == pytest.approx(4.0, abs=0.5)


@pytest.mark.slow
def test_corrected_intervals_hold_the_truth():
    for labeller in list(LABELLERS)[:3]:
        found, _, _ = corrected(labeller, 100, 300)
        assert np.mean(coverage(found)) >= 93, labeller
    for seeds in (3, 5):
        assert np.mean(coverage(corrected("a middling classifier", 200, 200, seeds=seeds)[0])) >= 93


def test_gold_rows_help_whatever_the_difference_depends_on():
    held, shorter = powered_coverage(300)
    assert held >= 92
    assert shorter < 0.9
    few = np.arange(10) < 4
    assert powered_mean(np.arange(10.0), np.ones(10), few, few) is None


def test_guesses_that_say_nothing_leave_the_mean_of_the_gold_rows():
    rng = np.random.default_rng(0)
    changes, truly = rng.normal(0, 1, 200), rng.random(200) < 0.5
    labelled = np.arange(200) < 80
    mean, _, _ = powered_mean(changes, np.zeros(200), labelled, truly)
    assert mean == pytest.approx(changes[labelled & truly].mean())


def test_the_worked_example_of_a_herd():
    """23 of 150 cows marked by a test of sensitivity 96 % and specificity 89 %: 5.1 (0 to 13) in 100, as the
    documentation of R's epiR has it, whose sensitivity and specificity are known."""
    known = Detection(96_000_000, 100_000_000, 89_000_000, 100_000_000)
    value, low, high = true_rate(100 * 23 / 150, 150, known)
    assert (round(value, 1), round(low), round(high)) == (5.1, 0, 13)


def test_a_true_rate_of_clusters_counts_as_many_answers_as_they_are_worth():
    rng = np.random.default_rng(0)
    cases = np.repeat(100.0 * (rng.random(60) < 0.4), 5)
    frame = pd.DataFrame({"id": [f"r{row:03d}" for row in range(300)], "severity": "critical", "seen": cases})
    together = frame.assign(cluster=[f"case {row // 5}" for row in range(300)])
    known = {"seen": Detection(80, 100, 180, 200)}
    found = []
    for rows in (frame, together, together.assign(cluster=None)):
        summaries = summarise(ScoreTable(rows, {"seen": RATE}), FEW)
        overall = summaries[-1]
        (rate,) = [each for each in true_rates(summaries, known) if each.stratum == "overall"]
        found.append((overall, rate))
    (_, alone), (clustered, wide), (_, apart) = found
    assert clustered.effective_n == pytest.approx(60, rel=0.1) and alone == apart
    assert wide.mean == alone.mean
    assert wide.high - wide.low > 1.5 * (alone.high - alone.low)
    single = summarise(ScoreTable(together.assign(cluster="one"), {"seen": RATE}), FEW)
    assert not true_rates(single, known)


def test_what_a_detector_does_on_few_gold_answers_makes_the_interval_longer():
    lengths = []
    for answers in (20, 200, 20_000):
        _, low, high = true_rate(40.0, 300, Detection(answers * 8 // 10, answers, answers * 9 // 10, answers))
        lengths.append(high - low)
    assert lengths == sorted(lengths, reverse=True)


def test_a_detector_near_chance_corrects_nothing():
    for detection in (Detection(6, 10, 5, 10), Detection(0, 0, 9, 10), Detection(5, 5, 0, 0)):
        assert true_rate(30.0, 100, detection) is None
        assert true_difference(5.0, 1.0, 9.0, detection) is None


def test_a_difference_of_marked_answers_keeps_its_sign_and_grows():
    detection = Detection(40, 50, 45, 50)
    assert true_difference(7.0, 2.0, 12.0, detection)[0] == pytest.approx(10.0)
    mirrored = true_difference(-7.0, -12.0, -2.0, detection)
    value, low, high = true_difference(7.0, 2.0, 12.0, detection)
    assert mirrored == pytest.approx((-value, -high, -low))
    assert low > 0 and (high - low) > 10
    _, low, high = true_difference(1.0, -4.0, 6.0, detection)
    assert low < 0 < high


def labelled(run: Run, source=RULES, trust=None, name=None, gain=0.0) -> Run:
    """The run with severities of another source, and other scores."""
    data = run.manifest.data.model_copy(update={"severity_source": source, "labels": trust})
    manifest = run.manifest.model_copy(update={"data": data, "name": name or run.name})
    frame = run.scores.frame.copy()
    rng = np.random.default_rng(len(run.name))
    frame["bertscore_f1"] = 60.0 + rng.normal(0, 1, len(frame)) + gain
    scores = ScoreTable(frame, run.scores.signatures)
    return Run(**{**vars(run), "manifest": manifest, "scores": scores})


@pytest.fixture
def run(evaluated):
    return load_run(evaluated["hf"])


@pytest.fixture
def other(evaluated):
    return load_run(evaluated["constant"])


CONFUSION = [[40, 8, 2], [10, 40, 10], [2, 8, 40]]
CHECKED = Trust(confusion=CONFUSION, truth="gold g.csv", truth_by="column")


def test_who_decided_and_how_right_it_is_stands_in_one_line():
    assert in_words(RULES, Trust()) == "labels by rules, never checked against people"
    assert in_words(None, Trust()) == "who decided them is not recorded"
    words = in_words(RULES, CHECKED)
    assert "checked against people on 160 rows (gold g.csv)" in words
    assert "77 % [64, 86] of what is called critical is so, and 80 % [67, 89] of what is so is called so" in words
    by_machine = CHECKED.model_copy(update={"truth_by": "classifier"})
    assert "against labels by a classifier (gold g.csv), never against people" in in_words(RULES, by_machine)


def test_a_gold_that_repeats_peoples_labels_is_said_to_show_nothing():
    people = {"name": "column", "version": "", "sha256": ""}
    same = Trust(confusion=[[9, 0, 0], [0, 9, 0], [0, 0, 9]], truth="gold g.csv", truth_by="column")
    assert in_words(people, same).endswith("against a gold that repeats them (gold g.csv), which shows nothing")
    assert mark(people, same, "critical") == ""
    assert "100 %" in in_words(RULES, same)
    other = same.model_copy(update={"confusion": [[9, 0, 0], [0, 9, 0], [0, 1, 9]]})
    assert "checked against people on 28 rows" in in_words(people, other)


def test_the_verdict_of_an_audit_stands_where_the_labels_stand():
    words = in_words(RULES, CHECKED.model_copy(update={"audit": "sound: the text predicts the labels"}))
    assert words.endswith("; audit: sound: the text predicts the labels")


def test_a_comparison_says_what_travelled_and_corrects(run, other):
    first, second = labelled(run, trust=CHECKED), labelled(other, trust=CHECKED, gain=3.0)
    made = compare(first, second, resampling=FEW).labels
    assert made.marks == {
        "critical": "as labelled, 77 % right",
        "neutral": "as labelled, 71 % right",
        "non_critical": "as labelled, 77 % right",
        "overall": "",
    }
    assert [each.stratum for each in made.differences] == ["critical", "neutral", "non_critical"]
    assert all(each.low < each.mean < each.high for each in made.differences)
    assert all(each.worst_low < each.mean < each.worst_high for each in made.differences)


def test_a_raw_gain_by_unchecked_labels_carries_a_warning(run, other):
    compared = compare(labelled(run), labelled(other, gain=5.0), resampling=FEW)
    gains = {each.stratum for each in compared.differences if each.verdict is Verdict.GAIN} - {"overall"}
    assert gains
    for stratum in gains:
        line = f"bertscore_f1: the gain in {stratum} is of what is labelled so, and nobody checked these labels"
        assert any(each.startswith(line) for each in compared.labels.warnings)
    assert compared.labels.differences == []


def test_labels_of_people_carry_no_mark(run, other):
    compared = compare(run, other, resampling=FEW)
    assert set(compared.labels.marks.values()) == {""}
    assert compared.labels.words == "labels by people (the data's own column), never checked against others"


def test_labels_that_set_both_weights_and_strata_are_said(run, other):
    training = {"arm": "severity", "scheme": "strong", "conditions": {"severity_source": RULES}}
    model = run.manifest.model.model_copy(update={"training": training})
    first = labelled(run)
    trained = Run(**{**vars(first), "manifest": first.manifest.model_copy(update={"model": model})})
    warnings = compare(labelled(other), trained, resampling=FEW).labels.warnings
    assert warnings[0].startswith("the labels that set the training weights of base also make")
    assert "may be a gain in what the labeller calls critical" in warnings[0]
    elsewhere = labelled(trained, source={**RULES, "version": "2"})
    warnings = compare(elsewhere, elsewhere, resampling=FEW).labels.warnings
    assert not any("training weights" in each for each in warnings)


def test_weights_that_hardly_differ_are_said_wherever_their_run_is_judged(run, other):
    described = {"cv": 0.0213, "warning": "The weights hardly differ"}
    training = {"arm": "severity", "scheme": "mild", "conditions": {}, "weights": described}

    def trained(**weights):
        model = run.manifest.model.model_copy(update={"training": {**training, "weights": described | weights}})
        return Run(**{**vars(run), "manifest": run.manifest.model_copy(update={"model": model})})

    said = "base under weights of CV 0.02: nearly plain cross-entropy"
    assert said in compare(other, trained(), resampling=FEW, anyway=True).labels.warnings
    assert said in build_board([trained(), other], resampling=FEW).labels
    assert said in report_page(trained(), resampling=FEW)
    for judged in (trained(cv=0.5, warning=""), run):
        assert not any("nearly plain" in each for each in build_board([judged, other], resampling=FEW).labels)


def card(tmp_path, source=("rules", "1.1", "abc"), truth_by="column"):
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 150, p=SHARES)
    assigned = 2 - noisy_labels(2 - truth, "a good classifier", rng)
    made = report_card(
        0.9 * np.eye(3)[assigned] + 0.1 / 3, truth, source=source, labels="gold g", unknown=0, truth_by=truth_by
    )
    write_json(tmp_path / "report_card.json", [made.model_dump()])
    return tmp_path / "report_card.json"


def test_a_gold_of_another_source_is_refused(run, tmp_path):
    path = card(tmp_path, ("rules", "1.0", "abc"))
    with pytest.raises(UserError, match=r"is of rules 1.0, and the severities of .* are by rules 1.1"):
        labels_of([labelled(run)], path)
    assert labels_of([labelled(run, source={**RULES, "version": "1.0"})], path).trust.checked
    with pytest.raises(UserError, match="not of people"):
        labels_of([labelled(run)], card(tmp_path, truth_by="classifier"))


def test_peoples_labels_by_id_are_a_gold_for_any_source(run, tmp_path):
    rows = run.answers[["id", "severity"]].copy()
    rows.iloc[0, 1] = "neutral"
    rows.to_csv(tmp_path / "people.csv", index=False)
    found = labels_of([labelled(run)], tmp_path / "people.csv")
    assert sum(map(sum, found.trust.confusion)) == len(rows)
    assert found.trust.confusion[1][2] + found.trust.confusion[1][0] + found.trust.confusion[1][1] > 8 - 1
    rows.assign(id="x" + rows["id"].astype(str)).to_csv(tmp_path / "strange.csv", index=False)
    with pytest.raises(UserError, match="names no row that"):
        labels_of([labelled(run)], tmp_path / "strange.csv")


@pytest.fixture(scope="module")
def by_rules(tmp_path_factory, evaluated, encoder):
    """A dataset labelled by rules and checked against its people's labels, and two runs of it, by the commands."""
    from maqa_severity.tasks.sample import handwritten_rows
    from maqa_severity.tests.tongues import ARABIC

    root = tmp_path_factory.mktemp("labels")
    rows = pd.DataFrame(handwritten_rows(ARABIC))[["id", "question", "answer", "category", "severity"]]
    rows.to_csv(root / "people.csv", index=False)
    rows.drop(columns="severity").to_csv(root / "rows.csv", index=False)
    steps = [
        ["prepare", root / "rows.csv", "--out", root / "data", "--test", 40, "--validation", 5],
        ["label", root / "data", "--with", "rules"],
        ["label", root / "data", "--with", "rules", "--check", root / "people.csv", "--out", root / "data"],
    ]
    for kind in ("echo", "constant"):
        asked = ["--data", root / "data", "--bertscore-model", "none", "--out", root / kind, "--resamples", 200]
        steps.append(["evaluate", "--model", kind, *asked])
    said = []
    for step in steps:
        done = maqa(*step)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    return root, said


def test_what_is_known_travels_from_label_to_report(by_rules):
    root, said = by_rules
    assert "labels by rules, never checked against people" in said[1]
    manifest = json.loads((root / "echo" / "manifest.json").read_text())
    assert sum(map(sum, manifest["data"]["labels"]["confusion"])) == len(pd.read_csv(root / "people.csv"))
    assert "Severities: labels by rules, checked against people on" in said[-1]
    frame = pd.read_parquet(root / "echo" / "severity.parquet")
    assert frame[["p_non_critical", "p_neutral", "p_critical"]].sum(axis=1).to_numpy() == pytest.approx(1)
    asked = load_run(root / "echo").answers[["id", "severity"]]
    assert frame[["id", "severity"]].values.tolist() == asked.values.tolist()
    done = maqa(
        "compare", "--a", root / "echo", "--b", root / "constant", "--metric", "rougeL", "--json", root / "c.json"
    )
    assert done.returncode == 0, done.stderr
    assert "Severities: labels by rules, checked against people on" in done.stdout
    written = json.loads((root / "c.json").read_text())["labels"]
    assert written["words"].startswith("labels by rules, checked")
    assert written["differences"] or written["not_corrected"]
    assert "as labelled" in done.stdout


def test_what_is_known_of_labels_travels_when_a_dataset_is_cut_anew(by_rules, tmp_path):
    root, _ = by_rules
    cut, people = tmp_path / "cut", tmp_path / "people"
    assert maqa("prepare", root / "data", "--out", cut, "--test", 20, "--validation", 5).returncode == 0
    before, after = open_dataset(root / "data"), open_dataset(cut)
    assert after.info.severity_source == before.info.severity_source
    assert after.info.labelling == before.info.labelling
    known = dataset_trust(after, list(after.split("test")["id"]))
    assert known == dataset_trust(before, list(after.split("test")["id"])) and known.checked
    # Whoever takes the severities of a column does not have them from the dataset's source.
    done = maqa("prepare", root / "data", "--out", people, "--severity-column", "severity")
    assert done.returncode == 0, done.stderr
    assert not (people / "report_card.json").exists() and not open_dataset(people).info.labelling


def test_a_gold_of_another_source_ends_a_command_with_status_2(by_rules, tmp_path):
    root, _ = by_rules
    path = card(tmp_path, ("classifier", "tfidf:v1", "0" * 64))
    done = maqa("compare", "--a", root / "echo", "--b", root / "constant", "--metric", "rougeL", "--gold", path)
    assert done.returncode == 2
    assert "is of classifier tfidf:v1, and the severities of" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    shutil.copytree(root / "echo", tmp_path / "echo")
    report = maqa("report", tmp_path / "echo", "--metric", "rougeL", "--gold", path, "--out", tmp_path / "r.html")
    assert report.returncode == 2


def test_boards_and_reports_say_it_in_the_same_words(by_rules):
    root, _ = by_rules
    words = str(labels_of([load_run(root / "echo")]))
    board = maqa("leaderboard", root / "echo", root / "constant", "--metric", "rougeL", "--out", root / "board")
    assert board.returncode == 0, board.stderr
    assert words in board.stdout
    assert f"severities: {words}" in json.loads((root / "board" / "leaderboard.json").read_text())["labels"]
    asked = ["--against", root / "constant", "--metric", "rougeL", "--out", root / "r.html"]
    done = maqa("report", root / "echo", *asked, "--gold", root / "data")
    assert done.returncode == 0, done.stderr
    for page in (root / "board" / "index.html", root / "r.html"):
        assert words in page.read_text(encoding="utf-8")


def test_true_rates_stand_beside_those_of_the_detectors(by_rules):
    root, said = by_rules
    assert "true rates behind the detectors'" in said[-1]
    done = maqa("compare", "--a", root / "echo", "--b", root / "constant", "--metric", "rougeL")
    assert "B - A of true rates" in done.stdout


def test_people_s_labels_give_a_number_by_gold_rows(by_rules, tmp_path):
    root, _ = by_rules
    done = maqa(
        "compare", "--a", root / "echo", "--b", root / "constant", "--metric", "rougeL",
        "--gold", root / "people.csv", "--json", tmp_path / "c.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(gold people.csv)" in done.stdout


def test_questions_that_belong_together_are_drawn_as_one():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 100)
    together = np.arange(300) // 10
    changes = rng.normal(0, 4, 30)[together] + rng.normal(0, 1, 300)
    gold = Gold(np.diag([4000.0, 4000, 4000]), np.zeros(3))
    alone = true_means(Sample([], changes, codes), gold, Resampling())
    drawn = true_means(Sample([], changes, codes, together), gold, Resampling())
    for one, other in zip(alone, drawn, strict=True):
        assert other.mean == one.mean
        assert other.high - other.low > 2 * (one.high - one.low)
        assert other.worst_high - other.worst_low > 1.5 * (one.worst_high - one.worst_low)
    single = true_means(Sample([], changes, codes, np.arange(300)), gold, Resampling())
    assert [each.mean for each in single] == [each.mean for each in alone]


def test_a_percentage_is_of_enough_gold_rows_and_a_count_of_fewer():
    few = Trust(confusion=[[9, 1, 0], [0, 18, 1], [1, 0, 0]], truth_by="column")
    said = {stratum: mark(RULES, few, stratum) for stratum in ("non_critical", "neutral", "critical")}
    assert said == {
        "non_critical": "as labelled, 9 of 10 right",
        "neutral": "as labelled, 18 of 19 right",
        "critical": "as labelled, 0 of 1 right",
    }
    assert mark(RULES, Trust(confusion=[[19, 0, 0], [1, 9, 0], [0, 0, 9]], truth_by="column"), "non_critical") == (
        "as labelled, 95 % right"
    )
