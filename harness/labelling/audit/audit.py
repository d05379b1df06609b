"""The audit of a gold: every check, one family of tests, one sentence as verdict."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ...core.settings import Record
from ...languages import Language
from ...statistics.significance import holm
from ..people.columns import ANNOTATOR
from ..quality.report_card import class_names
from .checked import Checked, Weight
from .circumstances import Association, association, length_bands
from .gold_table import GoldTable, in_order
from .order import OrderFound, order_found
from .raters import careless, raters_found
from .texts import MOST_ROWS, TextFound, texts_found

ALPHA = 0.05
_NOTED = 0.1
"""Kappa or Cramér's V from which a circumstance that is no chance is a limit, however small its p."""
_AGREE = 0.4
"""Krippendorff's alpha below which labels carry no claim, even tentatively (he asks 0.667 for tentative ones)."""
_NOISE, _NOISE_KAPPA = 5.0, 0.4
"""Percent of contradicted labels that are noise, where the text says enough to contradict."""
_LEAST_KAPPA = 0.1
"""Lower bound of what the text must say of the labels: what is below is no more than slight agreement."""
_EXPLAINS = ("category", "length")
"""Circumstances that a complaint has itself, and that severity may rightly go with."""


class Standing(StrEnum):
    """What a gold is good for."""

    SOUND = "sound"
    LIMITED = "usable with these limits"
    UNFIT = "cannot support a classifier"


class Audit(Record):
    """What an audit found.

    Attributes:
        rows: labelled complaints.
        standing: the verdict, and ``words`` the sentence that says why.
        ceiling: the quadratic kappa with one annotator that no classifier can exceed but by chance; None where
            agreement cannot be known.
        checks: all that was looked at.
    """

    rows: int
    standing: Standing
    words: str
    ceiling: float | None
    checks: tuple[Checked, ...]


def audit(gold: GoldTable, language: Language, seed: int = 0) -> Audit:
    """Ask of a gold what besides the text predicts its labels, and whether the text and the annotators do.

    All tests are one family at 5 % (Holm), so of sound golds at most one in twenty is suspected.
    """
    text = texts_found(gold.texts, gold.ranks, language, seed)
    tests = [*_order_checks(gold, text, seed), *_column_checks(gold), *_careless_checks(gold, text, seed)]
    adjusted = holm([check.p for check in tests if check.p is not None])
    kept = [
        check if p < ALPHA and (check.effect is None or check.effect >= _NOTED) else _silent(check)
        for check, p in zip(tests, adjusted, strict=True)
    ]
    ceiling, agreed = _agreement_check(gold)
    checks = (*kept, agreed, *_text_checks(gold, text))
    return _judged(len(gold.ids), checks, ceiling)


def _silent(check: Checked) -> Checked:
    return check.model_copy(update={"weight": Weight.NONE, "words": f"{check.check}: nothing found", "rows": ()})


def _judged(rows: int, checks: Sequence[Checked], ceiling: float | None) -> Audit:
    fatal = [check.words for check in checks if check.weight is Weight.FATAL]
    limits = [check.words for check in checks if check.weight is Weight.LIMIT]
    standing = Standing.UNFIT if fatal else Standing.LIMITED if limits else Standing.SOUND
    why = "; ".join(fatal or limits) or "; ".join(check.words for check in checks if check.check == "text")
    return Audit(rows=rows, standing=standing, words=f"{standing}: {why}", ceiling=ceiling, checks=tuple(checks))


def _order_checks(gold: GoldTable, text: TextFound | None, seed: int) -> list[Checked]:
    orders = {"position": list(range(len(gold.ids)))}
    if "time" in gold.columns and in_order(gold.columns["time"]):
        orders["time"] = sorted(range(len(gold.ids)), key=lambda place: gold.columns["time"][place])
    found = []
    for name, order in orders.items():
        made = order_found(gold.ranks[order], seed)
        if made is not None:
            ids = [gold.ids[place] for place in order]
            found += _of_order(name, made, ids, text)
    return found


def _of_order(name: str, found: OrderFound, ids: Sequence[str], text: TextFound | None) -> list[Checked]:
    stronger = text is not None and found.kappa > max(0.0, text.kappa)
    beyond = f", more than any text (kappa {text.kappa:.2f})" if text and stronger else ""
    fewer = 1 - found.runs / found.runs_expected
    return [
        Checked(
            check=f"{name}: neighbours",
            effect=found.kappa,
            unit="kappa",
            p=found.kappa_p,
            weight=Weight.FATAL if stronger else Weight.LIMIT,
            words=f"by {name}, the labels around a row predict its own (kappa {found.kappa:.2f}){beyond}",
        ),
        Checked(
            check=f"{name}: runs",
            effect=fewer,
            unit="share",
            p=found.runs_p,
            weight=Weight.LIMIT,
            words=f"by {name}, labels come in runs: {found.runs} where chance makes {found.runs_expected:.0f}",
        ),
        Checked(
            check=f"{name}: change point",
            effect=max(abs(a - b) for a, b in zip(found.before, found.after, strict=True)) / 100,
            unit="share",
            p=found.cut_p,
            weight=Weight.LIMIT,
            words=f"the shares of the labels change before row {found.cut + 1} by {name} (id {ids[found.cut]}): "
            f"{_shares(found.before)} before, {_shares(found.after)} after",
            rows=(ids[found.cut],),
        ),
    ]


def _shares(shares: Sequence[float]) -> str:
    return ", ".join(f"{name} {share:.0f} %" for name, share in zip(class_names(), shares, strict=True))


def _column_checks(gold: GoldTable) -> list[Checked]:
    columns = {name: values for name, values in gold.columns.items() if name != "time" or not in_order(values)}
    if any(text.strip() for text in gold.texts):
        columns["length"] = length_bands(gold.texts)
    if gold.overlapping:
        columns.pop(ANNOTATOR, None)
    found = [association(name, values, gold.ranks) for name, values in columns.items()]
    return [_of_column(each) for each in found if each is not None]


def _of_column(found: Association) -> Checked:
    explains = found.column in _EXPLAINS
    return Checked(
        check=found.column,
        effect=found.v,
        unit="V",
        p=found.p,
        weight=Weight.NONE if explains else Weight.LIMIT,
        words=f"{found.column} predicts the label (Cramér's V {found.v:.2f}, {found.values} values; of "
        f"{found.extreme}: {_shares(found.shares)})" + (", as it may" if explains else ""),
    )


def _careless_checks(gold: GoldTable, text: TextFound | None, seed: int) -> list[Checked]:
    found = careless(gold.codes, gold.annotators, text, seed)
    if found is None:
        return []
    against = "the other annotators" if gold.overlapping else "the text"
    return [
        Checked(
            check="careless annotator",
            effect=found.others - found.kappa,
            unit="kappa",
            p=found.p,
            weight=Weight.LIMIT,
            words=f"annotator {found.annotator} ({found.rows} rows) follows {against} by kappa {found.kappa:.2f}, "
            f"the others by {found.others:.2f}",
        )
    ]


def _agreement_check(gold: GoldTable) -> tuple[float | None, Checked]:
    found = raters_found(gold.codes)
    if found is None:
        words = "agreement cannot be known: no complaint has two annotators, so no ceiling is known either"
        return None, Checked(check="agreement", effect=None, unit="alpha", p=None, weight=Weight.NONE, words=words)
    alpha = found.agreement.alpha
    weight, verdict = Weight.NONE, ""
    if alpha.value is not None and alpha.value < 0.667:
        weight = Weight.FATAL if (alpha.high or alpha.value) < _AGREE else Weight.LIMIT
        verdict = ", below the 0.667 that tentative conclusions ask"
    interval = "" if alpha.low is None else f" [{alpha.low:.2f}, {alpha.high:.2f}]"
    ceiling = "" if found.ceiling is None else f"; no classifier can exceed kappa {found.ceiling:.2f} with one"
    words = (
        f"annotators agree with Krippendorff's alpha {alpha.value or 0:.2f}{interval} on "
        f"{found.agreement.units} complaints{verdict}{ceiling}"
    )
    return found.ceiling, Checked(
        check="agreement", effect=alpha.value, unit="alpha", p=None, weight=weight, words=words
    )


def _text_checks(gold: GoldTable, text: TextFound | None) -> list[Checked]:
    if text is None:
        words = "the text was not asked: a label has fewer than ten complaints with words"
        return [Checked(check="text", effect=None, unit="kappa", p=None, weight=Weight.LIMIT, words=words)]
    of = f"{len(text.rows):,} complaints" + (" drawn at random" if len(gold.ids) > MOST_ROWS else "")
    interval = f"kappa {text.kappa:.2f} [{text.low:.2f}, {text.high:.2f}] on {of}"
    chance = text.low <= _LEAST_KAPPA
    checks = [
        Checked(
            check="text",
            effect=text.kappa,
            unit="kappa",
            p=None,
            weight=Weight.FATAL if chance else Weight.NONE,
            words=f"the text says next to nothing of the labels ({interval})"
            if chance
            else f"the text predicts the labels ({interval})",
        )
    ]
    noisy = text.noise_low > _NOISE and text.kappa >= _NOISE_KAPPA
    checks.append(
        Checked(
            check="label noise",
            effect=text.noise,
            unit="%",
            p=None,
            weight=Weight.LIMIT if noisy else Weight.NONE,
            words=f"the text contradicts {text.noise:.0f} % of the labels"
            + (" (label noise)" if noisy else ", which is no more than a text can say"),
            rows=tuple(gold.ids[place] for place in text.suspects),
        )
    )
    if text.alike:
        share = 100 * len(text.conflicts) / text.alike
        bad = len(text.conflicts) >= 3 and share > 20
        checks.append(
            Checked(
                check="near-duplicates",
                effect=share,
                unit="%",
                p=None,
                weight=Weight.LIMIT if bad else Weight.NONE,
                words=f"{len(text.conflicts)} of {text.alike} pairs of nearly one text have different labels",
                rows=tuple(gold.ids[place] for pair in text.conflicts[:10] for place in pair),
            )
        )
    return checks
