"""vLLM with adapters: one engine for all arms of a base gives the answers of an engine for each."""

import json
import logging
import time

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.engines.hf import HFEngine
from maqa_severity.harness.generation.store.lines import read
from maqa_severity.tests.adapters import foreign_adapter, trained_adapter
from maqa_severity.tests.generating import hf_config
from maqa_severity.tests.test_vllm import GREEDY, prompts, vllm_config
from maqa_severity.tests.tongues import ARABIC
from maqa_severity.tests.training import medical_dataset
from maqa_severity.trainers.demo.models import make_demo_base

log = logging.getLogger(__name__)
pytestmark = pytest.mark.vllm
pytest.importorskip("vllm", reason="vLLM is not installed here; `make test-vllm` installs it on its own")


@pytest.fixture(scope="module")
def speaker(tmp_path_factory):
    from maqa_severity.tasks.sample.grammar import everyday_rows

    pairs = [(row["question"], row["answer"]) for row in everyday_rows(ARABIC, 300)]
    return make_demo_base(tmp_path_factory.mktemp("models") / "speaker", pairs, language=ARABIC)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return medical_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="module")
def arms(tmp_path_factory, speaker, dataset):
    """The untrained base in the middle, trained adapters, and others of another rank and other modules."""
    root = tmp_path_factory.mktemp("arms")
    every = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    return [
        trained_adapter(dataset, speaker, root / "severity"),
        trained_adapter(dataset, speaker, root / "ce", "lora.r=8", arm="ce"),
        trained_adapter(dataset, speaker, root / "base", arm="base"),
        foreign_adapter(speaker, root / "some", seed=1),
        foreign_adapter(speaker, root / "all", seed=2, target_modules=every),
        foreign_adapter(speaker, root / "more", seed=3),
    ]


def engine(*configs):
    from maqa_severity.harness.generation.engines.vllm import VLLMEngine

    return VLLMEngine(*configs)


def said(answers):
    return [(answer.text, answer.tokens, answer.finish_reason, answer.prompt_tokens) for answer in answers]


@pytest.mark.slow
def test_six_arms_through_one_engine_say_what_six_engines_say_in_four_tenths_of_the_time(arms, tmp_path):
    configs, asked = [vllm_config(arm, tmp_path, GREEDY) for arm in arms], prompts(40)
    # What importing takes is no engine's.
    engine(configs[0]).release()
    begun, alone = time.monotonic(), []
    for config in configs:
        made = engine(config)
        alone.append(said(made.generate(asked)))
        made.release()
    middle = time.monotonic()
    one = engine(*configs)
    # Of every question all arms' answers in one batch.
    mixed = one.generate([prompt for prompt in asked for _ in arms], list(range(len(arms))) * len(asked))
    one.release()
    ended = time.monotonic()
    assert [said(mixed[number :: len(arms)]) for number in range(len(arms))] == alone
    assert len({tuple(answers) for answers in alone}) == len(arms)
    ratio = (ended - middle) / (middle - begun)
    log.info("six arms by one engine: %.2f of the time of six engines", ratio)
    assert ratio <= 0.4


def test_an_adapter_answers_as_it_does_with_transformers(arms, tmp_path):
    asked = prompts(40)
    for arm in (arms[0], arms[2]):
        theirs = HFEngine(hf_config(arm, tmp_path, GREEDY, {"dtype": "auto"})).generate(asked)
        made = engine(vllm_config(arm, tmp_path, GREEDY))
        ours = made.generate(asked)
        made.release()
        assert sum(a.text == b.text for a, b in zip(theirs, ours, strict=True)) >= 38


def experiment(tmp_path, dataset, speaker, encoder):
    import yaml
    from maqa_severity.trainers.experiments.config import load_experiment

    training = {"epochs": 1, "batch_size": 4, "learning_rate": 0.02, "max_length": 128, "lora": {"r": 8}}
    path = tmp_path / "experiment.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "small",
                "data": {"source": str(dataset.folder)},
                "models": [{"name": "tiny", "id": str(speaker)}],
                "arms": [{"arm": "base"}, {"arm": "ce"}, {"arm": "severity"}],
                "seeds": [0, 1],
                "training": training,
                "evaluation": {
                    "model": "vllm",
                    "model_args": {"dtype": "float32"},
                    "bertscore_model": str(encoder),
                    "max_new_tokens": 8,
                    "repeat_share": 1,
                    "floors": [],
                },
            }
        )
    )
    return load_experiment(path)


def test_an_experiment_loads_one_engine_and_leaves_the_bytes_of_one_for_each(
    speaker, dataset, encoder, tmp_path, monkeypatch
):
    from maqa_severity.experiment import run_experiment
    from maqa_severity.harness.generation.engines import vllm
    from maqa_severity.harness.generation.engines.vllm import VLLMEngine
    from rich.console import Console

    loaded, begin, generate = [], VLLMEngine.__init__, VLLMEngine.generate

    def noted(engine, *configs):
        loaded.append(len(configs))
        begin(engine, *configs)

    def interrupted(engine, asked, whose=None):
        batches.append(len(set(whose or [0])))
        if len(batches) == 2:
            raise KeyboardInterrupt
        return generate(engine, asked, whose)

    monkeypatch.setattr(VLLMEngine, "__init__", noted)
    monkeypatch.setattr(vllm, "_CHUNK", {True: 2, False: 2})
    plan, console = experiment(tmp_path, dataset, speaker, encoder), Console(quiet=True)
    run_experiment(plan, tmp_path / "one", console)
    assert loaded == [5]
    loaded.clear()
    run_experiment(plan, tmp_path / "one", console)
    assert not loaded
    # Stopped in its second batch, and gone on with.
    batches = []
    with monkeypatch.context() as patch:
        patch.setattr(VLLMEngine, "generate", interrupted)
        with pytest.raises(UserError, match="interrupted"):
            run_experiment(plan, tmp_path / "stopped", console)
    assert batches == [5, 5]
    run_experiment(plan, tmp_path / "stopped", console)
    monkeypatch.setattr("maqa_severity.harness.evaluation.together.together", lambda wanted: [])
    loaded.clear()
    run_experiment(plan, tmp_path / "each", console)
    assert loaded == [1] * 5
    for run in ("base", "ce/seed-0", "ce/seed-1", "severity/seed-0", "severity/seed-1"):
        one, each, stopped = (tmp_path / name / "runs" / run for name in ("one", "each", "stopped"))
        assert len({(folder / "generation.parquet").read_bytes() for folder in (one, each, stopped)}) == 1
        kept = [lines(folder) for folder in (one, each, stopped)]
        assert kept[0] == kept[1] == kept[2]
        manifest = json.loads((one / "manifest.json").read_text())
        assert manifest["runtime"]["defaults"]["model_args"]["max_loras"] == 5


def lines(run):
    """A store's lines with all but the time that an answer took, which decides their checksum too."""
    (file,) = run.glob("answers/[!.]*.jsonl")
    return [{**vars(answer), "seconds": 0} for answer in read(file).answers]


def test_what_vllm_cannot_do_is_one_line_with_the_way_around_it(speaker, tmp_path):
    told = r"vLLM cannot put the adapter .* on its base: .*Merge it with `maqa export`"
    saved = foreign_adapter(speaker, tmp_path / "saved", modules_to_save=["embed_tokens"])
    with pytest.raises(UserError, match=told):
        engine(vllm_config(saved, tmp_path, GREEDY))
    wide = foreign_adapter(speaker, tmp_path / "wide")
    config = json.loads((wide / "adapter_config.json").read_text())
    (wide / "adapter_config.json").write_text(json.dumps({**config, "r": 1024}))
    with pytest.raises(UserError, match=told):
        engine(vllm_config(wide, tmp_path, GREEDY))
