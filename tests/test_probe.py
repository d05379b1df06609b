"""``maqa probe``: emergencies and their harmless twins, in many wordings."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from maqa_severity import cli
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.config import GenerationConfig
from maqa_severity.harness.generation.decoding import decoding
from maqa_severity.harness.languages import Part
from maqa_severity.harness.languages.messages import choose, messages
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.harness.statistics import Resampling
from maqa_severity.probes import asking
from maqa_severity.probes.design import FACTORS, Kind, design_of, left_out, levels, written
from maqa_severity.probes.reading import effects, rates
from maqa_severity.probes.records import Probe
from maqa_severity.probes.vignettes import vignettes
from maqa_severity.probes.words import compared, told_apart
from maqa_severity.tests.tongues import ARABIC, ENGLISH

FEW = Resampling(resamples=300)
GO = "Go to the emergency room now."


def run(*arguments: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["maqa", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            raise SystemExit(0)
    return ended.value.code or 0


@pytest.fixture(scope="module")
def whole():
    return {tongue.code: (tongue, written(design_of(tongue), tongue)) for tongue in (ARABIC, ENGLISH)}


@pytest.mark.parametrize("code", ["ar", "en"])
def test_every_text_of_the_factorial_is_there_once_and_no_two_are_equal(whole, code):
    tongue, texts = whole[code]
    dialects, cases = len(vignettes(tongue).dialects), len(vignettes(tongue).cases)
    assert cases >= 12 and dialects == (6 if code == "ar" else 2)
    assert len(texts) == cases * len(Kind) * dialects * 2 * 2 * 3
    assert len({text.id for text in texts}) == len({text.question for text in texts}) == len(texts)


def test_both_languages_have_the_same_cases_at_the_same_levels():
    of = [
        [(c.name, c.sign, c.level, c.level_without, c.twin_level) for c in vignettes(t).cases]
        for t in (ARABIC, ENGLISH)
    ]
    assert of[0] == of[1]
    assert len({case[0] for case in of[0]}) == len({case[1] for case in of[0]}), "every case has another sign"


def test_every_sign_stands_in_the_manual_at_the_level_of_its_case():
    manual = (Path(asking.__file__).parents[1] / "docs" / "severity.md").read_text(encoding="utf-8")
    first, second = (
        manual.split(f"### {part}. Level {level}")[1].split("###")[0] for part, level in (("A", 1), ("B", 2))
    )
    for case in vignettes(ARABIC).cases:
        assert f"| `{case.sign}` |" in (first if case.level == 1 else second), case.name
        assert CLASS_OF_LEVEL[case.level] == "critical" and CLASS_OF_LEVEL[case.twin_level] == "non_critical"


def test_arabic_texts_hold_no_latin_letter_and_dialects_share_few_words():
    dialects: dict[str, set[str]] = {}
    for case in vignettes(ARABIC).cases:
        for name, texts in case.texts.items():
            joined = " ".join(texts.model_dump().values())
            assert not re.search("[A-Za-z]", joined), (case.name, name)
            dialects.setdefault(name, set()).update(joined.split())
    for one in dialects:
        for other in dialects.keys() - {one}:
            shared = len(dialects[one] & dialects[other]) / len(dialects[one] | dialects[other])
            assert shared < 0.6, (one, other, shared)


@pytest.mark.parametrize("code", ["ar", "en"])
def test_typing_errors_hang_on_text_and_seed_alone_and_touch_no_number(whole, code):
    tongue, texts = whole[code]
    some = [text for text in texts if text.typos == "yes"]
    clean = {(t.case, t.kind, t.dialect, t.minimising, t.wanted): t.question for t in texts if t.typos == "no"}
    digits = re.compile(r"\S*\d\S*")
    for text in some:
        before = clean[text.case, text.kind, text.dialect, text.minimising, text.wanted]
        assert before != text.question and digits.findall(before) == digits.findall(text.question)
    assert [t.question for t in written(design_of(tongue), tongue)] == [t.question for t in texts]
    small = written(design_of(tongue, number=3), tongue)
    assert {t.id: t.question for t in small}.items() <= {t.id: t.question for t in texts}.items()
    other = written(design_of(tongue, seed=1), tongue)
    assert all(
        (a.question == b.question) == (a.typos == "no") for a, b in list(zip(texts, other, strict=True))[::50]
    )


@pytest.mark.parametrize("code", ["ar", "en"])
def test_texts_that_differ_in_one_part_have_the_same_typing_errors_in_the_others(whole, code):
    _, texts = whole[code]
    plain = {(t.case, t.kind, t.dialect, t.typos, t.wanted): t.question for t in texts if t.minimising == "no"}
    for text in (each for each in texts if each.minimising == "yes"):
        words, longer = (
            plain[text.case, text.kind, text.dialect, text.typos, text.wanted].split(),
            text.question.split(),
        )
        # The words in between are those of the relatives.
        kept = next(
            place for place, word in enumerate([*words, ""]) if place == len(words) or word != longer[place]
        )
        assert longer[-(len(words) - kept) :] == words[kept:] or kept == len(words)


def test_smaller_designs_say_what_they_leave_out():
    design = design_of(ENGLISH, number=5, factors=["typos", "minimising"])
    assert design.factors == ("minimising", "typos") and len(design.cases) == 5
    cases, factors = left_out(design, ENGLISH)
    assert cases.startswith("9 of 14 cases: ") and "sign (said throughout)" in factors
    assert {text.kind for text in written(design, ENGLISH)} == {Kind.EMERGENCY, Kind.TWIN}
    assert left_out(design_of(ENGLISH), ENGLISH) == []


def obedient(texts, log_odds: dict[tuple[str, str], float], seed: int) -> pd.DataFrame:
    """Answers of a model that sends by the odds of case and kind, times those of the levels; no detector."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([{**vars(text), "kind": text.kind.value, "wanted": str(text.wanted)} for text in texts])
    base = {name: rng.normal(1.0, 1.0) for name in frame["case"].unique()}
    shift = {Kind.EMERGENCY: 0.0, Kind.LEFT_OUT: log_odds.get(("sign", "left out"), 0.0), Kind.TWIN: -3.0}
    logit = frame["case"].map(base) + frame["kind"].map({kind.value: add for kind, add in shift.items()})
    for (factor, level), add in log_odds.items():
        if factor != "sign":
            logit = logit + add * (frame[factor] == level)
    sent = 100.0 * (rng.random(len(frame)) < 1 / (1 + np.exp(-logit)))
    return frame.assign(urgent_referral=sent, missed_emergency=100 - sent)


def test_a_model_that_follows_a_factor_gives_the_planted_odds_ratio_and_the_others_none(whole):
    tongue, texts = whole["ar"]
    planted = {
        ("minimising", "yes"): np.log(0.1),
        ("wanted", "fine"): np.log(0.4),
        ("sign", "left out"): np.log(0.2),
    }
    answers = obedient(texts, planted, seed=3)
    ways = {factor: levels(factor, tongue) for factor in FACTORS}
    found = [each for each in effects(answers, ways, FACTORS, FEW) if each.stratum == Kind.EMERGENCY]
    assert [(each.factor, each.level) for each in found] == [
        *(("dialect", name) for name in ways["dialect"][1:]),
        ("minimising", "yes"), ("sign", "left out"), ("typos", "yes"), ("wanted", "remedy"), ("wanted", "fine"),
    ]  # fmt: skip
    for each in found:
        true = float(np.exp(planted.get((each.factor, each.level), 0.0)))
        assert each.low <= true <= each.high, each
        emergencies = sum(text.kind == Kind.EMERGENCY for text in texts)
        assert each.pairs == emergencies // (1 if each.factor == "sign" else len(ways[each.factor]))
    assert all(each.high < 1 for each in found if (each.factor, each.level) in planted)
    said = compared(rates(answers, FEW), found)
    assert "a factor of" in said[1] and "52 %" in said[0] and "10.1038" in said[0]


def test_whoever_sends_everybody_or_nobody_is_said_to_tell_nothing_apart(whole):
    _, texts = whole["en"]
    for share in (0.0, 100.0):
        frame = obedient(texts, {}, 0).assign(urgent_referral=share, missed_emergency=100 - share)
        assert "not shown to be sent" in told_apart(rates(frame, FEW), {})
    apart = rates(obedient(texts, {}, 0), FEW)
    assert "more often than their harmless twins, by" in told_apart(apart, {})
    screened = told_apart(apart, {"urgent_referral": "recall 60 [40, 70] %"})
    assert screened.startswith("screening only, so no verdict: ") and "(recall 60 [40, 70] %)" in screened


def config(out: Path, kind: str = "constant", answer: str | None = GO, **arguments: object) -> GenerationConfig:
    return GenerationConfig(
        kind=kind, model_args=arguments, decoding=decoding("greedy", ENGLISH, max_new_tokens=8), answer=answer,
        device="cpu", store=out / "answers",
    )  # fmt: skip


def test_a_constant_that_sends_everybody_misses_nothing_and_over_refers_always(tmp_path):
    design = design_of(ENGLISH, number=3, factors=["minimising"])
    found = asking.probe(config(tmp_path), design, ENGLISH, tmp_path, resampling=FEW)
    values = {(rate.stratum, rate.outcome): rate.value for rate in found.rates}
    assert values["emergency", "urgent_referral"] == 100.0 and values["emergency", "missed_emergency"] == 0.0
    assert values["harmless twin", "over_referral"] == 100.0
    assert values["emergency and twin", "told_apart"] == 0.0
    assert {effect.interval for effect in found.effects} == {"no answer changed"}
    table = pd.read_parquet(tmp_path / "answers.parquet")
    assert (
        len(table) == 3 * 2 * 2
        and table["missed_emergency"].isna().sum() == table["over_referral"].notna().sum() == 6
    )
    again = Probe.model_validate(json.loads((tmp_path / "probe.json").read_text(encoding="utf-8")))
    assert again == found


def test_a_checkpoint_is_asked_once_and_the_same_call_asks_nothing(tmp_path, checkpoint, monkeypatch):
    design = design_of(ARABIC, number=2, factors=["sign"])
    asked = config(tmp_path, "hf", None, pretrained=str(checkpoint))
    first = asking.probe(asked, design, ARABIC, tmp_path, resampling=FEW)
    before = (tmp_path / "answers.parquet").read_bytes()
    (tmp_path / "probe.json").unlink()
    monkeypatch.setattr("maqa_severity.harness.generation.stored.load_workers", None)
    second = asking.probe(asked, design, ARABIC, tmp_path, resampling=FEW)
    assert (second.rates, second.effects) == (first.rates, first.effects)
    assert (tmp_path / "answers.parquet").read_bytes() == before


def test_a_kill_between_chunks_loses_no_answer(tmp_path, monkeypatch):
    from maqa_severity.harness.generation.store.store import Store

    design = design_of(ENGLISH, number=6, factors=["minimising", "sign", "wanted"])
    append, calls = Store.append, []

    def dies(self, *chunk):
        calls.append(len(chunk[0]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        append(self, *chunk)

    monkeypatch.setattr(Store, "append", dies)
    with pytest.raises(UserError, match="interrupted"):
        asking.probe(config(tmp_path), design, ENGLISH, tmp_path, resampling=FEW)
    assert not (tmp_path / "probe.json").exists()
    monkeypatch.setattr(Store, "append", append)
    found = asking.probe(config(tmp_path), design, ENGLISH, tmp_path, resampling=FEW)
    lines = [
        line for path in (tmp_path / "answers").glob("*.jsonl") for line in path.read_text("utf-8").splitlines()
    ]
    assert found.answers.all == len(lines) == 6 * 3 * 2 * 3


def test_the_command_prints_rates_and_odds_and_writes_a_page_without_markup_of_texts(tmp_path, capsys):
    arguments = ("probe", "--model", "echo", "--language", "en", "--cases", 2, "--factors", "minimising,sign")
    assert run(*arguments, "--resamples", 100, "--out", tmp_path / "p", "--name", "<b>me</b>") == 0
    printed = capsys.readouterr().out
    assert "over_referral" in printed and "odds ratio" in printed and "left out: 12 of 14 cases" in printed
    assert "not medical advice" in printed.replace("\n", " ") and "Fewer than 6 cases (emergency; " in printed
    page = (tmp_path / "p" / "index.html").read_text(encoding="utf-8")
    assert (
        "&lt;b&gt;me&lt;/b&gt;" in page
        and "<b>me" not in page
        and "http" not in re.sub("http://www.w3|http-equiv", "", page)
    )


def test_the_arabic_page_shows_turned_answers_from_right_to_left(tmp_path, monkeypatch):
    def turned(model, asked, language):
        words = [ARABIC.referral if text.minimising == "yes" else GO for text in asked]
        return pd.DataFrame({"answer": words, "finish_reason": "stop", "tokens": 1})

    def by_words(asked, said, language):
        frame = pd.DataFrame(
            [{"id": t.id, **vars(t), "kind": t.kind.value, "wanted": str(t.wanted)} for t in asked]
        )
        sent = 100.0 * (said["answer"] == GO).to_numpy()
        return pd.concat([frame, said], axis=1).assign(urgent_referral=sent, missed_emergency=100 - sent)

    monkeypatch.setattr(asking, "_ask", turned)
    monkeypatch.setattr(asking, "scored", by_words)
    design = design_of(ARABIC, number=4, factors=["dialect", "minimising"])
    found = asking.probe(config(tmp_path), design, ARABIC, tmp_path, resampling=FEW)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count('dir="rtl" lang="ar"') >= 4 and "Maghrebi" in page
    effect = next(each for each in found.effects if each.factor == "minimising")
    assert (effect.only_here, effect.only_there, effect.low) == (0, effect.pairs, 0.0)
    assert effect.interval == f"[0.00, {effect.high:.2f}]"


def test_page_and_terminal_speak_arabic_with_lang_ar_and_english_without(tmp_path, capsys):
    asked = ("probe", "--model", "echo", "--language", "en", "--cases", 2, "--factors", "minimising,sign")
    told = {}
    for code in ("en", "ar"):
        assert run(*asked, "--resamples", 100, "--out", tmp_path / code, "--lang", code) == 0
        told[code] = capsys.readouterr().out
    choose(None)
    page = (tmp_path / "ar" / "index.html").read_text("utf-8")
    assert '<html lang="ar" dir="rtl"' in page and '<html lang="en"' in (tmp_path / "en" / "index.html").read_text(
        "utf-8"
    )
    for key in ("probe.who", "probe.wording", "probe.published", "probe.method", "probe.column.odds"):
        assert f">{messages('ar')(key)}<" in page, key
    for key in ("probe.about", "probe.other", "probe.one_each", "probe.relatives.none"):
        assert (
            messages("ar")(key).strip() in " ".join(told["ar"].split()) and messages("ar")(key).strip() in page
        ), key
    # Words in Latin letters are names, metrics and sources.
    assert not re.search(r"(?<!_)emergency|against|left out|percent", told["ar"]), told["ar"]
    saved = [json.loads((tmp_path / code / "probe.json").read_text("utf-8")) for code in ("en", "ar")]
    assert saved[0]["compared"] == saved[1]["compared"] and saved[0]["about"] == messages("en")("probe.about")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--case", "stroke", "--case", "sunburn"], "no case is called 'sunburn'"),
        (["--factors", "dialect,mood"], "no factor is called 'mood'"),
        (["--factors", ","], "no factor is to vary"),
        (["--cases", "1"], "a probe of 1 case has no interval"),
        (["--cases", "0"], "a probe of 0 case has no interval"),
        (["--cases", "15"], "15 cases were asked for and there are 14"),
        (["--case", "stroke", "--case", "stroke"], "case 'stroke' was given twice"),
        (["--case", "stroke"], "a probe of 1 case has no interval"),
        (["--language", "xx"], "unknown language 'xx'"),
        (["--model-args", "x"], "--model-args has no name=value"),
        (["--chat-template"], "`echo` has no chat template here"),
        (["--model", "nearest"], "`nearest` needs training answers"),
    ],
)
def test_what_cannot_be_asked_is_one_line(tmp_path, capsys, given, words):
    language = [] if "--language" in given else ["--language", "en"]
    assert run("probe", "--model", "echo", *language, *given, "--out", tmp_path / "p") == 2
    said = capsys.readouterr().err.strip()
    assert words in said and "\n" not in said
    assert not (tmp_path / "p").exists()


def test_another_probe_in_the_folder_and_a_language_without_cases_are_refused(tmp_path):
    asking.probe(
        config(tmp_path), design_of(ENGLISH, number=2, factors=["sign"]), ENGLISH, tmp_path, resampling=FEW
    )
    with pytest.raises(UserError, match="holds another probe"):
        asking.probe(config(tmp_path), design_of(ENGLISH, number=3, factors=["sign"]), ENGLISH, tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="holds something else"):
        asking.probe(config(tmp_path), design_of(ENGLISH, number=2), ENGLISH, tmp_path / "other")
    bare = ENGLISH.model_copy(update={"code": "zz"})
    with pytest.raises(UserError, match="has no probe"):
        bare.demand(Part.PROBE)


def test_help_of_the_command_stands_under_headings(capsys):
    assert run("probe", "--help") == 0
    printed = capsys.readouterr().out.splitlines()
    headings = [line[:-1] for line in printed if line.endswith(":") and line[0] != " "]
    assert headings == ["Model", "Texts", "Answers", "Output", "Options"]
