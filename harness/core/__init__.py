"""What everything else stands on: settings and registries."""
