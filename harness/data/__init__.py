"""From a source file to a dataset folder."""
