"""Labels that people gave elsewhere: read in the layouts and formats in which they come."""
