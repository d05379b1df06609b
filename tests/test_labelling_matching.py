"""The matching of the rules: clitics, gaps, negation, time and intensity, on a lexicon of a few entries."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.sources.findings import Verdict
from maqa_severity.harness.labelling.sources.lexicon import LEXICON, RULES, read_lexicon
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.severity import Severity
from maqa_severity.tests.tongues import ARABIC

ENTRIES = [
    ("chest-pain", "critical", True, ["الم|وجع * صدر", "صدر * يوجعني|يعورني"]),
    ("cannot-breathe", "critical", True, ["لا|ما * يستطيع|يقدر * تنفس|يتنفس"]),
    ("bleeding", "critical", False, ["نزيف"]),
    ("blood-in-stool", "critical", False, ["دم * براز"]),
    ("fever", "neutral", False, ["حراره"]),
    ("low-fever", "non_critical", False, ["حراره خفيفه"]),
    ("headache", "non_critical", False, ["صداع"]),
]


@pytest.fixture(scope="module")
def rules(tmp_path_factory) -> RulesSource:
    folder = tmp_path_factory.mktemp("lexicon")
    return RulesSource(ARABIC, read_lexicon(write_lexicon(folder)))


def write_lexicon(folder: Path) -> Path:
    keys = ("id", "severity", "red_flag", "phrases")
    rest = dict.fromkeys(("gloss", "reason", "positive", "negated"), "-") | {"dialect": ["msa"]}
    lines = [{"notice": "For a test.", "version": 7}]
    lines += [dict(zip(keys, entry, strict=True)) | rest for entry in ENTRIES]
    (folder / LEXICON).write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    shutil.copy(ARABIC.folder / RULES, folder)
    return folder


def fired(rules: RulesSource, text: str) -> set[str]:
    return {f.entry.id for f in rules.explain(text).findings if f.verdict is Verdict.FIRES}


@pytest.mark.parametrize(
    "text", ["ألم في الصدر", "عندي أَلَمٌ في صدري", "وبألم شديد بالصدر", "الآلام وجع بصدره", "صدري من أمس يوجعني"]
)
def test_a_word_matches_with_marks_spelling_variants_and_clitics_around_it(rules, text):
    assert fired(rules, text) == {"chest-pain"}


@pytest.mark.parametrize(
    "text", ["مصدر الألم", "ألم في المصدر", "ألم ثم بعد يوم واحد جاء الصدر", "ألم. الصدر سليم"]
)
def test_neither_a_part_of_a_word_nor_too_wide_a_gap_nor_the_next_sentence_matches(rules, text):
    assert fired(rules, text) == set()


def test_a_particle_is_not_found_inside_another_word(rules):
    assert "cannot-breathe" in fired(rules, "وما يقدر يتنفس")
    assert "cannot-breathe" not in fired(rules, "لما يقدر يتنفس")


def test_a_feminine_ending_before_a_pronoun_still_matches(rules):
    assert fired(rules, "حرارته عالية") == {"fever"}


@pytest.mark.parametrize(
    "text",
    [
        "لا يوجد ألم في الصدر",
        "ما عندي وجع في الصدر",
        "بدون ألم في الصدر",
        "معنديش وجع في صدري",
        "ماكاينش وجع فالصدر",
        "ما في وجع بالصدر",
        "لا أشعر بألم شديد في الصدر أو نزيف",
        "نزيف لا يوجد",
        "لا ألم في الصدر ولا نزيف",
    ],
)
def test_what_is_negated_does_not_fire(rules, text):
    assert fired(rules, text) == set()
    assert rules.explain(text).unknown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ما عندي صداع لكن عندي نزيف", {"bleeding"}),
        ("بدون حرارة، نزيف شديد", {"bleeding"}),
        ("لا حرارة. نزيف", {"bleeding"}),
        ("ما زال الألم في صدري", {"chest-pain"}),
        ("ليس فقط صداع", {"headache"}),
        ("لا أعرف سبب النزيف", {"bleeding"}),
        ("ابني لا يستطيع التنفس", {"cannot-breathe"}),
        ("نزيف لا يتوقف", {"bleeding"}),
        ("لا أحب القهوة ولا الشاي ولا السهر الطويل وعندي نزيف", {"bleeding"}),
    ],
)
def test_negation_ends_at_a_breaker_and_some_negators_negate_nothing(rules, text, expected):
    assert fired(rules, text) == expected


def test_a_gap_does_not_jump_over_a_negator(rules):
    assert "blood-in-stool" in fired(rules, "دم مع البراز")
    assert "blood-in-stool" not in fired(rules, "دم بلا براز")


def test_the_longer_phrase_covers_the_one_inside_it(rules):
    assert fired(rules, "حرارة خفيفة") == {"low-fever"}


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("نزيف", Severity.CRITICAL),
        ("كان عندي نزيف وراح", Severity.NEUTRAL),
        ("نزيف خفيف", Severity.NEUTRAL),
        ("نزيف منذ سنوات", Severity.NEUTRAL),
        ("صداع", Severity.NON_CRITICAL),
        ("صداع شديد", Severity.NON_CRITICAL),
        ("صداع شديد مفاجئ", Severity.NEUTRAL),
        ("صداع مش شديد مفاجئ", Severity.NON_CRITICAL),
        ("حرارة", Severity.NEUTRAL),
    ],
)
def test_time_and_intensity_move_the_severity(rules, text, severity):
    assert rules.explain(text).severity is severity


def test_a_red_flag_is_not_talked_down_by_a_slight_or_a_chronic(rules):
    assert rules.explain("ألم خفيف في الصدر").severity is Severity.CRITICAL
    assert rules.explain("ألم في الصدر منذ سنوات").severity is Severity.CRITICAL
    assert rules.red_flags(["ألم خفيف في الصدر", "كان عندي ألم في الصدر وراح", "نزيف"]).tolist() == [
        True,
        False,
        False,
    ]


def test_the_gravest_finding_decides(rules):
    assert rules.explain("صداع وحرارة ونزيف").severity is Severity.CRITICAL


def test_no_match_is_unknown_with_the_stated_prior_and_never_mild(rules):
    explanation = rules.explain("أريد معرفة موعد العيادة")
    assert explanation.unknown
    assert np.isnan(rules.probabilities(["أريد معرفة موعد العيادة"])).all()
    unknown = rules.lexicon.rules.unknown
    assert explanation.probabilities.tolist() == [unknown.p_non_critical, unknown.p_neutral, unknown.p_critical]
    assert explanation.severity is not Severity.NON_CRITICAL


def test_probabilities_sum_to_one_and_agree_with_the_explanation(rules):
    texts = ["نزيف", "صداع", "ألم في الصدر", "حرارة وصداع"]
    probabilities = rules.probabilities(texts)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert np.array_equal(probabilities, [rules.explain(text).probabilities for text in texts])


def test_the_cost_of_a_long_text_is_linear(rules):
    def seconds(length: int) -> float:
        text = "لا الم حراره صداع " * (length // 18)
        return min(_timed(rules, text) for _ in range(3))

    seconds(2_000)
    assert seconds(100_000) < 40 * seconds(10_000)


def _timed(rules: RulesSource, text: str) -> float:
    # Of the processor, not of the clock: other processes wait their turn elsewhere.
    start = time.thread_time()
    rules.probabilities([text])
    return time.thread_time() - start


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("no json", "line 2 is not JSON"),
        ("[]", "line 2 is not an object"),
        ('{"id": "x"}', "line 2 key"),
        (
            '{"id":"x","severity":"fatal","red_flag":true,"phrases":["a"],"dialect":[],"gloss":"-","reason":"-",'
            '"positive":"-","negated":"-"}',
            "line 2 key 'severity'",
        ),
    ],
)
def test_a_foreign_lexicon_line_is_named(tmp_path, line, named):
    write_lexicon(tmp_path)
    (tmp_path / LEXICON).write_text('{"version": 1}\n' + line, encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_lexicon(tmp_path)


def test_a_lexicon_without_version_or_file_is_an_error(tmp_path):
    write_lexicon(tmp_path)
    (tmp_path / LEXICON).write_text('{"id": "x"}\n', encoding="utf-8")
    with pytest.raises(UserError, match="states no version"):
        read_lexicon(tmp_path)
    (tmp_path / LEXICON).unlink()
    with pytest.raises(UserError, match="cannot read"):
        read_lexicon(tmp_path)


def test_any_change_of_the_lexicon_or_the_cues_changes_the_digest(tmp_path, rules):
    write_lexicon(tmp_path)
    cues = tmp_path / RULES
    cues.write_text(cues.read_text(encoding="utf-8").replace('"window": 6', '"window": 5'), encoding="utf-8")
    assert read_lexicon(tmp_path).sha256 != rules.sha256
