"""A model as judge of answers: what it is asked, how its word is checked, and how far it agrees with people."""
