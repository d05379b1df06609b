"""vLLM for real: the same answers as transformers, one engine for all severities, killed and resumed."""

import inspect
import json
import logging
import subprocess
import sys

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.backends import BACKENDS
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.endings import cut
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.records import Prompt
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.runs.run import load_run
from maqa_severity.tasks.sample.grammar import everyday_rows
from maqa_severity.tests.generating import answer, hf_config, requests
from maqa_severity.tests.killing import killed_until_done
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.trainers.demo.models import make_demo_base

log = logging.getLogger(__name__)
pytestmark = pytest.mark.vllm
pytest.importorskip("vllm", reason="vLLM is not installed here; `make test-vllm` installs it on its own")


def vllm_config(checkpoint, store, how, arguments=None, **settings):
    model_args = {"pretrained": str(checkpoint), "dtype": "float32", **(arguments or {})}
    return GenerationConfig(kind=Kind.VLLM, model_args=model_args, decoding=how, store=store, **settings)


# Few enough that some answers of the demo's model are cut and some end by themselves.
GREEDY = decoding("greedy", ARABIC, max_new_tokens=12)


@pytest.fixture(scope="module")
def speaker(tmp_path_factory):
    """A demo checkpoint that has learnt to write sentences."""
    pairs = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 300)]
    return make_demo_base(tmp_path_factory.mktemp("models") / "speaker", pairs, language=ARABIC)


@pytest.fixture(scope="module")
def engine(speaker, tmp_path_factory):
    """One vLLM engine, decoding greedily."""
    from maqa_severity.harness.generation.engines.vllm import VLLMEngine

    made = VLLMEngine(vllm_config(speaker, tmp_path_factory.mktemp("s"), GREEDY))
    yield made
    made.release()


def prompts(number):
    """Questions of the kind that the speaker has learnt, so that it has different things to say."""
    texts = [ARABIC.ask(row["question"]) for row in everyday_rows(ARABIC, number)]
    return [Prompt(str(n), text, 0, str(n), "neutral", "") for n, text in enumerate(texts)]


def test_greedy_answers_are_those_of_transformers(speaker, tmp_path, engine):
    asked = prompts(200)
    hf = HFEngine(hf_config(speaker, tmp_path, GREEDY))
    theirs = [answer for start in range(0, 200, 50) for answer in hf.generate(asked[start : start + 50])]
    ours = engine.generate(asked)
    same = [(a, b) for a, b in zip(theirs, ours, strict=True) if a.text == b.text]
    log.info("%d of 200 texts are the same, %d of them distinct", len(same), len({a.text for a, _ in same}))
    assert len(same) >= 190
    for a, b in same:
        assert (a.finish_reason, a.tokens, a.prompt_tokens) == (b.finish_reason, b.tokens, b.prompt_tokens)
    assert len({a.finish_reason for a, _ in same}) == 2 and len({a.text for a, _ in same}) > 20


def test_a_stop_string_at_the_very_start_ends_no_answer_as_with_transformers(
    speaker, tmp_path, engine, monkeypatch
):
    asked = prompts(12)
    until = tuple({answer.text.lstrip()[:2] for answer in engine.generate(asked)})
    how = GREEDY.model_copy(update={"until": until})
    monkeypatch.setattr(engine, "_decoding", how)
    ours, theirs = engine.generate(asked), HFEngine(hf_config(speaker, tmp_path, how)).generate(asked)
    assert all(answer.text.strip() for answer in ours)
    same = [a for a, b in zip(ours, theirs, strict=True) if (a.text, a.stop) == (b.text, b.stop)]
    assert len(same) >= 11 and any(answer.stop for answer in same)


def test_a_stop_string_within_thoughts_ends_no_answer(engine, monkeypatch):
    asked = prompts(200)
    said = [answer.text.lstrip() for answer in engine.generate(asked)]
    # What the model says is taken for thoughts up to a mark that it writes itself.
    at = next(at for at, text in enumerate(said) if text.find(text[6:10]) == 6 and text[10:].strip())
    stop, mark = said[at][2:5], said[at][6:10]
    monkeypatch.setattr(engine, "_decoding", GREEDY.model_copy(update={"until": (stop,)}))
    monkeypatch.setattr(engine._reader, "think_end", mark)
    (found,) = engine.generate(asked[at : at + 1])
    assert found.thinking == len(said[at][:6].strip())
    assert found.text == cut(said[at][10:].lstrip(), (stop,))[0]


def test_log_probabilities_are_those_of_transformers(speaker, engine):
    import torch
    from transformers import AutoModelForCausalLM
    from vllm import SamplingParams, TokensPrompt

    network = AutoModelForCausalLM.from_pretrained(speaker, dtype=torch.float32).eval()
    encoded = engine._encode(prompts(200))
    outputs = engine.lm.model.generate(
        [TokensPrompt(prompt_token_ids=ids) for ids in encoded],
        SamplingParams(temperature=0.0, max_tokens=48, ignore_eos=True, logprobs=1),
        use_tqdm=False,
    )
    worst = 0.0
    for ids, output in zip(encoded, outputs, strict=True):
        new = list(output.outputs[0].token_ids)
        with torch.no_grad():
            logits = network(torch.tensor([ids + new])).logits[0, len(ids) - 1 : -1]
        expected = torch.log_softmax(logits, -1)[range(len(new)), new]
        found = torch.tensor(
            [row[token].logprob for row, token in zip(output.outputs[0].logprobs, new, strict=True)]
        )
        worst = max(worst, float((found - expected).abs().max()))
    log.info("largest difference of a token's log-probability: %.1e", worst)
    assert worst < 1e-3


def test_sampled_answers_do_not_depend_on_their_chunk(checkpoint, tmp_path):
    how = decoding("paper-curriculum", ARABIC, max_new_tokens=24)
    small = answer(vllm_config(checkpoint, tmp_path / "3", how, batch_size=3), 20)
    large = answer(vllm_config(checkpoint, tmp_path / "64", how, batch_size=64), 20)
    assert small.texts == large.texts and len(set(large.texts)) > 15


def evaluate(checkpoint, out, *more):
    return [
        sys.executable, "-m", "maqa_severity", "evaluate", "--model", "vllm",
        "--model-args", f"pretrained={checkpoint},dtype=float32", "--out", str(out),
        "--bertscore-model", "none", "--batch-size", "10", "--limit", "40", "--max-new-tokens", "48", *more,
    ]  # fmt: skip


def test_the_main_job_runs_through_vllm_and_its_manifest_shows_what_was_set(checkpoint, tmp_path):
    done = subprocess.run(evaluate(checkpoint, tmp_path / "run"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    run = load_run(tmp_path / "run")
    assert len(run.answers) == 120 and run.manifest.model.kind == "vllm"
    assert run.manifest.model.identity["backend"].startswith("vllm")
    defaults = run.manifest.runtime["defaults"]
    assert defaults["model_args"] == {"kv_cache_memory_bytes": 256 * 2**20, "enforce_eager": True}
    assert defaults["environment"]["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    results = json.loads((run.path / run.manifest.results).read_text())
    assert results["generation"]["overall"]["answers"] == 120


def test_one_engine_serves_all_severities_and_is_gone_before_scoring(checkpoint, tmp_path, monkeypatch):
    from maqa_severity.harness.evaluation.evaluate import evaluate as run_evaluation
    from maqa_severity.harness.evaluation.options import EvaluationOptions
    from maqa_severity.harness.generation.engines.vllm import VLLMEngine
    from maqa_severity.harness.metrics.rouge import Rouge
    from maqa_severity.tasks import FOLDER, GROUP

    events = []

    def noting(owner, name):
        whole = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, **kw: (events.append(name), whole(*args, **kw))[1])

    noting(VLLMEngine, "__init__")
    noting(VLLMEngine, "release")
    noting(Rouge, "score")
    options = EvaluationOptions(out=tmp_path / "run", bertscore_model="none", limit=3)
    run_evaluation(
        vllm_config(checkpoint, tmp_path / "answers", decoding("greedy", ARABIC, max_new_tokens=8)),
        options,
        FOLDER,
        GROUP,
    )
    assert events == ["__init__", "release", "score", "score", "score"]


def test_too_little_memory_is_one_line(checkpoint, tmp_path):
    starved = vllm_config(checkpoint, tmp_path, decoding("greedy", ARABIC), {"kv_cache_memory_bytes": 4096})
    with pytest.raises(UserError, match=r"ran out of memory; 0 answers are kept.*kv_cache_memory_bytes="):
        StoredModel(starved).generate_until(requests(2, decoding("greedy", ARABIC)))


def test_every_argument_of_lm_evals_backend_is_declared_identity_or_runtime():
    from lm_eval.models.vllm_causallms import VLLM

    found = set(inspect.signature(VLLM.__init__).parameters) - {"self", "kwargs"}
    assert found <= BACKENDS["vllm"].arguments.keys()


@pytest.mark.slow
def test_5_kills_at_random_moments_leave_the_bytes_of_the_uninterrupted_run(checkpoint, tmp_path):
    def command(out):
        return evaluate(checkpoint, out, "--batch-size", "4")

    assert killed_until_done(command, tmp_path, kills=5, seed=7) >= 1


def test_questions_are_asked_again_without_what_the_cache_knows_of_them(speaker, tmp_path, monkeypatch):
    from maqa_severity.harness.generation.engines.vllm import VLLMEngine

    forgot, outputs = [], VLLMEngine._outputs

    def counted(engine, asked, *given):
        forgot.append([prompt.repeat for prompt in asked])
        return outputs(engine, asked, *given)

    monkeypatch.setattr(VLLMEngine, "_outputs", counted)
    made = answer(vllm_config(speaker, tmp_path, GREEDY, repeat_share=0.5))
    assert len(made.repeats) == 15 and len({each.key for each in made.answers}) == 30
    assert [set(each) for each in forgot] == [{0}, {1}, {1}]
    first = {each.id: each.text for each in made.answers}
    same = [each.text == first[prompt.id] for prompt, each in made.repeats]
    log.info("%d of %d answers are the same when asked again", sum(same), len(same))
    assert sum(same) >= 12
