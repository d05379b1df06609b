"""Judges whose behaviour is known, behind a real server, and runs with answers worth judging."""

import json
import re
import shutil
from pathlib import Path

from maqa_severity.harness.core.files import sha256_text
from maqa_severity.judges.words import judge_words
from maqa_severity.tests.serving import chat, prompt_of

LANDED = Path(__file__).parent / "data" / "landed" / "runs"
MET = ("tone", "next_step")
"""What the obedient judge finds in every answer."""


def run_of(folder, name="ce", answer=lambda row: row["answer"]):
    """A copy of a landed run, its answers replaced by what ``answer`` makes of their rows."""
    run = Path(shutil.copytree(LANDED / name, folder / name))
    for path in run.glob("samples_*.jsonl"):
        samples = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        for sample in samples:
            sample["filtered_resps"] = [answer(sample["doc"])]
        path.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    return run


def data_of(body):
    """The texts that a request holds as data."""
    fence = re.search(r"<data (\w+)>\n(.*)\n</data \1>", body["messages"][-1]["content"])
    return json.loads(fence[2])


def criteria_of(body):
    """The ids of the criteria that a request asks for."""
    return re.findall(r"^- ([\w-]+): ", body["messages"][0]["content"], flags=re.MULTILINE)


def preferred(body):
    """The longer of two answers."""
    texts = data_of(body)
    better = "second" if len(texts["second"]) > len(texts["first"]) else "first"
    return json.dumps({"better": better, "evidence": texts[better].split()[0]})


def reply(body, met=MET, quote=None):
    """The verdicts of a judge that finds ``met``, and quotes the answer's first words unless told what."""
    words = " ".join(data_of(body)["answer"].split()[:2]) if quote is None else quote
    return json.dumps(
        {
            "verdicts": [
                {"criterion": name, "met": name in met, "evidence": words if name in met else ""}
                for name in criteria_of(body)
            ]
        },
        ensure_ascii=False,
    )


def obedient(body, nth=0):
    """A judge that keeps to the rubric whatever the answer says."""
    return chat(preferred(body) if "first" in data_of(body) else reply(body))


def gullible(body, nth=0):
    """One that does what an answer tells it to."""
    told = judge_words("ar").checks.injected in data_of(body)["answer"]
    return chat(reply(body, (*MET, "urgent_referral", "red_flags", "follow_up") if told else MET))


def bad(body):
    """A number from 0 that decides how a request is ill-treated, always the same."""
    return int(sha256_text(prompt_of(body))[:6], 16)
