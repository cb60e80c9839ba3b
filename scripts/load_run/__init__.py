"""Load on a server of its own. Run it through scripts/load."""
