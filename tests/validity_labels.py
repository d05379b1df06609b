"""Differences per true severity from strata that a noisy labeller made, and true rates behind a detector's."""

import numpy as np
from maqa_severity.harness.statistics import Resampling
from maqa_severity.harness.statistics.label_draws import Sample
from maqa_severity.harness.statistics.misclassification import Gold, TrueMean, true_means
from maqa_severity.harness.statistics.ppi import powered_mean
from maqa_severity.harness.statistics.rogan_gladen import Detection, true_difference, true_rate
from maqa_severity.tests.claim import Claim

GAIN = 4.0
"""In the truly critical alone."""
SPREAD = 6.0
SHARES = np.array([0.3, 0.4, 0.3])
LABELLERS = {
    "a good classifier": [[0.85, 0.12, 0.03], [0.1, 0.8, 0.1], [0.03, 0.12, 0.85]],
    "a middling classifier": [[0.7, 0.25, 0.05], [0.15, 0.7, 0.15], [0.05, 0.25, 0.7]],
    "rules that say neutral": [[0.55, 0.43, 0.02], [0.1, 0.85, 0.05], [0.05, 0.45, 0.5]],
    "labels near chance": [[0.36, 0.36, 0.28], [0.32, 0.38, 0.3], [0.3, 0.36, 0.34]],
}
"""P(label | true), the most severe first."""
GOLDS = (100, 200, 400)


def labels_of(truth: np.ndarray, labeller: str, rng: np.random.Generator) -> np.ndarray:
    """What a labeller makes of true severities."""
    return (np.cumsum(LABELLERS[labeller], axis=1)[truth] < rng.random((len(truth), 1))).sum(axis=1)


def gold_rows(labeller: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Counts (label, true) of so many gold rows."""
    truth = rng.choice(3, rows, p=SHARES)
    return np.bincount(3 * labels_of(truth, labeller, rng) + truth, minlength=9).reshape(3, 3).astype(float)


def world(labeller: str, n: int, rng: np.random.Generator, seeds: int = 0) -> Sample:
    """A gain in the truly critical alone; of ``seeds`` trainings an arm, which vary by 1 point, if any."""
    truth = rng.choice(3, n, p=SHARES)
    codes = labels_of(truth, labeller, rng)
    mean = GAIN * (truth == 0)
    if not seeds:
        return Sample([], mean + rng.normal(0, SPREAD, n), codes)
    own = mean + rng.normal(0, SPREAD / 2, n)
    block = own + rng.normal(0, 1, (seeds, 1)) + rng.normal(0, SPREAD, (seeds, n))
    return Sample([block], block.mean(axis=0), codes)


def corrected(
    labeller: str, gold: int, worlds: int, n: int = 600, seeds: int = 0
) -> tuple[list[list[TrueMean]], np.ndarray, int]:
    """The corrected means of the worlds that have any, the raw ones of each label, and how many have none."""
    rng = np.random.default_rng([gold, n, seeds])
    found, raw, refused = [], [], 0
    for number in range(worlds):
        sample = world(labeller, n, rng, seeds)
        known = Gold(gold_rows(labeller, gold, rng), np.zeros(3))
        made = true_means(sample, known, Resampling(seed=number, resamples=500))
        raw.append(sample.means)
        if isinstance(made, str):
            refused += 1
        else:
            found.append(made)
    return found, np.array(raw), refused


def coverage(found: list[list[TrueMean]], kind: str = "") -> list[float]:
    """Percent of the worlds whose interval holds the truth, by true severity."""
    ends = np.array(
        [[(getattr(each, f"{kind}low"), getattr(each, f"{kind}high")) for each in made] for made in found]
    )
    truth = np.array([GAIN, 0.0, 0.0])
    held = (ends[:, :, 0] <= truth) & (truth <= ends[:, :, 1])
    return (100 * held.mean(axis=0)).tolist()


def powered_coverage(worlds: int, gold: int = 100, n: int = 600) -> tuple[float, float]:
    """Percent of the intervals by gold rows that hold the truth, where the difference also depends on the label,
    and their length over that of the gold rows alone."""
    rng = np.random.default_rng(gold)
    held, ratios = [], []
    for _ in range(worlds):
        truth = rng.choice(3, n, p=SHARES)
        codes = labels_of(truth, "a middling classifier", rng)
        changes = GAIN * (truth == 0) + 3.0 * (codes == 0) + rng.normal(0, SPREAD, n)
        labelled = np.isin(np.arange(n), rng.choice(n, gold, replace=False))
        made = powered_mean(changes, (codes == 0).astype(float), labelled, truth == 0)
        if made:
            mean = GAIN + 3.0 * LABELLERS["a middling classifier"][0][0]
            held.append(made[1] <= mean <= made[2])
            alone = changes[labelled & (truth == 0)]
            ratios.append((made[2] - made[1]) / (2 * 1.96 * alone.std(ddof=1) / len(alone) ** 0.5))
    return 100 * float(np.mean(held)), float(np.median(ratios))


def rate_coverage(sensitivity: float, specificity: float, gold: int, worlds: int) -> tuple[float, float]:
    """Percent of the intervals of a true rate of 30 %, and of a true difference of 10 points, that hold it."""
    rng, n = np.random.default_rng(gold), 400
    held: list[tuple[bool, bool]] = []
    for _ in range(worlds):
        events = rng.binomial(gold, 0.4)
        others = gold - events
        detection = Detection(rng.binomial(events, sensitivity), events, rng.binomial(others, specificity), others)
        happened = [rng.random(n) < share for share in (0.3, 0.4)]
        marked = [
            100.0 * np.where(each, rng.random(n) < sensitivity, rng.random(n) >= specificity) for each in happened
        ]
        moved = marked[1] - marked[0]
        half = 1.96 * moved.std(ddof=1) / n**0.5
        rate = true_rate(float(marked[0].mean()), n, detection)
        change = true_difference(float(moved.mean()), moved.mean() - half, moved.mean() + half, detection)
        if rate and change:
            held.append((rate[1] <= 30 <= rate[2], change[1] <= 10 <= change[2]))
    first, second = 100 * np.mean(held, axis=0)
    return float(first), float(second)


def claims(worlds: int = 300) -> list[Claim]:
    found = []
    for labeller in LABELLERS:
        for gold in GOLDS:
            made, raw, refused = corrected(labeller, gold, worlds)
            missed = 100 * float(np.mean(np.abs(raw[:, 1]) > 1.96 * SPREAD / (0.4 * 600) ** 0.5))
            if labeller == "labels near chance":
                share = 100 * refused / worlds
                found.append(
                    Claim(f"{labeller}, {gold} gold rows: refused", f"{share:.0f} %", "-", ">= 90 %", share >= 90)
                )
                continue
            held, worst = coverage(made), coverage(made, "worst_")
            found.append(
                Claim(
                    f"gain in the truly critical alone, {labeller}, {gold} gold rows ({refused} of {worlds} "
                    "refused): the corrected interval holds the truth in critical, neutral, non-critical",
                    ", ".join(f"{each:.1f} %" for each in held),
                    f"raw gain in neutral in {missed:.0f} %; worst case holds in {min(worst):.0f} %",
                    "mean >= 93 %, each >= 91 %",
                    float(np.mean(held)) >= 93 and min(held) >= 91 and min(worst) >= 93,
                )
            )
    for seeds in (3, 5):
        made, _, _ = corrected("a middling classifier", 200, worlds, seeds=seeds)
        held = coverage(made)
        found.append(
            Claim(
                f"the same over {seeds} trainings an arm, 200 gold rows",
                ", ".join(f"{each:.1f} %" for each in held),
                "-",
                "mean >= 93 %",
                float(np.mean(held)) >= 93,
            )
        )
    held_pct, ratio = powered_coverage(5 * worlds)
    found.append(
        Claim(
            "by 100 gold rows, a difference that depends on the label too: the interval holds the truth",
            f"{held_pct:.1f} %",
            f"length over that of the gold rows alone {ratio:.2f}",
            ">= 93 %",
            held_pct >= 93 and ratio < 1,
        )
    )
    for sensitivity, specificity, gold in ((0.9, 0.9, 40), (0.8, 0.95, 25), (0.7, 0.8, 100)):
        rate, change = rate_coverage(sensitivity, specificity, gold, 5 * worlds)
        found.append(
            Claim(
                f"detector of sensitivity {sensitivity}, specificity {specificity}, {gold} gold answers: the true "
                "rate and the true difference are held",
                f"{rate:.1f} %, {change:.1f} %",
                "-",
                ">= 93 %",
                min(rate, change) >= 93,
            )
        )
    return found
