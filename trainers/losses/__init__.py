"""The weighted loss of labelled tokens, computed in chunks, and what it divides by."""
