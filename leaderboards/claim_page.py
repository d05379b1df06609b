"""The published claims beside what would test them and what experiments show, as one Markdown page."""

from __future__ import annotations

from collections.abc import Sequence

from .claim_findings import Finding, Standing, findings
from .evidence import Evidence
from .published import published_table
from .published_claims import PublishedClaim, published_claims

_HEAD = """\
# The published claim, on the table

Made by `maqa claim`; do not edit. What is published of severity-aware training, claim by claim and in our words,
beside what it would take to test it and what finished experiments show. It speaks of figures, not of people.

- **shown**, **not shown**, **the contrary is found**: a test over questions and training seeds, at 5 %. What is not
  shown is not shown to be absent.
- **cannot be said**: a figure is there, but not what a claim about arms takes: two trainings of each, and controls.
- **figures only**: means or counts, of which no test was made.
- **not tested here**: no experiment given looks at it.

What is shown is shown of the bases, data and encoder of that experiment, and of no others.
"""


def claim_page(evidence: Sequence[Evidence]) -> str:
    """The page. Equal experiments make an equal page, wherever their folders lie."""
    declared = published_claims()
    papers = declared.papers
    lines = [_HEAD, "## Experiments", ""]
    if not evidence:
        lines += ["None was given: `maqa claim EXPERIMENT_FOLDER... --out FILE.md`.", ""]
    for each in evidence:
        lines += [f"### {each.name}", "", *(f"- {line}" for line in each.scope), ""]
    judged = [(claim, [(each, findings(claim.asks, each)) for each in evidence]) for claim in declared.claims]
    lines += ["## All claims", "", "| claim | in | here |", "|---|---|---|"]
    for number, (claim, found) in enumerate(judged, 1):
        lines.append(f"| {number}. {claim.claim} | {papers[claim.paper]}, {claim.stated} | {_standings(found)} |")
    lines.append("")
    for number, (claim, found) in enumerate(judged, 1):
        lines += _section(number, claim, found, papers[claim.paper])
    return "\n".join([*lines, *_table()])


def _standings(found: Sequence[tuple[Evidence, Sequence[Finding]]]) -> str:
    """Which standings the experiments have, each with whose it is."""
    by: dict[Standing, list[str]] = {}
    for evidence, own in found:
        for each in own:
            by.setdefault(each.standing, []).append(evidence.name)
    if set(by) <= {Standing.NOT_TESTED}:
        return str(Standing.NOT_TESTED)
    told = [standing for standing in Standing if standing in by and standing is not Standing.NOT_TESTED]
    return "; ".join(f"**{standing}** ({', '.join(dict.fromkeys(by[standing]))})" for standing in told)


def _section(
    number: int, claim: PublishedClaim, found: Sequence[tuple[Evidence, Sequence[Finding]]], paper: str
) -> list[str]:
    lines = [
        f"## {number}. {claim.claim}",
        "",
        f"{'Claimed' if claim.stated == 'claimed' else 'Implied by method or figures'}: {paper}.",
        "",
        f"- Published beside it: {claim.beside}",
        f"- What it takes: {claim.takes}",
    ]
    lines += [
        f"- {evidence.name}: **{each.standing}**. {_one_line(each.words)}"
        for evidence, own in found
        for each in own
    ]
    return [*lines, *([] if found else [f"- Here: {Standing.NOT_TESTED}."]), ""]


def _one_line(text: str) -> str:
    """Words as they stand in a list, whatever a name in them holds."""
    return " ".join(text.split()).replace("<", "&lt;")


def _table() -> list[str]:
    """The published figures behind the claims."""
    rows = published_table()
    arms = list(rows[0].arms)
    lines = [
        "## The published figures",
        "",
        "Percent of BERTScore F1, one run each; not measured here.",
        "",
        f"| model | {' | '.join(arms)} | balanced − base | balanced − ce |",
        f"|---|{'---|' * (len(arms) + 2)}",
    ]
    for row in rows:
        cells = " | ".join(f"{row.arms[arm]:.2f}" for arm in arms)
        lines.append(f"| {row.model} | {cells} | {row.gain:.2f} | {row.arms['balanced'] - row.arms['ce']:.2f} |")
    return [*lines, ""]
