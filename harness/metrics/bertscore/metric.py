"""BERTScore F1 (Zhang et al. 2020), equal to bert-score and several times as fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from importlib.metadata import version

import numpy as np
from rich.progress import Progress

from ...core.console import Terminal
from ...core.errors import UserError
from ...languages import Language
from ...scores.signatures import NEITHER_IS_BETTER, RATE
from ..base import Answers, Scores
from ..beyond import ANSWER_BEYOND, REFERENCE_BEYOND
from ..registry import Group, Need, metric
from .embeddings import Cache, Embedded, Tokens, batches, blocks, f1
from .encoder import Encoder, EncoderChoice, Vectors, choose_encoder
from .windows import OVERLAP

COLUMN = "bertscore_f1"

UNKNOWN_LIMIT = 0.2
"""Highest share of [UNK] among the references' tokens. An encoder of the language has a few per cent at most.
One with a foreign or broken vocabulary has nearly all, and since these look alike, every score is near 100."""

_BATCH_TOKENS = {"cpu": 1024, "cuda": 32768}
_CACHE_BYTES = 1 << 30


@metric(
    Group.SIMILARITY,
    meaning={
        COLUMN: "contextual vectors of tokens matched with the reference's, F1 of the best matches",
        ANSWER_BEYOND: "is longer than the encoder reads: what comes after is not compared",
        REFERENCE_BEYOND: "has a reference that is longer than the encoder reads: what comes after is not compared",
    },
    needs=[Need.ENCODER],
    parts=[ANSWER_BEYOND, REFERENCE_BEYOND],
    neither=[ANSWER_BEYOND, REFERENCE_BEYOND],
)
class BertScore:
    """F1 × 100 of the greedy token matching of ``bert_score.score``: no idf, no rescaling, text as written.

    As in bert-score, [CLS] and [SEP] can be matched but carry no weight, texts are stripped and cut at the
    encoder's maximum length, and an answer or a reference without a word scores 0. A similarity below 0 counts
    as 0, as bert-score has it wherever a batch is padded.

    What comes after the maximum length is not compared: ``beyond_encoder`` and ``reference_beyond_encoder`` are 100
    where the answer, or its reference, goes on there, else 0. With ``window`` all of it is: such a text is read in
    windows of that length that overlap by half, and each token is taken from the one in which it has most context;
    both columns are then 0. Texts that fit are scored the same to the last bit.

    The encoder is loaded when it is first needed. Embeddings of references are kept (up to 1 GiB), so further
    answers to the same questions cost half; unique texts are embedded once, by length. A score is the same to the
    last bit whatever was scored before it in this process.

    Args:
        language: of the texts; says which of them hold a word.
        model: hub id or folder of the encoder.
        layer: layer whose output is compared; None for the known layer of a known encoder.
        device: torch device; None for the GPU if one has room, else the CPU.
        batch_tokens: padded tokens a batch; None for what suits the device.
        window: read what is longer than the encoder reads in windows.

    Raises:
        UserError: on first use, if the encoder cannot be loaded, or it does not know the references' tokens.
    """

    columns = (COLUMN, ANSWER_BEYOND, REFERENCE_BEYOND)

    def __init__(
        self,
        language: Language,
        model: str,
        layer: int | None = None,
        device: str | None = None,
        batch_tokens: int | None = None,
        window: bool = False,
    ) -> None:
        self.language, self._window = language, window
        self._model, self._layer, self._device, self._batch_tokens = model, layer, device, batch_tokens
        self._references = Cache(_CACHE_BYTES)

    @cached_property
    def _choice(self) -> EncoderChoice:
        return choose_encoder(self._model, self._layer)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._choice, self._device)

    def release(self) -> None:
        """Give back the memory of encoder and embeddings; the next use loads it again."""
        self.release_encoder()
        self._references = Cache(_CACHE_BYTES)

    def release_encoder(self) -> None:
        """Give back the memory of the encoder alone, such as a GPU's."""
        encoder = vars(self).pop("_encoder", None)
        if encoder:
            encoder.release()

    @property
    def signatures(self) -> dict[str, str]:
        """Loads the encoder, since the signature identifies its weights."""
        parts = {
            "refs": "1",
            "text": "as-written",
            "model": self._choice.name.replace("|", "_"),
            "layer": str(self._choice.layer),
            "weights": self._encoder.digest,
            "max": str(self._encoder.max_length),
            "idf": "no",
            "rescale": "no",
            "dtype": "float32",
            "transformers": version("transformers"),
            "version": "2",
        }
        reads = {"window": f"overlap-{OVERLAP:g}"} if self._window else {}
        parts |= reads
        if not self._choice.comparable:
            parts["scale"] = "not-comparable-with-the-paper"
        cut = f"weights:{self._encoder.digest}|max:{self._encoder.max_length}|{RATE}|{NEITHER_IS_BETTER}|version:1"
        cut += "".join(f"|{key}:{value}" for key, value in reads.items())
        return {
            COLUMN: "|".join(f"{key}:{value}" for key, value in parts.items()),
            ANSWER_BEYOND: f"refs:0|{cut}",
            REFERENCE_BEYOND: f"refs:1|{cut}",
        }

    def score(self, answers: Answers) -> dict[str, Scores]:
        pairs = list(zip(answers.predictions, answers.references, strict=True))
        tokens = self._tokens(pairs)
        self._check_vocabulary(tokens, set(answers.references))
        longer = self._longer(tokens)
        unread = {} if self._window else longer
        return {
            COLUMN: 100 * self._f1(pairs, tokens, longer),
            ANSWER_BEYOND: np.array([100.0 * (answer in unread) for answer, _ in pairs]),
            REFERENCE_BEYOND: np.array([100.0 * (reference in unread) for _, reference in pairs]),
        }

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """F1 of answers with their references, shape (n,), whether or not the encoder knows their tokens.

        Raises:
            UserError: the encoder cannot be loaded.
        """
        tokens = self._tokens(pairs)
        return self._f1(pairs, tokens, self._longer(tokens))

    def _tokens(self, pairs: Sequence[tuple[str, str]]) -> Tokens:
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        return dict(zip(texts, self._encoder.tokenize(texts), strict=True))

    def _longer(self, tokens: Tokens) -> Tokens:
        return {text: self._encoder.whole(text) for text in tokens if self._encoder.is_longer(text, tokens[text])}

    def _f1(self, pairs: Sequence[tuple[str, str]], tokens: Tokens, longer: Tokens) -> Scores:
        scores: dict[tuple[str, str], float] = {}
        embedded: dict[str, Embedded] = {}
        console = Terminal(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("BERTScore", total=len(set(pairs)))
            kept = self._kept({reference for _, reference in pairs}, tokens, longer)
            for block in blocks(set(pairs), tokens):
                embedded = self._embed(block, tokens, longer, embedded | kept, partial(bar.advance, task))
                scores |= {pair: f1(*(embedded[text] for text in pair)) for pair in block}
        return np.array([scores[pair] for pair in pairs])

    def _check_vocabulary(self, tokens: Tokens, references: set[str]) -> None:
        ids = np.array([number for text in references for number in tokens[text][1:-1]])
        share = float(np.mean(ids == self._encoder.unknown_id)) if len(ids) else 0.0
        if self._encoder.unknown_id is not None and share > UNKNOWN_LIMIT:
            raise UserError(
                f"{share:.0%} of the references' tokens are unknown to the encoder {self._model}",
                "Use an encoder that reads this language, and check that the folder holds its own tokenizer",
            )

    def _kept(self, references: set[str], tokens: Tokens, longer: Tokens) -> dict[str, Embedded]:
        """The references, embedded in batches of their own: to the last bit the same whatever the answers are, and
        whatever this process has scored before. None where they are too many to be kept."""
        size = sum(len(longer.get(text, tokens[text])) for text in references)
        if 4 * size * self._encoder.width > self._references.limit_bytes:
            return {}
        found: dict[str, Embedded] = {}
        for batch in batches(references, tokens, self._budget):
            embedded = self._references.get(batch) or self._read(batch, tokens, longer)
            self._references.put(batch, embedded)
            found |= zip(batch, embedded, strict=True)
        return found

    def _embed(
        self,
        block: Sequence[tuple[str, str]],
        tokens: Tokens,
        longer: Tokens,
        known: dict[str, Embedded],
        advance: Callable[[float], None],
    ) -> dict[str, Embedded]:
        """Embeddings of a block's texts, taken from ``known`` where they are there.

        ``advance`` is told the pairs that each batch is worth.
        """
        texts = dict.fromkeys(text for pair in block for text in pair)
        embedded = {text: known[text] for text in texts if text in known}
        missing = [text for text in texts if text not in known]
        for batch in batches(missing, tokens, self._budget):
            embedded |= zip(batch, self._read(batch, tokens, longer), strict=True)
            advance(len(block) * len(batch) / len(missing))
        return embedded

    @property
    def _budget(self) -> int:
        """Padded tokens of a batch."""
        return self._batch_tokens or _BATCH_TOKENS.get(self._encoder.device.type, _BATCH_TOKENS["cpu"])

    def _read(self, batch: Sequence[str], tokens: Tokens, longer: Tokens) -> list[Embedded]:
        """One batch of texts.

        A long text as it is cut is its first window, and goes into the batch that it always went into: so that
        those beside it are the same to the last bit with windows and without.
        """
        ids = [tokens[text] for text in batch]
        found = [
            self._embedded(vectors, numbers) for numbers, vectors in zip(ids, self._encoder.embed(ids), strict=True)
        ]
        if not self._window:
            return found
        return [
            self._read_on(each, longer[text], self._budget) if text in longer else each
            for text, each in zip(batch, found, strict=True)
        ]

    def _read_on(self, first: Embedded, ids: Sequence[int], budget: int) -> Embedded:
        """A long text, of which ``first`` is the first window."""
        frame, longest = self._encoder.frame, self._encoder.max_length
        rest = {str(at): window for at, window in enumerate(frame.windows(ids, longest)[1:])}
        vectors = {
            name: read
            for batch in batches(rest, rest, budget)
            for name, read in zip(batch, self._encoder.embed([rest[name] for name in batch]), strict=True)
        }
        return self._embedded(frame.joined([first.vectors, *(vectors[name] for name in rest)], ids, longest), ids)

    def _embedded(self, vectors: Vectors, ids: Sequence[int]) -> Embedded:
        return Embedded(vectors, ~np.isin(ids, self._encoder.frame_ids))
