"""Arms that showed a severity unequally are named wherever runs are judged."""

import pytest
from maqa_severity.harness.runs.comparison import compare
from maqa_severity.harness.runs.exposure import exposure_notes
from maqa_severity.harness.runs.groups import as_group
from maqa_severity.harness.runs.run import load_run
from maqa_severity.leaderboards.board import build_board
from maqa_severity.reports.page import report_page
from maqa_severity.tests.test_groups import maqa, trained


def shown(critical, neutral, weighted=None):
    """Exposure from times and sum of rates of two severities."""
    return {
        name: {
            "rows": 10,
            "presentations": times,
            "rate": rate,
            "weight_rate": rate if weighted is None else weighted,
        }
        for name, (times, rate) in (("critical", critical), ("neutral", neutral))
    }


EXPOSURES = {
    "ce": shown((3.0, 1.5), (3.0, 1.5)),
    "severity": shown((3.0, 1.52), (3.0, 1.48), weighted=2.25),
    "curriculum": shown((1.0, 0.17), (3.0, 1.5)),
    "old": None,
}


@pytest.fixture(scope="module")
def folders(evaluated, tmp_path_factory):
    root = tmp_path_factory.mktemp("exposed")
    return {
        (arm, seed): trained(root / f"{arm}-{seed}", evaluated["hf"], arm, seed, seed * 0.3, exposure=exposure)
        for arm, exposure in EXPOSURES.items()
        for seed in range(2)
    }


@pytest.fixture(scope="module")
def runs(folders):
    return {key: load_run(path) for key, path in folders.items()}


def of(runs, *arms):
    return [run for (arm, _), run in runs.items() if arm in arms]


SENTENCE = (
    "exposure differs, ce and severity against curriculum: critical 3.00 (1.50) against 1.00 (0.17) "
    "(times a row is shown, and in brackets the sum of its learning rates)"
)


def test_arms_of_unequal_exposure_are_named_once_with_the_figures(runs):
    assert exposure_notes(of(runs, "ce", "severity")) == []
    assert exposure_notes(of(runs, "ce", "old")) == []
    assert exposure_notes(of(runs, "ce", "severity", "curriculum", "old")) == [SENTENCE]


def test_comparison_report_and_board_say_so(runs):
    pair = as_group(of(runs, "ce")), as_group(of(runs, "curriculum"))
    compared = compare(*pair)
    (line,) = [each for each in compared.labels.warnings if "exposure" in each]
    assert line.startswith("exposure differs, ce against curriculum: critical 3.00 (1.50) against 1.00 (0.17")
    assert "exposure differs, ce against curriculum: critical 3.00" in report_page(pair[1], pair[0])
    board = build_board(of(runs, "ce", "severity", "curriculum"))
    assert [each for each in board.labels if "exposure" in each] == [SENTENCE]
    even = compare(as_group(of(runs, "ce")), as_group(of(runs, "severity")))
    assert not [each for each in even.labels.warnings if "exposure" in each]


def test_the_commands_print_it(folders, tmp_path):
    paths = [path for (arm, _), path in folders.items() if arm in ("ce", "curriculum")]
    few = ["--resamples", 200]
    printed = maqa("compare", "--arms", "ce", "curriculum", *paths, *few)
    assert "exposure differs, ce against curriculum: critical 3.00" in " ".join(printed.stdout.split()), (
        printed.stderr
    )
    maqa("leaderboard", *paths, "--out", tmp_path / "board", *few)
    assert "exposure differs" in (tmp_path / "board" / "index.html").read_text()
