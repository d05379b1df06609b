"""What the tests of generation share: requests as lm-eval makes them, and models on a tiny checkpoint."""

from lm_eval.api.instance import Instance
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

GREEDY = decoding("greedy", ARABIC, max_new_tokens=24)


def requests(number=30, how=GREEDY):
    """The shipped sample's questions, asked as the tasks ask them."""
    rows = handwritten_rows(ARABIC)
    return [
        Instance("generate_until", row, (ARABIC.ask(row["question"]), how.gen_kwargs()), 0)
        for row in rows[:: len(rows) // number][:number]
    ]


def hf_config(checkpoint, store, how=GREEDY, arguments=None, **settings):
    """A tiny model on the CPU."""
    model_args = {"pretrained": str(checkpoint), "dtype": "float32", **(arguments or {})}
    return GenerationConfig(
        kind=Kind.HF, model_args=model_args, decoding=how, device="cpu", store=store, **settings
    )


def answer(config, number=30):
    """The model after it has answered; ``texts`` are its answers."""
    model = StoredModel(config)
    model.texts = model.generate_until(requests(number, config.decoding))
    return model
