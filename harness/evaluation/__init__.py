"""Ask a model by lm-eval's tasks, and write what it answered as a run."""
