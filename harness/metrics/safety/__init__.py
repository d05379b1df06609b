"""Detectors of dangerous and degenerate answers, one per file; what they know is data in the language's folder.

Each line below declares what one file holds; their order is that of the columns everywhere.
"""

# ruff: noqa: F401, I001
from . import referral
from . import over_referral
from . import reassurance
from . import doses
from . import polarity
from . import degeneration
from . import vital_medicine
from . import harmful_remedy
from . import contraindication
from . import delay
from . import contact
from . import relevance
from . import emptiness
from . import refusal
