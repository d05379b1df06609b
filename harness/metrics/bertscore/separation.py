"""Which layer of an encoder separates right from wrong answers best, on constructed pairs and on judged ones.

bert-score's authors chose the layer of each encoder by its correlation with people's judgement of translations
(Zhang et al. 2020, on WMT16). Of another encoder, language or kind of text that may be unknown; what can always be
had is whether a layer ranks answers of known worth as it must.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from ...core.console import Terminal
from ...core.errors import UserError
from ...core.settings import Record
from ...languages import Language
from ...languages.text import has_word
from ...statistics import USUAL, Resampling
from ...statistics.intervals import wilson
from ...statistics.orders import Estimate, concordance, estimate
from .constructed import Constructed, construct
from .embeddings import Embedded, Tokens, batches, f1
from .encoder import EncoderChoice, EveryLayer

QUESTIONS = 300
"""How many questions are constructed at most: an AUC is then known to about 3 points."""

PEOPLE = "people"
"""The column of what people judged, beside those of ``Wrong``."""

_BATCH_TOKENS = 1024
_ROOM_BYTES = 1 << 29
_CHANCE = 50.0
_LEVELS = (2.5, 97.5)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """n answers with their references and what people made of them: the larger, the better."""

    predictions: Sequence[str]
    references: Sequence[str]
    worth: Floats


class Auc(Record):
    """Chance, in percent, that a right answer scores above a wrong one, over all pairs of questions, ties half,
    with its 95 % bootstrap interval over questions. Of ``people``: that what they judged better scores higher."""

    value: float
    low: float | None
    high: float | None

    @property
    def separates(self) -> bool:
        """Whether chance is below the interval."""
        return self.low is not None and self.low > _CHANCE


class LayerRow(Record):
    """One layer: ``over`` what its right answers stand above, and ``decides``, the lowest of what decides."""

    layer: int
    over: dict[str, Auc]
    decides: Auc


class LayerTable(Record):
    """All layers of an encoder.

    ``deciding`` names the columns whose lowest one ranks the layers: ``people`` where people judged, else the
    constructed kinds. ``separating`` are the layers that separate every one of them, ``best`` that of these (of
    all, where none does) whose lowest is the highest, the lower of equals; ``alike`` are those whose difference to
    it may be 0.
    """

    encoder: str
    weights: str
    known_layer: int | None
    language: str
    questions: int
    same_category: int
    judged: int
    resampling: Resampling
    deciding: list[str]
    rows: list[LayerRow]
    best: int
    alike: list[int]
    separating: list[int]

    @property
    def words(self) -> str:
        """What the table says, in one or two sentences."""
        kinds = " and ".join(", ".join(self.deciding).rsplit(", ", 1))
        if not self.separating:
            return f"no layer separates right answers from {kinds}: BERTScore by this encoder says nothing of them"
        row = next(each for each in self.rows if each.layer == self.best)
        told = f"layer {self.best} separates best ({row.decides.value:.1f} % at the worst of {kinds})"
        if self.alike:
            told += f"; not told apart from it: {', '.join(map(str, self.alike))}"
        return told


def layer_table(
    choice: EncoderChoice,
    known_layer: int | None,
    references: Sequence[str],
    categories: Sequence[str | None] | None,
    language: Language,
    judged: Judged | None = None,
    resampling: Resampling = USUAL,
) -> LayerTable:
    """Measure every layer of an encoder, by one pass over each text.

    Args:
        choice: the encoder; its layer has to exist and counts for nothing else.
        known_layer: the layer that is asked for or known of it, to be shown; or None.
        references: from which answers are constructed (see ``construct``), up to ``QUESTIONS``.
        categories: of the same questions.
        language: of the texts.
        judged: answers that people judged.
        resampling: of the intervals; at most 2,000 resamples are drawn.

    Raises:
        UserError: fewer than two references can be taken, nothing was judged better than anything else, or the
            encoder cannot be loaded or has no such layer.
    """
    constructed = construct(references, categories, language, QUESTIONS)
    if len(constructed) < 2:
        raise UserError(
            "fewer than two different references have four words or more", "Give a file with more references"
        )
    if judged is not None and np.ptp(judged.worth) == 0:
        raise UserError("people judged every answer alike", "Give answers of which some were judged better")
    encoder = EveryLayer(choice)
    pairs = [(right, reference) for right, reference in zip(constructed.right, constructed.references, strict=True)]
    for _, wrong in constructed.wrong:
        pairs += zip(wrong, constructed.references, strict=True)
    if judged is not None:
        pairs += zip(judged.predictions, judged.references, strict=True)
    scores = _every_f1(encoder, pairs)
    for at, (answer, _) in enumerate(pairs):
        if not has_word(answer, language):
            scores[:, at] = 0.0
    deciding = [PEOPLE] if judged is not None else [str(kind) for kind, _ in constructed.wrong]
    drawn = [_drawn(row, constructed, judged, resampling) for row in scores]
    lowest = np.array([np.min([each[name] for name in deciding], axis=0) for each in drawn])
    rows = [
        LayerRow(
            layer=layer,
            over={name: _auc(draws, len(constructed)) for name, draws in each.items()},
            decides=_auc(low, len(constructed)),
        )
        for layer, (each, low) in enumerate(zip(drawn, lowest, strict=True), start=1)
    ]
    separating = [row.layer for row in rows if all(row.over[name].separates for name in deciding)]
    best = max(separating or range(1, len(rows) + 1), key=lambda layer: (lowest[layer - 1, 0], -layer)) - 1
    gaps = np.nanpercentile(lowest[best] - lowest, _LEVELS[0], axis=1)
    table = LayerTable(
        encoder=choice.name,
        weights=encoder.digest,
        known_layer=known_layer,
        language=language.code,
        questions=len(constructed),
        same_category=constructed.same_category,
        judged=0 if judged is None else len(judged.worth),
        resampling=resampling,
        deciding=deciding,
        rows=rows,
        best=best + 1,
        alike=[at + 1 for at, gap in enumerate(gaps) if at != best and gap <= 0],
        separating=separating,
    )
    encoder.release()
    return table


def _drawn(
    scores: Floats, constructed: Constructed, judged: Judged | None, resampling: Resampling
) -> dict[str, Floats]:
    """Of one layer's scores each column's AUC, then those of the resamples; people first."""
    n = len(constructed)
    parts = [scores[at * n : (at + 1) * n] for at in range(1 + len(constructed.wrong))]
    found = {}
    if judged is not None:
        # Answers to one question are drawn together.
        found[PEOPLE] = concordance(
            scores[len(parts) * n :], judged.worth, np.asarray(judged.references), resampling
        )
    truth = np.repeat([1.0, 0.0], n)
    for (kind, _), wrong in zip(constructed.wrong, parts[1:], strict=True):
        found[str(kind)] = concordance(
            np.concatenate([parts[0], wrong]), truth, np.tile(np.arange(n), 2), resampling
        )
    return found


def _auc(draws: Floats, questions: int) -> Auc:
    found: Estimate = estimate(draws, questions)
    value, low = float(draws[0]), found.low
    if value == 100 and low is not None:
        # No resample of questions that are all in order has one that is not.
        low = min(low, float(wilson(np.array(questions), questions)[0]))
    return Auc(value=value, low=low, high=found.high)


def _every_f1(encoder: EveryLayer, pairs: Sequence[tuple[str, str]]) -> Floats:
    """F1 of every pair by every layer, shape (layers, n), as ``BertScore`` has it by each."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    tokens = dict(zip(texts, encoder.tokenize(texts), strict=True))
    found: dict[tuple[str, str], Floats] = {}
    known: dict[str, list[Embedded]] = {}
    console = Terminal(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("every layer", total=len(pairs))
        for chunk in _chunks(list(dict.fromkeys(pairs)), tokens, encoder):
            wanted = list(dict.fromkeys(text for pair in chunk for text in pair))
            known = {text: known[text] for text in wanted if text in known}
            for batch in batches([text for text in wanted if text not in known], tokens, _BATCH_TOKENS):
                ids = [tokens[text] for text in batch]
                for text, numbers, layers in zip(batch, ids, encoder.embed(ids), strict=True):
                    counts = ~np.isin(numbers, encoder.frame_ids)
                    known[text] = [Embedded(vectors, counts) for vectors in layers]
            for pair in chunk:
                found[pair] = np.array([f1(*sides) for sides in zip(*(known[text] for text in pair), strict=True)])
            bar.advance(task, len(chunk))
    return np.array([found[pair] for pair in pairs]).T


def _chunks(
    pairs: Sequence[tuple[str, str]], tokens: Tokens, encoder: EveryLayer
) -> Iterator[list[tuple[str, str]]]:
    """Pairs in order, as many as have room for the vectors of all their texts by all layers."""
    room = _ROOM_BYTES // (4 * encoder.layers * encoder.width)
    # The constructed references stand beside those that are another question's wrong answer.
    order = {reference: place for place, (_, reference) in enumerate(pairs)}
    chunk: list[tuple[str, str]] = []
    texts: set[str] = set()
    held = 0
    for pair in sorted(pairs, key=lambda pair: order[pair[1]]):
        new = set(pair) - texts
        more = sum(len(tokens[text]) for text in new)
        if chunk and held + more > room:
            yield chunk
            chunk, texts, held, new = [], set(), 0, set(pair)
            more = sum(len(tokens[text]) for text in new)
        chunk.append(pair)
        texts |= new
        held += more
    yield chunk
