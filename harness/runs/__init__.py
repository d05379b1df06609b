"""A run: read, described, rescored, compared, grouped by arm and seed."""
