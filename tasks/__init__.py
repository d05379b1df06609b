"""The lm-eval tasks: a group of one generation task per severity."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder to pass to lm-eval as ``--include_path``."""

GROUP = "maqa_severity"
