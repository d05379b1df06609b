"""Who decides a severity: people, rules, classifiers and both together."""
