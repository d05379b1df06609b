"""What a run knows of the labels that make its strata, and what a gold adds to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import UserError
from ..data.dataset import open_dataset
from ..data.folder import is_dataset
from ..labelling.quality.gold import read_gold
from ..labelling.quality.report_card import REPORT_CARD
from ..labelling.quality.trust import PEOPLE, Trust, by_whom, card_for, in_words, mark, read_cards, trust_of
from ..languages import Language
from ..languages.sentences import sentence
from ..severity import SEVERITIES, Severity
from .conditions import conditions, training_of
from .run import Saved

_GIVE = (
    "Give a report_card.json of `maqa label DATASET --with SOURCE --check GOLD --out DIR`, or people's labels by id"
)


@dataclass(frozen=True)
class Labels:
    """Who decided the severities of one or several runs, and how right they are.

    ``truth`` holds people's ranks by id where the gold names rows of the runs. ``source`` is None where nothing
    says who decided, or one run's severities are by others than another's.
    """

    source: Mapping[str, Any] | None
    trust: Trust = field(default_factory=Trust)
    truth: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return in_words(self.source, self.trust)

    def mark(self, stratum: str) -> str:
        """What stands beside a stratum in every table; see ``trust.mark``."""
        return mark(self.source, self.trust, stratum)


def labels_of(runs: Sequence[Saved], gold: Path | None = None) -> Labels:
    """What is known of the severities of runs of the same rows.

    Args:
        runs: of a comparison, or a single one.
        gold: report cards, or people's labels by id; by default what travelled with the runs.

    Raises:
        UserError: the gold cannot be read, is of another source than the severities, is by no people, or names no
            row of the runs.
    """
    records = [run.manifest.data if run.manifest else None for run in runs]
    sources = [record.severity_source if record else None for record in records]
    known = next((record.labels for record in records if record and record.labels), Trust())
    source = sources[0] if all(each == sources[0] for each in sources) else None
    if gold is None:
        return Labels(source, known if source else Trust())
    found = gold_for(gold, source, runs[0].answers, runs[0].language, str(runs[0].path))
    if found.truth:
        return found
    return Labels(source, found.trust.model_copy(update={"people": known.people}))


def gold_for(
    gold: Path, source: Mapping[str, Any] | None, asked: pd.DataFrame, language: Language, where: str
) -> Labels:
    """What a gold says of severities.

    Args:
        gold: report cards, or people's labels by id.
        source: who decided the severities; None where that is not known.
        asked: the rows asked, with ``id`` and ``severity``.
        language: of the rows.
        where: the run or dataset that they are of, for errors.

    Raises:
        UserError: as ``labels_of``.
    """
    cards = _cards(gold)
    if cards is None:
        return _by_id(asked, source, gold, language, where)
    card = card_for(read_cards(cards), source) if source else None
    if card is None:
        of = ", ".join(f"{each.source} {each.version}" for each in read_cards(cards))
        whose = f"{by_whom(source)} {source.get('version', '')}".rstrip() if source else "an unknown source"
        raise UserError(f"{cards} is of {of}, and the severities of {where} are by {whose}", _GIVE)
    trust = trust_of(card)
    if not trust.checked:
        by = by_whom({"name": trust.truth_by})
        raise UserError(f"{cards} holds the labels against those of {by}, not of people", _GIVE)
    return Labels(source, trust)


def severities_in_words(runs: Sequence[Saved]) -> list[str]:
    """A line for each way in which the runs' severities were decided."""
    return list(dict.fromkeys(str(labels_of([run])) for run in runs))


def same_labels(runs: Sequence[Saved]) -> list[str]:
    """A warning for the runs whose model was trained with weights by the very labels that make their strata."""
    found = []
    for run in runs:
        training = training_of(run)
        source = run.manifest.data.severity_source if run.manifest else None
        weighted = conditions(training).get("severity_source") if training else None
        if source and weighted and _identity(weighted) == _identity(source):
            found.append(run.name)
    if not found:
        return []
    return [sentence("labels.same", runs=", ".join(dict.fromkeys(found)))]


def _identity(source: Mapping[str, Any]) -> tuple[Any, ...]:
    return source.get("name"), source.get("version"), source.get("sha256") or None


def _cards(gold: Path) -> Path | None:
    """The file of report cards that a gold is, or that its folder holds; None for labels by id."""
    if gold.suffix == ".json":
        return gold
    if gold.is_dir() and (gold / REPORT_CARD).is_file():
        labelled = is_dataset(gold) and open_dataset(gold).info.severity_source.name == PEOPLE
        return None if labelled else gold / REPORT_CARD
    return None


def _by_id(
    asked: pd.DataFrame, source: Mapping[str, Any] | None, gold: Path, language: Language, where: str
) -> Labels:
    if is_dataset(gold) and (by := open_dataset(gold).info.severity_source.name) != PEOPLE:
        raise UserError(f"{gold} is labelled by {by_whom({'name': by})}, not by people", _GIVE)
    known = read_gold(gold, language)
    labelled = asked[asked["severity"].notna()]
    given = dict(zip(labelled["id"].astype(str), labelled["severity"], strict=True))
    truth = {row: rank for row, rank in known.items() if row in given}
    if not truth:
        raise UserError(f"{gold} names no row that {where} asks, out of {len(known)} ids", _GIVE)
    confusion = np.zeros((len(SEVERITIES), len(SEVERITIES)), int)
    for row, rank in truth.items():
        confusion[rank, Severity(given[row]).rank] += 1
    trust = Trust(confusion=confusion.tolist(), truth=f"gold {gold.name}", truth_by=PEOPLE)
    return Labels(source or {"name": None}, trust, truth)
