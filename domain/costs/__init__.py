"""Costs of trading. The same objects serve the optimiser, the simulator and reallocation."""
