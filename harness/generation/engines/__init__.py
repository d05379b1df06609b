"""The engines: whoever answers, loaded; only the one asked for is imported."""
