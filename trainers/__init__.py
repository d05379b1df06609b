"""What is trained: language models by arm, severity classifiers, and the grid of an experiment."""
