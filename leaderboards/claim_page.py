"""The published claims beside what would test them and what experiments show, as one Markdown page."""

from __future__ import annotations

from collections.abc import Sequence

from ..harness.languages import language
from ..harness.languages.messages import Messages, messages, reader
from ..harness.languages.sentences import sentence, told
from .claim_findings import Finding, Standing, findings
from .evidence import Evidence
from .published import published_table
from .published_claims import PublishedClaim, published_claims


def claim_page(evidence: Sequence[Evidence]) -> str:
    """The page in the reader's language. Equal experiments make an equal page, wherever their folders lie."""
    say = messages(reader())
    declared = published_claims()
    papers = declared.papers
    lines = [say.bare("published.page"), f"## {say('published.experiments')}", ""]
    if not evidence:
        lines += [say.bare("published.none"), ""]
    for each in evidence:
        lines += [f"### {each.name}", "", *(f"- {_told(line)}" for line in each.scope), ""]
    judged = [(claim, [(each, findings(claim.asks, each)) for each in evidence]) for claim in declared.claims]
    lines += [f"## {say('published.all')}", "", say.bare("published.heading"), "|---|---|---|"]
    for number, (claim, found) in enumerate(judged, 1):
        stated = sentence(f"published.{claim.stated}")
        where = sentence("published.in", paper=papers[claim.paper], stated=stated)
        lines.append(f"| {number}. {_told(claim.claim)} | {_told(where)} | {_standings(found)} |")
    lines.append("")
    for number, (claim, found) in enumerate(judged, 1):
        lines += _section(number, claim, found, papers[claim.paper])
    return _directed("\n".join([*lines, *_table(say)]))


def _told(text: str) -> str:
    return told(text, reader())


def _directed(page: str) -> str:
    """Markdown says no direction: a page that runs from right to left stands in an element that does."""
    tongue = language(reader())
    if tongue.direction == "ltr":
        return page
    return f'<div dir="{tongue.direction}" lang="{tongue.code}">\n\n{page}\n</div>\n'


def _standings(found: Sequence[tuple[Evidence, Sequence[Finding]]]) -> str:
    """Which standings the experiments have, each with whose it is."""
    by: dict[Standing, list[str]] = {}
    for evidence, own in found:
        for each in own:
            by.setdefault(each.standing, []).append(evidence.name)
    if set(by) <= {Standing.NOT_TESTED}:
        return _told(Standing.NOT_TESTED.said)
    known = [standing for standing in Standing if standing in by and standing is not Standing.NOT_TESTED]
    parts = (
        sentence("published.of", standing=standing.said, names=", ".join(dict.fromkeys(by[standing])))
        for standing in known
    )
    return messages(reader()).bare("list.separator").join(map(_told, parts))


def _section(
    number: int, claim: PublishedClaim, found: Sequence[tuple[Evidence, Sequence[Finding]]], paper: str
) -> list[str]:
    lines = [
        f"## {number}. {_told(claim.claim)}",
        "",
        _told(sentence(f"published.is_{claim.stated}", paper=paper)),
        "",
        f"- {_told(sentence('published.beside', words=claim.beside))}",
        f"- {_told(sentence('published.takes', words=claim.takes))}",
    ]
    for evidence, own in found:
        for each in own:
            words = sentence("published.found", name=evidence.name, standing=each.standing.said, words=each.words)
            lines.append(f"- {_one_line(_told(words))}")
    apart = sentence("published.here", standing=Standing.NOT_TESTED.said)
    return [*lines, *([] if found else [f"- {_told(apart)}"]), ""]


def _one_line(text: str) -> str:
    """Words as they stand in a list, whatever a name in them holds."""
    return " ".join(text.split()).replace("<", "&lt;")


def _table(say: Messages) -> list[str]:
    """The published figures behind the claims."""
    rows = published_table()
    arms = list(rows[0].arms)
    lines = [
        f"## {say('published.figures')}",
        "",
        say("published.figures_about"),
        "",
        f"| {say('published.model')} | {' | '.join(arms)} | balanced − base | balanced − ce |",
        f"|---|{'---|' * (len(arms) + 2)}",
    ]
    for row in rows:
        cells = " | ".join(f"{row.arms[arm]:.2f}" for arm in arms)
        lines.append(f"| {row.model} | {cells} | {row.gain:.2f} | {row.arms['balanced'] - row.arms['ce']:.2f} |")
    return [*lines, ""]
