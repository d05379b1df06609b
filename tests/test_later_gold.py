"""The answers of later authors are as they were frozen, and so are the figures that were first seen on them."""

import hashlib
import json

import pytest
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.safety.card import Detector, safety_card
from maqa_severity.harness.severity import CLASS_OF_LEVEL
from maqa_severity.tests import bench_gold
from maqa_severity.tests.falah_draw import real_rows
from maqa_severity.tests.gold_authors import GOLD, authors, gold_digest, gold_rows
from maqa_severity.tests.later_gold import ENGLISH_SECOND, FIFTH, LATER, SIXTH
from maqa_severity.tests.safety_card import counted
from maqa_severity.tests.third_card import judged
from maqa_severity.tests.third_gold import WRITTEN, is_development, rows_of
from maqa_severity.tests.tongues import ARABIC

EACH = pytest.mark.parametrize("author", LATER, ids=lambda author: author.name)
COPIED = 40
"""So many characters in a row that also stand in FALAH-Mix would be a passage of it: a long greeting has 31."""


@EACH
def test_the_labels_are_as_they_were_before_any_detector_ran_on_them(author):
    assert hashlib.sha256(author.path.read_bytes()).hexdigest() == author.sha256
    assert author.sha256 in (author.path.parent / "gold_answers.md").read_text(encoding="utf-8")


@EACH
def test_every_answer_is_new_held_out_and_of_the_class_of_its_level(author):
    rows = author.rows()
    assert {(row["author"], row["half"]) for row in rows} == {(author.name, "held_out")}
    assert len({row["id"] for row in rows}) == len({row["answer"] for row in rows}) == len(rows)
    assert all(row["severity"] == CLASS_OF_LEVEL[row["level"]] for row in rows)
    assert all(("part" in row) == row["labels"]["degenerate"] for row in rows)
    # A word or two ("yes.") may be anybody's.
    long = {row["answer"] for row in rows if len(row["answer"].split()) > 3}
    assert not long & {row["answer"] for row in [*gold_rows(author.language), *rows_of(WRITTEN)]}


def test_the_fifth_author_gives_each_detector_its_events_and_its_twins():
    for column, detector in counted(judged(FIFTH.rows())).items():
        events = detector.true_positives + detector.misses
        assert events >= 16 and detector.n - events >= 16, column
    assert {row["dialect"] for row in FIFTH.rows()} == set(safety_card(ARABIC).dialects)


@pytest.mark.parametrize("author", [FIFTH, SIXTH], ids=lambda author: author.name)
def test_no_passage_of_falah_is_kept(author, falah):
    cells = "\n".join(text for column in ("question", "answer") for text in real_rows(falah)[column])
    for row in author.rows():
        for text in filter(None, (row["question"], row["reference"], row["answer"])):
            passages = (text[at : at + COPIED] for at in range(len(text) - COPIED + 1))
            assert not any(passage in cells for passage in passages), row["id"]


@EACH
def test_first_seen_figures_are_of_the_frozen_labels(author):
    """Whatever the detectors find later, what happened stays as it was labelled."""
    first = json.loads(author.first_seen.read_text(encoding="utf-8"))
    assert first["gold"] == {author.path.name: author.sha256} and len(first["commit"]) == 40
    today = counted(judged(author.rows(), author.language))
    assert set(today) == set(first["detectors_on"])
    for column, detector in today.items():
        then = Detector(**{key: first["detectors_on"][column][key] for key in Detector.model_fields})
        assert then.n == detector.n
        assert then.true_positives + then.misses == detector.true_positives + detector.misses
        dialects = [part[column] for part in first["dialects"].values() if column in part]
        assert {key: sum(part[key] for part in dialects) for key in Detector.model_fields} == then.model_dump()


@EACH
def test_the_card_counts_what_is_held_out_and_its_digest_their_file(author, monkeypatch):
    shown = next(each for each in authors(author.language) if each.name == author.name)
    assert shown.unseen and shown.rows == author.held_out()
    read = [row["id"] for row in author.rows() if author.halved and is_development(row)]
    assert not {row["id"] for row in shown.rows} & set(read)
    assert len(shown.rows) + len(read) == len(author.rows())
    card = safety_card(author.language).authors[author.name]
    assert card.answers == len(shown.rows) and card.first_seen == shown.first_seen != {}
    before = gold_digest(author.language)
    monkeypatch.setattr("maqa_severity.tests.gold_authors.LATER", ())
    assert gold_digest(author.language) != before == safety_card(author.language).gold_sha256


def test_the_bench_prints_figures_beside_first_seen_and_card_and_no_row(capsys):
    assert bench_gold.main(["--author", ENGLISH_SECOND.name, "--dialects"]) == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("  under_triage"))
    first = json.loads(ENGLISH_SECOND.first_seen.read_text(encoding="utf-8"))["detectors_on"]["under_triage"]
    assert f"{first['precision']['value']:.0f} {first['recall']['value']:.0f}" in line
    assert "nigerian:" in out and "token_leak" in out
    assert not any(row["id"] in out or row["answer"] in out for row in ENGLISH_SECOND.rows())


def test_the_bench_compares_with_the_card_of_the_others(capsys, monkeypatch):
    monkeypatch.setattr(bench_gold, "card_without", lambda *_: {"refusal": Detector(n=9, **_hits(4, 0, 0))})
    monkeypatch.setattr(
        bench_gold, "judged", lambda *_: [({"dialect": "msa"}, "refusal", True, at < 3) for at in range(4)]
    )
    assert bench_gold.main(["--author", FIFTH.name]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  refusal"))
    assert line.endswith("| 100 100 | -25")


def test_first_seen_figures_are_written_once(capsys):
    kept = FIFTH.first_seen.read_bytes()
    assert bench_gold.main(["--author", FIFTH.name, "--first-seen"]) == 2
    assert "written once" in capsys.readouterr().out and FIFTH.first_seen.read_bytes() == kept


def test_the_author_measured_is_not_among_those_it_is_compared_with():
    everybody = authors(ARABIC)
    fifth = next(each for each in everybody if each.name == FIFTH.name)
    others = bench_gold.card_without(fifth, everybody, ARABIC)
    card = safety_card(ARABIC)
    assert (
        others["polarity_flip"].n
        == card.other_author["polarity_flip"].n - card.authors[FIFTH.name].detectors["polarity_flip"].n
    )


def _hits(hits: int, false: int, misses: int) -> dict[str, int]:
    return {"true_positives": hits, "false_positives": false, "misses": misses}


def test_each_language_has_its_later_authors():
    assert all(isinstance(author.language, Language) and author.language in GOLD for author in LATER)
