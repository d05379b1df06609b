"""Records as people keep them become questions and answers, and what was done to them is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.data.card import Card
from maqa_severity.harness.data.dataset import Dataset
from maqa_severity.harness.data.markup import without_markup
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.languages import language

ALL_TEST = {"test": Share(fraction=1.0), "validation": Share(rows=0)}


def read(folder: Path, records: list[dict[str, Any]], name: str = "s.jsonl") -> tuple[Dataset, Card, pd.DataFrame]:
    path = folder / name
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    dataset, card = prepare(path, folder / "d", PrepareOptions(language("ar"), **ALL_TEST))
    assert card.read == card.kept + sum(card.dropped.values())
    return dataset, card, dataset.split("test")


def turn(who: str, text: Any) -> dict[str, Any]:
    return {"role": who, "content": text}


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [turn("user", "ما السبب"), turn("assistant", "راجع الطبيب")]},
        {"messages": [turn("user", [{"type": "text", "text": "ما السبب"}]), turn("assistant", "راجع الطبيب")]},
        {"messages": json.dumps([turn("user", "ما السبب"), turn("assistant", "راجع الطبيب")])},
        {"conversations": [{"from": "human", "value": "ما السبب"}, {"from": "gpt", "value": "راجع الطبيب"}]},
        {"prompt": [turn("user", "ما السبب")], "completion": [turn("assistant", "راجع الطبيب")]},
        {"prompt": "ما السبب", "chosen": "راجع الطبيب", "rejected": "لا شيء"},
        {"prompt": "ما السبب", "response": "راجع الطبيب"},
        {"instruction": "ما السبب", "input": "", "output": "راجع الطبيب"},
        {"Patient_Question ": "ما السبب", "DoctorResponse": "راجع الطبيب"},
        {"Question": "ما السبب", "Réponse": "راجع الطبيب"},
        {"سُؤال المريض": "ما السبب", "رد الطبيب": "راجع الطبيب"},
        {"question": "ما السبب", "answers": {"text": ["راجع الطبيب"], "answer_start": [0]}},
        {"question": "<p>ما السبب</p>", "answer": "راجع&nbsp;<b>الطبيب</b>"},
    ],
)
def test_a_record_is_read_as_its_question_and_answer(record: dict[str, Any], tmp_path: Path) -> None:
    _, _, rows = read(tmp_path, [record])
    assert rows[["question", "answer"]].to_numpy().tolist() == [["ما السبب", "راجع الطبيب"]]
    assert "references" not in rows


def test_of_several_turns_the_last_answer_counts_and_it_is_said(tmp_path: Path) -> None:
    said = [turn("system", "أنت طبيب"), turn("user", "ألم"), turn("assistant", "منذ متى"), turn("user", "يومين")]
    _, card, rows = read(tmp_path, [{"messages": [*said, turn("assistant", "راجع الطبيب")]}])
    assert rows["answer"].item() == "راجع الطبيب"
    assert rows["question"].item() == "ألم\n\nمنذ متى\n\nيومين"
    assert any("1 dialogues have several turns" in line for line in card.rows)
    assert any("system text" in line for line in card.rows)


@pytest.mark.parametrize(
    "answers",
    [
        {"answer": ["راجع الطبيب", "", "راجِعِ الطبيب", "اشرب الماء"]},
        {"answers": {"text": ["راجع الطبيب", "", "راجع الطبيب", "اشرب الماء"]}},
        {"answer_1": "راجع الطبيب", "answer_2": "راجع الطبيب", "answer_3": "اشرب الماء"},
        {"answer": json.dumps(["راجع الطبيب", "اشرب الماء"])},
    ],
)
def test_several_answers_are_references_without_repeats(answers: dict[str, Any], tmp_path: Path) -> None:
    dataset, card, rows = read(
        tmp_path, [{"question": "ما السبب", **answers}, {"question": "ألم"} | dict.fromkeys(answers, "نم")]
    )
    by_question = rows.set_index("question")["references"]
    assert by_question["ما السبب"].tolist() == ["راجع الطبيب", "اشرب الماء"]
    assert any("1 questions have several answers" in line for line in card.rows)
    again, _ = prepare(dataset.folder, tmp_path / "again", PrepareOptions(language("ar"), **ALL_TEST))
    assert (
        again.split("test").set_index("question")["references"]["ما السبب"].tolist()
        == by_question["ما السبب"].tolist()
    )


@pytest.mark.parametrize("text", ["SpO2 < 90 و BP > 140", "a<b and c>d", "AT&T", "1 <2> 3", "&unknownthing x"])
def test_a_sign_is_no_tag(text: str) -> None:
    assert without_markup(text) == text


def test_unknown_severities_are_all_named_with_their_counts(tmp_path: Path) -> None:
    records = [{"question": f"سؤال {n}", "answer": "جواب", "severity": "zz" if n else "qq"} for n in range(3)]
    with pytest.raises(Exception, match=r"'zz' \(2\), 'qq' \(1\).*--severity-map"):
        read(tmp_path, records)


@pytest.mark.parametrize(
    "text", ["[1]", '{"a": 1}', '[{"a": 1}]', '"نعم"', "[1] راجع الطبيب", "true", '{"text": 5}']
)
def test_a_text_that_happens_to_be_json_is_kept_as_text(text: str, tmp_path: Path) -> None:
    for name in ("s.jsonl", "s.csv"):
        (folder := tmp_path / name).mkdir()
        path, records = (
            folder / name,
            [{"question": text + " ما السبب", "answer": text}, {"question": text, "answer": "نم"}],
        )
        if name == "s.csv":
            pd.DataFrame(records).to_csv(path, index=False)
        else:
            path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        dataset, _ = prepare(path, folder / "d", PrepareOptions(language("ar"), **ALL_TEST))
        rows = dataset.split("test")
        assert set(zip(rows["question"], rows["answer"], strict=True)) == {(text + " ما السبب", text), (text, "نم")}


@pytest.mark.parametrize("value", [[1], {"a": 1}, [{"a": 1}]])
def test_a_record_where_text_is_expected_is_refused_beside_a_dialogue_too(value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"row 1 holds (list|dict) where text is expected"):
        read(tmp_path, [{"instruction": "ما السبب", "input": "منذ يومين", "output": value}])
