"""Answers on disk: append-only, found by what would change them, whole after a kill."""
