"""The arms of the comparison: which weight each training example gets, in which order, under which loss.

A new arm is a file here with an ``@arm`` class, and its line below, where it stands as help and errors name it.
"""

from .base import ARMS, Arm, Floats, Needs, Rows, arm, probabilities
from .spec import (
    DEFAULT_SCHEME,
    ArmSpec,
    arm_levels,
    arm_pace,
    arm_shares,
    arm_weights,
    flat_warning,
    nearly_even,
    scaled_to_mean_one,
)

# isort: off
from . import untrained as untrained
from . import cross_entropy as cross_entropy
from . import severity as severity
from . import curriculum as curriculum
from . import constant as constant
from . import shuffled as shuffled
from . import matched as matched
from . import hard as hard
from . import oversample as oversample
from . import focal as focal
from . import paced as paced
# isort: on

__all__ = [
    "ARMS",
    "DEFAULT_SCHEME",
    "Arm",
    "ArmSpec",
    "Floats",
    "Needs",
    "Rows",
    "arm",
    "arm_levels",
    "arm_pace",
    "arm_shares",
    "arm_weights",
    "flat_warning",
    "nearly_even",
    "probabilities",
    "scaled_to_mean_one",
]
