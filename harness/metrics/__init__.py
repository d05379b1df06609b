"""The metrics: one per file, each percentages per answer with a signature.

Each line below declares what one file holds; their order is that of the columns everywhere.
"""

# ruff: noqa: F401, I001
from . import bertscore
from . import rouge
from . import chrf
from . import bleu
from . import empty
from . import safety
from . import style
from . import echo
