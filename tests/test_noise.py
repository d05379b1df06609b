"""Asking questions again: which, under which keys, what changes, and what is said of differences as large."""

import io
import json
import random
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from maqa_severity.commands.compare_tables import print_comparison
from maqa_severity.commands.leaderboard import print_board
from maqa_severity.commands.noise_tables import print_noise
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.evaluation.evaluate import evaluate, evaluate_shard
from maqa_severity.harness.evaluation.options import EvaluationOptions
from maqa_severity.harness.generation.backends import BACKENDS
from maqa_severity.harness.generation.backends.base import Backend
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import answer_seed, decoding
from maqa_severity.harness.generation.endings import ending
from maqa_severity.harness.generation.repeats import again, chosen, regrouped
from maqa_severity.harness.generation.store.lines import read
from maqa_severity.harness.generation.store.store import answer_key
from maqa_severity.harness.metrics.rouge import Rouge
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.noise_compared import NOT_MEASURED
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.runs.run import load_run
from maqa_severity.harness.statistics.noise import Part, Spread, at_most, floor_of, parts_of, spread_of
from maqa_severity.leaderboards.board import build_board
from maqa_severity.leaderboards.export import board_page
from maqa_severity.reports.page import report_page
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tests.generating import GREEDY, answer, hf_config
from maqa_severity.tests.serving import answer as reply
from maqa_severity.tests.serving import config_of, serving
from maqa_severity.tests.test_generation_parts import prompts
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.validity_noise import KINDS, below
from maqa_severity.trainers.experiments.config import load_experiment
from rich.console import Console
from scipy import stats

SEVERITIES = {str(n): ("critical", "neutral", "non_critical")[n % 3] for n in range(90)}


def test_the_same_share_of_every_severity_is_asked_again_whatever_the_order_of_the_rows():
    found = chosen(SEVERITIES, 0.1, 7)
    assert {name: sum(SEVERITIES[row] == name for row in found) for name in set(SEVERITIES.values())} == {
        "critical": 3, "neutral": 3, "non_critical": 3,
    }  # fmt: skip
    assert chosen(dict(reversed(SEVERITIES.items())), 0.1, 7) == found != chosen(SEVERITIES, 0.1, 8)
    assert found < chosen(SEVERITIES, 0.2, 7) < chosen(SEVERITIES, 1, 7) == set(SEVERITIES)


def test_too_few_questions_are_refused_with_a_share_that_suffices():
    with pytest.raises(UserError, match=r"asks 1 of 30 critical .* Give --repeat-share 0.07 or more") as raised:
        chosen(SEVERITIES, 0.03, 0)
    assert "\n" not in str(raised.value)
    assert chosen(SEVERITIES, 0.07, 0)
    assert chosen({"a": "critical", "b": "neutral", "c": "neutral"}, 0.9, 0) == {"a", "b", "c"}
    with pytest.raises(UserError, match="too little"):
        chosen({"a": "critical"}, 1, 0)


def test_a_repeat_has_a_key_and_a_seed_that_no_first_answer_has():
    (prompt,) = prompts(1)
    first = [answer_key("d", prompt.text, sample) for sample in range(9)]
    twice = again(prompt, "d")
    assert twice.key not in first and (twice.text, twice.id) == (prompt.text, prompt.id)
    assert answer_seed(1, "x", 0) == answer_seed(1, "x", 0, 0) != answer_seed(1, "x", 0, 1)


def test_no_batch_is_the_same_even_where_every_question_is_asked_again():
    plan = [prompts(7)[:4], prompts(7)[4:]]
    other = regrouped(plan)
    assert not [chunk for chunk in other if chunk in plan]
    assert sorted(each.key for chunk in other for each in chunk) == [each.key for each in prompts(7)]


def run(checkpoint, out, how=GREEDY, share=0.5, limit=4, **settings):
    config = hf_config(checkpoint, out / "answers", how, repeat_share=share, **settings)
    return evaluate(config, EvaluationOptions(out=out, bertscore_model="none", limit=limit), FOLDER, GROUP)


def test_an_engine_without_noise_changes_no_answer_and_its_floor_is_0(checkpoint, tmp_path):
    made = run(checkpoint, tmp_path, decoding("greedy", ARABIC, max_new_tokens=8))
    assert made.noise.changed["critical"].asked == 2 and made.noise.overall.asked == 6
    assert made.noise.overall.changed == 0 and made.noise.how == "in other batches"
    assert {cell.floor for name in ("chrf", "rouge1") for cell in made.noise.metrics[name].values()} == {0.0}
    assert made.manifest.answers["all"] == 12 == len(pd.read_parquet(tmp_path / "generation.parquet"))


def test_asking_again_changes_no_first_answer(checkpoint, tmp_path):
    plain, twice = (
        answer(hf_config(checkpoint, tmp_path / name, GREEDY, repeat_share=share), 12)
        for name, share in (("plain", None), ("again", 1.0))
    )
    assert twice.texts == plain.texts and len(twice.repeats) == 12 and not plain.repeats
    keys = [each.key for path in (tmp_path / "again").glob("*.jsonl") for each in read(path).answers]
    assert keys[:12] == [each.key for path in (tmp_path / "plain").glob("*.jsonl") for each in read(path).answers]
    assert len(set(keys)) == len(keys) == 24


@pytest.mark.slow
def test_repeats_come_to_a_run_that_is_whole_and_nothing_is_asked_a_third_time(checkpoint, tmp_path):
    how = decoding("paper", ARABIC, max_new_tokens=8)
    first = run(checkpoint, tmp_path, how, share=None, samples=2)
    assert first.noise is None
    stored = [each for path in tmp_path.glob("answers/*.jsonl") for each in read(path).answers]
    made = run(checkpoint, tmp_path, how, samples=2)
    assert made.noise.overall.asked == 12 and made.noise.overall.changed > 6
    assert made.noise.how == "by another seed and in other batches"
    assert first.scores.frame.equals(made.scores.frame)
    lines = [each for path in tmp_path.glob("answers/*.jsonl") for each in read(path).answers]
    assert lines[: len(stored)] == stored and len(lines) == len(stored) + 12
    frame = pd.read_parquet(tmp_path / "repeats.parquet")
    means = frame.groupby("id")["chrf"].mean()
    before = made.scores.frame.set_index("id")["chrf"][means.index]
    cell = made.noise.metrics["chrf"]["overall"]
    assert cell.mean == pytest.approx((means - before).mean()) and cell.n == 6
    assert cell.absolute_mean == pytest.approx((means - before).abs().mean())
    again_scored = rescore(tmp_path, lambda language: [Rouge(language)])
    assert set(again_scored.noise.metrics) == set(again_scored.scores.metrics) == {"rouge1", "rouge2", "rougeL"}
    assert load_run(tmp_path).noise == again_scored.noise


@pytest.mark.slow
def test_shards_ask_together_what_one_process_asks_again(checkpoint, tmp_path):
    one = run(checkpoint, tmp_path / "one", limit=6)
    store = tmp_path / "two" / "answers"
    options = EvaluationOptions(out=tmp_path / "two", bertscore_model="none", limit=6)
    counts = [
        evaluate_shard(hf_config(checkpoint, store, shard=(i, 2), repeat_share=0.5), options, FOLDER, GROUP)
        for i in (0, 1)
    ]
    assert sum(counts) == 18 + 9
    two = run(checkpoint, tmp_path / "two", limit=6)
    assert two.manifest.runtime["defaults"] == {}, "all answers were there"
    assert (tmp_path / "two" / "noise.json").read_bytes() == (tmp_path / "one" / "noise.json").read_bytes()
    assert one.noise == two.noise


def test_an_endpoint_is_simply_asked_again(tmp_path):
    count, lock = [0], threading.Lock()

    def behave(body, nth):
        with lock:
            count[0] += 1
            return reply(f"جواب {count[0]}")

    with serving(behave) as server:
        config = config_of(server, tmp_path / "answers").model_copy(update={"repeat_share": 1.0})
        model = answer(config, 6)
        assert len(server.asked) == 12 == len({(body["prompt"], body["seed"]) for body in server.asked})
    assert not {each.text for _, each in model.repeats} & {each.text for each in model.answers}


class Chatter:
    """Says the question, of which words are lost: always the same ones at the rate ``loss``, others by chance."""

    max_prompts, max_tokens = 8, None
    draw = random.Random(0)

    def __init__(self, config):
        self.defaults = {}
        self.loss, self.noise = (float(config.model_args[name]) for name in ("loss", "noise"))

    def lengths(self, prompts):
        return [1 for _ in prompts]

    def generate(self, prompts):
        return [ending(self._say(prompt), ()).generated(1, 1, 0.0) for prompt in prompts]

    def _say(self, prompt):
        known = random.Random(prompt.id)
        words = prompt.question.split()
        kept = [word for word in words if known.random() >= self.loss and self.draw.random() >= self.noise]
        return " ".join(kept)

    def release(self):
        pass


@pytest.fixture(scope="module")
def chatter():
    """In place of ``vllm``."""
    with pytest.MonkeyPatch.context() as patch:
        arguments = {"loss": float, "noise": float, "who": str}
        made = Backend(name="vllm", load=Chatter, identity_args=arguments)
        patch.setitem(BACKENDS._things, "vllm", made)
        yield


def told(**loads):
    return GenerationConfig(kind="vllm", decoding=decoding("greedy", ARABIC), **loads)


@pytest.fixture(scope="module")
def noisy(chatter, tmp_path_factory):
    """Three runs: an engine with planted noise, another that differs from it by as little, and a far better one."""
    root, made = tmp_path_factory.mktemp("noisy"), {}
    for name, loss in {"one": 0.10, "other": 0.11, "better": 0.0}.items():
        arguments = {"loss": loss, "noise": 0.3 if name != "better" else 0.0, "who": name}
        config = told(model_args=arguments, store=root / name / "answers", repeat_share=0.5)
        options = EvaluationOptions(out=root / name, bertscore_model="none", limit=20, name=name)
        made[name] = evaluate(config, options, FOLDER, GROUP)
    return made


def printed(show, *given):
    console = Console(width=100, record=True, file=io.StringIO())
    show(console, *given)
    return " ".join(console.export_text().split())


@pytest.mark.slow
def test_planted_noise_is_found_and_a_difference_as_small_is_said_to_be_within_it(noisy, tmp_path):
    one, other = noisy["one"], noisy["other"]
    assert one.noise.overall.changed > 20
    compared = compare(one, other, ["chrf"])
    metric = compared.metrics[0]
    overall = next(each for each in compared.noise.floors if (each.metric, each.stratum) == (metric, "overall"))
    assert 0 < abs(overall.mean) < overall.floor and overall.within
    assert "within the noise of this engine in" in compared.words[metric]
    change = compared.difference(metric, "overall")
    bare = compare(load_without(one), load_without(other), [metric])
    assert change == bare.difference(metric, "overall"), "the verdict's own figures are as before"
    assert compared.words[metric].startswith(bare.words[metric])
    said = printed(print_comparison, compared)
    assert said.count("Noise of the engine, asked again") == 1 and "within the noise" in said
    assert printed(print_comparison, bare).count(NOT_MEASURED.split(";")[0]) == 1
    page = report_page(other, one, metric)
    assert "within the noise of this engine" in page and "asked again as before" in page
    board = build_board([one, other], metric)
    for shown in (printed(print_board, board), board_page(board)):
        assert "within the noise of this engine" in shown and "asked again as before" in shown
    assert "Asked again as before" in printed(print_noise, one)


def load_without(made):
    """The same run as if nothing had been asked again."""
    return replace(made, noise=None)


def test_a_difference_beyond_the_noise_is_not_called_so(noisy):
    compared = compare(noisy["one"], noisy["better"], ["chrf"])
    assert not any(each.within for each in compared.noise.floors if each.metric == "chrf")
    assert "beyond the noise of this engine (" in compared.words["chrf"]


def test_the_floor_of_one_system_asked_again_is_students_bound_of_its_mean():
    differences = np.random.default_rng(0).normal(0, 3, 40)
    spread = spread_of(differences)
    freedom = min(40, 80 / (np.mean(differences**4) / np.mean(differences**2) ** 2 - 1))
    expected = stats.t.ppf(0.975, freedom) * np.sqrt(np.mean(differences**2) / 200)
    assert floor_of(parts_of({"critical": spread}, {"critical": 200}, 1.0)) == pytest.approx(expected)
    both = [*parts_of({"critical": spread}, {"critical": 200}, 0.5)] * 2
    assert floor_of(both) == pytest.approx(expected * stats.t.ppf(0.975, 2 * freedom) / stats.t.ppf(0.975, freedom))
    assert floor_of([Part(1.0, Spread(0.0, 5))]) == 0
    assert parts_of({"critical": spread}, {"critical": 3, "neutral": 1}, 1.0) is None
    assert at_most(0, 30) == pytest.approx(100 * (1 - 0.05 ** (1 / 30))) and at_most(3, 3) == 100


@pytest.mark.parametrize("kind", list(KINDS)[:2])
def test_equal_systems_stay_below_the_floor(kind):
    assert 90 <= below(kind, 0.3, 300)[0] <= 99


def test_a_share_that_is_none_is_one_line_in_an_experiment_too(tmp_path):
    for wrong in (0, 1.5):
        with pytest.raises(UserError, match="is no share of the questions") as raised:
            told(model_args={}, store=tmp_path, repeat_share=wrong)
        assert "\n" not in str(raised.value)
        file = tmp_path / "x.yaml"
        text = "name: x\ndata: {source: sample}\nmodels: [{name: m, id: demo}]\narms: [{arm: ce}]\n"
        file.write_text(text + f"evaluation: {{repeat_share: {wrong}}}\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"evaluation\.repeat_share"):
            load_experiment(file)
    file.write_text(text, encoding="utf-8")
    plain = load_experiment(file)
    file.write_text(text + "evaluation: {repeat_share: 0.2}\n", encoding="utf-8")
    assert load_experiment(file).equals(json.loads(plain.model_dump_json())), "repeats can be asked for later"


@pytest.mark.slow
def test_workers_ask_again_what_one_process_does(checkpoint, tmp_path):
    ray = pytest.importorskip("ray", reason="Ray is not installed here: pip install 'maqa-severity[ray]'")
    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR")
    try:
        one = answer(hf_config(checkpoint, tmp_path / "one", repeat_share=0.5))
        two = answer(hf_config(checkpoint, tmp_path / "two", ray=True, workers=2, repeat_share=0.5))
        keys = [[(prompt.key, each.text) for prompt, each in model.repeats] for model in (one, two)]
        assert keys[0] == keys[1] and len(keys[0]) == 15
    finally:
        ray.shutdown()
