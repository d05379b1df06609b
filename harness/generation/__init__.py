"""Generation: fast, resumable, and never losing an answer."""

from .config import GenerationConfig, Kind
from .decoding import Decoding, Preset, decoding

__all__ = ["Decoding", "GenerationConfig", "Kind", "Preset", "decoding"]
