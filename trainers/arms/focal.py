"""The arm ``focal``: whether attention to what is hard does what attention to what is severe does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Arm, Needs, arm

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 1e-30


@arm("focal")
class Focal(Arm):
    """Control: no weights of rows; a token counts for less the better it is known (gamma)."""

    uses = Needs.GAMMA

    def token_loss(self, nll: Tensor) -> tuple[Tensor, Tensor]:
        """``(1-p)^γ·nll`` with ``p = exp(-nll)`` (Lin et al. 2017, arXiv 1708.02002) and its slope."""
        # A token that is known for certain has no power below 0 of its 1-p.
        rest = (-(-nll).expm1()).clamp(min=_LEAST)
        scale = rest**self.gamma
        return scale * nll, scale + self.gamma * rest ** (self.gamma - 1) * (1 - rest) * nll
