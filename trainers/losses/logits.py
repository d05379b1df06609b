"""What a model does with the scores of its head before they are logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Shaping:
    """``logits = cap·tanh(scale·scores / cap)``, each element for itself; without a cap ``scale·scores``.

    Cohere, Granite and Falcon-H1 scale, Gemma 2 caps (arXiv 2408.00118, section 2).
    """

    scale: float = 1.0
    cap: float | None = None

    def __call__(self, scores: Tensor) -> Tensor:
        """Logits of scores of any shape, differentiable."""
        scaled = scores if self.scale == 1 else scores * self.scale
        return scaled if self.cap is None else (scaled / self.cap).tanh() * self.cap

    def apply_(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, in the memory of the scores (N, V); and by how much they rise with the scaled scores, (N, V),
        where there is a cap."""
        if self.scale != 1:
            scores *= self.scale
        if self.cap is None:
            return scores, None
        scores.div_(self.cap).tanh_()
        slope = scores.square().neg_().add_(1)
        return scores.mul_(self.cap), slope


PLAIN = Shaping()
