"""From a run, or two, to a per-severity error analysis."""
