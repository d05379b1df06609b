"""The lm-eval tasks: families of one generation task per severity. An import line below adds a family."""

from pathlib import Path

from . import severity as severity

FOLDER = Path(__file__).parent
"""The folder to pass to lm-eval as ``--include_path``."""

GROUP = severity.FAMILY.group
