"""The metrics: one per file, each percentages per answer with a signature."""
