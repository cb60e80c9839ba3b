"""Direct solvers: the problem goes to the solver as matrices, and its answer comes with a bound that proves it."""
