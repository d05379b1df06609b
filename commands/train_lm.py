"""``maqa train lm``."""

from __future__ import annotations

from ..trainers.lm.launch import NamesArms, lm
from .train import train

train.command("lm", cls=NamesArms)(lm)
