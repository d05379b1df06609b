"""What today's detectors find in one author's gold answers.

``python -m maqa_severity.tests.bench_gold --author fifth`` prints, by column, precision and recall with Wilson's
95 % intervals, beside what was first seen and beside the card of the other authors; ``--dialects`` the same by
dialect. Figures alone: no row and no error is ever shown. ``--first-seen`` keeps them with the commit in ``data/``,
once, for an author after the fourth.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from maqa_severity.harness.core.files import read_json, sha256_text, write_json
from maqa_severity.harness.languages import Language
from maqa_severity.harness.metrics.safety.card import Detector, known_dangers, pooled
from maqa_severity.harness.metrics.safety.lexicon import safety_lexicon
from maqa_severity.harness.metrics.safety.units import quantity_words
from maqa_severity.tests.gold_authors import GOLD, Author, authors
from maqa_severity.tests.later_gold import LATER, LaterAuthor
from maqa_severity.tests.safety_card import Outcome, counted, found
from maqa_severity.tests.third_card import figures, judged
from rich.console import Console

KINDS = {
    "too_short": ("too_short", "empty"),
    "repetition": ("repetition",),
    "wrong_script": ("wrong_script",),
    "prompt_echo": ("prompt_echo",),
    "token_leak": ("token_leak",),
    "truncated": ("truncated",),
}
"""By column what an answer's ``part`` names, one at most; another language has a label of its own."""
_SHARES = ("precision", "recall")


def kinds(rows: list[dict[str, Any]], language: Language) -> Iterable[Outcome]:
    """Whether each kind of degenerate answer was found as that kind."""
    for row, detected in zip(rows, found(rows, language), strict=True):
        if "degenerate" in row["labels"]:
            yield from ((row, kind, row.get("part") in parts, detected[kind]) for kind, parts in KINDS.items())


def by_dialect(seen: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes by the answers' dialect."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in seen:
        groups.setdefault(outcome[0]["dialect"], []).append(outcome)
    return {dialect: groups[dialect] for dialect in sorted(groups)}


def record(author: LaterAuthor, commit: str) -> dict[str, Any]:
    """What is kept: counts and shares by column, kind and dialect, beside the rules and labels they belong to."""
    rows = author.rows()
    seen = judged(rows, author.language)
    return {
        "about": f"What the detectors found in the answers of the author '{author.name}' when they first saw them; "
        "percentages.",
        "commit": commit,
        "detectors": {
            "lexicon": safety_lexicon(author.language).signature,
            "quantities": quantity_words(author.language)[1],
            "dangers": known_dangers(author.language),
        },
        "gold": {author.path.name: sha256_text(author.path.read_text(encoding="utf-8"))},
        "detectors_on": figures(seen),
        "kinds": figures(kinds(rows, author.language)),
        "dialects": {dialect: figures(part) for dialect, part in by_dialect(seen).items()},
    }


def first_figures(name: str) -> dict[str, Detector]:
    """First-seen counts of a later author by column and kind; none of another author."""
    files = [each.first_seen for each in LATER if each.name == name and each.first_seen.exists()]
    kept = [read_json(path, "Check the file out again.") for path in files]
    return {
        column: Detector(**{key: counts[key] for key in Detector.model_fields})
        for each in kept
        for column, counts in (each["kinds"] | each["detectors_on"]).items()
    }


def card_without(author: Author, everybody: Iterable[Author], language: Language) -> dict[str, Detector]:
    """Today's rules on the held-out answers of the other authors, but the rules' first."""
    others = [each for each in everybody if each.unseen and each.name != author.name]
    return pooled(counted(judged(each.rows, language)) for each in others)


def table(
    today: Mapping[str, Detector], first: Mapping[str, Detector], others: Mapping[str, Detector]
) -> Iterable[str]:
    """Lines of figures; ``to card`` is the worse difference of precision and recall to the other authors'."""
    yield "  detector | n | events | precision [95 %] | recall [95 %] | first seen P R | others P R | to card"
    for column, now in today.items():
        differences = [
            getattr(now, share).value - getattr(others[column], share).value
            for share in _SHARES
            if column in others
        ]
        known = [each for each in differences if not isnan(each)]
        cells = (
            column,
            str(now.n),
            str(now.true_positives + now.misses),
            str(now.precision),
            str(now.recall),
            _pair(first.get(column)),
            _pair(others.get(column)),
            f"{min(known):+.0f}" if known else "-",
        )
        yield "  " + " | ".join(cells)


def _pair(detector: Detector | None) -> str:
    """Precision and recall without their intervals."""
    if detector is None:
        return "-"
    shares = (getattr(detector, share) for share in _SHARES)
    return " ".join("-" if isnan(share.value) else f"{share.value:.0f}" for share in shares)


def _commit() -> str:
    root = Path(__file__).parents[1]
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    names = sorted({each.name for language in GOLD for each in authors(language)})
    parser = argparse.ArgumentParser(prog="bench_gold", description=str(__doc__).splitlines()[0])
    parser.add_argument("--author", required=True, choices=names)
    parser.add_argument("--dialects", action="store_true", help="also by dialect")
    parser.add_argument("--first-seen", action="store_true", help="keep the figures, once")
    asked = parser.parse_args(arguments)
    if asked.first_seen:
        later = next((each for each in LATER if each.name == asked.author), None)
        if later is None or later.first_seen.exists():
            console.print("first-seen figures are written once, for an author after the fourth")
            return 2
        write_json(later.first_seen, record(later, _commit()))
    everybody = {language: authors(language) for language in GOLD}
    for language, author in ((language, each) for language, those in everybody.items() for each in those):
        if author.name != asked.author:
            continue
        if not author.rows:
            console.print(f"{language.name}: nothing measured, the texts of '{author.name}' are not at hand")
            return 2
        others = card_without(author, everybody[language], language)
        seen = judged(author.rows, language)
        console.print(f"{language.name}, {author.name}: {len(author.rows)} held-out answers")
        first = author.first_seen | first_figures(asked.author)
        console.print("\n".join(table(counted(seen), first, others)))
        console.print("\n".join(table(counted(kinds(author.rows, language)), first, {})))
        for dialect, part in by_dialect(seen).items() if asked.dialects else ():
            console.print(f"{dialect}:")
            console.print("\n".join(table(counted(part), {}, {})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
