"""How far a dataset's severities can be trusted: what travels with it into a run, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import UserError
from ...core.files import read_json, write_json
from ...core.records import validated
from ...core.settings import Record
from ...data.dataset import Dataset
from ...languages.sentences import Sentence, known_again, sentence, severity, together
from ...severity import PROBABILITY_COLUMNS, SEVERITIES, Severity
from ...statistics.intervals import wilson
from ...statistics.misclassification import Gold, gold_of
from ..audit.kept import audit_words
from ..drift import drift_measured
from ..sources.base import BY_PEOPLE, SeveritySource
from .conformal import Conformal
from .report_card import REPORT_CARD, ReportCard
from .standing import standing_words, usable

PEOPLE = "column"
"""The source of labels that people gave, or whoever filled the data's column."""
_CHECK = "Check them: `maqa label DATASET --with SOURCE --check GOLD --out DATASET`"
_FEW = 20
"""Gold rows of a label below which a percentage of them reads as more than is known."""
_IN_WORDS = (PEOPLE, "people", "majority", "dawid-skene", "llm", "classifier", "hybrid")


class Trust(Record):
    """What is known of severities beside who decided them.

    ``confusion[true][assigned]`` counts the gold rows, the mildest first; None without a gold. ``truth`` says whose
    labels these are and on which rows, ``truth_by`` which source gave them. ``people`` counts the rows asked, by
    severity, that people labelled where a machine labelled the others. ``audit`` is the verdict of
    `maqa label --audit` on the labels; empty where nobody asked. ``drift`` says how far the labelled text is from
    the classifier's training text; empty where that was not measured. ``unusable`` is the card's verdict on a
    source that is no better than chance; empty for others.
    """

    confusion: list[list[int]] | None = None
    truth: str = ""
    truth_by: str = ""
    people: dict[str, int] = {}
    audit: str = ""
    drift: str = ""
    unusable: str = ""

    @property
    def checked(self) -> bool:
        """Whether the labels were held against people's."""
        return self.confusion is not None and self.truth_by in BY_PEOPLE

    def gold(self, asked: Mapping[str, int]) -> Gold:
        """The gold for a correction. ``asked`` counts the rows by severity."""
        assert self.confusion is not None
        certain = [self.people.get(str(each), 0) / max(asked.get(str(each), 0), 1) for each in SEVERITIES]
        return gold_of(self.confusion, np.minimum(certain, 1.0))

    def right_pct(self, severity: Severity) -> float | None:
        """The percentage of the gold rows called so that is so; None where there is none."""
        if self.confusion is None or not sum(row[severity.rank] for row in self.confusion):
            return None
        column = [row[severity.rank] for row in self.confusion]
        return 100 * column[severity.rank] / sum(column)


def trust_of(card: ReportCard) -> Trust:
    """What a source's report card says of its labels."""
    # Cards of earlier versions say it in the words for the truth alone.
    by = card.truth_by or (card.truth.rpartition("labels: ")[2] if "labels: " in card.truth else PEOPLE)
    # Whoever's labels never vary in so few rows has not been shown to be at chance.
    kappa = card.measures.get("quadratic_kappa")
    unusable = standing_words(card) if kappa is not None and kappa.low is not None and not usable(card) else ""
    return Trust(confusion=card.confusion, truth=card.truth, truth_by=by, unusable=unusable)


def read_cards(path: Path) -> list[ReportCard]:
    """The cards of a ``report_card.json``.

    Raises:
        UserError: it is none.
    """
    raw = read_json(path, _CHECK)
    if not isinstance(raw, list) or not raw:
        raise UserError(f"{path} holds no report cards", _CHECK)
    return [validated(ReportCard, card, f"{path} card {number}", _CHECK) for number, card in enumerate(raw, 1)]


def card_for(cards: Sequence[ReportCard], source: Mapping[str, Any]) -> ReportCard | None:
    """The card of the very source that decided the severities; None where there is none."""
    wanted = (source.get("name"), source.get("version"), source.get("sha256") or "")
    return next((card for card in cards if (card.source, card.version, card.sha256) == wanted), None)


def promise_of(folders: Iterable[Path], source: SeveritySource) -> Conformal | None:
    """The conformal sets of the first folder that has this very source's card; None where no card has them.

    Raises:
        UserError: the cards cannot be read.
    """
    wanted = {"name": source.name, "version": source.version, "sha256": source.sha256}
    for path in (folder / REPORT_CARD for folder in folders):
        card = card_for(read_cards(path), wanted) if path.is_file() else None
        if card is not None and card.conformal is not None:
            return card.conformal
    return None


def carry_card(folder: Path, dataset: Dataset) -> None:
    """Put the card of the dataset's own severity source beside the dataset, where the source's folder has it.

    Raises:
        UserError: the cards cannot be read, or the dataset's folder cannot be written to.
    """
    path = folder / REPORT_CARD
    if path.is_file() and (card := card_for(read_cards(path), dataset.info.severity_source.model_dump())):
        write_json(dataset.folder / REPORT_CARD, [card.model_dump()])


def dataset_trust(dataset: Dataset, ids: Sequence[str]) -> Trust:
    """What travels from a dataset into a run that asks its rows of these ids.

    Raises:
        UserError: the dataset's ``report_card.json`` cannot be read.
    """
    path = dataset.folder / REPORT_CARD
    card = card_for(read_cards(path), dataset.info.severity_source.model_dump()) if path.is_file() else None
    found = (trust_of(card) if card else Trust()).model_copy(
        update={"audit": audit_words(dataset.info), "drift": drift_measured(dataset.info)}
    )
    if not dataset.info.labelling.get("expert") or dataset.info.severity_source.name in BY_PEOPLE:
        return found
    frame = dataset.split("test")
    # Only people are sure: a machine's probabilities are all below 1.
    sure = (frame[list(PROBABILITY_COLUMNS)] == 1).any(axis=1) & frame["id"].astype(str).isin(set(ids))
    counts = frame["severity"][sure].value_counts()
    return found.model_copy(update={"people": {str(each): int(rows) for each, rows in counts.items()}})


def by_whom(source: Mapping[str, Any] | None) -> str:
    """Who decided the severities, in words."""
    name = str((source or {}).get("name") or "unknown")
    return sentence(f"labels.by.{name}") if name in (*_IN_WORDS, "unknown") else name


def in_words(source: Mapping[str, Any] | None, trust: Trust) -> str:
    """Who decided the severities and how right they are, in one line."""
    if source is None:
        return sentence("labels.unrecorded")
    parts: list[str] = [sentence("labels.who", who=by_whom(source), checked=_checked_in_words(source, trust))]
    if trust.audit:
        parts.append(sentence("labels.audit", words=known_again(trust.audit, "audit.")))
    if trust.drift:
        parts.append(known_again(trust.drift, "drift"))
    return together(parts)


def _checked_in_words(source: Mapping[str, Any], trust: Trust) -> str:
    if trust.confusion is None:
        return sentence(f"labels.never_{'others' if source.get('name') in BY_PEOPLE else 'people'}")
    checked = {"rows": sum(map(sum, trust.confusion)), "truth": trust.truth}
    if not trust.checked:
        return sentence("labels.by_machine", machine=by_whom({"name": trust.truth_by}), **checked)
    if _repeats(source, trust):
        return sentence("labels.repeats", **checked)
    parts = together(_severity_in_words(trust.confusion, each) for each in SEVERITIES)
    if trust.unusable:
        verdict = known_again(trust.unusable, "standing.")
        return sentence("labels.unusable", verdict=verdict, parts=parts, **checked)
    return sentence("labels.checked", parts=parts, **checked)


def _repeats(source: Mapping[str, Any], trust: Trust) -> bool:
    """Whether people's labels are held against the very same, as far as these can be told."""
    wrong = sum(map(sum, trust.confusion or ())) - sum(row[rank] for rank, row in enumerate(trust.confusion or ()))
    return source.get("name") in BY_PEOPLE and trust.checked and not wrong


def mark(source: Mapping[str, Any] | None, trust: Trust, stratum: str) -> str:
    """What stands beside a stratum that labels made; empty for all answers, and where people gave the labels and
    nobody checked them."""
    if stratum not in [str(severity) for severity in SEVERITIES]:
        return ""
    if source is not None and _repeats(source, trust):
        return ""
    if trust.checked and (right := trust.right_pct(Severity(stratum))) is not None:
        rows = [row[Severity(stratum).rank] for row in trust.confusion or ()]
        if sum(rows) < _FEW:
            return sentence("labels.mark_few", right=rows[Severity(stratum).rank], n=sum(rows))
        return sentence("labels.mark", share=f"{right:.0f}")
    return "" if source is None or source.get("name") in BY_PEOPLE else sentence("labels.mark_unchecked")


def _severity_in_words(confusion: Sequence[Sequence[int]], of: Severity) -> Sentence:
    rank = of.rank
    called, truly = sum(row[rank] for row in confusion), sum(confusion[rank])
    right = _share(confusion[rank][rank], called)
    found = _share(confusion[rank][rank], truly)
    return sentence("labels.severity", right=right, found=found, stratum=severity(of))


def _share(hits: int, total: int) -> str:
    if not total:
        return sentence("labels.no_share")
    low, high = wilson(np.array(float(hits)), total)
    return f"{100 * hits / total:.0f} % [{float(low):.0f}, {float(high):.0f}]"
