"""What trading costs. The same objects serve the optimiser, the simulator and reallocation."""
