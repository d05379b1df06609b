"""Labels by what errors cost: everywhere alike, while probabilities stay probabilities."""

from itertools import pairwise

import numpy as np
from maqa_severity.harness.data.labels import most_likely
from maqa_severity.harness.data.rows import dataset_from_rows
from maqa_severity.harness.labelling.quality.check import card_of
from maqa_severity.harness.labelling.quality.stress import stress
from maqa_severity.harness.labelling.sources.decisions import called, least_costly, triage_costs
from maqa_severity.harness.labelling.sources.hybrid import HybridSource
from maqa_severity.harness.labelling.sources.rules import RulesSource
from maqa_severity.harness.labelling.stream import label_dataset
from maqa_severity.harness.severity import SCHEMES
from maqa_severity.tests.tongues import ARABIC

QUESTIONS = ["عندي صداع خفيف", "عندي حكة في يدي", "أفكر في الانتحار"]
ROWS = [
    {"id": str(at), "question": text, "answer": "-", "category": "x", "severity": None}
    for at, text in enumerate([*QUESTIONS, "123"])
]


class Unsure:
    """Mild by probability, critical where missing an emergency costs much."""

    name, version, sha256, keeps_expert_labels = "unsure", "1", "", False

    def __init__(self, costs):
        self.costs = costs

    def probabilities(self, questions):
        return np.tile([0.45, 0.35, 0.2], (len(questions), 1))


def test_the_least_cost_lowers_the_bar_of_critical_and_ties_go_to_the_more_severe():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], 500)
    for under in (1.0, 3.0, 9.0):
        # By hand: the cheapest of three sums.
        mild, middle, severe = p[:, 1] + (under + 1) * p[:, 2], p[:, 0] + under * p[:, 2], 2 * p[:, 0] + p[:, 1]
        assert np.array_equal(least_costly(p, triage_costs(under)), np.argmin([mild, middle, severe], axis=0))
        more = p[:, 0] < 0.5
        assert np.array_equal(least_costly(p, triage_costs(under))[more] == 2, p[more, 2] > 1 / (1 + under))
    assert np.array_equal(least_costly(p, None), most_likely(p))
    assert least_costly(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]), triage_costs(1)).tolist() == [1, 2]
    dearer = [least_costly(p, triage_costs(under)) for under in (1, 2, 4, 8)]
    assert all((one <= other).all() for one, other in pairwise(dearer))


def test_the_price_of_errors_decides_label_card_and_stress_alike(tmp_path):
    data = dataset_from_rows({"train": ROWS}, tmp_path / "data", language=ARABIC, source="x")
    truth = np.array([0, 1, 2], dtype=np.int8)
    for costs, word, rank in ((None, "non_critical", 0), (triage_costs(9), "critical", 2)):
        source = Unsure(costs)
        labelled, _ = label_dataset(data, source, tmp_path / word)
        frame = labelled.split("train").set_index("id")
        assert frame.loc[["0", "1", "2"], "severity"].tolist() == [word] * 3
        assert frame.loc["0", ["p_non_critical", "p_neutral", "p_critical"]].tolist() == [0.45, 0.35, 0.2]
        card = card_of(source, QUESTIONS, truth, ARABIC, "gold", "column")
        assert [sum(column) for column in zip(*card.confusion, strict=True)] == [
            3 * (rank == at) for at in range(3)
        ]
        found = stress(source, QUESTIONS, truth, SCHEMES["balanced"], language=ARABIC)
        assert {row.critical_recall_before for row in found.rows} == {100.0 * (rank == 2)}


def test_no_price_makes_an_emergency_of_what_is_unknown(tmp_path):
    data = dataset_from_rows({"train": ROWS}, tmp_path / "data", language=ARABIC, source="x")
    labelled, counts = label_dataset(data, Unsure(triage_costs(1000)), tmp_path / "out")
    severity = labelled.split("train").set_index("id")["severity"]
    assert counts.without_letters == 1 and severity["3"] == "neutral"
    assert set(severity[["0", "1", "2"]]) == {"critical"}


def test_a_hybrid_decides_by_its_classifiers_costs_and_keeps_red_flags():
    for under in (1.0, 4.0, 100.0):
        hybrid = HybridSource(RulesSource(ARABIC), Unsure(triage_costs(under)))
        found = called(hybrid, hybrid.probabilities(QUESTIONS), np.zeros(3, bool))
        assert found[2] == 2
        assert found[0] == least_costly(np.array([[0.45, 0.35, 0.2]]), triage_costs(under))[0]
