"""Checks of what the repository is built from. Run them through scripts/supply."""
