"""Risk: what a measure is, how much of it a portfolio carries, and which asset brings it."""
