"""An experiment: bases, arms and seeds as a grid, read from YAML, looked at before it begins."""
