"""Personal data in questions and answers is counted and, where asked for, taken out; doses and lab values stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from maqa_severity.harness.data.answer_languages import answer_languages
from maqa_severity.harness.data.options import PrepareOptions, Share
from maqa_severity.harness.data.personal import Personal, spans
from maqa_severity.harness.data.prepare import prepare
from maqa_severity.harness.languages import language
from maqa_severity.harness.languages.messages import messages

FALAH = Path(__file__).parents[2] / "shared" / "data" / "falah-mix" / "FALAH-Mix.xlsx"
OPTIONS = PrepareOptions(language("ar"), test=Share(fraction=1.0), validation=Share(rows=0))


@pytest.mark.parametrize(
    ("text", "held", "kind"),
    [
        ("اتصل على 0501234567", "0501234567", "phone"),
        ("واتساب: +966 50 123 4567", "+966 50 123 4567", "phone"),
        ("رقمي ٠١٠١٢٣٤٥٦٧٨.", "٠١٠١٢٣٤٥٦٧٨", "phone"),
        ("00966501234567", "00966501234567", "phone"),
        ("201012345678", "201012345678", "phone"),
        ("call me at (02) 2345-6789", "(02) 2345-6789", "phone"),
        ("WhatsApp us on 7700 900461", "7700 900461", "phone"),
        ("رقم الهوية: 1023456789", "1023456789", "id_number"),
        ("الرقم القومي ٢٩٠٠١٠١١٢٣٤٥٦٧", "٢٩٠٠١٠١١٢٣٤٥٦٧", "id_number"),
        ("MRN 448812", "448812", "id_number"),
        ("passport no. A1234567", "A1234567", "id_number"),
        ("راسلني a.b@mail.example.com", "a.b@mail.example.com", "email"),
        ("انظر https://example.org/a?b=1.", "https://example.org/a?b=1", "link"),
        ("زر www.example.com، شكرا", "www.example.com", "link"),
        ("مع تحيات الدكتور أحمد العلي", "أحمد العلي", "doctor"),
        ("موعدك مع الدكتورة ريم بن سالم يوم الأحد", "ريم بن سالم", "doctor"),
        ("راجع الطبيب.\nد. سوسن الحكيم", "سوسن الحكيم", "doctor"),
        ("د/محمد عبد الرحمن وصف لي", "محمد عبد الرحمن", "doctor"),
        ("Dr. John Smith said so", "John Smith", "doctor"),
    ],
)
def test_what_points_to_a_person_is_found_and_replaced(text: str, held: str, kind: str) -> None:
    assert [(text[start:end], str(found)) for start, end, found in spans(text)] == [(held, kind)]
    ours = Personal(language("ar"), redact=True)
    (plain,) = ours.read([text])
    assert held not in plain and "[" in plain and ours.found[kind] == 1
    assert ours.read([plain]) == [plain] and ours.rows == 1


@pytest.mark.parametrize(
    "text",
    [
        "500 mg", "140/90", "120 130 140 150 160", "10-12-2020", "2020-01-05", "من 01-02-2010 10 أيام",
        "01/02/2019", "24-12-1998 14:30", "Hb 12.5 WBC 7,500 plt 250,000", "27.33333333", "0.123456789",
        "1000000000 cfu", "45000000", "٥٠٠ ملغ كل ٨ ساعات", "TSH 0.005 FT4 1.2", "SpO2 98 HR 120 RR 20",
        "05 10 15", "دكتور أنا عندي ألم", "يا دكتور هل",
        "الدكتور قال", "دكتور بنت عمرها سنة", "drug Name", "drink Water", "Doctor I have", "DR HELP me", "help.me",
        "بطاقة رقم 123", "SpO2 @ 90",
    ],
)  # fmt: skip
def test_doses_values_dates_and_plain_speech_are_none(text: str) -> None:
    assert not spans(text)


@pytest.mark.skipif(not FALAH.is_file(), reason="the data set is not here")
def test_real_questions_give_hardly_any_false_alarm() -> None:
    frame = pd.read_excel(FALAH, engine="openpyxl")
    texts = [str(text) for column in ("Question", "Answer") for text in frame[column]]
    kinds = [str(kind) for text in texts for _, _, kind in spans(text)]
    assert len(texts) > 2000 and kinds.count("link") == 2 and len(kinds) <= 4


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., tuple[pd.DataFrame, dict, str]]:
    frame = pd.DataFrame(
        {
            "question": ["عندي صداع، رقمي 0501234567", "عندي صداع، رقمي 0507654321", "ألم في البطن"],
            "answer": ["راجع الدكتور أحمد العلي", "اشرب الماء", "Drink water كل ساعة"],
        }
    )
    frame.to_csv(tmp_path / "s.csv", index=False)

    def run(**options: bool) -> tuple[pd.DataFrame, dict, str]:
        folder = tmp_path / f"d{options}"
        dataset, card = prepare(tmp_path / "s.csv", folder, replace(OPTIONS, **options))
        return dataset.split("test"), dataset.info.cleaning, "\n".join(card.reading)

    return run


def test_a_dataset_says_what_it_holds_and_is_left_as_written(asked: Callable[..., tuple]) -> None:
    rows, cleaning, said = asked()
    assert cleaning["personal"]["found"] == {"email": 0, "link": 0, "phone": 2, "id_number": 0, "doctor": 1}
    assert cleaning["personal"]["rows"] == 2 and not cleaning["personal"]["redacted"]
    assert any("0501234567" in text for text in rows["question"])
    assert "phone numbers 2" in said and "--redact" in said
    assert cleaning["answer_languages"] == {"ar": 2, "en": 0, "mixed": 1, "other": 0}
    assert "ar 2, mixed 1" in said


def test_redacted_rows_hold_marks_and_the_splits_follow_them(asked: Callable[..., tuple]) -> None:
    rows, cleaning, said = asked(redact=True)
    texts = " ".join([*rows["question"], *rows["answer"]])
    assert "050" not in texts and "أحمد" not in texts and texts.count("[هاتف]") == 2 and "الدكتور [اسم]" in texts
    assert cleaning["personal"]["redacted"] and "replaced by marks in 2 rows" in said
    assert rows.loc[rows["question"].str.contains("صداع"), "question"].nunique() == 1
    for tongue in ("en", "ar"):
        assert "reading.personal_kept" in messages(tongue)


def test_answers_are_counted_by_their_letters() -> None:
    texts = [
        "راجع الطبيب",
        "خذ Panadol كل ست ساعات بعد الأكل",
        "See a doctor",
        "خذ Paracetamol",
        "看医生",
        "5 مرات",
        "123",
    ]
    counts = answer_languages(pa.array(texts, pa.large_string()), language("ar"))
    assert counts == {"ar": 3, "en": 1, "mixed": 1, "other": 2}
