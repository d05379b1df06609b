"""People's judgement: what they are asked, how it is collected blindly, and what it says of raters and metrics."""
