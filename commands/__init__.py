"""One module per command, and what their options and tables share."""
