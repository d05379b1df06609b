"""From the words of a complaint to a level of triage: discriminators, values, who and when."""
