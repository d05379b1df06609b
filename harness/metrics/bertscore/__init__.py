"""BERTScore: an encoder read at one layer, embeddings, greedy matching."""

from . import metric as metric
