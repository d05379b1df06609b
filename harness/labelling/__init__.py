"""Who decides the severity of a complaint, how sure that is, and what it does to the weights."""
