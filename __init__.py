"""maqa-severity: evaluate severity-aware Arabic medical text generation.

The repository root is this package. From the face down to the ground: ``cli`` and ``commands``,
``leaderboards`` and ``reports``, ``trainers``, ``tasks``, ``harness``.
"""

__version__ = "0.1.0"
