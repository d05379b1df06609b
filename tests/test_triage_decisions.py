"""What the rules decide by the triage scale: invented complaints, and each kind of modifier by itself.

``data/triage_gold.jsonl`` holds 173 invented complaints in MSA and dialects with levels by ``docs/severity.md``,
frozen before the first expression was written; both are by one hand, so the figures say that the engine does what
the manual says, and not how it does on strangers' words. First seen, by the first version that ran: level right
90.2 %, class right 94.8 %, quadratic kappa of the class 0.95, recall of critical 96.2 %, over-triage 1.7 %, two
unknown. They were looked at afterwards: what is demanded below is no measurement any more.

``data/triage_gold_en.jsonl`` holds 149 English ones, frozen before anybody looked at the English expressions.
First seen: level right 73.8 %, class right 83.9 %, quadratic kappa 0.80, recall of critical 85.5 %, over-triage
4.0 %, severe under-triage 10.1 %, three unknown. After their misses had been read: 87.2 %, 92.6 %, 0.93, 95.7 %,
4.0 %, 1.4 %, none.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from maqa_severity.harness.data.dataset import REASON_COLUMNS, SPLITS, open_dataset
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.sources.base import labels_of
from maqa_severity.harness.labelling.sources.hybrid import HybridSource
from maqa_severity.harness.labelling.sources.lexicon import load_lexicon
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.stream import label_dataset
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import CLASS_OF_LEVEL, Severity
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.tongues import ARABIC

GOLD = Path(__file__).parent / "data" / "triage_gold.jsonl"
CASES = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
GOLD_EN = Path(__file__).parent / "data" / "triage_gold_en.jsonl"
CASES_EN = [json.loads(line) for line in GOLD_EN.read_text(encoding="utf-8").splitlines()]
RULES = RulesSource(ARABIC)
ENGLISH = RulesSource(language("en"))


def level(text: str) -> int | None:
    return RULES.explain(text).decision.level


def test_the_gold_is_the_frozen_one_and_holds_every_level_and_variety():
    assert hashlib.sha256(GOLD.read_bytes()).hexdigest().startswith("78146e06adb4")
    assert min(Counter(case["level"] for case in CASES if case["level"] > 1).values()) >= 38
    assert set(Counter(case["dialect"] for case in CASES)) == {
        "msa", "egyptian", "levantine", "gulf", "iraqi", "maghrebi"
    }  # fmt: skip


def test_the_english_gold_is_the_frozen_one_and_is_read_no_worse_than_when_its_misses_were_mended():
    assert hashlib.sha256(GOLD_EN.read_bytes()).hexdigest().startswith("340a3107979d")
    found = [each.severity for each in ENGLISH.reasons([case["text"] for case in CASES_EN])[1]]
    classes = [CLASS_OF_LEVEL[case["level"]] for case in CASES_EN]
    assert sum(one is other for one, other in zip(found, classes, strict=True)) / len(CASES_EN) >= 0.9
    critical = [one for one, other in zip(found, classes, strict=True) if other is Severity.CRITICAL]
    assert sum(one is Severity.CRITICAL for one in critical) / len(critical) >= 0.9
    assert None not in found


def test_the_invented_complaints_get_their_level():
    found = [each.level for each in RULES.reasons([case["text"] for case in CASES])[1]]
    right = [one == case["level"] for one, case in zip(found, CASES, strict=True)]
    assert sum(right) / len(CASES) >= 0.97
    critical = [one for one, case in zip(found, CASES, strict=True) if case["level"] <= 2]
    assert all(one in (1, 2) for one in critical)
    assert None not in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Age.
        ("حرارتها 38.5", 4),
        ("ابنتي عمرها شهرين حرارتها 38.5", 2),
        ("رضيعي عمره 7 شهور حرارته 38.5", 3),
        ("عندي ألم في الصدر من ساعة وعمري 22 سنة", 3),
        ("عندي ألم في الصدر من ساعة وعمري 61 سنة", 2),
        # Pregnancy.
        ("عندي حرارة 38.2", 4),
        ("أنا حامل وعندي حرارة 38.2", 3),
        ("حامل وعندي صداع مع زغللة", 2),
        ("حامل ونزل دم خفيف", 3),
        ("حامل بالشهر الثامن ونزل دم", 2),
        # Chronic illness and immune state.
        ("عندي ألم في الصدر اليوم وأنا مريض سكري", 2),
        ("عندي جرح في القدم وفيه صديد وأنا مريض سكري", 3),
        ("آخذ كيماوي وحرارتي 38.1", 2),
        ("آخذ وارفارين ووقعت على راسي اليوم", 2),
        ("مريض سكري وعنده كيتون وقيء", 2),
        # Pain score, onset and duration.
        ("ألم في الكتف", 4),
        ("ألم شديد في الكتف منذ يومين", 3),
        ("ألم شديد في الكتف منذ سنتين", 4),
        ("فجأة ألم في الظهر لا يحتمل", 2),
        ("مغص في البطن منذ أمس", 3),
        ("مغص في البطن منذ سنة", 4),
        ("مغص في البطن من سنة واليوم زاد", 3),
        ("ضيق تنفس خفيف من سنين", 4),
    ],
)
def test_modifiers_move_the_level(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("حرارتي ٣٩ ونص", 3),
        ("حرارتي 39.5", 3),
        ("حرارتي ٣٩٫٥", 3),
        ("حرارته تسعة وثلاثين ونص", 3),
        ("حرارته واحد واربعين", 2),
        ("حرارتي ٣٨ من يوم", 4),
        ("حرارتي 36.5 وعندي صداع", 4),
        ("سكر ٤٠٠", 3),
        ("السكر 400 وهو نايم طول الوقت ويستفرغ", 2),
        ("السكر عندي 22 مليمول", 3),
        ("السكر 45", 2),
        ("السكر صايم ١٤٠", 4),
        ("أعاني من السكري منذ 20 سنة", 4),
        ("ضغط ٢٠٠/١١٠", 3),
        ("ضغطي 200 على 110 ولا أشعر بشيء", 3),
        ("ضغطي 20 على 11", 3),
        ("ضغطها ٢١٠/١٢٠ وعندها زغللة", 2),
        ("ضغطي 150/95", 4),
        ("نسبة الاكسجين 85", 1),
        ("نسبة الاكسجين 91", 2),
        ("الهيموغلوبين 6.5", 2),
        ("الهيموغلوبين ٨", 3),
        ("الصفائح 15000", 2),
        ("البوتاسيوم 6.8", 2),
    ],
)
def test_values_are_read_in_arabic_and_western_digits_and_in_words(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("لا يوجد ألم في الصدر وعندي زكام", 5),
        ("صداع خفيف بدون حرارة ولا تيبس في الرقبة", 4),
        ("لا أفكر بالانتحار لكن عندي قلق", 4),
        ("كان عندي ألم في الصدر وراح", 5),
        ("كان عندي ألم في الصدر قبل سنة والحين عندي ألم شديد في الركبة", 3),
        ("والدتي لا تستطيع التنفس", 2),
        ("صديقتي تفكر بالانتحار", 2),
        ("الله يرحمه توفي بجلطة دماغية، هل هي وراثية؟", 5),
    ],
)
def test_negation_history_and_somebody_elses_case(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("عملية الزايدة من اسبوعين والجرح عم يطلع قيح", 3),
        ("مكان القيصرية بيطلع منه مية صفرا وريحتها وحشة", 3),
        ("لدي جرح العملية ومتى أفك الغرز", 4),
        ("انجرحت يدي بزجاجة وما احس باصبعي الصغير", 3),
        ("قطعت اصبعي بالسكينة وأنا بقطع بصل والجرح فاتح", 3),
        ("واحد طعن اخوي بسكين ببطنه", 2),
        ("فك الجبس عن رجلي وما زالت متورمة بعد الكسر", 4),
        ("كسر قديم باليد ما زال يؤلم في البرد", 4),
    ],
)
def test_a_wound_is_judged_by_what_it_does_and_not_by_the_knife(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("راسي يوجعني أول مرة بحياتي بهالشكل شسوي", 3),
        ("وجع شديد نص راسي مع زغللة واستفراغ", 3),
        ("قلبي كيوجعني وكنحس بالاختناق", 2),
        ("تنميل باليد اليسرى من يومين مع ألم بالصدر", 2),
        ("صفائحي ناقصة وخشمي ينزف", 2),
        ("يغمى علي عند سحب الدم", 3),
        ("رعاف ما يوقف من نص ساعة", 2),
        ("عندي صرع وتجيني نوبات من سنين على العلاج", 4),
        ("زادت نوبات الصرع عند اخي هذا الاسبوع", 2),
        ("حرق في الوجه من ماء مغلي", 2),
        ("حرارة مع طفح جلدي عند طفلي", 3),
        ("لدغة نحلة وانتفخ وجهي وشفايفي", 2),
        ("سمعي قل فجأة في اذني اليمين", 3),
    ],
)
def test_two_signs_together_weigh_more_than_each(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("عمرها ٢٤ من ٤ ايام حرارتها ٣٨", 3),
        ("عمره ٣٠ من ثلاث ايام حرارته ٣٨", 4),
        ("رضيعي عمره ٢٠ يوم حرارته ٣٨", 2),
        ("٤٥ سنة، ألم في الصدر من أمس", 2),
        ("٢٢ سنة صداع شديد من أمس", 3),
    ],
)
def test_an_age_is_neither_the_duration_nor_takes_its_unit(text, expected):
    assert level(text) == expected


@pytest.mark.parametrize(
    ("text", "information"),
    [
        ("ما هو علاج الجلطة الدماغية؟", True),
        ("ما أسباب ألم الصدر؟", True),
        ("شو هي أعراض السكري؟", True),
        ("ما سبب ألم صدري منذ أمس؟", False),
        ("كيف أتخلص من حياتي، أريد الانتحار", False),
    ],
)
def test_an_information_question_is_one_only_without_a_person(text, information):
    decision = RULES.explain(text).decision
    assert decision.information is information
    assert (decision.level == 5) is information


def test_nothing_said_is_unknown_and_no_class():
    for text in ("", "متى تفتح العيادة", "123", "...", "شكرا جزيلا"):
        explanation = RULES.explain(text)
        assert explanation.unknown and explanation.decision.fired == ()


def test_a_lexicon_given_by_hand_is_read_without_a_scale():
    plain = RulesSource(ARABIC, load_lexicon(ARABIC))
    assert plain.scale == "none" and plain.explain("صداع").decision is None
    found = labels_of(plain, ["صداع"])
    assert found.levels.tolist() == [0] and found.discriminators == [""]
    assert "triage" in RULES.version and RULES.sha256 != plain.sha256


def test_a_labelled_dataset_keeps_level_discriminators_and_confidence(tmp_path):
    rows = [{**row, "severity": None} for row in handwritten_rows(ARABIC)[:60]]
    given = dataset_from_rows({"train": rows[:40], "test": rows[40:]}, tmp_path / "in", language=ARABIC, source="s")
    assert given.info.discriminators == "none"
    assert given.reasons("train").isna().all(axis=None) and list(given.reasons("train")) == list(REASON_COLUMNS)
    label_dataset(given, RULES, tmp_path / "out")
    labelled = open_dataset(tmp_path / "out")
    assert labelled.info.discriminators == RULES.scale
    for name in SPLITS:
        frame, reasons = labelled.split(name), labelled.reasons(name)
        decisions = RULES.reasons(frame["question"].tolist())[1]
        for severity, decision, reason in zip(frame["severity"], decisions, reasons.itertuples(), strict=True):
            if decision.level is None:
                assert pd.isna(reason.discriminators) and severity == "neutral"
                continue
            fired = json.loads(reason.discriminators)
            assert (reason.level, severity) == (decision.level, str(CLASS_OF_LEVEL[decision.level]))
            assert fired[0]["level"] == reason.level and [each["id"] for each in fired] == [
                each.id for each in decision.fired
            ]
            assert reason.confidence == pytest.approx(decision.confidence)


def test_the_hybrid_takes_the_rules_where_they_call_it_critical():
    class Even:
        name, version, sha256, keeps_expert_labels = "even", "1", "", False

        def probabilities(self, questions):
            import numpy as np

            return np.full((len(questions), 3), 1 / 3)

    found = HybridSource(RULES, Even()).labels(["عندي صداع", "أفكر في الانتحار"])
    assert found.levels.tolist() == [0, 2]
    assert found.discriminators[0] == "" and "self_harm" in found.discriminators[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My father is unconscious and not responding", 1),
        ("I am 55 and have crushing chest pain", 2),
        ("My 6 week old baby has a temperature of 38.5", 2),
        ("My temperature is 39.5 since yesterday", 3),
        ("blood pressure 200/110 and I feel fine", 3),
        ("sugar 400 and vomiting and very drowsy", 2),
        ("I have had back pain for 3 years", 4),
        ("I used to have chest pain years ago but it is gone now", 5),
        ("What is the treatment for piles?", 5),
        ("I have diabetes, can I fast?", 5),
        ("a dog bit me today", 3),
        ("my friend wants to kill herself", 2),
    ],
)
def test_english_is_read_by_the_same_scale(text, expected):
    assert ENGLISH.explain(text).decision.level == expected


def test_red_flags_are_the_critical_levels():
    assert RULES.red_flags(["أفكر في الانتحار", "صداع", "حرارته واحد واربعين"]).tolist() == [True, False, True]
    assert RULES.explain("أفكر في الانتحار").severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("الألم يمتد من صدري إلى ذراعي", 2),
        ("وجهها مال على جنب من الصبح", 2),
        ("من الصبح مال فمه على جهة", 2),
        ("عمره٣سنوات وحرارته٣٩", 3),
        ("صفيحاتي 12 ألف", 2),
        ("حامل في 5 شهور ونزل دم", 2),
        ("والدي تعرض لجلطة من سنة واليوم تشنج ورجف جسمه", 2),
        ("ما يصحى خالص وعيونه مغمضة", 1),
        ("صداع مو شديد من يومين", 4),
        ("صداع مع الحركة المفاجئة من فترة", 4),
        ("مريض سكر عمره 63 ويسأل عن الفيتامينات", 4),
    ],
)
def test_words_count_in_any_order_joined_to_numbers_and_beside_what_is_said_of_them(text, expected):
    assert level(text) == expected
