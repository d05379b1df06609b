"""Generation: fast, resumable, and never losing an answer."""
