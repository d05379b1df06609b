"""One engine or several at work: which prompts go together, how far it is, what ends it early."""
