"""BERTScore: an encoder read at one layer, embeddings, greedy matching."""
