"""The demo's two worlds, the models that are made for them, and what is concluded from them."""

from pathlib import Path

import numpy as np
import pytest
from maqa_severity.commands.demo_checks import encoder_check, floors_check, null_check, planted_check
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.languages.text import Profile, normalise
from maqa_severity.harness.runs.arms import ArmsCompared, ArmsOfBase
from maqa_severity.harness.runs.claim import Claim, Leg
from maqa_severity.harness.scores.signatures import Better
from maqa_severity.harness.severity import SEVERITIES, Severity
from maqa_severity.harness.statistics import OVERALL, Difference, Verdict
from maqa_severity.harness.statistics.intervals import Method
from maqa_severity.tasks.sample.planted import COUNTS, everyday_of_world, null_rows, planted_rows
from maqa_severity.tests.tongues import ARABIC, ENGLISH
from maqa_severity.trainers.arms import ArmSpec, arm_weights, scaled_to_mean_one
from maqa_severity.trainers.demo.models import make_demo_base, make_demo_encoder
from maqa_severity.trainers.experiments.config import DataPart, load_experiment
from maqa_severity.trainers.experiments.ingredients import demand_source, experiment_dataset

TONGUES = pytest.mark.parametrize("tongue", [ARABIC, ENGLISH], ids=lambda tongue: tongue.code)


@TONGUES
def test_a_world_is_the_same_every_time_and_another_under_another_seed(tongue):
    assert planted_rows(tongue, 3) == planted_rows(tongue, 3) != planted_rows(tongue, 4)
    assert null_rows(tongue, 3) == null_rows(tongue, 3)


@TONGUES
def test_a_world_has_the_rows_that_it_promises_and_few_critical_ones_in_training(tongue):
    worlds = planted_rows(tongue)
    for split, counts in COUNTS.items():
        assert len(worlds[split]) == sum(counts.values())
        critical = sum(row["severity"] == Severity.CRITICAL for row in worlds[split])
        assert critical == counts[Severity.CRITICAL]
    test = [row["severity"] for row in worlds["test"]]
    assert {severity: test.count(severity) for severity in SEVERITIES} == dict.fromkeys(SEVERITIES, 100)
    train = [row["severity"] for row in worlds["train"]]
    assert train.count(Severity.CRITICAL) < 0.1 * len(train)


@TONGUES
def test_no_test_answer_was_seen_in_training_and_no_base_has_read_of_an_emergency(tongue):
    worlds = planted_rows(tongue)
    everyday = everyday_of_world(tongue)
    asked = {row["answer"] for row in worlds["test"]}
    read = {row["answer"] for row in (*worlds["train"], *worlds["validation"], *everyday)}
    assert not asked & read
    actions = {
        row["answer"].split("،")[0].split(",")[0] for row in worlds["train"] if row["severity"] == "critical"
    }
    assert len(actions) == 4
    assert not any(row["answer"].startswith(tuple(actions)) for row in everyday)
    plain = [normalise(row["question"], Profile.METRIC, tongue) for split in worlds.values() for row in split]
    assert len(set(plain)) == len(plain)


@TONGUES
def test_the_null_world_has_the_same_texts_and_its_severities_say_nothing(tongue):
    planted, null = planted_rows(tongue), null_rows(tongue)
    for split, rows in planted.items():
        texts = [[(row["id"], row["question"], row["answer"]) for row in each] for each in (rows, null[split])]
        assert texts[0] == texts[1]
        one, other = ([row["severity"] for row in each] for each in (rows, null[split]))
        assert sorted(one) == sorted(other) and one != other
    one, other = (np.array([row["severity"] for row in each["train"]]) for each in (planted, null))
    for severity in SEVERITIES:
        # As many emergencies are called so as there are such rows among all, give or take a row of each severity.
        asked = np.mean(one == severity) * np.sum(one == "critical")
        assert abs(np.sum((one == "critical") & (other == severity)) - asked) <= 3
    assert abs(np.corrcoef(one == "critical", other == "critical")[0, 1]) < 0.1
    # The draw says no more of what is asked or answered: weights differ between rows of the same answer.
    answers = [row["answer"] for row in null["train"]]
    assert len(set(zip(answers, other, strict=True))) > len(set(answers))


def test_a_language_without_a_world_is_refused_before_anything_is_done(tmp_path):
    with pytest.raises(UserError, match=r"no planted world in Arabic \(zz\). Choose one of: ar, en"):
        planted_rows(ARABIC.model_copy(update={"code": "zz"}))
    with pytest.raises(UserError, match="unknown language 'tlh'"):
        demand_source(DataPart(source="null-world", language="tlh"), tmp_path)


def test_both_worlds_are_datasets_of_an_experiment(tmp_path):
    for source in ("planted-world", "null-world"):
        part = DataPart(source=source, seed=5)
        demand_source(part, tmp_path / source)
        dataset = experiment_dataset(part, tmp_path / source)
        assert dataset.info.source == f"the {source.replace('-', ' ')} of seed 5 (synthetic)"
        assert (len(dataset.split("train")), len(dataset.split("test"))) == (840, 300)


def test_the_demo_claims_with_every_control_and_its_worlds_differ_in_the_severities_alone():
    demo, null = load_experiment(Path("demo")), load_experiment(Path("demo-null"))
    assert (demo.claim.arm, demo.claim.against) == ("severity", ["ce", "shuffled"])
    assert (null.claim, [arm for arm in demo.arms if arm.arm != "base"]) == (demo.claim, null.arms)
    assert len(demo.seeds) >= 2 and demo.seeds == null.seeds and demo.training == null.training
    assert (demo.data.source, null.data.source) == ("planted-world", "null-world")
    assert demo.data.seed == null.data.seed


@TONGUES
def test_the_encoder_of_a_world_ranks_right_above_fluent_wrong_above_constant(tongue, tmp_path):
    rows = planted_rows(tongue)
    texts = [row[key] for row in rows["train"][:400] for key in ("question", "answer")]
    encoder = make_demo_encoder(tmp_path / "encoder", texts)
    dataset_from_rows(rows, tmp_path / "dataset", language=tongue, source="a world")
    found = encoder_check(encoder, tmp_path / "dataset")
    assert found.holds and str(found).startswith("ok: this encoder separates right answers from wrong ones")


def test_an_encoder_that_knows_nothing_of_words_fails_the_check(tmp_path):
    import torch
    from transformers import BertModel

    rows = planted_rows(ARABIC)
    encoder = make_demo_encoder(tmp_path / "encoder", [row["answer"] for row in rows["train"][:40]])
    model = BertModel.from_pretrained(encoder)
    with torch.no_grad():
        for table in (model.embeddings.word_embeddings, model.embeddings.position_embeddings):
            table.weight.zero_()
    model.save_pretrained(encoder)
    dataset_from_rows(rows, tmp_path / "dataset", language=ARABIC, source="a world")
    found = encoder_check(encoder, tmp_path / "dataset")
    assert not found.holds and str(found).startswith("FAILED: this encoder does not separate")


def test_a_base_that_learns_answers_alone_learns_no_questions(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    pairs = [(row["question"], row["answer"]) for row in everyday_of_world(ARABIC)[:200]]
    surprise = {}
    for name, answers_only in (("answers", True), ("texts", False)):
        folder = make_demo_base(tmp_path / name, pairs, epochs=2, answers_only=answers_only, language=ARABIC)
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
        asked = tokenizer(ARABIC.ask(pairs[0][0]), return_tensors="pt")["input_ids"]
        surprise[name] = float(model(input_ids=asked, labels=asked).loss.detach())
    assert surprise["answers"] > surprise["texts"] + 1


def test_constant_weights_are_those_of_cross_entropy_once_their_mean_is_one(tmp_path):
    train = experiment_dataset(DataPart(source="planted-world"), tmp_path).split("train")
    lengths = train["answer"].str.split().str.len().to_numpy()
    scaled = [
        scaled_to_mean_one(arm_weights(ArmSpec.of(arm, scheme), train, 0), lengths)
        for arm, scheme in (("ce", None), ("constant", "strong"), ("severity", "strong"))
    ]
    assert scaled[0] == pytest.approx(scaled[1]) and scaled[2].std() > 0.5


def _difference(mean: float, verdict: Verdict, p: float) -> Difference:
    return Difference(
        metric="bertscore_f1", stratum=OVERALL, n=300, mean=mean, low=mean - 1, high=mean + 1,
        method=Method.TWO_LEVELS, p=p, deviation=5.0, effect_size=1.0, better=Better.HIGHER, improved_pct=50.0,
        worsened_pct=10.0, p_holm=p, family=1, verdict=verdict,
    )  # fmt: skip


def _arms(*legs: tuple[str, float, Verdict, float], seeds: int = 3) -> ArmsCompared:
    made = tuple(Leg(name, _difference(mean, verdict, p), (seeds, seeds)) for name, mean, verdict, p in legs)
    return ArmsCompared([ArmsOfBase("demo", {}, [Claim("severity-strong", "bertscore_f1", OVERALL, made)])], [])


GAIN, LOSS, NOTHING = Verdict.GAIN, Verdict.LOSS, Verdict.NO_EVIDENCE


def test_the_planted_world_has_to_beat_every_control():
    found = planted_check(_arms(("ce", 5.0, GAIN, 0.001), ("shuffled", 5.0, GAIN, 0.001)))
    assert found.holds and str(found).startswith("ok: planted world: severity-aware training helps")
    for arms in (
        _arms(("ce", 5.0, GAIN, 0.001), ("shuffled", 0.3, NOTHING, 0.7)),
        _arms(("ce", -5.0, LOSS, 0.001), ("shuffled", 5.0, GAIN, 0.001)),
        _arms(("ce", 5.0, GAIN, 0.001), seeds=1),
    ):
        failed = planted_check(arms)
        assert not failed.holds and "\n" not in str(failed) and str(failed).startswith("FAILED: planted world: ")


def test_the_null_world_must_be_silent_against_weights_of_the_same_spread():
    nothing, against_ce = ("shuffled-strong", 0.2, NOTHING, 0.6), ("ce", 0.2, NOTHING, 0.6)
    for plain in (("ce", 0.2, NOTHING, 0.6), ("ce", -2.0, LOSS, 0.01)):
        silent = null_check(_arms(plain, nothing))
        assert silent.holds and "ok: null world: nothing found in" in str(silent)
        assert f"minus ce {plain[1]:+.1f} (p {plain[3]}" in str(silent)
    gain, loss = (("shuffled-strong", mean, verdict, 0.01) for mean, verdict in ((2.0, GAIN), (-2.0, LOSS)))
    for arms, words in (
        (_arms(("ce", 2.0, GAIN, 0.01), nothing), "a gain against ce found"),
        (_arms(against_ce, gain), "a gain against shuffled-strong found"),
        (_arms(against_ce, loss), "a loss against shuffled-strong"),
        (_arms(("ce", 2.0, GAIN, 0.01), gain), "a gain against ce and a gain against shuffled-strong"),
        (_arms(against_ce, nothing, seeds=1), "too few trainings"),
        (_arms(against_ce), "too few trainings"),
    ):
        failed = null_check(arms)
        assert not failed.holds and words in str(failed) and str(failed).startswith("FAILED: null world: ")


def test_a_floor_above_a_trained_arm_fails(evaluated):
    from maqa_severity.harness.runs.run import load_run
    from maqa_severity.leaderboards.board import build_board

    board = build_board([load_run(path) for path in evaluated.values()])
    rows = [row.model_copy(update={"seed": None if row.floor else 0}) for row in board.rows]
    means = {row.name: row.cell("bertscore_f1", OVERALL).mean for row in rows}
    trained = next(row.name for row in rows if not row.floor)
    above = floors_check(board.model_copy(update={"rows": rows}))
    assert above.holds == (max(mean for name, mean in means.items() if name != trained) < means[trained])
    swapped = [row.model_copy(update={"floor": not row.floor, "seed": 0 if row.floor else None}) for row in rows]
    below = floors_check(board.model_copy(update={"rows": swapped}))
    assert above.holds != below.holds
    assert {str(above)[:2], str(below)[:2]} == {"ok", "FA"}
