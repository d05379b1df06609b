"""``maqa train lm``."""

from __future__ import annotations

from ..trainers.launch import lm
from .train import train

train.command("lm")(lm)
