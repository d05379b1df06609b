"""How far each safety detector can be trusted, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .words import heading, ours, say, term

if TYPE_CHECKING:
    from rich.console import Console

    from ..harness.languages import Language
    from ..harness.metrics.safety.card import Detector, SafetyCard

_OTHERS = "other authors"


def show_detectors(code: str | None, json: Path | None) -> None:
    """Print a language's card, and write it with what is for screening only.

    Raises:
        UserError: the language is unknown, or has no card or a foreign one; the file cannot be written.
    """
    from ..harness.core.console import Terminal
    from ..harness.core.errors import UserError
    from ..harness.data.dataset import language_asked
    from ..harness.languages import Part
    from ..harness.metrics.safety.card import safety_card
    from ..harness.metrics.screening import screening
    from .output import write_json_result

    language = language_asked(None, code)
    if not language.knows(Part.CARD):
        raise UserError(
            f"no detector was measured in {language.name}: {language.folder} has no card",
            "Annotate answers and run `make safety-card`: docs/extend.md, under A language",
        )
    card, known = safety_card(language), screening(language)
    if json is not None:
        write_json_result(json, {**card.model_dump(mode="json"), "screening": known, "language": language.code})
    console = Terminal()
    print_card(console, card, known, language)


def print_card(console: Console, card: SafetyCard, known: Mapping[str, str], language: Language) -> None:
    """Each detector's figures on other authors' answers, then by author and dialect, and the rule."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ..harness.metrics.registry import Group, columns_of
    from ..harness.metrics.safety.card import is_current
    from ..harness.metrics.screening import RULE, SCREENING
    from .tables import print_table

    table = Table(
        title=Text(say("detectors.title", language=language.name)),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
        leading=0,
    )
    table.add_column(heading("detectors.detector"), overflow="fold", min_width=12)
    table.add_column(heading("detectors.by"), overflow="fold", min_width=15)
    table.add_column(heading("detectors.when"), no_wrap=True)
    for name in ("compare.n", "detectors.precision", "detectors.recall"):
        table.add_column(heading(name), justify="right", no_wrap=True)
    for name in columns_of(Group.SAFETY):
        for place, (who, when, figures) in enumerate(_parts(card, name)):
            label = "" if place else f"{name}\n{term(SCREENING)}" if name in known else name
            cells = (
                label,
                term(who),
                term(when),
                str(figures.n),
                _share(figures, "precision"),
                _share(figures, "recall"),
            )
            table.add_row(*map(Text, cells))
        table.add_section()
    print_table(console, table)
    lines = [f"{ours(RULE)[:1].upper()}{ours(RULE)[1:]}", heading("detectors.read")]
    if not is_current(card, language):
        lines.append(heading("detectors.old"))
    lines += [say("detectors.absent", who=who) for who in _absent(card)]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _parts(card: SafetyCard, name: str) -> Iterator[tuple[str, str, Detector]]:
    """Whose answers, whether no rule or one had been written on them, and what the detector did there."""
    groups = [(_OTHERS, card.other_author, card.first_seen)]
    groups += [
        (author if each.unseen else f"{author}, who wrote the rules", each.detectors, each.first_seen)
        for author, each in card.authors.items()
    ]
    groups += [(f"{_OTHERS}, {dialect}", figures, {}) for dialect, figures in card.dialects.items()]
    for who, today, first in groups:
        for when, figures in (("first seen", first), ("today", today)):
            if name in figures:
                yield who, when, figures[name]


def _absent(card: SafetyCard) -> list[str]:
    return [author for author, each in card.authors.items() if not each.answers and each.first_seen]


def _share(figures: Detector, name: str) -> str:
    share = getattr(figures, name)
    return say("detectors.share", share=str(share), n=share.n) if share.n else "-"
