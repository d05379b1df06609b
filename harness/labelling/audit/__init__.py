"""Whether people's labels can carry a claim: what besides the text predicts them, and how far the text does."""
