"""Similarity over several references: the first, the best or the mean, said in the signature."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.metrics.answers_file import read_answers
from maqa_severity.harness.metrics.base import Answers
from maqa_severity.harness.metrics.bertscore.encoder import NO_ENCODER
from maqa_severity.harness.metrics.registry import COLUMNS, Group
from maqa_severity.harness.metrics.scoring import run_metrics, score, signatures
from maqa_severity.harness.runs.rescoring import rescore
from maqa_severity.harness.scores.references import references_asked
from maqa_severity.harness.scores.signatures import of_one_answer, over_references_of
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.tongues import ARABIC

EVERY = [
    ["راجع الطبيب اليوم", "خذ قسطا من الراحة"],
    ["اشرب الماء"],
    ["نم جيدا", "راجع الطبيب", "...", "اشرب الماء الدافئ"],
]
ANSWERS = Answers(
    predictions=["خذ قسطا من الراحة", "اشرب ماء", "اشرب الماء الدافئ كل يوم"],
    references=[listed[0] for listed in EVERY],
    questions=["عندي صداع", "عندي عطش", "عندي سعال"],
    severities=[Severity.NEUTRAL] * 3,
    all_references=EVERY,
)
SIMILAR = [name for name in COLUMNS if COLUMNS[name].group is Group.SIMILARITY and name != "bertscore_f1"]


def scored(over: str | None, answers: Answers = ANSWERS) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    metrics = run_metrics(ARABIC, NO_ENCODER, references=over)
    return score(answers, metrics), signatures(metrics)


def alone() -> dict[str, list[list[float]]]:
    """Scores of each answer with each of its references, one by one."""
    found: dict[str, list[list[float]]] = {name: [] for name in SIMILAR}
    for row, listed in enumerate(EVERY):
        one = Answers(
            [ANSWERS.predictions[row]] * len(listed), listed, [ANSWERS.questions[row]] * len(listed),
            [Severity.NEUTRAL] * len(listed),
        )  # fmt: skip
        scores, _ = scored("first", one)
        for name in SIMILAR:
            found[name].append(scores[name].tolist())
    return found


def test_best_and_mean_are_those_of_the_scores_with_each_reference() -> None:
    first, best, mean, each = scored("first")[0], scored("best")[0], scored("mean")[0], alone()
    assert SIMILAR[:3] == ["rouge1", "rouge2", "rougeL"] and {"bleu", "chrf"} <= set(SIMILAR)
    for name in SIMILAR:
        assert first[name].tolist() == [listed[0] for listed in each[name]]
        assert best[name].tolist() == [max(listed) for listed in each[name]]
        assert mean[name] == pytest.approx([np.mean(listed) for listed in each[name]])
    assert best["rouge1"][0] == 100 and first["rouge1"][0] == 0
    others = set(first) - set(SIMILAR)
    assert others and all(np.array_equal(first[name], best[name], equal_nan=True) for name in others)


def test_the_signature_says_it_and_the_default_is_what_it_was() -> None:
    plain, usual = signatures(run_metrics(ARABIC, NO_ENCODER)), scored("first")[1]
    assert plain == usual and not any(map(over_references_of, plain.values()))
    for over in ("best", "mean"):
        signed = scored(over)[1]
        assert {name for name in signed if over_references_of(signed[name]) == over} == set(SIMILAR)
        assert all(of_one_answer(signed[name]) == of_one_answer(plain[name]) for name in SIMILAR)


def test_the_environment_is_asked_and_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAQA_REFERENCES", "mean")
    assert references_asked() == "mean" and references_asked("best") == "best"
    monkeypatch.setenv("MAQA_REFERENCES", "worst")
    with pytest.raises(UserError, match=r"'worst' is no way to take several references.*best, mean"):
        references_asked()


def test_a_file_of_answers_may_list_references(tmp_path: Path) -> None:
    rows = [{"prediction": "نعم", "references": ["لا", "", "نعم"]}, {"prediction": "x", "references": "[1] نص"}]
    (path := tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = read_answers(path).answers
    assert list(read.references) == ["لا", "[1] نص"] and read.all_references == [["لا", "نعم"], ["[1] نص"]]
    scores = score(read, run_metrics(ARABIC, NO_ENCODER, references="best", questions=False, severities=False))
    assert scores["rouge1"][0] == 100
    path.write_text(json.dumps({"prediction": ["x"], "references": ["y"]}), encoding="utf-8")
    with pytest.raises(UserError, match="'prediction' holds list where text is expected"):
        read_answers(path)


def test_all_references_of_a_dataset_reach_the_scores_inside_lm_eval(tmp_path: Path) -> None:
    from maqa_severity.tasks.documents import load_documents
    from maqa_severity.tasks.scored import score_batch

    frame = pd.DataFrame({"question": ANSWERS.questions, "answer": EVERY, "severity": "neutral"})
    frame.to_json(tmp_path / "s.jsonl", orient="records", lines=True, force_ascii=False)
    prepare(
        tmp_path / "s.jsonl",
        tmp_path / "d",
        PrepareOptions(ARABIC, test=Share(fraction=1.0), validation=Share(rows=0)),
    )
    given = dict(zip(ANSWERS.questions, ANSWERS.predictions, strict=True))
    for over in ("first", "best"):
        documents = list(load_documents("neutral", str(tmp_path / "d"), None, NO_ENCODER, references=over)["test"])
        signed = documents[0]["scoring"]["signatures"]["rouge1"]
        assert over_references_of(signed) == (None if over == "first" else over)
        texts = score_batch([[given[document["question"]]] for document in documents], documents)
        found = {
            document["question"]: text.scores["rouge1"] for document, text in zip(documents, texts, strict=True)
        }
        assert found == dict(zip(ANSWERS.questions, scored(over)[0]["rouge1"].tolist(), strict=True))


def test_a_run_that_keeps_one_reference_of_each_is_not_said_to_be_scored_by_several(tmp_path: Path) -> None:
    landed = Path(__file__).parent / "data" / "landed" / "runs" / "ce"
    run = Path(shutil.copytree(landed, tmp_path / "ce"))
    with pytest.raises(UserError, match="keeps one reference of each question"):
        rescore(run, lambda language: run_metrics(language, NO_ENCODER, references="best"))
