"""Real weights where no hub answers: what a package registry ships, turned into ordinary transformers folders."""
