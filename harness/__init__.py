"""The ground: languages, data, labelling, generation, metrics, statistics and runs."""
