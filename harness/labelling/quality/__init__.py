"""How far a severity source can be trusted: report cards against gold, and what wording does to it."""
