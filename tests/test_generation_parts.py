"""Chunks, shards, trivial systems, how answers ended, and what sampling does to scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.dataset import DatasetInfo, SeveritySource, write_dataset
from maqa_severity.harness.generation.config import GenerationConfig, Kind
from maqa_severity.harness.generation.finish import ENDINGS, finish_frame, finish_summary, thinking_cut
from maqa_severity.harness.generation.records import FinishReason, Prompt
from maqa_severity.harness.generation.store.lines import Answer
from maqa_severity.harness.generation.store.shards import parse_shard, shard_of
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.harness.generation.workers.chunks import chunks
from maqa_severity.harness.statistics.spread import spread
from maqa_severity.tests.generating import GREEDY, answer, hf_config, requests
from maqa_severity.tests.tongues import ARABIC

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=40)


def prompts(number):
    return [Prompt(f"{i:03}", str(i), 0, str(i), "neutral", str(i)) for i in range(number)]


@given(lengths, st.integers(1, 9), st.none() | st.integers(1, 300), st.randoms())
def test_every_prompt_is_in_one_chunk_within_the_limits_whatever_the_order(found, most, tokens, random):
    asked = prompts(len(found))
    rule = {"new_tokens": 10, "max_prompts": most, "max_tokens": tokens}
    made = chunks(asked, found, **rule)
    assert sorted(p.key for chunk in made for p in chunk) == sorted(p.key for p in asked)
    longest = [max(found[int(p.id)] for p in chunk) for chunk in made]
    assert longest == sorted(longest, reverse=True)
    for chunk, width in zip(made, longest, strict=True):
        assert len(chunk) <= most
        assert tokens is None or len(chunk) == 1 or len(chunk) * (width + 10) <= tokens
    order = list(range(len(found)))
    random.shuffle(order)
    assert chunks([asked[i] for i in order], [found[i] for i in order], **rule) == made


@given(lengths)
def test_a_chunk_is_as_large_as_its_token_budget_allows(found):
    made = chunks(prompts(len(found)), found, new_tokens=10, max_prompts=99, max_tokens=200)
    for chunk in made[:-1]:
        width = max(found[int(p.id)] for p in chunk)
        assert (len(chunk) + 1) * (width + 10) > 200


def test_a_rows_shard_is_the_same_on_every_machine():
    # First 16 digits of `sha256sum`, modulo 4.
    assert [shard_of(f"critical-{n:03}", 4) for n in range(8)] == [0, 0, 0, 2, 0, 3, 0, 3]


@given(st.sets(st.text(min_size=1), min_size=1), st.integers(1, 5))
def test_shards_divide_the_rows(ids, count):
    found = [shard_of(one, count) for one in ids]
    assert all(0 <= shard < count for shard in found)


def test_shards_are_of_similar_size():
    sizes = np.bincount([shard_of(str(n), 8) for n in range(8000)])
    assert sizes.min() > 850 and sizes.max() < 1150


@pytest.mark.parametrize("text", ["1", "2/2", "-1/2", "a/b", "1/2/3", "0/0", ""])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(UserError, match="is not i/n"):
        parse_shard(text)


def test_shards_generated_apart_make_the_answers_of_one_run(checkpoint, tmp_path):
    whole = answer(hf_config(checkpoint, tmp_path / "whole"))
    counts = [
        StoredModel(hf_config(checkpoint, tmp_path / "parts", shard=(i, 3))).generate_shard(requests())
        for i in range(3)
    ]
    assert sum(counts) == 30 and min(counts) > 0
    united = answer(hf_config(checkpoint, tmp_path / "parts"))
    assert united.texts == whole.texts and united.defaults == {}


def trivial(kind, tmp_path, data=None):
    config = GenerationConfig(
        kind=kind, decoding=GREEDY, store=tmp_path / "store", data=data, answer=ARABIC.referral
    )
    return StoredModel(config).generate_until(requests())


def test_echo_repeats_the_question_and_constant_the_referral(tmp_path):
    assert trivial(Kind.ECHO, tmp_path) == [request.doc["question"] for request in requests()]
    assert trivial(Kind.CONSTANT, tmp_path) == [ARABIC.referral] * 30


def test_nearest_gives_the_answer_of_the_most_similar_training_question(tmp_path):
    rows = [
        {
            "id": str(n),
            # Spelt otherwise than asked: alef without hamza, and a word more.
            "question": request.doc["question"].replace("أ", "ا") + " رجاء",
            "answer": f"جواب {n}",
            "category": "c",
            "severity": "neutral",
            "p_non_critical": 0.0,
            "p_neutral": 1.0,
            "p_critical": 0.0,
        }
        for n, request in enumerate(requests())
    ]
    info = DatasetInfo(
        language="ar",
        source="s",
        source_sha256="0",
        severity_source=SeveritySource(name="column", version="1"),
        cleaning={},
    )
    train = pd.DataFrame(rows).sample(frac=1, random_state=0)
    write_dataset(tmp_path / "data", {"train": train, "validation": train[:1], "test": train[:1]}, info)
    assert trivial(Kind.NEAREST, tmp_path, tmp_path / "data") == [f"جواب {n}" for n in range(30)]


def test_nearest_without_training_answers_is_refused(tmp_path):
    with pytest.raises(UserError, match="needs training answers"):
        trivial(Kind.NEAREST, tmp_path)


def test_truncation_is_counted_per_severity():
    asked = [
        Prompt(str(n), "", 0, str(n), severity, "") for n, severity in enumerate(["critical"] * 4 + ["neutral"])
    ]
    reasons = [FinishReason.LENGTH] + [FinishReason.STOP] * 4
    answers = [
        Answer(p.key, p.id, p.severity, 0, "نعم", reason, 1, n, 0.1)
        for n, (p, reason) in enumerate(zip(asked, reasons, strict=True))
    ]
    frame = finish_frame(asked, answers)
    assert finish_summary(frame.drop(columns=list(ENDINGS))) == {
        "critical": {"answers": 4, "truncated_pct": 25.0, "mean_tokens": 1.5},
        "neutral": {"answers": 1, "truncated_pct": 0.0, "mean_tokens": 4.0},
        "overall": {"answers": 5, "truncated_pct": 20.0, "mean_tokens": 2.0},
    }


def test_how_answers_ended_is_counted_by_end_token_stop_string_limit_and_error():
    asked = [Prompt(str(n), "", 0, str(n), "neutral", "") for n in range(8)]
    ended = [
        ("نعم", FinishReason.STOP, {}),
        ("نعم", FinishReason.STOP, {"stop": "\nA:", "run_on": True}),
        ("نعم", FinishReason.STOP, {"stop": "\nA:", "thinking": 9}),
        ("نعم", FinishReason.STOP, {"stop": "\nQ:"}),
        ("نعم", FinishReason.LENGTH, {}),
        ("", FinishReason.LENGTH, {"thinking": 30}),
        ("", FinishReason.STOP, {"thinking": 30}),
        ("", FinishReason.ERROR, {"error": "too long"}),
    ]
    answers = [
        Answer(p.key, p.id, p.severity, 0, text, reason, 1, 1, 0.1, **more)
        for p, (text, reason, more) in zip(asked, ended, strict=True)
    ]
    assert finish_summary(finish_frame(asked, answers))["overall"] == {
        "answers": 8, "truncated_pct": 25.0, "mean_tokens": 1.0, "end_token": 2, "stops": {"\nA:": 2, "\nQ:": 1},
        "run_on_dropped": 1, "thinking": 3, "thinking_cut": 1, "filtered": 0, "errors": 1,
    }  # fmt: skip
    assert thinking_cut(answers) == 1


def test_spread_over_samples_by_hand():
    frame = pd.DataFrame(
        [
            ("a", "critical", 0, 10.0),
            ("a", "critical", 1, 30.0),
            ("b", "neutral", 0, 50.0),
            ("b", "neutral", 1, 40.0),
        ],
        columns=["id", "severity", "sample", "m"],
    ).assign(down=lambda rows: rows["m"])
    found = {(s.metric, s.stratum): s for s in spread(frame, {"m": "v:1", "down": "v:1|better:lower"})}
    overall = found["m", "overall"]
    assert (overall.questions, overall.samples, overall.mean) == (2, 2, 32.5)
    # The two boards would read 30 and 35; the questions vary by 200 and 50.
    assert overall.sd_of_means == pytest.approx(12.5**0.5) and overall.sd_within == pytest.approx(125**0.5)
    assert (overall.worst, overall.best) == (25.0, 40.0)
    assert (found["down", "overall"].worst, found["down", "overall"].best) == (40.0, 25.0)
    assert (found["m", "critical"].worst, found["m", "critical"].best) == (10.0, 30.0)


def test_the_worst_of_a_questions_answers_is_that_of_those_that_a_metric_applies_to():
    rows = [("a", 0, 0.0), ("a", 1, 100.0), ("b", 0, np.nan), ("b", 1, 100.0), ("c", 0, 0.0), ("c", 1, 0.0)]
    frame = pd.DataFrame([*rows, ("d", 0, np.nan), ("d", 1, np.nan)], columns=["id", "sample", "conflict"])
    (critical, _) = spread(frame.assign(severity="critical"), {"conflict": "v:1|better:lower|applies:some"})
    assert (critical.questions, critical.samples) == (3, 2)
    assert critical.mean == pytest.approx(200 / 5) and critical.worst == pytest.approx(200 / 3)
    assert critical.sd_within == pytest.approx((5000 / 2) ** 0.5)
