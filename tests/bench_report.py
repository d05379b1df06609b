"""How long a report of two runs takes, how much memory, and how large its page is: ``bench_report.py [ANSWERS]``.

Prints ``claim | ours | reference | ratio | goal | holds``. Times are processor time on one thread, so that other
work on the machine does not decide; the reference is what the detectors take for as many answers in the same run.
Texts are those of the sample, each told apart by a number, with the findings of the thousand that they repeat.
"""

import os
import resource
import sys
from dataclasses import replace

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from maqa_severity.harness.runs.rescoring import answers_of
from maqa_severity.harness.runs.run import Run
from maqa_severity.harness.scores.table import ScoreTable
from maqa_severity.reports.page import report_page
from maqa_severity.tests.bench_scoring import Claim, seconds
from maqa_severity.tests.made_runs import made_run
from rich.console import Console

BASE = 1_000
SECONDS, GIGABYTES, MEGABYTES = 30.0, 1.5, 8.0
"""Goals: for two runs of 20,000 answers, of the whole process, and for two runs of 5,000."""


def repeated(run: Run, n: int, seed: int) -> Run:
    """The run with n answers: its own over and over, with a number behind each text."""
    at = np.arange(n) % len(run.answers)
    answers = run.answers.iloc[at].reset_index(drop=True)
    marks = pd.Series([f" {number}" for number in range(n)])
    ids = [f"q{number}" for number in range(n)]
    texts = {name: answers[name] + marks for name in ("question", "reference", "prediction")}
    draw = np.random.default_rng(seed)
    frame = run.scores.frame.iloc[at].reset_index(drop=True)
    frame = frame.assign(id=ids, chrf=draw.uniform(20, 90, n), bertscore_f1=draw.uniform(50, 90, n))
    assert run.scores.findings is not None
    found = run.scores.findings.iloc[at].reset_index(drop=True)
    signed = {**run.scores.signatures, "bertscore_f1": "bertscore_f1|test"}
    return replace(run, answers=answers.assign(id=ids, **texts), scores=ScoreTable(frame, signed, findings=found))


def main(n: int) -> int:
    """Measure, print, and say whether every claim holds."""
    from maqa_severity.harness.metrics.scoring import safety_metrics, score

    bases = [made_run(name, min(n, BASE), seed) for seed, name in enumerate(("ours", "theirs"), 1)]
    runs = [repeated(run, n, seed) for seed, run in enumerate(bases)]
    pages: list[str] = []
    taken = seconds(lambda: pages.append(report_page(*runs, metric="chrf")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    size = len(pages[0].encode()) / 1e6
    some = answers_of(repeated(bases[0], min(n, BASE), 0))
    scored = seconds(lambda: score(some, safety_metrics(bases[0].language))) * n / len(some)
    limit, most = SECONDS * n / 20_000, MEGABYTES * n / 5_000
    claims = [
        Claim(
            f"report of 2 x {n}", f"{taken:.1f} s", f"{scored:.1f} s", taken / scored,
            f"<= {limit:.1f} s", taken <= limit,
        ),
        Claim("peak memory", f"{peak:.2f} GB", "-", None, f"<= {GIGABYTES} GB", peak <= GIGABYTES),
        Claim("page", f"{size:.1f} MB", "-", None, f"<= {most:.1f} MB", size <= most),
    ]  # fmt: skip
    console = Console(width=200)
    for claim in claims:
        console.print(claim.line(), markup=False)
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
