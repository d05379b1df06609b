"""The audit of a gold: every check, one family of tests, one sentence as verdict."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ...core.settings import Record
from ...languages import Language
from ...languages.sentences import Words, named_term, sentence, together
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
    words: Words
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
    words = sentence("audit.silent", check=named_term(check.check))
    return check.model_copy(update={"weight": Weight.NONE, "words": words, "rows": ()})


def _judged(rows: int, checks: Sequence[Checked], ceiling: float | None) -> Audit:
    fatal = [check.words for check in checks if check.weight is Weight.FATAL]
    limits = [check.words for check in checks if check.weight is Weight.LIMIT]
    standing = Standing.UNFIT if fatal else Standing.LIMITED if limits else Standing.SOUND
    why = together(fatal or limits or [check.words for check in checks if check.check == "text"])
    words = sentence("audit.words", standing=sentence(f"audit.standing.{standing.name.lower()}"), why=why)
    return Audit(rows=rows, standing=standing, words=words, ceiling=ceiling, checks=tuple(checks))


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
    beyond = {"text": f"{text.kappa:.2f}"} if text and stronger else {}
    by = sentence(f"audit.order.{name}")
    fewer = 1 - found.runs / found.runs_expected
    return [
        Checked(
            check=f"{name}: neighbours",
            effect=found.kappa,
            unit="kappa",
            p=found.kappa_p,
            weight=Weight.FATAL if stronger else Weight.LIMIT,
            words=sentence(
                f"audit.neighbours{'_beyond' if beyond else ''}", order=by, kappa=f"{found.kappa:.2f}", **beyond
            ),
        ),
        Checked(
            check=f"{name}: runs",
            effect=fewer,
            unit="share",
            p=found.runs_p,
            weight=Weight.LIMIT,
            words=sentence("audit.runs", order=by, runs=found.runs, expected=f"{found.runs_expected:.0f}"),
        ),
        Checked(
            check=f"{name}: change point",
            effect=max(abs(a - b) for a, b in zip(found.before, found.after, strict=True)) / 100,
            unit="share",
            p=found.cut_p,
            weight=Weight.LIMIT,
            words=sentence(
                "audit.change",
                row=found.cut + 1,
                order=by,
                id=ids[found.cut],
                before=_shares(found.before),
                after=_shares(found.after),
            ),
            rows=(ids[found.cut],),
        ),
    ]


def _shares(shares: Sequence[float]) -> str:
    given = {name: f"{share:.0f}" for name, share in zip(class_names(), shares, strict=True)}
    return sentence("audit.shares", **given)


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
        words=sentence(
            f"audit.column{'_explains' if explains else ''}",
            column=found.column,
            v=f"{found.v:.2f}",
            n=found.values,
            extreme=found.extreme,
            shares=_shares(found.shares),
        ),
    )


def _careless_checks(gold: GoldTable, text: TextFound | None, seed: int) -> list[Checked]:
    found = careless(gold.codes, gold.annotators, text, seed)
    if found is None:
        return []
    against = sentence("audit.the_others" if gold.overlapping else "audit.the_text")
    return [
        Checked(
            check="careless annotator",
            effect=found.others - found.kappa,
            unit="kappa",
            p=found.p,
            weight=Weight.LIMIT,
            words=sentence(
                "audit.careless",
                annotator=found.annotator,
                n=found.rows,
                against=against,
                kappa=f"{found.kappa:.2f}",
                others=f"{found.others:.2f}",
            ),
        )
    ]


def _agreement_check(gold: GoldTable) -> tuple[float | None, Checked]:
    found = raters_found(gold.codes)
    if found is None:
        words = sentence("audit.no_agreement")
        return None, Checked(check="agreement", effect=None, unit="alpha", p=None, weight=Weight.NONE, words=words)
    alpha = found.agreement.alpha
    weight, low = Weight.NONE, ""
    if alpha.value is not None and alpha.value < 0.667:
        weight = Weight.FATAL if (alpha.high or alpha.value) < _AGREE else Weight.LIMIT
        low = "_low"
    interval = "" if alpha.low is None else f" [{alpha.low:.2f}, {alpha.high:.2f}]"
    size = f"{alpha.value or 0:.2f}{interval}"
    parts = [sentence(f"audit.agreement{low}", alpha=size, n=found.agreement.units)]
    if found.ceiling is not None:
        parts.append(sentence("audit.ceiling", kappa=f"{found.ceiling:.2f}"))
    words = together(parts)
    return found.ceiling, Checked(
        check="agreement", effect=alpha.value, unit="alpha", p=None, weight=weight, words=words
    )


def _text_checks(gold: GoldTable, text: TextFound | None) -> list[Checked]:
    if text is None:
        words = sentence("audit.text_unasked")
        return [Checked(check="text", effect=None, unit="kappa", p=None, weight=Weight.LIMIT, words=words)]
    of = sentence(f"audit.{'drawn' if len(gold.ids) > MOST_ROWS else 'complaints'}", n=f"{len(text.rows):,}")
    size = f"{text.kappa:.2f} [{text.low:.2f}, {text.high:.2f}]"
    chance = text.low <= _LEAST_KAPPA
    checks = [
        Checked(
            check="text",
            effect=text.kappa,
            unit="kappa",
            p=None,
            weight=Weight.FATAL if chance else Weight.NONE,
            words=sentence(f"audit.text_{'chance' if chance else 'predicts'}", kappa=size, of=of),
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
            words=sentence(f"audit.{'noise' if noisy else 'no_noise'}", share=f"{text.noise:.0f}"),
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
                words=sentence("audit.alike", n=len(text.conflicts), pairs=text.alike),
                rows=tuple(gold.ids[place] for pair in text.conflicts[:10] for place in pair),
            )
        )
    return checks
