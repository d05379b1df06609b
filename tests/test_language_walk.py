"""English and a language that is made on the spot, from a file to a report: no other language has a say."""

import csv
import json
import os
import subprocess
import sys

import pytest
from maqa_severity.harness.languages import language
from maqa_severity.harness.metrics.registry import Group, columns_of
from maqa_severity.tasks.sample import handwritten_rows
from maqa_severity.tests.scratch import scratch_copy

ZZ = {
    "code": "zz",
    "name": "Zuzu",
    "direction": "ltr",
    "prompt": "Zu: {question}\nZa:",
    "stop": {"plain": ["\nZa:", "\nZu:"], "chat": []},
    "referral": "Zupa drubo miz vek.",
    "letters": "a-z",
    "severity_names": {"critical": "gharga", "neutral": "blimu", "non_critical": "fipfip"},
    "normalisation": {"version": 7, "remove": "[\\u00AD]", "surface": {}, "metric": {}},
}
WORDS = {"critical": "gharg", "neutral": "blim", "non_critical": "fip"}


def emptied(value):
    """Rules without their words."""
    if isinstance(value, dict):
        return {key: emptied(item) for key, item in value.items()}
    return [] if isinstance(value, list) else value


def write_zz(folder):
    """The language's folder: its prompt and a severity lexicon, and nothing else."""
    folder.mkdir()
    rules = emptied(json.loads((language("en").folder / "severity_rules.json").read_text(encoding="utf-8")))
    rules["negation"]["negators"] = ["nox"]
    entries = [
        {
            "id": name,
            "severity": name,
            "red_flag": False,
            "phrases": [word],
            "dialect": [],
            "gloss": "",
            "reason": "",
        }
        for name, word in WORDS.items()
    ]
    (folder / "language.json").write_text(json.dumps(ZZ), encoding="utf-8")
    (folder / "columns.json").write_text(json.dumps({"question": ["zuk"], "answer": ["zak"], "severity": ["zek"]}))
    (folder / "severity_rules.json").write_text(json.dumps(rules))
    lines = [json.dumps(line) for line in ({"version": 1}, *entries)]
    (folder / "severity_lexicon.jsonl").write_text("\n".join(lines) + "\n")


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """What both languages left, in a copy of the package that has a language more."""
    folder = tmp_path_factory.mktemp("languages")
    copy = scratch_copy(folder, also=("tests",))
    write_zz(copy / "harness" / "languages" / "zz")
    write_csv(
        folder / "zz.csv",
        ["zuk", "zak", "zek"],
        [
            (f"{word} ruk{chr(97 + at)} vo mip", f"drub{chr(97 + at)} zup miz {word}", ZZ["severity_names"][name])
            for at in range(12)
            for name, word in WORDS.items()
        ],
    )
    rows = [(row["question"], row["answer"], row["severity"]) for row in handwritten_rows(language("en"))]
    write_csv(folder / "en.csv", ["question", "answer", "severity"], rows)
    done = subprocess.run(
        [sys.executable, "-m", "maqa_severity.tests.language_walk", str(folder), "zz", "en"],
        capture_output=True, text=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [found[code]["failed"] for code in ("zz", "en")] == [[], []]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("code", "template"), [("zz", ZZ["prompt"]), ("en", language("en").prompt)])
def test_every_file_of_the_way_says_the_language_and_its_prompt(walked, code, template):
    found = walked[code]
    assert found["dataset"] == code
    asked, trained = found["manifest"]["prompt"], found["training"]
    assert (asked["language"], asked["template"], trained["dataset"]["language"]) == (code, template, code)
    assert trained["conditions"]["prompt.sha256"] == asked["sha256"]
    assert all(f"norm:{code}-" in line for line in found["signatures"].values() if "norm:" in line)
    assert any("norm:" in line for line in found["signatures"].values())
    assert found["page"] > 0


@pytest.mark.parametrize(("code", "template"), [("zz", ZZ["prompt"]), ("en", language("en").prompt)])
def test_training_and_evaluation_ask_the_same_byte_for_byte(walked, code, template):
    found = walked[code]
    assert found["trained_with"] == found["would_be_asked"]
    assert found["evaluated_with"] == [template.replace("{question}", text) for text in found["questions"]]


def test_the_floor_and_the_stop_strings_are_the_languages_own(walked):
    assert walked["zz"]["said"] == [ZZ["referral"]]
    assert walked["en"]["said"] == [language("en").referral]
    assert walked["zz"]["manifest"]["decoding"]["until"] == ZZ["stop"]["plain"]
    assert walked["en"]["manifest"]["decoding"]["until"] == list(language("en").stop.plain)


def test_labels_in_the_languages_own_words_are_read(walked):
    assert walked["zz"]["severities"] == ["critical", "neutral", "non_critical"]


def test_what_a_language_knows_too_little_for_is_left_out_and_named(walked):
    missing = set(columns_of(Group.SAFETY)) - set(walked["zz"]["signatures"])
    assert "degenerate" in missing and "rouge1" in walked["zz"]["signatures"]
    for said in (walked["zz"]["printed"]["hf"], "\n".join(walked["zz"]["manifest"]["left_out"])):
        assert "Zuzu has no safety lexicon" in said and "degenerate" in said
    assert walked["en"]["manifest"]["left_out"] == []


def test_english_answers_are_of_the_right_script(walked):
    means = walked["en"]["means"]
    assert means["wrong_script"] == 0 and means["truncated"] == 0 and means["missed_emergency"] == 100


def test_runs_of_two_languages_are_not_compared(walked):
    status, printed = walked["compared"]
    assert status == 2 and "language: 'zz' and 'en'" in printed.replace("\n", " ")
    assert any("language" in "".join(row["differs"]) and row["rank"] is None for row in walked["board"])


def test_a_classifier_needs_no_rules_of_its_language(walked):
    assert [walked[name][0] for name in ("classifier", "by_classifier")] == [0, 0], walked["classifier"][1]
    assert "classifier" in walked["classifier"][1] and "rules" not in walked["classifier"][1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("without_rules", "Zuzu (zz) has no severity lexicon"),
        ("stress", "Zuzu (zz) has no stress test"),
        ("sample", "there is no sample in Zuzu (zz)"),
        ("foreign_classifier", "was trained on zz, the questions are English (en)"),
        ("unknown", "unknown language 'tlh'. Use one of: ar, en, zz"),
        ("other", "is in Zuzu (zz), not in en"),
    ],
)
def test_what_a_language_cannot_do_is_one_line(walked, name, words):
    status, printed = walked[name]
    assert status == 2 and words in printed and "Traceback" not in printed
