"""Train a severity classifier, calibrated, with its report card."""
