"""The encoder of BERTScore: which model and layer, how it is loaded, how texts become vectors."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...core import memory
from ...core.errors import UserError
from ...core.files import read_json
from ...core.records import validated
from ...core.settings import Record
from .layers import LAYER, cut_off, every, layers_of
from .loading import REMEDY, digest_of, load, max_length_of
from .windows import Frame

if TYPE_CHECKING:
    import torch

PAPER_ENCODER = "bert-base-multilingual-cased"
"""What ``bert_score.score`` uses for Arabic, and so the paper."""

NO_ENCODER = "none"
"""The encoder's name that leaves out whatever needs one, such as BERTScore."""

KNOWN_LAYERS = {
    PAPER_ENCODER: 9,
    "xlm-roberta-base": 9,
    "xlm-roberta-large": 17,
    "aubmindlab/bert-base-arabertv02": 12,
}
"""bert-score's own table for encoders that read Arabic; AraBERT, which is not in it, as public scripts use it."""

NOTE = "maqa_encoder.json"
_GPU_ROOM = 4 << 30
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_log = logging.getLogger(__name__)

Vectors = npt.NDArray[np.float32]


class _Note(Record):
    """What a local encoder says of itself in ``maqa_encoder.json``."""

    name: str
    layer: int
    comparable: bool


class EncoderAsked(NamedTuple):
    """Which encoder is meant, which of its layers, and whether long texts are read in windows.

    A layer of None is the known one.
    """

    model: str
    layer: int | None
    window: bool

    @property
    def asked(self) -> dict[str, str | int | None]:
        """As it stands in manifests and documents."""
        return {"encoder": self.model, "layer": self.layer, "window": self.window}


def encoder_asked(
    model: str | None, layer: int | str | None = None, window: bool | str | None = None
) -> EncoderAsked:
    """What is meant: what is given, else the environment's, else the paper's encoder without windows.

    Args:
        model: hub id, folder, or ``none``; else ``MAQA_BERTSCORE_MODEL``.
        layer: else ``MAQA_BERTSCORE_LAYER``; None leaves it to what is known of the encoder.
        window: else ``MAQA_BERTSCORE_WINDOW``.

    Raises:
        UserError: the layer is no whole number, or ``window`` neither yes nor no.
    """
    given = layer if layer is not None else os.environ.get("MAQA_BERTSCORE_LAYER") or None
    try:
        number = None if given is None else int(given)
    except ValueError:
        raise UserError(f"the BERTScore layer {given!r} is no whole number", LAYER) from None
    name = model or os.environ.get("MAQA_BERTSCORE_MODEL") or PAPER_ENCODER
    return EncoderAsked(
        name, number, _yes(window if window is not None else os.environ.get("MAQA_BERTSCORE_WINDOW") or False)
    )


def _yes(given: bool | int | str) -> bool:
    word = str(given).lower()
    if word not in _YES + _NO:
        raise UserError(
            f"the BERTScore window {given!r} is neither yes nor no",
            "Say true or false (--bertscore-window, evaluation.bertscore_window, MAQA_BERTSCORE_WINDOW)",
        )
    return word in _YES


@dataclass(frozen=True)
class EncoderChoice:
    """``source`` is loaded, ``name`` is shown; ``comparable`` says whether the scores are on the paper's scale."""

    source: str
    name: str
    layer: int
    comparable: bool


def choose_encoder(model: str, layer: int | None) -> EncoderChoice:
    """Settle name and layer of a hub id or a folder, without loading it.

    Raises:
        UserError: the folder or its note is missing or wrong, or nobody knows the layer.
    """
    folder, local, name, note = _named(model)
    chosen = layer if layer is not None else _layer_of(name, note)
    if chosen is None:
        raise UserError(
            f"no BERTScore layer is known for the encoder {model}",
            f"{LAYER}; `maqa score FILE --layers` measures which one separates right from wrong best",
        )
    paper = name == PAPER_ENCODER and chosen == KNOWN_LAYERS[PAPER_ENCODER]
    return EncoderChoice(str(folder) if local else model, name, chosen, paper and (note is None or note.comparable))


def known_layer(model: str) -> int | None:
    """The layer that the encoder's note or the table names.

    Raises:
        UserError: the folder or its note is missing or wrong.
    """
    _, _, name, note = _named(model)
    return _layer_of(name, note)


def _layer_of(name: str, note: _Note | None) -> int | None:
    return note.layer if note else KNOWN_LAYERS.get(name)


def _named(model: str) -> tuple[Path, bool, str, _Note | None]:
    """The folder, whether there is one, the name and the note of an encoder."""
    folder = Path(model).expanduser()
    local = folder.is_dir()
    if not local and (folder.is_absolute() or model.startswith((".", "~"))):
        raise UserError(f"encoder folder {model} does not exist", REMEDY)
    note = _read_note(folder) if local else None
    return folder, local, note.name if note else _local_name(folder) if local else _short(model), note


def _read_note(folder: Path) -> _Note | None:
    path = folder / NOTE
    if not path.exists():
        return None
    return validated(_Note, read_json(path, REMEDY), str(path), "Correct the key")


def _local_name(folder: Path) -> str:
    """The name in the folder's configuration if it is a known one, else the name of the folder."""
    config = read_json(folder / "config.json", "Pass a folder that holds config.json, weights and tokenizer")
    recorded = _short(str(config.get("_name_or_path"))) if isinstance(config, dict) else ""
    return recorded if recorded in KNOWN_LAYERS else folder.resolve().name


def _short(name: str) -> str:
    """The name without the organisation that the hub later put before bert-score's names."""
    return name.removeprefix("google-bert/").removeprefix("FacebookAI/")


class Encoder:
    """A loaded encoder up to its chosen layer, in float32.

    ``digest`` identifies weights and tokenizer, wherever they were loaded from.

    Raises:
        UserError: it cannot be loaded, its weights are incomplete or no safetensors, or it has no such layer.
    """

    def __init__(self, choice: EncoderChoice, device: str | None = None) -> None:
        network, self._tokenizer = load(choice.source)
        self._hidden = self._reading(network, choice)
        self.digest = digest_of(network, self._tokenizer)
        self.max_length = max_length_of(network.config, self._tokenizer)
        self._network, self._choice, self._device = network.eval(), choice, device

    def _reading(self, network: Any, choice: EncoderChoice) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        return cut_off(network, choice.layer, choice.source)

    @cached_property
    def device(self) -> torch.device:
        """Where texts are embedded, settled at the first of them: a generator may hold the GPU until then."""
        import torch

        device = torch.device(self._device or _roomy_device())
        self._network.to(device)
        _log.info("BERTScore encoder %s, layer %d, on %s", self._choice.name, self._choice.layer, device)
        return device

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        width: int = self._network.config.hidden_size
        return width

    @property
    def unknown_id(self) -> int | None:
        """The id of [UNK]; None for a tokenizer that knows every byte."""
        unknown: int | None = self._tokenizer.unk_token_id
        return unknown

    @property
    def frame_ids(self) -> list[int]:
        """The ids of [CLS] and [SEP], which can be matched but carry no weight."""
        frame = (self._tokenizer.cls_token_id, self._tokenizer.sep_token_id)
        return [number for number in frame if number is not None]

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with [CLS] and [SEP], cut at the encoder's maximum length."""
        return self._ids(texts, truncation=True, max_length=self.max_length)

    def is_longer(self, text: str, ids: Sequence[int]) -> bool:
        """Whether a text goes on after its ``ids``, which ``tokenize`` gave."""
        return len(ids) >= self.max_length and len(self.whole(text)) > self.max_length

    def whole(self, text: str) -> list[int]:
        """All token ids of a text with [CLS] and [SEP], however many."""
        return self._ids([text], verbose=False)[0]

    @cached_property
    def frame(self) -> Frame:
        """What the tokenizer puts around every text."""
        around, filled = self._ids(["", "x"])
        before = next(
            at for at, (one, other) in enumerate(zip([*around, None], filled, strict=False)) if one != other
        )
        return Frame(tuple(around[:before]), tuple(around[before:]))

    def _ids(self, texts: Sequence[str], **how: Any) -> list[list[int]]:
        # Half a surrogate pair is no Unicode, and the tokenizer raises TypeError on it.
        clean = [text.strip().encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
        ids: list[list[int]] = self._tokenizer(clean, **how)["input_ids"]
        return ids

    def embed(self, ids: Sequence[Sequence[int]]) -> list[Vectors]:
        """One batch of token ids to vectors of length 1, shape (tokens, width) each."""
        import torch

        lengths = [len(row) for row in ids]
        tokens = torch.full((len(ids), max(lengths)), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros_like(tokens)
        for row, values in enumerate(ids):
            tokens[row, : len(values)] = torch.tensor(values)
            mask[row, : len(values)] = 1
        with torch.inference_mode():
            hidden = self._hidden(tokens.to(self.device), mask.to(self.device))
            vectors = torch.nn.functional.normalize(hidden, dim=-1).cpu().numpy()
        # Copies, so that what is kept does not hold on to the padding.
        return [vectors[..., row, :length, :].copy() for row, length in enumerate(lengths)]

    def release(self) -> None:
        """Give the memory back, the GPU's included, which torch would keep for itself."""
        del self._network, self._hidden, self._tokenizer
        memory.release()


class EveryLayer(Encoder):
    """A loaded encoder that gives the vectors of all its layers by one pass, shape (layers, tokens, width) a text.

    ``layers`` is how many there are; the layer of the choice has to be one of them.
    """

    layers: int

    def _reading(self, network: Any, choice: EncoderChoice) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        self.layers = layers_of(network, choice.layer, choice.source)
        return partial(every, network)


def _roomy_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() and torch.cuda.mem_get_info()[0] >= _GPU_ROOM else "cpu"
