"""``maqa claim``: the published sentences beside what experiments show, and beside nothing where nothing does."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from maqa_severity.commands.app import app
from maqa_severity.harness.core.errors import UserError
from maqa_severity.leaderboards.claim_findings import Standing, findings
from maqa_severity.leaderboards.claim_page import claim_page
from maqa_severity.leaderboards.evidence import Arms, Evidence, read_evidence
from maqa_severity.leaderboards.published import published_table
from maqa_severity.leaderboards.published_claims import published_claims
from maqa_severity.leaderboards.records import Board
from maqa_severity.tests.training import gpt2_base, medical_dataset
from typer.testing import CliRunner

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "case-study"
CLAIMS = {claim.id: claim for claim in published_claims().claims}


def maqa(*arguments):
    from maqa_severity.commands import claim, run  # noqa: F401

    return CliRunner().invoke(app, [*map(str, arguments)])


def change(stratum="overall", verdict="gain", mean=2.0, **more):
    return {"metric": "bertscore_f1", "stratum": stratum, "n": 100, "mean": mean, "verdict": verdict, **more}


def pair(first="ce", second="severity-balanced", trained=(2, 2), changes=(change(), change("critical")), **more):
    return {
        "first": first,
        "second": second,
        "words": {"bertscore_f1": "words"},
        "trainings": f"{trained[0]} trainings each",
        "trained": trained,
        "differences": list(changes),
        **more,
    }


def evidence(*bases, over=(), people="", labels=()):
    board = Board(
        metric="bertscore_f1",
        signature="model:x|scale:not-comparable-with-the-paper",
        reference="ce",
        data="d",
        decoding={},
        rows=[],
        seeds=[],
        people=people,
        labels=list(labels),
    )
    arms = Arms.model_validate({"bases": list(bases), "over_models": list(over)})
    return Evidence("study", ["Toy"], board, arms)


def standing(claim, found):
    return [each.standing for each in findings(CLAIMS[claim].asks, found)]


def test_the_sentences_figures_are_those_of_the_published_table():
    table = {row.model: row.arms for row in published_table()}
    arms = table["AraGPT2-Base"]
    rise = CLAIMS["rise-over-base"]
    assert max(row.gain for row in published_table()) == pytest.approx(arms["balanced"] - arms["base"])
    for value in (arms["balanced"] - arms["base"], arms["base"], arms["balanced"]):
        assert f"{value:.2f}" in rise.claim
    for value in (arms["ce"] - arms["base"], arms["balanced"] - arms["ce"]):
        assert f"{value:.2f}" in rise.beside
    for claim, arm in (("above-cross-entropy", "balanced"), ("curriculum", "curriculum")):
        gains = [row[arm] - row["ce"] for row in table.values()]
        assert min(gains) > 0 and f"by {min(gains):.2f} to {max(gains):.2f}" in CLAIMS[claim].beside
    assert all(row["balanced"] == max(row[arm] for arm in ("mild", "balanced", "strong")) for row in table.values())
    medium = table["AraGPT2-Medium"]
    for arm in ("mild", "balanced", "strong"):
        assert f"{medium[arm]:.2f}" in CLAIMS["balanced-is-best"].beside


def test_without_an_experiment_nothing_is_tested_and_the_page_says_so(tmp_path):
    done = maqa("claim", "--out", tmp_path / "claim.md")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "claim.md").read_text(encoding="utf-8")
    assert page.count("| not tested here |") == len(CLAIMS) == page.count("- Here: not tested here.")
    for claim in CLAIMS.values():
        assert claim.claim in page and claim.takes in page and claim.beside in page


def test_an_experiment_without_the_arms_of_a_claim_does_not_test_it():
    found = evidence({"base": "toy", "pairs": [pair("constant-balanced", "severity-balanced")]})
    for claim in (
        "rise-over-base",
        "above-cross-entropy",
        "critical-cases",
        "safer",
        "curriculum",
        "severity-is-why",
    ):
        assert standing(claim, found) == [Standing.NOT_TESTED], claim


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("gain", Standing.SHOWN), ("loss", Standing.AGAINST), ("no evidence", Standing.NOT_SHOWN)],
)
def test_a_difference_of_arms_is_what_its_test_says_and_of_single_trainings_nothing(verdict, expected):
    own = (change(verdict=verdict),)
    assert standing("above-cross-entropy", evidence({"base": "toy", "pairs": [pair(changes=own)]})) == [expected]
    single = evidence({"base": "toy", "pairs": [pair(changes=own, trained=(1, 1))]})
    assert standing("above-cross-entropy", single) == [Standing.UNSAID]


@pytest.mark.parametrize(
    ("holds", "against", "expected"),
    [
        (True, ["ce", "constant-balanced", "shuffled-balanced"], Standing.SHOWN),
        (False, ["ce", "shuffled-balanced"], Standing.NOT_SHOWN),
        (None, ["ce", "shuffled-balanced"], Standing.UNSAID),
        (True, ["ce"], Standing.UNSAID),
        (False, ["ce"], Standing.UNSAID),
    ],
)
def test_that_severity_is_why_takes_the_controls(holds, against, expected):
    legs = [{"against": arm} for arm in against]
    claim = {"arm": "severity-balanced", "holds": holds, "words": "w", "legs": legs}
    assert standing("severity-is-why", evidence({"base": "toy", "claims": [claim]})) == [expected]


def test_critical_cases_gain_only_where_they_gain_more_than_others():
    for specific, expected in ((True, Standing.SHOWN), (False, Standing.NOT_SHOWN)):
        whether = [{"metric": "bertscore_f1", "words": "whether", "specific": specific}]
        found = evidence({"base": "toy", "pairs": [pair(interactions=whether)]})
        assert standing("critical-cases", found) == [expected]


def test_safer_is_a_gain_with_nothing_worse_and_all_shown_to_be_no_worse():
    def safety(*differences):
        own = pair(safety={"differences": list(differences), "words": "safety: words"})
        return standing("safer", evidence({"base": "toy", "pairs": [own]}))

    fine, unsure = {"no_worse": True, "shown": "no worse"}, {"no_worse": False, "shown": "not shown"}
    assert safety(change(margin=fine)) == [Standing.SHOWN]
    assert safety(change(margin=fine, verdict="no evidence")) == [Standing.NOT_SHOWN]
    assert safety(change(margin=fine), change(margin=unsure, verdict="no evidence")) == [Standing.NOT_SHOWN]
    assert safety(change(margin=fine), change("critical", "loss", margin=fine)) == [Standing.AGAINST]
    # Detectors that err too often decide nothing.
    assert safety(change(verdict="screening only", margin=fine)) == [Standing.UNSAID]


def test_many_models_are_tested_by_many_models():
    over = {"first": "ce", "second": "severity-balanced", "words": "over", "found": {"p": 0.01, "mean": 1.0}}
    bases = [{"base": name, "pairs": [pair()]} for name in ("one", "other")]
    assert standing("ten-architectures", evidence(bases[0])) == [Standing.NOT_TESTED]
    assert standing("ten-architectures", evidence(*bases, over=[over])) == [Standing.SHOWN]
    weak = {**over, "found": {"p": 0.4, "mean": 1.0}}
    assert standing("ten-architectures", evidence(*bases, over=[weak])) == [Standing.NOT_SHOWN]


def test_labels_and_percentage_are_figures_once_people_looked():
    checked = evidence(labels=["severities: labels by rules, checked against people on 400 rows"])
    assert standing("labels", checked) == [Standing.FIGURES]
    assert standing("labels", evidence(labels=["severities: labels by rules, never checked"])) == [
        Standing.NOT_TESTED
    ]
    never = evidence(people="bertscore_f1: agreement with people: never measured")
    assert standing("percentage", never) == [Standing.NOT_TESTED]


def test_what_is_shown_is_said_of_which_bases_and_encoder():
    page = claim_page([evidence({"base": "toy", "pairs": [pair()]})])
    assert "base: Toy (none of the published ten)" in page and "another than the published one" in page
    assert "| 2. Severity-weighted training is better than plain cross-entropy. |" in page
    assert "**shown** (study)" in page


@pytest.mark.parametrize("lost", ["experiment.json", "leaderboard/leaderboard.json", "arms.json"])
def test_a_folder_that_is_no_finished_experiment_is_refused_by_name(lost, tmp_path):
    folder = tmp_path / "study"
    (folder / "leaderboard").mkdir(parents=True)
    (folder / "experiment.json").write_text(json.dumps({"name": "study", "models": [{"name": "Toy"}]}))
    (folder / "leaderboard" / "leaderboard.json").write_text(evidence().board.model_dump_json())
    (folder / "arms.json").write_text("{}")
    assert read_evidence(folder).name == "study"
    (folder / lost).unlink()
    with pytest.raises(UserError, match=f"has no {re.escape(lost)}"):
        read_evidence(folder)
    done = maqa("claim", folder, "--out", tmp_path / "claim.md")
    assert done.exit_code and not (tmp_path / "claim.md").exists()


def test_the_committed_page_is_what_the_kept_experiments_make(tmp_path):
    """`make claim` writes it again."""
    kept = sorted(path.parent for path in KEPT.glob("*/arms.json"))
    done = maqa("claim", *kept, "--out", tmp_path / "claim.md")
    assert done.exit_code == 0, (done.output, done.exception)
    assert (ROOT / "docs" / "claim.md").read_text("utf-8") == (tmp_path / "claim.md").read_text("utf-8")


def test_the_page_and_the_terminal_speak_arabic_from_right_to_left(tmp_path):
    kept = sorted(path.parent for path in KEPT.glob("*/arms.json"))
    done = maqa("claim", *kept, "--out", tmp_path / "claim.md", "--lang", "ar")
    assert done.exit_code == 0, (done.output, done.exception)
    page = (tmp_path / "claim.md").read_text("utf-8")
    assert page.startswith('<div dir="rtl" lang="ar">\n\n# ') and page.endswith("\n</div>\n")
    for claim in CLAIMS.values():
        assert all(text.texts["ar"] in page for text in (claim.claim, claim.beside, claim.takes))
        assert claim.claim.texts["ar"].split()[0] in done.output
    for standing in Standing:
        assert standing.said.texts["ar"] != standing and f"**{standing}**" not in page
    # What the files hold in English is known again: between isolates stand names and figures alone.
    held = [text for text in re.findall("\u2068([^\u2069]*)\u2069", page) if len(re.findall("[a-z]+ ", text)) > 4]
    assert held == [] and "never measured" not in page


@pytest.mark.weekly
@pytest.mark.slow
def test_a_finished_experiment_is_laid_beside_the_claims(tmp_path, encoder):
    """The quick case study's file with a toy base, encoder and dataset, run to its end."""
    settings = yaml.safe_load((ROOT / "trainers" / "experiments" / "case-study-quick.yaml").read_text("utf-8"))
    settings["data"]["source"] = str(medical_dataset(tmp_path / "dataset").folder)
    base = gpt2_base(tmp_path / "gpt2")
    settings["models"][0] |= {"id": str(base), "training": {"pad_token": "<|endoftext|>", "rows": 16}}
    settings["evaluation"] |= {"bertscore_model": str(encoder), "bertscore_layer": None}
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(settings))
    out = tmp_path / "quick"
    done = maqa("run", tmp_path / "quick.yaml", "--out", out, "--resamples", 200)
    assert done.exit_code == 0, (done.output, done.exception)
    manifests = [json.loads(path.read_text("utf-8")) for path in (out / "runs").rglob("manifest.json")]
    assert len(manifests) == 8 and {each["decoding"]["max_new_tokens"] for each in manifests} == {48}
    assert maqa("claim", out, "--out", tmp_path / "claim.md").exit_code == 0
    page = (tmp_path / "claim.md").read_text("utf-8")
    found = read_evidence(out)
    assert standing("rise-over-base", found) == [Standing.FIGURES]
    assert standing("above-cross-entropy", found)[0] in (Standing.SHOWN, Standing.NOT_SHOWN, Standing.AGAINST)
    assert standing("severity-is-why", found) == [Standing.UNSAID]
    assert standing("ten-architectures", found) == [Standing.NOT_TESTED]
    assert "no weighted control" in page and "2 trainings each, paired by seed (0, 1)" in page
    # What is kept of it makes the same page, wherever it lies.
    kept = tmp_path / "kept"
    for name in ("experiment.json", "arms.json", "leaderboard/leaderboard.json"):
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(out / name, kept / name)
    maqa("claim", kept, "--out", tmp_path / "again.md")
    assert (tmp_path / "again.md").read_text("utf-8") == page
