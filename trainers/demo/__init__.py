"""Tiny models made on the spot, for the demo and the tests."""
