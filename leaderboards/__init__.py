"""From runs to ranked tables."""
