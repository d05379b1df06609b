"""The triage scale as data: every discriminator is complete, says what it follows, and its own examples hold."""

from __future__ import annotations

import json

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.triage.scale import load_triage, read_triage
from maqa_severity.harness.languages import language
from maqa_severity.harness.severity import CLASS_OF_LEVEL, Severity

LANGUAGES = {code: language(code) for code in ("ar", "en")}
SCALES = {code: load_triage(one) for code, one in LANGUAGES.items()}
RULES = {code: RulesSource(one) for code, one in LANGUAGES.items()}
DIALECTS = {"msa", "egyptian", "levantine", "gulf", "iraqi", "maghrebi"}
PUBLISHED = {"ESI", "MTS", "SATS", "CTAS", "MFTI", "ETAT"}
EXAMPLES = [(code, each) for code, scale in SCALES.items() for each in scale.discriminators if each.examples]


def fired(code: str, text: str) -> dict[str, int]:
    return {each.id: each.level for each in RULES[code].explain(text).decision.fired}


@pytest.mark.parametrize(("code", "each"), EXAMPLES, ids=lambda item: getattr(item, "id", item))
def test_a_discriminator_fires_on_its_examples_and_not_on_its_counter_examples(code, each):
    for text in each.examples:
        assert each.id in fired(code, text), text
    for text in each.counter_examples:
        assert each.id not in fired(code, text), text


def test_the_classes_of_the_levels_are_declared_for_all_five():
    assert {level: str(severity) for level, severity in CLASS_OF_LEVEL.items()} == {
        1: "critical", 2: "critical", 3: "neutral", 4: "non_critical", 5: "non_critical"
    }  # fmt: skip
    assert [CLASS_OF_LEVEL[level].rank for level in range(1, 6)] == [2, 2, 1, 0, 0]


@pytest.mark.parametrize("code", SCALES)
def test_every_discriminator_has_both_names_a_definition_and_known_scales(code):
    for each in SCALES[code].discriminators:
        assert each.name["en"] and each.name["ar"] and each.definition
        assert set(each.scales) <= PUBLISHED
    signs = [each for each in SCALES[code].discriminators if each.kind == "sign"]
    assert {each.level for each in signs} == {1, 2, 3}
    catch_all = set(SCALES[code].defaults.values())
    assert all(each.expressions or each.entries or each.combinations for each in signs if each.id not in catch_all)


def test_the_arabic_scale_speaks_six_varieties_and_gives_examples_of_every_sign():
    for each in SCALES["ar"].discriminators:
        assert set(each.expressions) <= DIALECTS | {"all"}
        if each.kind == "sign" and not each.id.endswith("_other"):
            assert each.examples and each.counter_examples, each.id
    heard = [each for each in SCALES["ar"].discriminators if each.kind == "sign" and each.expressions]
    assert sum(set(each.expressions) >= DIALECTS for each in heard) >= 0.8 * len(heard)


def test_both_languages_have_one_scale():
    def scale(code: str) -> list[tuple]:
        return [
            (each.id, each.level, each.kind, each.scales, each.combinations, each.chronic, each.slight, each.name)
            for each in SCALES[code].discriminators
        ]

    assert scale("ar") == scale("en")


@pytest.mark.parametrize("code", SCALES)
def test_probabilities_have_the_class_of_the_level_and_sum_to_one(code):
    decider = RULES[code]._judge.decider
    for text in ("صداع", "chest pain", "عندي ألم ضاغط في الصدر", "what is the treatment for piles?"):
        explanation = RULES[code].explain(text)
        if explanation.decision.level is None:
            continue
        probabilities = decider.probabilities([explanation.decision])[0]
        assert probabilities.sum() == pytest.approx(1)
        assert probabilities[explanation.decision.severity.rank] == pytest.approx(explanation.decision.confidence)
        assert explanation.severity is explanation.decision.severity


def test_a_foreign_scale_is_named_with_its_key(tmp_path):
    whole = json.loads((LANGUAGES["ar"].folder / "triage.json").read_text(encoding="utf-8"))
    for change, named in [
        ({"version": None}, "version"),
        ({"discriminators": [whole["discriminators"][0]] * 2}, "two discriminators are called airway"),
        ({"colour": "red"}, "colour"),
        ({"discriminators": [{**whole["discriminators"][0], "combinations": ["nowhere"]}]}, "names nowhere"),
    ]:
        path = tmp_path / "triage.json"
        path.write_text(json.dumps({**whole, **change}, ensure_ascii=False), encoding="utf-8")
        with pytest.raises(UserError, match=named):
            read_triage(path)


def test_critical_is_levels_one_and_two():
    assert {level for level, severity in CLASS_OF_LEVEL.items() if severity is Severity.CRITICAL} == {1, 2}
