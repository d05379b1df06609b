"""The cells of an experiment at work: what each does, how far it is, and who does it, here or on a cluster."""
