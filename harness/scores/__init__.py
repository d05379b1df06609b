"""The score table, and what a signature declares about a column."""
